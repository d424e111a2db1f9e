//! Verdict by transport by outcome: what client and upstream see is the same in a real Envoy before a real service and in the
//! host with scripted call-outs.

use std::collections::BTreeMap;
use std::time::Duration;

use backstop_e2e::bootstrap::{Bootstrap, Listener, WasmFilter};
use backstop_e2e::client::{Body, request_bytes};
use backstop_e2e::upstream::CASE_ID;
use backstop_e2e::{AuthzService, Envoy, Upstream, modules};
use backstop_ext_authz::answer::{Action, Allowed, Decision, Denied, HeaderChange};
use backstop_host::{Gateway, GrpcReply, HeaderMap, HttpReply, Module, Plugin, Request};
use serde_json::{Value, json};

/// Long enough for a busy machine, short enough to wait for.
const TIMEOUT: &str = "1s";
const TRANSPORTS: [&str; 2] = ["grpc", "http"];

/// What the service is told to say, the outcome's word, and the status for an API that fails open and one that fails closed.
const ROWS: [(&str, &str, u16, u16); 9] = [
    ("none", "none", 200, 200),
    ("throttle-40", "throttle", 200, 200),
    ("challenge", "challenge", 428, 428),
    ("block", "block", 403, 403),
    ("denied", "denied", 401, 401),
    ("error", "service-error", 200, 503),
    ("garbage", "malformed", 200, 503),
    ("hang", "timeout", 200, 503),
    ("reset", "unreachable", 200, 503),
];
const PATHS: [&str; 2] = ["/queue/matches/7/enter", "/hold/seats"];

/// Sent by the client; the service's answers set, append to and remove some of them.
const SENT: [(&str, &str); 4] = [
    ("x-user", "admin"),
    ("x-tag", "client"),
    ("x-secret", "s"),
    ("x-ext-authz-event-type", "SPOOFED"),
];
const AT_UPSTREAM: [&str; 5] = [
    "x-user",
    "x-tag",
    "x-secret",
    "x-ext-authz-event-type",
    "x-defense-throttle-ms",
];
const AT_CLIENT: [&str; 3] = ["x-checked", "x-defense-reason", "www-authenticate"];

fn config(transport: &str) -> Value {
    let service = match transport {
        "grpc" => json!({"grpc": {"cluster": "adapter", "timeout": TIMEOUT}}),
        _ => json!({"http": {"cluster": "adapter-http", "timeout": TIMEOUT, "pathPrefix": "/check",
            "allowedUpstreamHeaders": ["x-user", "x-defense-*"], "allowedUpstreamHeadersToAppend": ["x-tag"],
            "allowedClientHeadersOnSuccess": ["x-checked"]}}),
    };
    json!({
        "apis": [
            {"eventType": "QUEUE_ENTER", "methods": ["POST"], "path": {"template": "/queue/matches/{n}/enter"}},
            {"eventType": "SEAT_HOLDS", "path": {"prefix": "/hold"}, "failureMode": "deny", "statusOnError": 503},
        ],
        "service": service,
        "check": {"allowedHeaders": ["x-*"]},
        "breaker": {"enabled": false},
    })
}

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: u16,
    /// Of a refusal.
    details: Option<String>,
    body: String,
    at_client: BTreeMap<String, String>,
    at_upstream: Option<BTreeMap<String, Vec<String>>>,
}

fn in_envoy(envoy: &Envoy, upstream: &Upstream, transport: &str, script: &str, path: &str) -> Seen {
    let case = format!("{transport} {script} {path}");
    let mut fields = vec![
        ("host", "tickets.example"),
        ("x-verdict", script),
        (CASE_ID, &case),
    ];
    fields.extend(SENT);
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .collect();
    let request = request_bytes(
        "POST",
        path.as_bytes(),
        &fields,
        &Body::Whole(b"x=1".into()),
    );
    let response = envoy
        .connect(transport)
        .unwrap()
        .exchange("POST", &request)
        .unwrap();
    let passed = response.field("x-e2e-details").as_deref() == Some("via_upstream");
    let at_upstream = passed.then(|| {
        let seen = upstream.wait_ended(&case);
        assert_eq!(seen.body, b"x=1", "{case}");
        let values = |name: &str| -> Vec<String> {
            let all = seen.fields.iter().filter(|(other, _)| other == name);
            all.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
                .collect()
        };
        AT_UPSTREAM
            .map(|name| (name.to_owned(), values(name)))
            .into()
    });
    assert_eq!(upstream.seen(&case).is_some(), passed, "{case}");
    Seen {
        status: response.status,
        details: response.field("x-e2e-details").filter(|_| !passed),
        body: if passed {
            String::new()
        } else {
            String::from_utf8_lossy(&response.body).into_owned()
        },
        at_client: AT_CLIENT
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), response.field(name)?)))
            .collect(),
        at_upstream,
    }
}

fn in_host(gateway: &mut Gateway, script: &'static str, path: &str) -> (Seen, Option<String>) {
    gateway.on_grpc_call(move |_| grpc_reply(script));
    gateway.on_http_call(move |_| http_reply(script));
    let mut request = Request::post(path).header("x-verdict", script).body("x=1");
    for (name, value) in SENT {
        request = request.header(name, value);
    }
    let outcome = gateway.send(request);
    assert!(
        outcome.failures.is_empty() && !outcome.stalled,
        "{outcome:?}"
    );
    let passed = outcome.passed();
    let seen = Seen {
        status: outcome.status,
        details: (!passed).then(|| outcome.details.clone()),
        body: if passed {
            String::new()
        } else {
            outcome.response_text()
        },
        at_client: AT_CLIENT
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), outcome.response_headers.text(name)?)))
            .collect(),
        at_upstream: outcome.upstream.as_ref().map(|upstream| {
            assert_eq!(upstream.body, b"x=1");
            AT_UPSTREAM
                .map(|name| {
                    let values = upstream.headers.all(name).into_iter();
                    let texts = values.map(|value| String::from_utf8_lossy(value).into_owned());
                    (name.to_owned(), texts.collect())
                })
                .into()
        }),
    };
    (seen, outcome.state("ext_authz_verdict"))
}

fn change(action: Action, name: &str, value: &str) -> HeaderChange {
    HeaderChange {
        action,
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// What the service says over gRPC.
fn grpc_reply(script: &str) -> GrpcReply {
    let denied = |status, header: (&str, &str), body: &str| {
        Decision::Denied(Denied {
            status,
            headers: vec![(header.0.to_owned(), header.1.to_owned())],
            body: body.to_owned(),
        })
    };
    let decision = match script {
        "none" => Decision::Allowed(Allowed {
            request: vec![
                change(Action::Set, "x-user", "kim"),
                change(Action::Append, "x-tag", "checked"),
            ],
            remove: vec!["x-secret".to_owned()],
            response: vec![change(Action::Set, "x-checked", "yes")],
            ..Allowed::default()
        }),
        "throttle-40" => Decision::Allowed(Allowed {
            request: vec![change(Action::Set, "x-defense-throttle-ms", "40")],
            ..Allowed::default()
        }),
        "challenge" => denied(428, ("x-defense-reason", "CHALLENGE_REQUIRED"), ""),
        "block" => denied(403, ("x-defense-reason", "BLOCKED"), ""),
        "denied" => denied(401, ("www-authenticate", "Bearer"), "who are you"),
        "error" => return GrpcReply::status(13, "boom"),
        "garbage" => return GrpcReply::ok(""),
        "hang" => return GrpcReply::timeout(),
        _ => return GrpcReply::unreachable(),
    };
    GrpcReply::ok(decision.to_bytes())
}

/// What the service says over HTTP.
fn http_reply(script: &str) -> HttpReply {
    match script {
        "none" => HttpReply::ok(
            200,
            [
                ("x-user", "kim"),
                ("x-tag", "checked"),
                ("x-checked", "yes"),
            ],
            "",
        ),
        "throttle-40" => HttpReply::ok(200, [("x-defense-throttle-ms", "40")], ""),
        "challenge" => HttpReply::ok(428, [("x-defense-reason", "CHALLENGE_REQUIRED")], ""),
        "block" => HttpReply::ok(403, [("x-defense-reason", "BLOCKED")], ""),
        "denied" => HttpReply::ok(401, [("www-authenticate", "Bearer")], "who are you"),
        "error" => HttpReply::status(500),
        "garbage" => HttpReply::status(502),
        "hang" => HttpReply::timeout(),
        // Before the headers the proxy answers for the service that went away.
        _ => HttpReply::ok(
            503,
            HeaderMap::new(),
            "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
        ),
    }
}

#[test]
fn envoy_and_the_host_do_the_same() {
    let service = AuthzService::start().unwrap();
    let upstream = Upstream::start().unwrap();
    let path = modules::filter("ext-authz");
    let module = Module::from_file(&path).unwrap();
    let mut bootstrap = Bootstrap::new(upstream.address())
        .grpc_service("adapter", service.address())
        .http_service("adapter-http", service.address());
    for transport in TRANSPORTS {
        let filter = WasmFilter::new(&path, &config(transport)).resource();
        bootstrap = bootstrap.listener(Listener::new(transport).filter(filter));
    }
    let envoy = Envoy::start(&bootstrap, 2).unwrap();
    let mut compared = 0;
    for transport in TRANSPORTS {
        let mut gateway = Gateway::builder()
            .plugin(
                Plugin::new(&module)
                    .name("backstop")
                    .config(config(transport).to_string()),
            )
            .clusters(["adapter", "adapter-http"])
            .start()
            .unwrap();
        for (script, word, open, closed) in ROWS {
            // Over HTTP there is no message to be malformed: a 502 is the service's error.
            let word = match (transport, word) {
                ("http", "malformed") => "service-error",
                _ => word,
            };
            for (path, status) in PATHS.into_iter().zip([open, closed]) {
                let shown = format!("{transport} {script} {path}");
                let asked = service.asked().unwrap();
                let real = in_envoy(&envoy, &upstream, transport, script, path);
                assert_eq!(service.asked().unwrap(), asked + 1, "{shown}");
                let (ours, verdict) = in_host(&mut gateway, script, path);
                assert_eq!(real, ours, "{shown}");
                assert_eq!(real.status, status, "{shown}");
                assert_eq!(verdict.as_deref(), Some(word), "{shown}");
                if status != 200 {
                    assert_eq!(
                        real.details,
                        Some(format!("ext_authz{{{word}}}")),
                        "{shown}"
                    );
                }
                compared += 1;
            }
        }
        // What is not critical asks nobody.
        let asked = service.asked().unwrap();
        let real = in_envoy(&envoy, &upstream, transport, "block", "/");
        assert_eq!((real.status, service.asked().unwrap()), (200, asked));
        let (ours, _) = in_host(&mut gateway, "block", "/");
        assert_eq!(real, ours);
        gateway.advance(Duration::from_secs(1));
    }
    println!("{compared} verdicts in Envoy and in the host, no difference");
}
