//! Rules of an operator's own: what they match, what a match does, what bounds them.

#[cfg(test)]
mod support;

use std::rc::Rc;

use backstop_waf::Policy;
use support::{Case, get, post};

/// A rule for `query:id`, with `more` fields.
fn rule(more: &str) -> String {
    format!(
        r#"{{"id":100001,"name":"patch-id","description":"Ids are numbers","pattern":"zebra","targets":["query:id"]{more}}}"#
    )
}

/// A configuration of that rule, with `more` fields beside.
fn with(rule: &str, more: &str) -> String {
    format!(r#"{{"customRules":[{rule}]{more}}}"#)
}

fn refused(json: &str) -> String {
    Policy::from_json(json.as_bytes())
        .err()
        .map_or_else(|| "accepted".to_owned(), |error| error.to_string())
}

#[test]
fn a_match_is_refused_and_reported_like_any_other() {
    let run = get("/a?id=a%20zebra").run(&with(&rule(""), ""));
    assert_eq!(run.status, Some(403));
    assert_eq!(run.details, "backstop_waf{CUSTOM:patch-id}");
    assert_eq!(run.reports[0].verdict(), "block:CUSTOM:patch-id");
    let line = run.line();
    for (field, value) in [
        ("event", "CUSTOM_DETECTED"),
        ("category", "CUSTOM"),
        ("rule", "patch-id"),
        ("description", "Ids are numbers"),
        ("matched", "zebra"),
        ("target", "query:id"),
        ("decodings", ""),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
    assert_eq!(line["rule_id"], 100_001);
    assert_eq!(line["score"], 5);
    assert!(
        get("/a?id=7&other=zebra")
            .run(&with(&rule(""), ""))
            .passed()
    );
}

#[test]
fn every_form_of_a_value_is_tried() {
    let config = with(
        &rule("").replace("zebra", r"<z>|^a\\+b$|%7a|\\x{fffd}$"),
        "",
    );
    for (path, decodings) in [
        ("/?id=%3Cz%3E", "percent"),
        ("/?id=%253Cz%253E", "percent>percent"),
        ("/?id=%26lt%3Bz%3E", "percent>html"),
        // As it came.
        ("/?id=a+b", ""),
        ("/?id=%7ax", ""),
        // Bytes that are no UTF-8.
        ("/?id=a%ff", "percent"),
    ] {
        let run = get(path).run(&config);
        assert_eq!(run.blocked_by(), "CUSTOM:patch-id", "{path}");
        assert_eq!(run.line()["decodings"], decodings, "{path}");
    }
    assert!(get("/?id=aab").run(&config).passed());
}

#[test]
fn every_kind_of_target_is_a_place_for_a_rule() {
    let form = "application/x-www-form-urlencoded";
    let json = "application/json";
    for (target, case) in [
        ("path", get("/a/zebra")),
        ("queryName:*", get("/?zebra=1")),
        ("header:x-a*", get("/").header("x-animal", "zebra")),
        ("cookie:c", get("/").header("cookie", "c=zebra")),
        ("form:f", post("/", form, "f=zebra")),
        ("json:/a/*", post("/", json, r#"{"a":["zebra"]}"#)),
        ("jsonKey:*", post("/", json, r#"{"zebra":1}"#)),
        ("text", post("/", "text/plain", "zebra")),
    ] {
        let config = with(&rule("").replace("query:id", target), "");
        assert_eq!(
            case.run(&config).blocked_by(),
            "CUSTOM:patch-id",
            "{target}"
        );
        let other = with(&rule("").replace("query:id", "query:other"), "");
        assert!(case.run(&other).passed(), "{target}");
    }
}

#[test]
fn an_action_is_the_rules_own_mode() {
    let zebra = get("/?id=zebra");
    let end = |rule: &str, more: &str| {
        let run = zebra.run(&with(rule, more));
        (run.status, run.reports[0].verdict())
    };
    let verdict = |word: &str| format!("{word}:CUSTOM:patch-id");
    let detect = r#","mode":"detect""#;
    let score = rule("");
    assert_eq!(end(&score, ""), (Some(403), verdict("block")));
    assert_eq!(end(&score, detect), (None, verdict("detect")));
    let block = rule(r#","action":"block","score":2"#);
    assert_eq!(end(&block, ""), (Some(403), verdict("block")));
    assert_eq!(end(&block, detect), (Some(403), verdict("block")));
    let only_detect = rule(r#","action":"detect""#);
    assert_eq!(end(&only_detect, ""), (None, verdict("detect")));
    // Too little for the threshold.
    let low = rule(r#","score":4"#);
    assert_eq!(end(&low, ""), (None, verdict("pass")));
    let high = r#","scoreThreshold":10"#;
    assert_eq!(end(&score, high), (None, verdict("pass")));
    assert_eq!(end(&block, high), (Some(403), verdict("block")));
}

#[test]
fn scores_add_up_with_those_of_other_rules() {
    let config = with(&rule(""), r#","scoreThreshold":10"#);
    let run = get("/?id=zebra%20%3Cscript%3Ealert(1)%3C/script%3E").run(&config);
    assert_eq!(run.status, Some(403));
    let line = run.line();
    assert!(line["score"].as_u64() >= Some(10), "{line}");
    let rules: Vec<&str> = run.reports[0]
        .entries()
        .iter()
        .map(|entry| entry.rule.name())
        .collect();
    assert!(rules.contains(&"patch-id") && rules.contains(&"xss-script-tag"));
}

#[test]
fn a_rule_that_refuses_by_itself_leads_the_report() {
    let config = with(
        &rule(r#","action":"block","score":1"#),
        r#","scoreThreshold":100"#,
    );
    let run = get("/?id=zebra%20%3Cscript%3Ealert(1)%3C/script%3E").run(&config);
    assert_eq!(run.blocked_by(), "CUSTOM:patch-id");
}

#[test]
fn a_rule_of_a_category_shares_its_switches() {
    let in_xss = rule(r#","category":"xss""#);
    let zebra = get("/?id=zebra");
    assert_eq!(zebra.run(&with(&in_xss, "")).blocked_by(), "XSS:patch-id");
    let off = r#","categories":{"xss":{"enabled":false}}"#;
    assert!(zebra.run(&with(&in_xss, off)).reports.is_empty());
    let detect = r#","categories":{"xss":{"mode":"detect"}}"#;
    assert_eq!(
        zebra.run(&with(&in_xss, detect)).reports[0].verdict(),
        "detect:XSS:patch-id"
    );
}

#[test]
fn exclusions_switches_and_trusted_clients_apply() {
    let zebra = get("/a?id=zebra");
    for more in [
        r#","exclusions":[{"path":{"exact":"/a"}}]"#,
        r#","exclusions":[{"targets":["query:id"]}]"#,
        r#","exclusions":[{"rules":["patch-id"]}]"#,
        r#","exclusions":[{"rules":["100001"],"targets":["query:id"]}]"#,
        r#","rules":{"disabled":["patch-id"]}"#,
        r#","trustedClients":["198.51.100.0/24"]"#,
    ] {
        let run = zebra.run(&with(&rule(""), more));
        assert!(run.passed() && run.reports.is_empty(), "{more}");
    }
    for more in [
        r#","exclusions":[{"rules":["patch-id"],"targets":["query:other"]}]"#,
        r#","exclusions":[{"categories":["xss"]}]"#,
    ] {
        assert_eq!(
            zebra.run(&with(&rule(""), more)).status,
            Some(403),
            "{more}"
        );
    }
    let in_xss = rule(r#","category":"xss""#);
    let more = r#","exclusions":[{"categories":["xss"]}]"#;
    assert!(zebra.run(&with(&in_xss, more)).passed());
}

#[test]
fn a_rule_is_about_the_requests_that_it_names() {
    let config = with(
        &rule(r#","path":{"prefix":"/book"},"hosts":["shop.example.com"],"methods":["GET"]"#),
        "",
    );
    let blocked = |case: &Case| case.run(&config).status == Some(403);
    assert!(blocked(&get("/book/1?id=zebra")));
    // However the path is spelled, even where servers read it in different ways.
    assert!(blocked(&get("/x/..;/book/1?id=zebra")));
    assert!(blocked(&get("/%62ook?id=zebra")));
    assert!(!blocked(&get("/look?id=zebra")));
    assert!(!blocked(&Case {
        method: "PUT",
        ..get("/book/1?id=zebra")
    }));
    let elsewhere = with(&rule(r#","hosts":["other.example.com"]"#), "");
    assert!(get("/book/1?id=zebra").run(&elsewhere).passed());
}

#[test]
fn a_body_is_held_where_a_rule_can_refuse_it() {
    let body = || {
        post("/", "application/json", r#"{"id":"zebra"}"#)
            .chunks(3)
            .trailers()
    };
    let everything_detects = r#","mode":"detect""#;
    let at = |rule: String| rule.replace("query:id", "json:/id");
    let run = body().run(&with(&at(rule(r#","action":"block""#)), everything_detects));
    assert_eq!((run.status, run.ever_held), (Some(403), true));
    let run = body().run(&with(&at(rule("")), everything_detects));
    assert_eq!((run.status, run.ever_held), (None, false));
    assert_eq!(run.reports[0].verdict(), "detect:CUSTOM:patch-id");
    let run = body().run(&with(&rule(r#","action":"block""#), everything_detects));
    assert_eq!((run.status, run.ever_held), (None, false));
}

#[test]
fn what_the_rules_read_is_bounded() {
    let limit = |on_limit: &str| {
        with(
            &rule(""),
            &format!(r#","customRuleLimit":{{"bytes":1000,"onLimit":"{on_limit}"}}"#),
        )
    };
    let padded = |before: usize| get(&format!("/?id={}zebra", "x".repeat(before)));
    let run = padded(990).run(&limit("inspectPrefix"));
    assert_eq!((run.status, run.custom_limit_hits), (Some(403), 0));
    for before in [996, 1000, 5000] {
        let run = padded(before).run(&limit("inspectPrefix"));
        assert_eq!((run.status, run.custom_limit_hits), (None, 1), "{before}");
        assert!(run.reports.is_empty());
        let run = padded(before).run(&limit("reject"));
        assert_eq!((run.status, run.custom_limit_hits), (Some(413), 1));
        assert_eq!(run.details, "backstop_waf{CUSTOM:custom-rule-limit}");
        assert_eq!(run.line()["event"], "CUSTOM_UNINSPECTED");
    }
    // Many values count together, others not at all; each request anew.
    let policy = Rc::new(Policy::from_json(limit("inspectPrefix").as_bytes()).unwrap());
    for _ in 0..2 {
        let many = get(&format!("/?{}id=zebra", "id=0123456789&".repeat(100)));
        assert_eq!(many.run_on(&policy).custom_limit_hits, 1);
        let others = get(&format!("/?{}id=zebra", "no=0123456789&".repeat(100)));
        assert_eq!(others.run_on(&policy).status, Some(403));
    }
    // In detect mode it is told and passes.
    let detect = with(
        &rule(""),
        r#","mode":"detect","customRuleLimit":{"bytes":10,"onLimit":"reject"}"#,
    );
    let run = padded(100).run(&detect);
    assert_eq!(run.status, None);
    assert_eq!(run.reports[0].verdict(), "detect:CUSTOM:custom-rule-limit");
}

#[test]
fn where_reading_stops_a_value_does_not_end() {
    let limit = |pattern: &str| {
        let rule = rule("").replace("zebra", pattern);
        with(&rule, r#","customRuleLimit":{"bytes":1000}"#)
    };
    let filled = |length: usize| get(&format!("/?id={}", "7".repeat(length)));
    // Digits up to the limit and beyond it: whether nothing else follows, nobody has read.
    for (pattern, length, status) in [
        ("^[0-9]+$", 1000, Some(403)),
        ("^[0-9]+$", 1001, None),
        (r"[0-9]\\z", 1001, None),
        ("^[0-9]+", 1001, Some(403)),
    ] {
        let run = filled(length).run(&limit(pattern));
        assert_eq!(run.status, status, "{pattern} {length}");
    }
}

#[test]
fn a_rule_that_cannot_be_is_refused_with_its_path() {
    let named = |id: u32, name: &str| {
        format!(r#"{{"id":{id},"name":"{name}","pattern":"a","targets":["path"]}}"#)
    };
    let many: Vec<String> = (0..65)
        .map(|n| named(100_000 + n, &format!("r{n}")))
        .collect();
    for (json, message) in [
        (
            with(&rule("").replace("zebra", "(zebra"), ""),
            "$.customRules[0].pattern: `(zebra`: found open group without closing ')' \
             (regex-lite; at most 8 KiB compiled, groups 32 deep)",
        ),
        (
            with(&rule("").replace("100001", "1001"), ""),
            "$.customRules[0].id: 1001 is not a whole number from 100000 to 999999",
        ),
        (
            with(&rule("").replace("patch-id", "sql-union"), ""),
            "$.customRules[0].name: `sql-union` is the name of a rule of Backstop's own",
        ),
        (
            with(&rule("").replace("query:id", "queri:id"), ""),
            "$.customRules[0].targets[0]: unknown target `queri`",
        ),
        (
            with(&rule("").replace(r#"["query:id"]"#, "[]"), ""),
            "$.customRules[0].targets: names no place; write at least one, as in `query:id`",
        ),
        (
            with(&rule(r#","acton":"block""#), ""),
            "$.customRules[0].acton: unknown field `acton`, expected one of `id`, `name`",
        ),
        (
            with(&rule(r#","action":"allow""#), ""),
            "$.customRules[0].action: unknown variant `allow`, expected one of `score`, `block`, `detect`",
        ),
        (
            with(&rule(r#","score":0"#), ""),
            "$.customRules[0].score: 0 is not a whole number from 1 to 1000",
        ),
        (
            with(&rule(r#","path":{"exact":"x"}"#), ""),
            "$.customRules[0].path.exact: a path pattern begins with `/`",
        ),
        (
            with(r#"{"id":100001,"name":"a"}"#, ""),
            "$.customRules[0]: missing field `pattern`",
        ),
        (
            with(&[named(100_001, "a"), named(100_001, "b")].join(","), ""),
            "$.customRules[1].id: another custom rule has the number 100001",
        ),
        (
            with(&[named(100_001, "a"), named(100_002, "a")].join(","), ""),
            "$.customRules[1].name: another custom rule is called `a`",
        ),
        (
            with(&many.join(","), ""),
            "$.customRules: 65 rules are more than the 64 that are allowed",
        ),
        (
            with(&rule(""), r#","customRuleLimit":{"bytes":0}"#),
            "$.customRuleLimit.bytes: 0 lets no custom rule read anything; leave out `customRules` for that",
        ),
        (
            with(&rule(""), r#","rules":{"disabled":["patch-di"]}"#),
            "$.rules.disabled[0]: there is no rule `patch-di`",
        ),
    ] {
        let error = refused(&json);
        assert!(
            error.starts_with(&format!("waf config: {message}")),
            "{error}"
        );
        assert!(!error.contains('\n'), "{error}");
    }
}
