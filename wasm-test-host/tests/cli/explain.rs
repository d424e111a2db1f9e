//! `backstop explain`.

use serde_json::Value;

use crate::command::{Files, run, run_with};

#[test]
fn every_step_to_the_verdict_and_a_way_around_it() {
    let run = run(&[
        "explain",
        "curl",
        "-b",
        "lang=ko",
        "https://t.example/search?q=%253Cscript%253Ealert(1)%253C/script%253E",
    ]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for text in [
        "query:q",
        "<script>alert(1)</script>",
        "^ XSS xss-script-tag",
        "after percent, percent",
        "blocked with 403: XSS",
        "To let it pass (tried: with this exclusion it does)",
        "exact: /search",
        "- query:q",
    ] {
        assert!(run.stdout.contains(text), "`{text}` in {}", run.stdout);
    }
    assert!(
        !run.stdout.contains('\x1b'),
        "no colours outside a terminal"
    );
}

#[test]
fn a_file_is_a_request_with_or_without_its_flag() {
    let files = Files::new();
    let request = files.write(
        "request.json",
        r#"{"method":"GET","path":"/search?q=%3Cscript%3E","headers":[]}"#,
    );
    for arguments in [
        &["explain", "--json", &request][..],
        &["explain", "--json", "--request", &request],
    ] {
        assert_eq!(run(arguments).json()["verdict"]["blocked"], true);
    }
}

#[test]
fn the_exclusion_it_offers_lets_the_request_pass() {
    let request = r#"{"method":"POST","path":"/board/posts","headers":[["Content-Type","application/json"]],"body":"{\"text\":\"<script>alert(1)</script>\"}"}"#;
    let explained = run_with(&["explain", "--json", "--request", "-"], request.as_bytes()).json();
    assert_eq!(explained["verdict"]["blocked"], true);
    let value = explained["values"]
        .as_array()
        .unwrap()
        .iter()
        .find(|value| value["target"] == "json:/text")
        .unwrap();
    let finding = &value["findings"][0];
    for field in ["rule", "description", "example", "lookalike", "reference"] {
        assert!(
            finding[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field} of {finding}"
        );
    }
    let files = Files::new();
    let config = files.write(
        "c.json",
        serde_json::json!({ "exclusions": [explained["exclusion"]] }).to_string(),
    );
    let again = run_with(
        &["explain", "--json", "--request", "-", "--config", &config],
        request.as_bytes(),
    )
    .json();
    assert_eq!(
        (&again["verdict"]["blocked"], &again["exclusion"]),
        (&Value::from(false), &Value::Null)
    );
}

#[test]
fn an_exclusion_for_edge_is_tried_in_its_section() {
    let files = Files::new();
    let config = files.write("c.json", r#"{"waf":{"sensitivity":2}}"#);
    let explained = run(&[
        "explain",
        "--filter",
        "edge",
        "--config",
        &config,
        "--json",
        "curl",
        "https://t.example/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
    ])
    .json();
    assert_eq!(explained["verdict"]["blocked"], true);
    let whole =
        serde_json::json!({"waf": {"sensitivity": 2, "exclusions": [explained["exclusion"]]}});
    let config = files.write("c.json", whole.to_string());
    let again = run(&[
        "explain",
        "--filter",
        "edge",
        "--config",
        &config,
        "--json",
        "curl",
        "https://t.example/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
    ])
    .json();
    assert_eq!(again["verdict"]["blocked"], false);
}

#[test]
fn a_command_line_that_cannot_be_read_is_an_error() {
    let run = run(&["explain", "curl", "--fly", "t.example"]);
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (2, "backstop: unknown curl option `--fly`\n")
    );
}
