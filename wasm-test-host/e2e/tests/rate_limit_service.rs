//! Global limits in a real Envoy, with a real rate-limit service and a real Redis, which dies and comes back.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use backstop_e2e::bootstrap::{Bootstrap, Listener, WasmFilter};
use backstop_e2e::client::{Body, Client, Response, request_bytes};
use backstop_e2e::{Envoy, RateLimitService, Redis, Upstream, modules};
use serde_json::{Value, json};

const CLUSTER: &str = "outbound|8081||ratelimit.infra.svc.cluster.local";
/// Far longer than any request may take, far shorter than for ever.
const HANG: Duration = Duration::from_secs(20);
/// Where a late answer would be a wrong one, however busy the machine is.
const PATIENT: &str = "5s";
/// The default.
const PROMPT: &str = "250ms";

/// Limitador's: per client, in a window that no test outlives.
fn limits(per_client: u32) -> Value {
    json!([{"domain": "shop", "name": "per-client", "maxValue": per_client, "seconds": 86400,
            "conditions": [], "variables": ["remote_address"]}])
}

fn filter(failure_mode: &str, timeout: &str) -> Value {
    let config = json!({"globalLimits": {
        "cluster": CLUSTER, "domain": "shop", "failureMode": failure_mode, "timeout": timeout,
        "descriptors": [{"entries": [{"key": "remote_address", "from": {"clientAddress": {}}}]}],
    }});
    WasmFilter::new(&modules::filter("rate-limit"), &config).resource()
}

fn gateway(upstream: &Upstream, service: &RateLimitService, timeout: &str) -> Envoy {
    let bootstrap = Bootstrap::new(upstream.address())
        .grpc_service(CLUSTER, service.address())
        .listener(Listener::new("open").filter(filter("allow", timeout)))
        .listener(Listener::new("closed").filter(filter("deny", timeout)));
    Envoy::start(&bootstrap, 2).unwrap()
}

fn get(client: &mut Client, address: &str) -> Response {
    let fields = [
        ("host".to_owned(), b"shop.example".to_vec()),
        ("x-forwarded-for".to_owned(), address.as_bytes().to_vec()),
    ];
    let asked = Instant::now();
    let response = client
        .exchange("GET", &request_bytes("GET", b"/pay", &fields, &Body::None))
        .unwrap();
    assert!(asked.elapsed() < HANG, "{:?}", asked.elapsed());
    response
}

fn statuses(envoy: &Envoy, listener: &str, address: &str, count: u32) -> Vec<u16> {
    let mut client = envoy.connect(listener).unwrap();
    (0..count)
        .map(|_| get(&mut client, address).status)
        .collect()
}

fn counted(envoy: &Envoy, action: &str, reason: &str) -> u64 {
    let name = format!(
        "wasmcustom.backstop_rate_limit.action=.={action};.;reason=.={reason};.;global_requests_total"
    );
    envoy.stat(&name).unwrap()
}

#[test]
fn two_gateways_admit_together_exactly_what_one_would() {
    let redis = Redis::start().unwrap();
    let service = RateLimitService::start(&redis, &limits(100)).unwrap();
    let upstream = Upstream::start().unwrap();
    let gateways = [PATIENT, PATIENT].map(|timeout| gateway(&upstream, &service, timeout));
    let admitted = AtomicU32::new(0);
    thread::scope(|scope| {
        for envoy in &gateways {
            for _ in 0..2 {
                scope.spawn(|| {
                    let statuses = statuses(envoy, "closed", "203.0.113.7", 60);
                    assert!(statuses.iter().all(|status| [200, 429].contains(status)));
                    let passed = statuses.iter().filter(|status| **status == 200).count();
                    admitted.fetch_add(passed as u32, Ordering::Relaxed);
                });
            }
        }
    });
    assert_eq!(admitted.into_inner(), 100);
    // Another client has its own; the refusal says what the service said.
    assert_eq!(statuses(&gateways[0], "closed", "203.0.113.8", 1), [200]);
    let mut client = gateways[1].connect("closed").unwrap();
    let refused = get(&mut client, "203.0.113.7");
    let field = |name| refused.field(name);
    assert_eq!(
        field("x-e2e-details").as_deref(),
        Some("backstop_rate_limit{global:shop}")
    );
    assert_eq!(
        field("x-ratelimit-limit").as_deref(),
        Some("100, 100;w=86400")
    );
    let wait: u64 = field("retry-after").unwrap().parse().unwrap();
    assert!((80_000..=86_400).contains(&wait), "{wait}");
    assert_eq!(
        counted(&gateways[0], "limited", "limited") + counted(&gateways[1], "limited", "limited"),
        4 * 60 - 100 + 1
    );
}

#[test]
fn redis_dies_and_comes_back_in_mid_traffic() {
    let mut redis = Redis::start().unwrap();
    let service = RateLimitService::start(&redis, &limits(5)).unwrap();
    let upstream = Upstream::start().unwrap();
    let envoy = gateway(&upstream, &service, PATIENT);
    let stop = AtomicBool::new(false);
    // Whoever comes while Redis is away.
    let passed = AtomicU32::new(0);
    thread::scope(|scope| {
        let traffic = Traffic(&stop);
        for (listener, number) in [("open", 1), ("closed", 2)] {
            let (envoy, stop, passed) = (&envoy, &stop, &passed);
            scope.spawn(move || {
                let mut client = envoy.connect(listener).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let status = get(&mut client, &format!("198.51.100.{number}")).status;
                    let fine: &[u16] = if listener == "open" {
                        &[200, 429]
                    } else {
                        &[200, 429, 503]
                    };
                    assert!(fine.contains(&status), "{listener}: {status}");
                    passed.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let flowing = |more: u32| {
            let before = passed.load(Ordering::Relaxed);
            while passed.load(Ordering::Relaxed) < before + more {
                thread::yield_now();
            }
        };
        let limited = [200, 200, 200, 200, 200, 429, 429];
        assert_eq!(statuses(&envoy, "closed", "203.0.113.7", 7), limited);
        flowing(20);

        redis.kill().unwrap();
        // What was under way may still be answered by the dead one's last word.
        while statuses(&envoy, "closed", "203.0.113.7", 1) != [503] {}
        assert_eq!(statuses(&envoy, "closed", "203.0.113.7", 5), [503; 5]);
        assert_eq!(statuses(&envoy, "open", "203.0.113.7", 5), [200; 5]);
        let mut client = envoy.connect("closed").unwrap();
        let refused = get(&mut client, "203.0.113.7");
        let details = refused.field("x-e2e-details").unwrap();
        assert!(
            ["unavailable", "timeout"].iter().any(|reason| {
                details == format!("backstop_rate_limit{{global:shop:{reason}}}")
            }),
            "{details}"
        );
        assert_eq!(refused.field("retry-after"), None);
        flowing(10);

        redis.revive().unwrap();
        while statuses(&envoy, "closed", "192.0.2.1", 1) == [503] {}
        // It has forgotten: everybody starts again.
        assert_eq!(statuses(&envoy, "closed", "203.0.113.7", 7), limited);
        assert_eq!(statuses(&envoy, "open", "203.0.113.7", 2), [429, 429]);
        flowing(20);
        drop(traffic);
    });
}

/// Ends with its scope, also when an assertion fails.
struct Traffic<'a>(&'a AtomicBool);

impl Drop for Traffic<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_redis_or_a_service_that_is_silent_costs_no_request_more_than_its_time_out() {
    let redis = Redis::start().unwrap();
    let mut service = RateLimitService::start(&redis, &limits(5)).unwrap();
    let upstream = Upstream::start().unwrap();
    let envoy = gateway(&upstream, &service, PROMPT);
    while statuses(&envoy, "closed", "192.0.2.0", 1) == [503] {}

    redis.freeze().unwrap();
    assert_eq!(statuses(&envoy, "open", "203.0.113.8", 2), [200, 200]);
    assert_eq!(statuses(&envoy, "closed", "203.0.113.8", 2), [503, 503]);
    redis.thaw().unwrap();
    while statuses(&envoy, "closed", "192.0.2.1", 1) == [503] {}

    service.freeze().unwrap();
    let before = counted(&envoy, "allowed", "timeout");
    assert_eq!(statuses(&envoy, "open", "203.0.113.9", 2), [200, 200]);
    assert_eq!(counted(&envoy, "allowed", "timeout"), before + 2);
    let mut client = envoy.connect("closed").unwrap();
    let refused = get(&mut client, "203.0.113.9");
    assert_eq!(
        refused.field("x-e2e-details").as_deref(),
        Some("backstop_rate_limit{global:shop:timeout}")
    );
    // Clients that do not wait for the answer.
    for _ in 0..20 {
        let mut client = envoy.connect("closed").unwrap();
        let fields = [("host".to_owned(), b"shop.example".to_vec())];
        let request = request_bytes("GET", b"/pay", &fields, &Body::None);
        client.send(&request).unwrap();
    }
    service.thaw().unwrap();
    while statuses(&envoy, "closed", "192.0.2.2", 1) == [503] {}

    service.kill().unwrap();
    assert_eq!(statuses(&envoy, "open", "203.0.113.10", 2), [200, 200]);
    assert_eq!(statuses(&envoy, "closed", "203.0.113.10", 2), [503, 503]);
    assert!(
        !envoy.log().iter().any(|line| line.contains("panicked")),
        "{:#?}",
        envoy.log()
    );
}
