//! Verdicts that are enforced for a share of the clients.
#![allow(clippy::unwrap_used, reason = "a test")]

#[cfg(test)]
mod support;

use support::{get, post};

const INSIDE: &str = "198.51.100.1:0";
const OUTSIDE: &str = "203.0.113.7:0";
const ATTACK: &str = "/?id=1'+union+select+password+from+users";

#[test]
fn clients_outside_the_roll_out_are_reported_and_pass() {
    let policy = r#"{"enforcePercent":30}"#;
    let refused = get(ATTACK).from(INSIDE).run(policy);
    assert_eq!(refused.status, Some(403));
    assert_eq!(
        refused.reports[0].verdict(),
        "block:SQL_INJECTION:sql-union"
    );
    let passed = get(ATTACK).from(OUTSIDE).run(policy);
    assert_eq!(passed.status, None);
    assert_eq!(
        passed.reports[0].verdict(),
        "detect:SQL_INJECTION:sql-union"
    );
    assert!(
        passed.lines[0].contains(r#""blocked":false"#),
        "{:?}",
        passed.lines
    );
    assert!(
        passed.lines[0].contains(r#""mode":"detect""#),
        "{:?}",
        passed.lines
    );
}

#[test]
fn nothing_is_held_back_from_clients_outside() {
    let form = || post("/", "application/x-www-form-urlencoded", "a=1").chunks(1);
    let policy = r#"{"enforcePercent":30}"#;
    assert!(form().from(INSIDE).run(policy).ever_held);
    assert!(!form().from(OUTSIDE).run(policy).ever_held);
}

#[test]
fn categories_and_rules_that_block_by_themselves_are_rolled_out_too() {
    let policy = r#"{"mode":"detect","enforcePercent":30,
        "categories":{"sqlInjection":{"mode":"block"}},
        "customRules":[{"id":100001,"name":"patch","pattern":"^boom$","targets":["query:x"],"action":"block","score":2}]}"#;
    for path in [ATTACK, "/?x=boom"] {
        assert_eq!(
            get(path).from(INSIDE).run(policy).status,
            Some(403),
            "{path}"
        );
        let passed = get(path).from(OUTSIDE).run(policy);
        assert_eq!(passed.status, None, "{path}");
        assert!(passed.reports[0].verdict().starts_with("detect:"), "{path}");
    }
}

#[test]
fn what_cannot_be_inspected_is_reported_and_passes_outside() {
    let policy = r#"{"enforcePercent":30,"requestBody":{"limit":"1KiB","onLimit":"reject"}}"#;
    let long = || post("/", "text/plain", "x".repeat(3000));
    assert_eq!(long().from(INSIDE).run(policy).status, Some(413));
    assert_eq!(long().from(OUTSIDE).run(policy).status, None);
    let unreadable = || post("/", "text/plain", "x").unreadable();
    assert_eq!(unreadable().from(INSIDE).run(policy).status, Some(500));
    assert_eq!(unreadable().from(OUTSIDE).run(policy).status, None);
}

#[test]
fn at_0_nobody_is_refused_at_100_all() {
    for (percent, status) in [(0, None), (100, Some(403))] {
        let policy = format!(r#"{{"enforcePercent":{percent}}}"#);
        for client in [INSIDE, OUTSIDE, "unknown"] {
            assert_eq!(
                get(ATTACK).from(client).run(&policy).status,
                status,
                "{client}"
            );
        }
    }
}
