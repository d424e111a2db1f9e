//! The bot verdict as it is deployed, in the host: verdict × transport × outcome with scripted call-outs, the breaker, held
//! requests, clients that leave, the block list over workers and its endpoint.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use backstop_ext_authz::answer::{Action, Allowed, Decision, Denied, HeaderChange};
use backstop_ext_authz::message::CheckRequest;
use backstop_host::{
    Callout, Gateway, GrpcReply, HttpReply, LogLevel, Module, Outcome, Plugin, Request, StreamState,
};
use prost::Message as _;

const APIS: &str = r#""apis": [
    {"eventType": "QUEUE_ENTER", "methods": ["POST"], "path": {"template": "/queue/matches/{n}/enter"}},
    {"eventType": "SEAT_HOLDS", "path": {"prefix": "/hold"}, "failureMode": "deny", "statusOnError": 503}
]"#;
const GRPC: &str = r#""service": {"grpc": {"cluster": "adapter"}}"#;
const HTTP: &str = r#""service": {"http": {"cluster": "adapter", "pathPrefix": "/check", "allowedUpstreamHeaders": ["x-*"]}}"#;

fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules/ext-authz.wasm");
        let wasm = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; build it with `make build`", path.display())
        });
        Module::from_bytes(&wasm).unwrap()
    })
}

fn gateway(workers: usize, service: &str, more: &str) -> Gateway {
    Gateway::builder()
        .plugin(
            Plugin::new(module())
                .name("ext-authz")
                .config(format!("{{{service}, {APIS}{more}}}")),
        )
        .workers(workers)
        .clusters(["adapter", "list"])
        .client("203.0.113.7:0")
        .log_level(LogLevel::Info)
        .start()
        .unwrap()
}

fn enter() -> Request {
    Request::post("/queue//matches/1/enter;a=b").header("x-ext-authz-event-type", "SPOOFED")
}

fn allowed(name: &str, value: &str) -> Vec<u8> {
    Decision::Allowed(Allowed {
        request: vec![HeaderChange {
            action: Action::Set,
            name: name.to_owned(),
            value: value.to_owned(),
        }],
        ..Allowed::default()
    })
    .to_bytes()
}

fn denied(status: u32, reason: &str) -> Vec<u8> {
    Decision::Denied(Denied {
        status,
        headers: vec![("x-defense-reason".to_owned(), reason.to_owned())],
        body: String::new(),
    })
    .to_bytes()
}

fn upstream_header(outcome: &Outcome, name: &str) -> Option<String> {
    outcome.upstream.as_ref()?.headers.text(name)
}

#[test]
fn what_is_not_critical_is_not_asked_about() {
    let mut gateway = gateway(2, GRPC, "");
    let outcome = gateway.send(Request::get("/").header("x-ext-authz-event-type", "SPOOFED"));
    assert!(outcome.passed() && outcome.callouts.is_empty());
    assert_eq!(upstream_header(&outcome, "x-ext-authz-event-type"), None);
}

#[test]
fn verdict_by_transport_by_outcome() {
    // What the service says over gRPC and over HTTP, and what the client and the upstream see.
    type Row = (&'static str, fn() -> GrpcReply, fn() -> HttpReply, u16, u16);
    let rows: [Row; 10] = [
        (
            "none",
            || GrpcReply::ok(allowed("x-user", "u")),
            || HttpReply::ok(200, [("x-user", "u")], ""),
            200,
            200,
        ),
        (
            "challenge",
            || GrpcReply::ok(denied(428, "CHALLENGE_REQUIRED")),
            || HttpReply::ok(428, [("x-defense-reason", "CHALLENGE_REQUIRED")], ""),
            428,
            428,
        ),
        (
            "block",
            || GrpcReply::ok(denied(403, "BLOCKED")),
            || HttpReply::ok(403, [("x-defense-reason", "BLOCKED")], ""),
            403,
            403,
        ),
        (
            "denied",
            || GrpcReply::ok(denied(401, "OTHER")),
            || HttpReply::status(401),
            401,
            401,
        ),
        (
            "malformed",
            || GrpcReply::ok("garbage"),
            || HttpReply::status(150),
            200,
            503,
        ),
        (
            "service-error",
            || GrpcReply::ok(Decision::Error.to_bytes()),
            || HttpReply::status(500),
            200,
            503,
        ),
        ("timeout", GrpcReply::timeout, HttpReply::timeout, 200, 503),
        (
            "service-error",
            || GrpcReply::status(13, "boom"),
            || HttpReply::status(502),
            200,
            503,
        ),
        (
            "unreachable",
            GrpcReply::unreachable,
            HttpReply::reset,
            200,
            503,
        ),
        (
            "unreachable",
            GrpcReply::unreachable,
            HttpReply::unreachable,
            200,
            503,
        ),
    ];
    for (word, grpc, http, open, closed) in rows {
        for service in [GRPC, HTTP] {
            let mut gateway = gateway(1, service, r#", "breaker": {"enabled": false}"#);
            gateway.on_grpc_call(move |_| grpc());
            gateway.on_http_call(move |_| http());
            for (request, status) in [(enter(), open), (Request::post("/hold/1"), closed)] {
                let outcome = gateway.send(request);
                let shown = format!("{word} {service} {outcome:?}");
                assert_eq!(outcome.status, status, "{shown}");
                assert_eq!(outcome.callouts.len(), 1, "{shown}");
                assert_eq!(
                    outcome.state("ext_authz_verdict").as_deref(),
                    Some(word),
                    "{shown}"
                );
                assert!(!outcome.stalled && outcome.failures.is_empty(), "{shown}");
                assert_eq!(
                    outcome.upstream_contacts,
                    u32::from(status == 200),
                    "{shown}"
                );
                if status != 200 {
                    assert_eq!(outcome.details, format!("ext_authz{{{word}}}"), "{shown}");
                }
            }
        }
    }
}

#[test]
fn the_upstream_gets_the_event_type_and_what_the_answer_says() {
    let mut gateway = gateway(1, GRPC, "");
    gateway.on_grpc_call(|_| GrpcReply::ok(allowed("x-user", "u")));
    let outcome = gateway.send(enter().header("x-user", "admin"));
    assert_eq!(upstream_header(&outcome, "x-user").as_deref(), Some("u"));
    let headers = &outcome.upstream.as_ref().unwrap().headers;
    assert_eq!(headers.all("x-user").len(), 1);
    assert_eq!(headers.all("x-ext-authz-event-type"), [b"QUEUE_ENTER"]);
    let [Callout::Grpc(call)] = outcome.callouts.as_slice() else {
        panic!("{:?}", outcome.callouts);
    };
    assert_eq!(call.service, "envoy.service.auth.v3.Authorization");
    assert_eq!(call.method, "Check");
    assert_eq!(call.timeout, Some(Duration::from_millis(800)));
    let asked = CheckRequest::decode(call.message.as_slice()).unwrap();
    let attributes = asked.attributes.unwrap();
    assert_eq!(attributes.context_extensions["event_type"], "QUEUE_ENTER");
    let http = attributes.request.unwrap().http.unwrap();
    assert_eq!(http.path, "/queue//matches/1/enter;a=b");
    assert_eq!(http.headers["x-ext-authz-event-type"], "QUEUE_ENTER");
}

#[test]
fn without_a_cluster_or_an_endpoint_the_request_is_not_held() {
    for (unknown, service) in [
        (true, GRPC.replace("adapter", "nowhere")),
        (false, GRPC.to_owned()),
    ] {
        let builder = Gateway::builder().plugin(
            Plugin::new(module())
                .name("ext-authz")
                .config(format!("{{{service}, {APIS}}}")),
        );
        let mut gateway = if unknown {
            builder.clusters(["other"]).start().unwrap()
        } else {
            builder
                .clusters_without_endpoints(["adapter"])
                .start()
                .unwrap()
        };
        let outcome = gateway.send(enter());
        assert_eq!(outcome.status, 200);
        assert_eq!(
            outcome.state("ext_authz_verdict").as_deref(),
            Some("no-cluster")
        );
        assert_eq!(gateway.send(Request::post("/hold")).status, 503);
    }
}

#[test]
fn throttled_requests_are_held_without_blocking_others() {
    let mut gateway = gateway(1, GRPC, "");
    gateway.on_grpc_call(|_| GrpcReply::ok(allowed("x-defense-throttle-ms", "250")));
    let request = enter();
    let id = gateway.worker(0).open(&request);
    let state = gateway
        .stream(id)
        .request_headers(request.header_map(), true);
    assert_eq!(state, StreamState::Paused);
    assert_eq!(gateway.stream(id).settle(), StreamState::Paused);
    assert_eq!(
        gateway.send(Request::get("/")).status,
        200,
        "others pass meanwhile"
    );
    gateway.advance(Duration::from_millis(240));
    assert_eq!(gateway.stream(id).state(), StreamState::Paused);
    gateway.advance(Duration::from_millis(30));
    let outcome = gateway.stream(id).finish();
    assert_eq!(outcome.status, 200);
    assert_eq!(outcome.upstream_contacts, 1);
    assert_eq!(upstream_header(&outcome, "x-defense-throttle-ms"), None);
    assert_eq!(
        upstream_header(&outcome, "x-ext-authz-event-type").as_deref(),
        Some("QUEUE_ENTER")
    );
}

#[test]
fn a_client_that_leaves_while_it_is_asked_or_held_leaves_nothing_behind() {
    let mut gateway = gateway(1, GRPC, r#", "throttle": {"maxHeld": 1}"#);
    gateway.on_grpc_call(|_| {
        GrpcReply::ok(allowed("x-defense-throttle-ms", "2000")).after(Duration::from_millis(100))
    });
    let request = enter();
    for wait in [50, 500] {
        let id = gateway.worker(0).open(&request);
        gateway
            .stream(id)
            .request_headers(request.header_map(), true);
        gateway.advance(Duration::from_millis(wait));
        assert_eq!(gateway.stream(id).state(), StreamState::Paused, "{wait}");
        gateway.stream(id).disconnect();
        let outcome = gateway.stream(id).close();
        assert!(
            outcome.failures.is_empty() && outcome.upstream.is_none(),
            "{outcome:?}"
        );
    }
    gateway.advance(Duration::from_secs(5));
    assert!(gateway.failures().is_empty());
    // There is room again for the one that may be held; the next one is not held.
    let id = gateway.worker(0).open(&request);
    gateway
        .stream(id)
        .request_headers(request.header_map(), true);
    gateway.advance(Duration::from_millis(500));
    assert_eq!(gateway.stream(id).state(), StreamState::Paused);
    assert_eq!(gateway.send(request.clone()).status, 200);
    let name = "backstop_ext_authz.event=.=throttle-not-held;.;events_total";
    assert_eq!(gateway.metrics().counter(name), 1);
}

#[test]
fn a_dead_service_is_asked_until_the_breaker_opens_for_all_workers() {
    let calls = Arc::new(AtomicU32::new(0));
    let mut gateway = gateway(
        4,
        GRPC,
        r#", "breaker": {"consecutiveFailures": 3, "openFor": "1s"}"#,
    );
    let counted = calls.clone();
    gateway.on_grpc_call(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        GrpcReply::unreachable()
    });
    for _ in 0..100 {
        assert_eq!(gateway.send(enter()).status, 200);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    gateway.advance(Duration::from_millis(1100));
    for _ in 0..20 {
        gateway.send(enter());
    }
    assert_eq!(calls.load(Ordering::Relaxed), 4, "one probe");
    gateway.on_grpc_call(|_| GrpcReply::ok(denied(403, "BLOCKED")));
    gateway.advance(Duration::from_millis(1100));
    for _ in 0..20 {
        assert_eq!(gateway.send(enter()).status, 403);
    }
}

#[test]
fn a_block_verdict_refuses_the_client_on_every_worker_and_is_told_once() {
    let posts: Arc<Mutex<Vec<String>>> = Arc::default();
    let mut gateway = gateway(
        4,
        GRPC,
        r#", "blockList": {"ttl": "1m", "notify": {"cluster": "list", "path": "/blocklist", "backoff": "1s"}}"#,
    );
    gateway.on_grpc_call(|_| GrpcReply::ok(denied(403, "BLOCKED")));
    let seen = posts.clone();
    gateway.on_http_call(move |call| {
        let mut seen = seen.lock().unwrap();
        seen.push(format!("{} {}", call.path(), call.text()));
        // The first attempt is not taken.
        HttpReply::status(if seen.len() == 1 { 503 } else { 204 })
    });
    let first = gateway.send(enter());
    assert_eq!((first.status, first.callouts.len()), (403, 1));
    for _ in 0..8 {
        let outcome = gateway.send(enter());
        assert_eq!((outcome.status, outcome.callouts.len()), (403, 0));
        assert_eq!(outcome.details, "backstop_block_list{verdict}");
    }
    gateway.advance(Duration::from_secs(10));
    let told = posts.lock().unwrap().clone();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(
        told[1],
        r#"/blocklist {"ip":"203.0.113.7","reason":"verdict:BLOCK:QUEUE_ENTER","source":"ext_authz","category":"","rule":"","path":"/queue//matches/1/enter;a=b","matched":""}"#
    );
    gateway.advance(Duration::from_mins(1));
    assert_eq!(gateway.send(enter()).callouts.len(), 1);
}

#[test]
fn the_log_line_says_what_was_decided() {
    let mut gateway = gateway(1, GRPC, "");
    gateway.on_grpc_call(|_| GrpcReply::ok(denied(428, "CHALLENGE_REQUIRED")));
    let outcome = gateway.send(enter());
    let line: serde_json::Value = serde_json::from_str(&outcome.logs[0].message).unwrap();
    for (field, value) in [
        ("type", "ext_authz"),
        ("event_type", "QUEUE_ENTER"),
        ("outcome", "challenge"),
        ("action", "refuse"),
        ("client_ip", "203.0.113.7"),
    ] {
        assert_eq!(line[field], value, "{line}");
    }
}
