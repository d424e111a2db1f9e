//! `backstop replay --ext-authz-verdicts`: the sample traffic past a bot engine that a script plays.

use serde_json::Value;

use crate::command::{Files, run};

const SAMPLE: [&str; 6] = [
    "replay",
    "samples/ext-authz/traffic.jsonl",
    "--filter",
    "ext-authz",
    "--config",
    "samples/ext-authz/filter.yaml",
];

#[test]
fn a_script_plays_the_service() {
    let files = Files::new();
    let verdicts = files.path("verdicts.jsonl");
    let mut args = SAMPLE.to_vec();
    args.extend(["--ext-authz-verdicts", "samples/ext-authz/verdicts.yaml"]);
    args.extend(["--verdicts", verdicts.to_str().unwrap()]);
    let run = run(&args);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let lines = std::fs::read_to_string(verdicts).unwrap();
    let said: Vec<(String, u64, String)> = lines
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            (
                line["id"].as_str().unwrap().to_owned(),
                line["status"].as_u64().unwrap(),
                line["rule"].as_str().unwrap_or("-").to_owned(),
            )
        })
        .collect();
    let expected = [
        ("home", 200, "-"),
        ("enter", 200, "-"),
        ("seats-throttled", 200, "-"),
        ("hold-challenged", 428, "challenge"),
        ("hold-without-answer", 503, "timeout"),
        ("enter-without-answer", 200, "-"),
        ("enter-blocked", 403, "block"),
        ("seats-of-the-blocked", 403, "block-list"),
        ("home-of-the-blocked", 200, "-"),
    ]
    .map(|(id, status, rule)| (id.to_owned(), status, rule.to_owned()));
    assert_eq!(said, expected);
}

#[test]
fn a_wrong_script_ends_the_replay() {
    let files = Files::new();
    let script = files.write("script.yaml", "rules: [{verdict: MAYBE}]");
    let mut args = SAMPLE.to_vec();
    args.extend(["--ext-authz-verdicts", script.as_str()]);
    let run = run(&args);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("script.yaml: ") && run.stderr.contains("MAYBE"),
        "{}",
        run.stderr
    );
}
