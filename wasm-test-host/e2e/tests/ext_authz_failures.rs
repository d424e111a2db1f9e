//! The call-out in a real Envoy when things go wrong: the service dies and comes back, is slow, breaks connections; clients leave
//! while they are waited for; the configuration changes meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use backstop_e2e::bootstrap::{
    Bootstrap, Listener, WasmFilter, discovered_filter, write_discovered,
};
use backstop_e2e::client::{Body, Client, Response, request_bytes};
use backstop_e2e::{AuthzService, Envoy, Upstream, modules};
use serde_json::{Value, json};

/// Far longer than any request may take, far shorter than for ever.
const HANG: Duration = Duration::from_secs(30);

fn config(more: Value) -> Value {
    let mut config = json!({
        "apis": [
            {"eventType": "QUEUE_ENTER", "path": {"prefix": "/enter"}},
            {"eventType": "SEAT_HOLDS", "path": {"prefix": "/hold"}, "failureMode": "deny", "statusOnError": 503},
        ],
        "service": {"grpc": {"cluster": "adapter", "timeout": "5s"}},
        "logging": {"enabled": false},
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    config
}

fn filter(config: &Value) -> Value {
    WasmFilter::new(&modules::filter("ext-authz"), config).resource()
}

fn gateway(
    upstream: &Upstream,
    service: &AuthzService,
    listeners: &[(&str, Value)],
    workers: u32,
) -> Envoy {
    let mut bootstrap =
        Bootstrap::new(upstream.address()).grpc_service("adapter", service.address());
    for (name, config) in listeners {
        bootstrap = bootstrap.listener(Listener::new(name).filter(filter(config)));
    }
    Envoy::start(&bootstrap, workers).unwrap()
}

fn bytes(path: &str, script: &str, client: &str) -> Vec<u8> {
    let fields = [
        ("host", "tickets.example"),
        ("x-verdict", script),
        ("x-forwarded-for", client),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    request_bytes("GET", path.as_bytes(), &fields, &Body::None)
}

fn ask(client: &mut Client, path: &str, script: &str) -> Response {
    let asked = Instant::now();
    let response = client
        .exchange("GET", &bytes(path, script, "203.0.113.7"))
        .unwrap();
    assert!(asked.elapsed() < HANG, "{:?}", asked.elapsed());
    response
}

fn status(envoy: &Envoy, listener: &str, path: &str, script: &str) -> u16 {
    ask(&mut envoy.connect(listener).unwrap(), path, script).status
}

/// The sum of the counters of this outcome.
fn counted(envoy: &Envoy, outcome: &str) -> u64 {
    let stats = envoy.admin("/stats?filter=ext_authz").unwrap();
    let label = format!("outcome=.={outcome};.");
    stats
        .lines()
        .filter(|line| line.contains(&label) && line.contains("requests_total"))
        .filter_map(|line| line.rsplit_once(": ")?.1.trim().parse::<u64>().ok())
        .sum()
}

/// Ends with its scope, also when an assertion fails.
struct Traffic<'a>(&'a AtomicBool);

impl Drop for Traffic<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_service_that_dies_and_comes_back_in_mid_load() {
    for workers in [2, 4] {
        let mut service = AuthzService::start().unwrap();
        let upstream = Upstream::start().unwrap();
        let breaker = json!({"breaker": {"consecutiveFailures": 5, "openFor": "300ms"}});
        let envoy = gateway(&upstream, &service, &[("in", config(breaker))], workers);
        let stop = AtomicBool::new(false);
        let answered = AtomicU32::new(0);
        thread::scope(|scope| {
            let traffic = Traffic(&stop);
            for path in ["/enter", "/hold", "/enter", "/hold"] {
                let (envoy, stop, answered) = (&envoy, &stop, &answered);
                scope.spawn(move || {
                    let mut client = envoy.connect("in").unwrap();
                    let fine: &[u16] = if path == "/enter" {
                        &[200]
                    } else {
                        &[200, 503]
                    };
                    while !stop.load(Ordering::Relaxed) {
                        let status = ask(&mut client, path, "none").status;
                        assert!(fine.contains(&status), "{path}: {status}");
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let flowing = |more: u32| {
                let before = answered.load(Ordering::Relaxed);
                while answered.load(Ordering::Relaxed) < before + more {
                    thread::yield_now();
                }
            };
            flowing(50);
            assert_eq!(status(&envoy, "in", "/hold", "block"), 403);

            service.kill().unwrap();
            // The breaker opens for all workers: then nobody calls any more, but for the probes.
            while counted(&envoy, "breaker-open") < 200 {
                flowing(20);
            }
            assert_eq!(status(&envoy, "in", "/hold", "block"), 503);
            assert_eq!(status(&envoy, "in", "/enter", "block"), 200);
            let (open, calls) = (
                counted(&envoy, "breaker-open"),
                counted(&envoy, "unreachable"),
            );
            assert!(open > calls, "{open} without a call, {calls} calls");

            service.revive().unwrap();
            while status(&envoy, "in", "/hold", "block") != 403 {}
            flowing(50);
            drop(traffic);
        });
        assert!(service.asked().unwrap() > 0);
    }
}

#[test]
fn two_hundred_requests_wait_for_a_slow_service_while_others_pass() {
    let service = AuthzService::start().unwrap();
    let upstream = Upstream::start().unwrap();
    let envoy = gateway(&upstream, &service, &[("in", config(json!({})))], 2);
    let mut clients: Vec<Client> = (0..200).map(|_| envoy.connect("in").unwrap()).collect();
    let began = Instant::now();
    for client in &mut clients {
        client
            .send(&bytes("/enter", "none;delay=800", "203.0.113.7"))
            .unwrap();
    }
    // Envoy has taken them all and none is answered yet: whoever is not critical is not held up.
    while envoy.stat("cluster.adapter.upstream_rq_active").unwrap() < 200
        && began.elapsed() < Duration::from_millis(700)
    {}
    let in_flight = envoy.stat("cluster.adapter.upstream_rq_active").unwrap();
    for _ in 0..20 {
        assert_eq!(status(&envoy, "in", "/", "none"), 200);
    }
    println!(
        "{in_flight} in flight while 20 others passed, {:?} after the first was sent",
        began.elapsed()
    );
    for client in &mut clients {
        assert_eq!(client.receive("GET").unwrap().status, 200);
    }
    assert!(began.elapsed() >= Duration::from_millis(800));
    assert_eq!(service.asked().unwrap(), 200);
    assert_eq!(counted(&envoy, "none"), 200);
}

#[test]
fn a_throttled_client_is_held_and_no_worker_with_it() {
    let service = AuthzService::start().unwrap();
    let upstream = Upstream::start().unwrap();
    let envoy = gateway(&upstream, &service, &[("in", config(json!({})))], 1);
    let mut held = envoy.connect("in").unwrap();
    let began = Instant::now();
    held.send(&bytes("/enter", "throttle-1500", "203.0.113.7"))
        .unwrap();
    while service.asked().unwrap() == 0 {}
    let mut passed = 0;
    while began.elapsed() < Duration::from_millis(300) || passed == 0 {
        assert_eq!(status(&envoy, "in", "/", "none"), 200);
        passed += 1;
    }
    assert_eq!(held.receive("GET").unwrap().status, 200);
    assert!(began.elapsed() >= Duration::from_millis(1500));
}

#[test]
fn broken_connections_and_clients_that_leave_are_clean() {
    let service = AuthzService::start().unwrap();
    let upstream = Upstream::start().unwrap();
    let no_breaker = config(json!({"breaker": {"enabled": false}}));
    let envoy = gateway(&upstream, &service, &[("in", no_breaker)], 2);
    for _ in 0..20 {
        assert_eq!(status(&envoy, "in", "/hold", "reset"), 503);
        assert_eq!(status(&envoy, "in", "/enter", "reset"), 200);
    }
    // Gone while the service thinks, and while the request is held.
    for script in ["none;delay=200", "throttle-300", "block;delay=200", "hang"] {
        for _ in 0..10 {
            let mut client = envoy.connect("in").unwrap();
            client
                .send(&bytes("/enter", script, "203.0.113.7"))
                .unwrap();
        }
    }
    let asked = service.asked().unwrap();
    // Answers come for those who left, and nothing but them was lost.
    while counted(&envoy, "none") < 1 {
        assert_eq!(status(&envoy, "in", "/hold", "none;delay=400"), 200);
    }
    assert!(service.asked().unwrap() > asked);
    assert_eq!(status(&envoy, "in", "/hold", "block"), 403);
    let log = envoy.log();
    assert!(
        !log.iter()
            .any(|line| line.contains("panicked") || line.contains("[critical]")),
        "{log:#?}"
    );
    assert!(
        envoy
            .stat("cluster.adapter.upstream_cx_destroy_remote_with_active_rq")
            .unwrap()
            > 0
    );
}

#[test]
fn a_configuration_that_changes_while_requests_wait_ends_none_of_them() {
    let service = AuthzService::start().unwrap();
    let upstream = Upstream::start().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ecds.json");
    let with_status = |status: u16| filter(&config(json!({"response": {"status": status}})));
    write_discovered(&path, &with_status(403), 0).unwrap();
    let bootstrap = Bootstrap::new(upstream.address()).grpc_service("adapter", service.address());
    let listener = Listener::new("in").filter(discovered_filter("backstop", &path));
    let envoy = Envoy::start_dynamic(&bootstrap, &[listener], 2).unwrap();
    let mut waiting: Vec<(Client, u16)> = [
        ("none;delay=600", 200),
        ("block;delay=600", 403),
        ("throttle-900", 200),
    ]
    .iter()
    .cycle()
    .take(30)
    .map(|(script, status)| {
        let mut client = envoy.connect("in").unwrap();
        client
            .send(&bytes("/enter", script, "203.0.113.7"))
            .unwrap();
        (client, *status)
    })
    .collect();
    while service.asked().unwrap() < 30 {}
    for version in 1..=5 {
        write_discovered(&path, &with_status(450 + version), u32::from(version)).unwrap();
    }
    for (client, status) in &mut waiting {
        assert_eq!(client.receive("GET").unwrap().status, *status);
    }
    assert_eq!(status(&envoy, "in", "/enter", "block"), 403);
}

#[test]
fn a_blocked_client_is_refused_by_every_worker_without_another_call() {
    let service = AuthzService::start().unwrap();
    let upstream = Upstream::start().unwrap();
    for workers in [2, 4] {
        let list = json!({"blockList": {"name": format!("list-{workers}"), "ttl": "10m",
            "notify": {"cluster": "adapter-http", "path": "/blocklist"}}});
        let bootstrap = Bootstrap::new(upstream.address())
            .grpc_service("adapter", service.address())
            .http_service("adapter-http", service.address())
            .listener(Listener::new("in").filter(filter(&config(list))));
        let envoy = Envoy::start(&bootstrap, workers).unwrap();
        let told = service.listed().unwrap().len();
        let asked = service.asked().unwrap();
        let send = |client: &str, script: &str| {
            let mut connection = envoy.connect("in").unwrap();
            let request = bytes("/enter", script, client);
            connection.exchange("GET", &request).unwrap()
        };
        assert_eq!(send("198.51.100.9", "block").status, 403);
        // Each connection is one worker's; the kernel deals them out.
        for _ in 0..workers * 8 {
            let refused = send("198.51.100.9", "none");
            assert_eq!(refused.status, 403);
            assert_eq!(
                refused.field("x-e2e-details").as_deref(),
                Some("backstop_block_list{verdict}")
            );
        }
        assert_eq!(service.asked().unwrap(), asked + 1);
        assert_eq!(send("198.51.100.10", "none").status, 200);
        while service.listed().unwrap().len() == told {}
        let entries = service.listed().unwrap();
        let [entry] = &entries[told..] else {
            panic!("{entries:?}")
        };
        assert!(entry.contains(r#""ip":"198.51.100.9""#), "{entry}");
    }
}
