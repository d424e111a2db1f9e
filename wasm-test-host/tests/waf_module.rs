//! The WAF as it is deployed, in the host: what the glue adds to the core, which has tests of its own.

mod deployed;

use backstop_host::pack::check;
use backstop_host::{EndOfStream, Gateway, LogLevel, Outcome, Request};

fn gateway(config: &str) -> Gateway {
    deployed::gateway("waf", config)
}

const ATTACK: &str = "/?q=1%27%20UNION%20SELECT%20password%20FROM%20users--%20";

/// The status of the client and whether the upstream got the whole request.
fn seen(outcome: &Outcome) -> (u16, bool) {
    assert!(
        !outcome.stalled && outcome.failures.is_empty(),
        "{outcome:?}"
    );
    (
        outcome.status,
        outcome
            .upstream
            .as_ref()
            .is_some_and(|upstream| upstream.complete),
    )
}

#[test]
fn it_exports_what_it_implements_and_imports_what_envoy_has() {
    let exports: Vec<String> = check(&deployed::wasm("waf")).unwrap().into_iter().collect();
    assert_eq!(
        exports,
        [
            "_initialize",
            "memory",
            "proxy_abi_version_0_2_1",
            "proxy_on_configure",
            "proxy_on_context_create",
            "proxy_on_delete",
            "proxy_on_http_call_response",
            "proxy_on_memory_allocate",
            "proxy_on_request_body",
            "proxy_on_request_headers",
            "proxy_on_request_trailers",
            "proxy_on_tick",
            "proxy_on_vm_start",
        ]
    );
}

#[test]
fn a_verdict_shows_in_the_answer_the_details_the_log_and_the_filter_state() {
    let outcome = gateway("").send(
        Request::get(ATTACK)
            .header("x-request-id", "7f1c-42")
            .client("198.51.100.7"),
    );
    assert_eq!((outcome.status, outcome.upstream.is_none()), (403, true));
    assert!(
        outcome
            .details
            .starts_with("backstop_waf{SQL_INJECTION:sql-"),
        "{}",
        outcome.details
    );
    assert_eq!(outcome.response_text(), "Forbidden (request 7f1c-42)\n");
    assert!(
        outcome
            .state("wasm.waf_verdict")
            .or(outcome.state("waf_verdict"))
            .is_some_and(|verdict| verdict.starts_with("block:SQL_INJECTION:sql-"))
    );
    assert_eq!(outcome.logs.len(), 1);
    assert_eq!(outcome.logs[0].level, LogLevel::Warn);
    let line: serde_json::Value = serde_json::from_str(&outcome.logs[0].message).unwrap();
    assert_eq!(
        (&line["event"], &line["client_ip"]),
        (&"SQL_INJECTION_DETECTED".into(), &"198.51.100.7".into())
    );
}

#[test]
fn a_clean_request_passes_and_leaves_no_trace() {
    let outcome = gateway("").send(Request::get("/matches/1?page=2"));
    assert_eq!(seen(&outcome), (200, true));
    assert!(outcome.logs.is_empty() && outcome.filter_state.is_empty());
    assert_eq!(outcome.calls("on_request_headers"), 1);
}

#[test]
fn a_body_is_held_to_its_end_however_it_ends() {
    let body = "comment=1%27%20UNION%20SELECT%20password%20FROM%20users--%20";
    let form = Request::post("/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    for request in [
        form.clone(),
        form.clone().chunks([1, 2, 3]),
        form.clone()
            .without_content_length()
            .chunks([9])
            .trailer("x-sum", "1"),
        form.clone().end_of_stream(EndOfStream::WithLastChunk),
    ] {
        let outcome = gateway("").send(&request);
        assert_eq!(seen(&outcome), (403, false), "{request:?}");
        let outcome = gateway(r#"{"mode":"detect"}"#).send(&request);
        assert_eq!(seen(&outcome), (200, true), "{request:?}");
        assert_eq!(outcome.logs.len(), 1);
    }
}

#[test]
fn bytes_that_are_no_utf_8_harm_nothing() {
    let mut gateway = gateway("");
    for _ in 0..3 {
        let outcome = gateway.send(Request::get("/").header("x-bad", b"\xff\xfe"));
        assert_eq!(seen(&outcome), (200, true));
    }
    let outcome =
        gateway.send(Request::get("/").header("x-bad", b"\xff${jndi:ldap://x.example/a}"));
    assert_eq!(outcome.status, 403);
}

#[test]
fn a_bad_configuration_is_refused_in_one_line_and_the_old_one_stays() {
    let mut gateway = gateway(r#"{"mode":"detect"}"#);
    let error = gateway.reconfigure("waf", r#"{"mode":"off"}"#).unwrap_err();
    assert!(
        format!("{error:?}")
            .contains("waf config: $.mode: unknown variant `off`, expected `block` or `detect`"),
        "{error:?}"
    );
    assert_eq!(seen(&gateway.send(Request::get(ATTACK))), (200, true));
    gateway.reconfigure("waf", r#"{"mode":"block"}"#).unwrap();
    assert_eq!(gateway.send(Request::get(ATTACK)).status, 403);
}

#[test]
fn metrics_have_bounded_labels_and_survive_a_change_of_configuration() {
    let mut gateway = gateway(r#"{"metrics":{"timeOneIn":1}}"#);
    gateway.send(Request::get("/"));
    gateway.send(Request::get("/?q=%3Cscript%3Ealert(1)%3C/script%3E"));
    gateway.reconfigure("waf", r#"{"mode":"detect"}"#).unwrap();
    gateway.send(Request::get("/?q=%3Cscript%3Ealert(1)%3C/script%3E"));
    let metrics = gateway.metrics();
    let counters: Vec<(String, u64)> = metrics
        .counters()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let value = |name: &str| {
        counters
            .iter()
            .find(|(counter, _)| counter.ends_with(name))
            .map_or(0, |(_, value)| *value)
    };
    assert_eq!(value("backstop_waf.requests_total"), 3, "{counters:?}");
    assert_eq!(value("backstop_waf.action=.=block;.;decisions_total"), 1);
    assert_eq!(value("backstop_waf.action=.=detect;.;decisions_total"), 1);
    let findings = counters.iter().filter(|(name, _)| {
        name.contains("category=.=XSS;.;rule=.=xss-") && name.ends_with("findings_total")
    });
    assert!(
        findings
            .clone()
            .any(|(name, _)| name.contains("mode=.=block")),
        "{counters:?}"
    );
    assert!(
        findings
            .clone()
            .any(|(name, _)| name.contains("mode=.=detect"))
    );
    assert_eq!(metrics.histogram("backstop_waf.inspection_us").len(), 2);
}

#[test]
fn a_custom_rule_is_compiled_in_the_vm_and_shows_by_its_name() {
    let rule = |pattern: &str| {
        serde_json::json!({
            "customRules": [{"id": 100_001, "name": "seat-id", "pattern": pattern, "targets": ["query:seat", "json:/seat"]}],
            "customRuleLimit": {"bytes": 100},
        })
        .to_string()
    };
    let mut gateway = gateway(&rule("^[^0-9]"));
    assert_eq!(seen(&gateway.send(Request::get("/?seat=12"))), (200, true));
    for request in [
        Request::get("/?seat=%2561"),
        Request::post("/")
            .header("content-type", "application/json")
            .body(r#"{"seat":"a"}"#)
            .chunks([4]),
    ] {
        let outcome = gateway.send(request);
        assert_eq!(seen(&outcome), (403, false));
        assert_eq!(outcome.details, "backstop_waf{CUSTOM:seat-id}");
        let line: serde_json::Value = serde_json::from_str(&outcome.logs[0].message).unwrap();
        assert_eq!(line["rule"], "seat-id");
    }
    let long = Request::get(format!("/?seat=7{}", "a".repeat(200)));
    assert_eq!(seen(&gateway.send(long)), (200, true));
    let counters: Vec<String> = gateway
        .metrics()
        .counters()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    for counter in [
        "category=.=CUSTOM;.;rule=.=seat-id;.;mode=.=block;.;findings_total 2",
        "custom_rule_limit_hits_total 1",
    ] {
        assert!(
            counters.iter().any(|have| have.ends_with(counter)),
            "{counters:?}"
        );
    }
    let error = gateway.reconfigure("waf", rule("[a")).unwrap_err();
    let message = "waf config: $.customRules[0].pattern: `[a`: ";
    assert!(format!("{error:?}").contains(message), "{error:?}");
}

#[test]
fn an_attack_behind_junk_is_found_or_the_request_refused() {
    let mut gateway = gateway("{}");
    let mut refused = 0;
    for junk in [
        "if (\n",
        "<a b='<a b=`",
        "<style><",
        ";",
        "The train leaves at nine. ",
    ] {
        for attack in [
            "<script>alert(1)</script>",
            "1' union select a, b from c-- ",
            "x;cat /etc/passwd",
        ] {
            let body = serde_json::json!({"a": junk.repeat((100 << 10) / junk.len()), "b": attack});
            let outcome = gateway.send(
                Request::post("/")
                    .header("content-type", "application/json")
                    .body(body.to_string())
                    .chunks([16 << 10]),
            );
            let (status, complete) = seen(&outcome);
            assert!(!complete, "{attack} behind {junk:?}");
            if status == 413 {
                refused += 1;
                assert_eq!(outcome.details, "backstop_waf{REQUEST:work-limit}");
                let line: serde_json::Value =
                    serde_json::from_str(&outcome.logs[0].message).unwrap();
                assert_eq!(line["event"], "REQUEST_UNINSPECTED");
            } else {
                assert_eq!(status, 403);
            }
        }
    }
    let hits = gateway
        .metrics()
        .counters()
        .find(|(name, _)| name.ends_with("work_limit_hits_total"))
        .map(|(_, value)| value);
    // Where something was found before the work was spent, that is what the request is refused for.
    assert!(
        refused > 0 && hits.is_some_and(|hits| hits >= refused),
        "{hits:?}"
    );
}

#[test]
fn a_refused_grpc_call_has_a_grpc_status() {
    let request = Request::post("/svc/Method")
        .protocol("HTTP/2")
        .header("content-type", "application/grpc")
        .header("x-note", "${jndi:ldap://x.example/a}");
    let outcome = gateway("").send(request);
    assert_eq!(outcome.grpc_status(), Some(7), "{outcome:?}");
}

#[test]
fn headers_wait_for_the_body_where_the_proxy_allows_it() {
    let plugin = deployed::plugin("waf", r#"{"requestBody":{"holdHeaders":true}}"#);
    let mut gateway = Gateway::builder()
        .plugin(plugin.allow_on_headers_stop_iteration(true))
        .start()
        .unwrap();
    let post = |body: &str| {
        Request::post("/")
            .header("content-type", "text/plain")
            .body(body)
            .chunks([5])
    };
    let outcome = gateway.send(post("1' UNION SELECT password FROM users-- "));
    assert_eq!((outcome.status, outcome.upstream_contacts), (403, 0));
    assert_eq!(
        seen(&gateway.send(post("two tickets, please"))),
        (200, true)
    );
}

/// Vectors look at sixteen bytes at a time, in the module only: wherever a key or a string ends, and wherever a quote stands,
/// it is seen.
#[test]
fn what_a_json_body_holds_is_found_wherever_it_stands() {
    let mut gateway = gateway("");
    for length in 0..=40 {
        let (key, text) = ("k".repeat(length), "x".repeat(length));
        for space in ["", " ", "\n\t"] {
            for (value, status) in [
                ("ok, thanks", 200),
                ("' union select password from users-- ", 403),
            ] {
                let body = format!(
                    "{{{space}\"a\":{space}1,{space}\"{key}\":{space}\"{text}{value}\",{space}\"b\":\"c\"}}"
                );
                let request = Request::post("/a")
                    .header("content-type", "application/json")
                    .body(body.as_bytes());
                assert_eq!(gateway.send(request).status, status, "{body}");
            }
        }
    }
}
