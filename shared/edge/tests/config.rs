//! What an edge configuration may say, and the line that says what is wrong with one.

use backstop_edge::{Config, Policies};

const SECRET: &str = r#"{"name":"cdn","sha256":"Jn3DrHK1GsPHNiyEokHBymvtK4TbuNLcJJs5a5Croh8="}"#;
const LIMIT: &str = r#"{"name":"all","tokensPerFill":5,"fillInterval":"1s"}"#;

/// Which sections are on; `None` for a configuration that is refused.
fn sections(json: &str) -> Option<(bool, bool, bool)> {
    let policies = Policies::from_json(json.as_bytes()).ok()?;
    Some((
        policies.origin_verify.is_some(),
        policies.rate_limit.is_some(),
        policies.waf.is_some(),
    ))
}

fn error(json: &str) -> String {
    Policies::from_json(json.as_bytes())
        .map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
}

#[test]
fn a_section_switches_a_filter_on() {
    let origin_verify = format!(r#""originVerify":{{"secrets":[{SECRET}]}}"#);
    let rate_limit = format!(r#""rateLimit":{{"limits":[{LIMIT}]}}"#);
    assert_eq!(sections(r#"{"waf":{}}"#), Some((false, false, true)));
    assert_eq!(
        sections(&format!("{{{origin_verify}}}")),
        Some((true, false, false))
    );
    assert_eq!(
        sections(&format!("{{{rate_limit},\"waf\":{{}}}}")),
        Some((false, true, true))
    );
    assert_eq!(
        sections(&format!(
            "{{{origin_verify},{rate_limit},\"waf\":{{\"mode\":\"detect\"}}}}"
        )),
        Some((true, true, true))
    );
}

#[test]
fn without_a_section_nothing_starts() {
    for empty in ["", "{}", " \n"] {
        assert!(
            error(empty).starts_with("edge config: $: no section"),
            "{}",
            error(empty)
        );
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place_in_the_whole() {
    for (json, begins) in [
        (
            r#"{"waf":{"mode":"off"}}"#,
            "edge config: $.waf.mode: unknown variant `off`",
        ),
        (
            r#"{"waf":{"exclusions":[{"paths":"/x"}]}}"#,
            "edge config: $.waf.exclusions[0]",
        ),
        (
            r#"{"waf":{},"extAuth":{}}"#,
            "edge config: $.extAuth: unknown field `extAuth`",
        ),
        (
            r#"{"waf":{},"mode":"detect"}"#,
            "edge config: $.mode: unknown field `mode`",
        ),
        // What only compiling finds.
        (
            r#"{"rateLimit":{}}"#,
            "edge config: $.rateLimit.limits: 0 limits",
        ),
        (
            r#"{"originVerify":{"secrets":[]}}"#,
            "edge config: $.originVerify.secrets: no secret",
        ),
        (
            r#"{"originVerify":{"secrets":[{"name":"a","sha256":"x"}]},"waf":{}}"#,
            "edge config: $.originVerify.secrets[0].sha256: ",
        ),
        (
            r#"{"waf":{"trustedClients":["10.0.0.0/8","x"]}}"#,
            "edge config: $.waf.trustedClients[1]: ",
        ),
        ("[]", "edge config: $: expected an object"),
        ("{", "edge config: line 1 column 1: not JSON"),
    ] {
        let error = error(json);
        assert!(error.starts_with(begins), "{json}: {error}");
        assert_eq!(error.lines().count(), 1);
    }
}

#[test]
fn an_empty_key_does_not_switch_a_filter_off_unsaid() {
    for json in [
        r#"{"waf":null}"#,
        r#"{"waf":[]}"#,
        r#"{"waf":"block"}"#,
        r#"{"waf":true}"#,
    ] {
        let error = error(json);
        assert!(
            error.starts_with("edge config: $.waf: invalid type"),
            "{error}"
        );
        assert!(error.contains("leave the key out"), "{error}");
    }
}

#[test]
fn every_section_is_checked_whatever_the_others_say() {
    let bad_last = format!(
        r#"{{"originVerify":{{"secrets":[{SECRET}]}},"rateLimit":{{"limits":[{LIMIT}]}},"waf":{{"requestBody":{{"limit":0}}}}}}"#
    );
    assert!(
        error(&bad_last).starts_with("edge config: $.waf.requestBody.limit: "),
        "{}",
        error(&bad_last)
    );
}

#[test]
fn a_configuration_can_be_written_and_read_again() {
    let config = Config::from_json(br#"{"waf":{"mode":"detect"}}"#).unwrap();
    let text = serde_json::to_vec(&config).unwrap();
    let again = Config::from_json(&text).unwrap();
    assert_eq!(again.waf.unwrap().mode, backstop_waf::Mode::Detect);
    assert!(again.rate_limit.is_none() && again.origin_verify.is_none());
}
