//! Outcomes to decisions.

use super::*;
use crate::{LogLine, VmRole};

fn outcome(details: &str, logs: &[&str]) -> Outcome {
    let line = |message: &&str| LogLine {
        level: LogLevel::Warn,
        plugin: "waf".to_string(),
        vm: VmRole::Worker(0),
        message: (*message).to_string(),
    };
    Outcome {
        status: 200,
        details: details.to_string(),
        logs: logs.iter().map(line).collect(),
        ..Outcome::default()
    }
}

fn line(action: &str, rule: &str) -> String {
    format!(
        r#"{{"timestamp":"x","type":"security","category":"XSS","rule":"{rule}","rule_id":7,"action":"{action}","target":"query:q","score":5}}"#
    )
}

fn rule(decision: &Decision) -> (&'static str, &str) {
    let kind = match decision {
        Decision::Passed(_) => "passed",
        Decision::Blocked(_) => "blocked",
        Decision::WouldBlock(_) => "would block",
        Decision::Invalid(_) => "invalid",
        Decision::Failed(_) => "failed",
    };
    (
        kind,
        decision
            .finding()
            .map_or("", |finding| finding.rule.as_str()),
    )
}

#[test]
fn a_refusal_is_told_by_details_and_its_finding_by_the_log() {
    let refused = "backstop_waf{XSS:b}";
    let both = outcome(
        refused,
        &["started", &line("pass", "a"), &line("block", "b")],
    );
    let decision = decision_of(&both);
    assert_eq!(rule(&decision), ("blocked", "b"));
    let finding = decision.finding().unwrap();
    assert_eq!(
        (finding.rule_id, finding.target.as_str(), finding.score),
        (7, "query:q", 5)
    );
    assert_eq!(
        rule(&decision_of(&outcome(refused, &[]))),
        ("blocked", "b"),
        "logging is off"
    );
}

#[test]
fn what_goes_on_may_have_been_reported() {
    let passed = "via_upstream";
    assert_eq!(rule(&decision_of(&outcome(passed, &[]))), ("passed", ""));
    assert_eq!(
        rule(&decision_of(&outcome(
            passed,
            &["{\"type\":\"other\",\"action\":\"block\"}"]
        ))),
        ("passed", "")
    );
    assert_eq!(
        rule(&decision_of(&outcome(passed, &[&line("pass", "a")]))),
        ("passed", "a")
    );
    assert_eq!(
        rule(&decision_of(&outcome(
            passed,
            &[&line("detect", "a"), &line("pass", "b")]
        ))),
        ("would block", "a")
    );
    let mut silent = outcome(passed, &[]);
    silent
        .filter_state
        .insert("wasm.waf_verdict".to_string(), b"detect:XSS:a".to_vec());
    assert_eq!(rule(&decision_of(&silent)), ("would block", "a"));
}

#[test]
fn what_envoy_does_by_itself_is_not_put_on_the_filter() {
    let decision = decision_of(&outcome("request_payload_too_large", &[]));
    assert_eq!(decision.finding().unwrap().category, "ENVOY");
    let hung = Outcome {
        stalled: true,
        ..Outcome::default()
    };
    assert_eq!(rule(&decision_of(&hung)).0, "failed");
}

#[test]
fn filters_without_categories_are_their_own() {
    for (details, category, name) in [
        (
            "backstop_origin_verify{missing}",
            "ORIGIN_VERIFY",
            "missing",
        ),
        ("backstop_rate_limit{client}", "RATE_LIMIT", "client"),
        (
            "backstop_waf{REQUEST_BODY:body-too-large}",
            "REQUEST_BODY",
            "body-too-large",
        ),
    ] {
        let decision = decision_of(&outcome(details, &[]));
        assert_eq!(rule(&decision), ("blocked", name));
        assert_eq!(decision.finding().unwrap().category, category);
    }
}
