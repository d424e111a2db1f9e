//! `backstop replay`.

use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::command::{Files, ROOT, backstop, bare, finish, run, run_with};

const ATTACK: &str =
    r#"{"id":"attack","method":"GET","path":"/s?q=%3Cscript%3Ealert(1)%3C/script%3E"}"#;
const HONEST: &str = r#"{"id":"honest","method":"GET","path":"/s?q=ticket"}"#;

fn lines(lines: &[&str]) -> String {
    lines.join("\n") + "\n"
}

#[test]
fn our_samples_are_all_told_right_and_in_order() {
    let files = Files::new();
    let verdicts = files.path("verdicts.jsonl");
    let run = run(&[
        "replay",
        "samples/visitor.jsonl",
        "samples/attacks.jsonl",
        "samples/visitor.har",
        "--json",
        "--jobs",
        "3",
        "--fail-on",
        "blocked,missed",
        "--verdicts",
        verdicts.to_str().unwrap(),
    ]);
    let report = run.json();
    let labels = &report["labels"];
    assert_eq!(labels["first_missed"], Value::Array(vec![]));
    assert_eq!(labels["first_false_positives"], Value::Array(vec![]));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));

    let samples = ["visitor.jsonl", "attacks.jsonl"]
        .map(|name| std::fs::read_to_string(format!("{ROOT}/samples/{name}")).unwrap());
    let expected: Vec<Value> = samples
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let har: Value = serde_json::from_str(
        &std::fs::read_to_string(format!("{ROOT}/samples/visitor.har")).unwrap(),
    )
    .unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    let verdicts: Vec<Value> = std::fs::read_to_string(verdicts)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(verdicts.len(), expected.len() + entries.len());
    let ids = expected
        .iter()
        .map(|case| &case["id"])
        .chain(entries.iter().map(|entry| &entry["_id"]));
    for (verdict, id) in verdicts.iter().zip(ids) {
        assert_eq!(&verdict["id"], id, "the order of the input");
    }
    for (verdict, case) in verdicts.iter().zip(&expected) {
        let attack = case["label"] == "attack";
        assert_eq!(verdict["blocked"], attack, "{verdict}");
        assert_eq!(
            verdict["status"],
            if attack { 403 } else { 200 },
            "{verdict}"
        );
        assert_eq!(
            verdict["category"].is_string() && verdict["rule"].is_string(),
            attack,
            "{verdict}"
        );
        assert!(
            verdict["fuel"].as_u64() > Some(0) && verdict["error"].is_null(),
            "{verdict}"
        );
    }

    let attacks = expected
        .iter()
        .filter(|case| case["label"] == "attack")
        .count();
    assert_eq!(report["blocked"], attacks);
    assert_eq!(report["requests"], verdicts.len());
    assert_eq!(labels["caught"], attacks);
    assert_eq!(
        labels["categories"].as_object().unwrap().len(),
        10,
        "every category has its attacks"
    );
    for (category, score) in labels["categories"].as_object().unwrap() {
        assert!(
            score["attacks"].as_u64() >= Some(8),
            "{category} has 8 attacks or more: {score}"
        );
    }
    let fuel = &report["cost"]["fuel"];
    assert!(
        fuel["p50"].as_f64() > Some(0.0) && fuel["max"].as_f64() >= fuel["p99"].as_f64(),
        "{fuel}"
    );
    assert_eq!(report["cost"]["slowest"].as_array().unwrap().len(), 5);
    let blocked: u64 = report["by_rule"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["requests"].as_u64().unwrap())
        .sum();
    assert_eq!(blocked, attacks as u64);
}

#[test]
fn time_is_measured_without_fuel_and_the_verdicts_are_the_same() {
    let (attack, honest) = (lines(&[ATTACK]), lines(&[HONEST]));
    let both = [attack.as_bytes(), honest.as_bytes()].concat();
    let counted = run_with(&["replay", "-", "--json"], &both).json();
    let timed = run_with(&["replay", "-", "--json", "--no-fuel"], &both).json();
    assert_eq!(
        (&timed["blocked"], &timed["passed"]),
        (&counted["blocked"], &counted["passed"])
    );
    assert_eq!(timed["blocked"], 1);
    for (report, fuel) in [(&counted, true), (&timed, false)] {
        let cost = &report["cost"];
        assert_eq!(cost["fuel_counted"], fuel);
        assert_eq!(cost["fuel"]["max"].as_f64() > Some(0.0), fuel, "{cost}");
        assert!(cost["time_us"]["max"].as_f64() > Some(0.0), "{cost}");
    }
    let text = run_with(&["replay", "-", "--no-fuel"], honest.as_bytes()).stdout;
    assert!(
        text.contains("Slowest, by time") && !text.contains("Fuel, instructions"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_read_is_named_and_counted_and_the_rest_is_replayed() {
    let files = Files::new();
    let broken = files.write(
        "broken.jsonl",
        lines(&[HONEST, "GET / HTTP/1.1", "", r#"{"method":"GET"}"#, ATTACK]),
    );
    let har = files.write(
        "cut.har",
        r#"{"log":{"entries":[{"request":{"method":"GET","url":"http://t.example/"}},"#,
    );
    let run = run(&["replay", &broken, &har]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    let said: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(said.len(), 3, "{}", run.stderr);
    assert_eq!(
        said[0],
        format!("backstop: {broken}:2: expected value (column 1)")
    );
    assert_eq!(
        said[1],
        format!("backstop: {broken}:4: missing field `path` (column 16)")
    );
    assert!(
        said[2].starts_with(&format!("backstop: {har}:1: not a HAR: ")),
        "{}",
        said[2]
    );
    let rows: Vec<Vec<&str>> = run
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    for row in [
        &["Requests", "3"][..],
        &["Blocked", "1", "33.3", "%"],
        &["Broken", "records", "3"],
    ] {
        assert!(
            rows.iter().any(|have| have == row),
            "{row:?} in {}",
            run.stdout
        );
    }
}

#[test]
fn gzip_comes_from_standard_input_too() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(lines(&[HONEST, ATTACK]).as_bytes())
        .unwrap();
    let run = run_with(&["replay", "-", "--json"], &encoder.finish().unwrap());
    let report = run.json();
    assert_eq!(
        (run.code, &report["requests"], &report["blocked"]),
        (0, &Value::from(2), &Value::from(1))
    );
}

#[test]
fn a_pipeline_can_fail_on_what_is_blocked_and_on_what_is_missed() {
    let missed = HONEST.replace(
        "{\"id\"",
        "{\"label\":\"attack\",\"category\":\"XSS\",\"id\"",
    );
    for (input, fail_on, code) in [
        (ATTACK, "blocked", 1),
        (ATTACK, "missed", 0),
        (missed.as_str(), "missed", 1),
    ] {
        let run = run_with(
            &["replay", "-", "--fail-on", fail_on],
            lines(&[input]).as_bytes(),
        );
        assert_eq!(run.code, code, "{input} {fail_on}: {}", run.stderr);
    }
}

#[test]
fn mode_detect_is_told_apart() {
    let files = Files::new();
    let config = files.write("detect.yaml", "mode: detect\n");
    let verdicts = files.path("v.jsonl");
    let args = [
        "replay",
        "-",
        "--config",
        &config,
        "--verdicts",
        verdicts.to_str().unwrap(),
        "--fail-on",
        "blocked",
    ];
    let run = run_with(&args, lines(&[ATTACK]).as_bytes());
    assert_eq!(run.code, 1, "would be blocked counts for --fail-on");
    assert!(
        run.stdout.contains("Would block (mode detect)")
            && run.stdout.contains("Would be blocked by"),
        "{}",
        run.stdout
    );
    let verdict: Value =
        serde_json::from_str(std::fs::read_to_string(verdicts).unwrap().trim()).unwrap();
    assert_eq!(
        (
            &verdict["blocked"],
            &verdict["would_block"],
            &verdict["category"]
        ),
        (&Value::from(false), &Value::from(true), &Value::from("XSS"))
    );
}

#[test]
fn bodies_in_base64_requests_that_envoy_refuses_and_urls_of_no_gateway() {
    let files = Files::new();
    let har = files.write(
        "t.har",
        r#"{"log":{"entries":[
        {"request":{"method":"POST","url":"http://t.example/","headers":[{"name":"Content-Type","value":"text/plain"}],
         "postData":{"encoding":"base64","text":"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg=="}}},
        {"request":{"method":"GET","url":"data:text/plain,x"}},
        {"request":{"method":"BREW","url":"http://t.example/pot"}}]}}"#,
    );
    let run = run(&["replay", &har, "--json"]);
    let report = run.json();
    assert_eq!(
        (run.code, &report["blocked"], &report["skipped"]),
        (0, &Value::from(1), &Value::from(1))
    );
    assert_eq!(
        report["invalid"],
        serde_json::json!({ "Envoy answers 400 to an unknown method": 1 })
    );
}

#[test]
fn what_keeps_it_from_starting_is_one_line() {
    let files = Files::new();
    let config = files.write("c.json", r#"{"mode":"off"}"#);
    let missing = finish(&mut backstop(&["replay", "no/such/file.jsonl"]));
    let refused = run(&["replay", "samples/visitor.jsonl", "--config", &config]);
    let nowhere = finish(bare().args(["replay", "samples/visitor.jsonl", "--module", "no.wasm"]));
    let no_module =
        finish(bare().args(["replay", "samples/visitor.jsonl", "--module", "Cargo.toml"]));
    for (run, text) in [
        (missing, "no/such/file.jsonl: "),
        (refused, "$.mode: "),
        (nowhere, "make build"),
        (no_module, "Cargo.toml: not a WebAssembly module"),
    ] {
        assert_eq!(
            (run.code, run.stderr.lines().count()),
            (2, 1),
            "{}",
            run.stderr
        );
        assert!(
            run.stderr.starts_with("backstop: ") && run.stderr.contains(text),
            "{}",
            run.stderr
        );
        assert_eq!(run.stdout, "");
    }
    assert_eq!(finish(bare().args(["replay"])).code, 2);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = backstop(&["rules"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (output.status.code(), output.stderr.as_slice()),
        (Some(0), &b""[..])
    );
}
