//! Global limits as they are deployed, in the host: the question, every end of the call, and a client that goes away.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use backstop_host::{
    Callout, Gateway, GrpcReply, LogLevel, Module, Outcome, Plugin, Request, StreamState,
};
use backstop_rls::message::{
    DescriptorStatus, Duration as Left, HeaderValue, RateLimit, RateLimitRequest, RateLimitResponse,
};
use prost::Message as _;

const CLUSTER: &str = "outbound|8081||ratelimit.infra.svc.cluster.local";
const OK: [u8; 2] = [8, 1];
const OVER: [u8; 2] = [8, 2];

fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules/rate-limit.wasm");
        Module::from_file(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; build it with `make build`", path.display())
        })
    })
}

fn config(more: &str) -> String {
    format!(
        r#"{{"limits":[{{"name":"local","match":{{"path":{{"prefix":"/local"}}}},
             "tokensPerFill":2,"fillInterval":"1h"}}],
            "globalLimits":{{"cluster":"{CLUSTER}","domain":"shop","descriptors":[
              {{"entries":[{{"key":"remote_address","from":{{"clientAddress":{{}}}}}}]}}]{more}}}}}"#
    )
}

fn gateway(more: &str) -> Gateway {
    let plugin = Plugin::new(module())
        .name("rate-limit")
        .config(config(more));
    Gateway::builder()
        .plugin(plugin)
        .clusters([CLUSTER])
        .log_level(LogLevel::Info)
        .start()
        .unwrap()
}

fn request() -> Request {
    Request::get("/pay?x=1").client("203.0.113.7")
}

fn counted(gateway: &mut Gateway, action: &str, reason: &str) -> u64 {
    let name = format!(
        "backstop_rate_limit.action=.={action};.;reason=.={reason};.;global_requests_total"
    );
    gateway.metrics().counter(&name)
}

fn line(outcome: &Outcome) -> serde_json::Value {
    let line = outcome
        .logs
        .iter()
        .find(|line| line.message.starts_with('{'));
    serde_json::from_str(&line.expect("a log line").message).unwrap()
}

#[test]
fn the_service_is_asked_once_with_the_client() {
    let mut gateway = gateway("");
    gateway.on_grpc_call(|_| GrpcReply::ok(OK));
    let outcome = gateway.send(Request::post("/pay").client("203.0.113.7").body("held"));
    assert!(outcome.passed());
    assert_eq!(outcome.upstream.as_ref().unwrap().body, b"held");
    let [Callout::Grpc(call)] = &outcome.callouts[..] else {
        panic!("{:?}", outcome.callouts)
    };
    assert_eq!(
        (
            call.cluster.as_str(),
            call.service.as_str(),
            call.method.as_str()
        ),
        (
            CLUSTER,
            "envoy.service.ratelimit.v3.RateLimitService",
            "ShouldRateLimit"
        )
    );
    assert_eq!(call.timeout, Some(Duration::from_millis(250)));
    let question = RateLimitRequest::decode(call.message.as_slice()).unwrap();
    let entry = &question.descriptors[0].entries[0];
    assert_eq!(
        (
            question.domain.as_str(),
            entry.key.as_str(),
            entry.value.as_str()
        ),
        ("shop", "remote_address", "203.0.113.7")
    );
    assert_eq!(counted(&mut gateway, "allowed", "allowed"), 1);
}

#[test]
fn over_limit_is_a_429_that_never_reaches_the_upstream() {
    let mut gateway = gateway("");
    gateway.on_grpc_call(|_| {
        let status = DescriptorStatus {
            code: 2,
            current_limit: Some(RateLimit {
                requests_per_unit: 300,
                unit: 2,
                name: String::new(),
            }),
            limit_remaining: 0,
            duration_until_reset: Some(Left {
                seconds: 17,
                nanos: 0,
            }),
        };
        let header = HeaderValue {
            key: "x-from-service".to_owned(),
            value: "yes".to_owned(),
            raw_value: Vec::new(),
        };
        let answer = RateLimitResponse {
            overall_code: 2,
            statuses: vec![status],
            response_headers_to_add: vec![header],
            request_headers_to_add: Vec::new(),
        };
        GrpcReply::ok(answer.encode_to_vec()).after(Duration::from_millis(249))
    });
    let outcome = gateway.send(request());
    assert_eq!((outcome.status, outcome.upstream_contacts), (429, 0));
    assert_eq!(outcome.details, "backstop_rate_limit{global:shop}");
    for (name, value) in [
        ("retry-after", "17"),
        ("x-ratelimit-limit", "300, 300;w=60"),
        ("x-ratelimit-remaining", "0"),
        ("x-from-service", "yes"),
    ] {
        assert_eq!(
            outcome.response_headers.text(name).as_deref(),
            Some(value),
            "{name}"
        );
    }
    assert_eq!(
        outcome.state("rate_limit_verdict").as_deref(),
        Some("limited:global:shop")
    );
    let line = line(&outcome);
    assert_eq!(
        (&line["scope"], &line["limited"], &line["limit"]),
        (&"global".into(), &true.into(), &300.into())
    );
    assert_eq!(counted(&mut gateway, "limited", "limited"), 1);
    // A gRPC client sees RESOURCE_EXHAUSTED.
    let grpc = Request::post("/pay").header("content-type", "application/grpc");
    assert_eq!(gateway.send(grpc).grpc_status(), Some(8));
}

#[test]
fn headers_of_the_service_reach_the_upstream_and_the_client() {
    let mut gateway = gateway("");
    gateway.on_grpc_call(|_| {
        let header = |key: &str, value: &str| HeaderValue {
            key: key.to_owned(),
            value: value.to_owned(),
            raw_value: Vec::new(),
        };
        let answer = RateLimitResponse {
            overall_code: 1,
            statuses: Vec::new(),
            response_headers_to_add: vec![header("x-quota", "9")],
            request_headers_to_add: vec![header("x-tier", "gold"), header(":path", "/admin")],
        };
        GrpcReply::ok(answer.encode_to_vec())
    });
    let outcome = gateway.send(request());
    assert_eq!(
        outcome.response_headers.text("x-quota").as_deref(),
        Some("9")
    );
    let upstream = outcome.upstream.unwrap();
    assert_eq!(upstream.headers.text("x-tier").as_deref(), Some("gold"));
    assert_eq!(upstream.headers.text(":path").as_deref(), Some("/pay?x=1"));
}

#[test]
fn every_failure_passes_or_is_refused_as_configured_and_is_told() {
    type Ending = (fn() -> GrpcReply, &'static str);
    let endings: [Ending; 5] = [
        (GrpcReply::timeout, "timeout"),
        (GrpcReply::unreachable, "unavailable"),
        (|| GrpcReply::status(13, "broken"), "error-status"),
        (|| GrpcReply::ok([8, 0]), "malformed"),
        (|| GrpcReply::ok([0xff]), "malformed"),
    ];
    for (mode, status, action) in [("allow", 200, "allowed"), ("deny", 503, "limited")] {
        for (ending, reason) in endings {
            let mut gateway = gateway(&format!(r#","failureMode":"{mode}""#));
            gateway.on_grpc_call(move |_| ending());
            let outcome = gateway.send(request());
            assert_eq!(outcome.status, status, "{reason}");
            assert!(!outcome.stalled && outcome.failures.is_empty());
            if status == 503 {
                assert_eq!(
                    outcome.details,
                    format!("backstop_rate_limit{{global:shop:{reason}}}")
                );
            }
            assert_eq!(
                outcome.state("rate_limit_verdict"),
                Some(format!("{reason}:global:shop"))
            );
            let line = line(&outcome);
            assert_eq!(
                (&line["event"], &line["action"]),
                (&reason.into(), &action.into())
            );
            assert_eq!(counted(&mut gateway, action, reason), 1, "{reason}");
        }
    }
}

#[test]
fn a_cluster_that_is_unknown_or_empty_is_a_failure_with_one_answer() {
    for (mode, status) in [("allow", 200), ("deny", 503)] {
        for known in [false, true] {
            let plugin = Plugin::new(module())
                .name("rate-limit")
                .config(config(&format!(r#","failureMode":"{mode}""#)));
            let mut builder = Gateway::builder().plugin(plugin);
            if known {
                builder = builder.clusters_without_endpoints([CLUSTER]);
            }
            let mut gateway = builder.start().unwrap();
            for _ in 0..3 {
                let outcome = gateway.send(request());
                assert_eq!(outcome.status, status);
                assert!(!outcome.stalled && outcome.failures.is_empty());
                assert!(outcome.logged("cannot be called"), "{:?}", outcome.logs);
            }
        }
    }
}

#[test]
fn a_client_that_goes_away_while_the_service_thinks_leaves_nothing_behind() {
    let mut gateway = gateway("");
    gateway.on_grpc_call(|_| GrpcReply::ok(OVER).after(Duration::from_millis(100)));
    let before = gateway
        .metrics()
        .counter("backstop_rate_limit.errors_total");
    for _ in 0..50 {
        let id = gateway.worker(0).open(request());
        let mut stream = gateway.stream(id);
        let headers = [
            (":method", "GET"),
            (":path", "/pay"),
            (":authority", "shop.example"),
            (":scheme", "https"),
        ];
        assert_eq!(stream.request_headers(headers, true), StreamState::Paused);
        assert!(stream.upstream().is_none());
        assert_eq!(stream.disconnect(), StreamState::Reset);
        let outcome = stream.close();
        assert!(outcome.failures.is_empty() && outcome.upstream.is_none());
    }
    // Their answers come now, for nobody.
    gateway.advance(Duration::from_millis(300));
    assert!(gateway.failures().is_empty(), "{:?}", gateway.failures());
    assert_eq!(
        gateway
            .metrics()
            .counter("backstop_rate_limit.errors_total"),
        before
    );
    assert_eq!(gateway.send(request()).status, 429);
}

#[test]
fn a_body_that_comes_meanwhile_waits_too() {
    let mut gateway = gateway("");
    gateway.on_grpc_call(|_| GrpcReply::ok(OK).after(Duration::from_millis(50)));
    let request = Request::post("/pay").client("203.0.113.7");
    let outcome = gateway.send(request.body("0123456789".repeat(5_000)).chunks([7; 40]));
    assert!(outcome.passed());
    assert_eq!(outcome.upstream.unwrap().body.len(), 50_000);
}

#[test]
fn the_local_buckets_come_first() {
    let mut gateway = gateway("");
    gateway.on_grpc_call(|_| GrpcReply::ok(OK));
    let local = Request::get("/local").client("203.0.113.7");
    let asked: Vec<usize> = (0..4)
        .map(|_| gateway.send(local.clone()).callouts.len())
        .collect();
    assert_eq!(asked, [1, 1, 0, 0]);
}
