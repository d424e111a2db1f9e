//! Origin verify as it is deployed, in the host: metrics, log lines, and what it costs.

mod deployed;

use backstop_host::pack::check;
use backstop_host::{Gateway, Request};

const SECRET: &str = "5f0c9e27d1b84a63720e9fd4c6b1a853";
/// `printf %s "$SECRET" | openssl dgst -sha256 -binary | base64`
const DIGEST: &str = "j44fVJqwDJ6OoxIEpElHXaS/vfScRf4C7TUJh2arcfs=";

fn gateway(more: &str) -> Gateway {
    let config = format!(r#"{{"secrets":[{{"name":"current","sha256":"{DIGEST}"}}]{more}}}"#);
    deployed::gateway("origin-verify", config)
}

#[test]
fn it_exports_what_it_implements_and_imports_what_envoy_has() {
    let exports: Vec<String> = check(&deployed::wasm("origin-verify"))
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(
        exports,
        [
            "_initialize",
            "memory",
            "proxy_abi_version_0_2_1",
            "proxy_on_configure",
            "proxy_on_context_create",
            "proxy_on_delete",
            "proxy_on_memory_allocate",
            "proxy_on_request_headers",
            "proxy_on_vm_start",
        ]
    );
}

#[test]
fn requests_are_counted_by_result_and_secret() {
    let mut gateway = gateway("");
    let good = Request::get("/").header("x-origin-verify", SECRET);
    for (request, status) in [
        (good.clone(), 200),
        (good.clone(), 200),
        (Request::get("/"), 403),
        (Request::get("/").header("x-origin-verify", "guess"), 403),
    ] {
        assert_eq!(gateway.send(request).status, status);
    }
    for (labels, count) in [
        ("result=.=accepted;.;secret=.=current;.;", 2),
        ("result=.=missing;.;secret=.=none;.;", 1),
        ("result=.=mismatch;.;secret=.=none;.;", 1),
    ] {
        let name = format!("backstop_origin_verify.{labels}requests_total");
        assert_eq!(gateway.metrics().counter(&name), count, "{name}");
    }
}

#[test]
fn a_refusal_is_one_log_line_without_what_was_sent() {
    let mut gateway = gateway(r#","mode":"report""#);
    let outcome = gateway.send(
        Request::get("/pay")
            .header("x-origin-verify", "not-the-secret")
            .client("198.51.100.7"),
    );
    assert_eq!(outcome.status, 200);
    let upstream = outcome.upstream.as_ref().unwrap();
    assert!(upstream.headers.get("x-origin-verify").is_none());
    assert_eq!(outcome.logs.len(), 1);
    assert!(!outcome.logs[0].message.contains("not-the-secret"));
    let line: serde_json::Value = serde_json::from_str(&outcome.logs[0].message).unwrap();
    assert_eq!(
        (
            &line["rule"],
            &line["client_ip"],
            &line["blocked"],
            &line["mode"]
        ),
        (
            &"mismatch".into(),
            &"198.51.100.7".into(),
            &false.into(),
            &"report".into()
        )
    );
}

#[test]
fn a_bad_new_configuration_does_not_replace_a_good_one() {
    let mut gateway = gateway("");
    let refused = gateway.reconfigure("origin-verify", r#"{"secrets":[]}"#);
    assert!(refused.is_err());
    let good = Request::get("/").header("x-origin-verify", SECRET);
    assert_eq!(gateway.send(good).status, 200);
    assert_eq!(gateway.send(Request::get("/")).status, 403);
}
