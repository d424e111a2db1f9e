//! A roll-out rehearsed: detect, a share of the clients, all of them, back again; each a change of one line while traffic
//! flows, of which nothing is lost; and a hundred changes that leave no memory behind.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use backstop_e2e::bootstrap::{
    Bootstrap, Listener, WasmFilter, discovered_filter, write_discovered,
};
use backstop_e2e::client::{Body, Client, Response, request_bytes};
use backstop_e2e::{Envoy, Upstream, modules};
use serde_json::{Value, json};

const ATTACK: &str = "/search?q=%3Cscript%3Ealert(1)%3C/script%3E";
const PAGE: &str = "/matches?league=kbo&month=2026-09";
/// By the hash of its address among the first 30 % of the clients.
const INSIDE: &str = "198.51.100.1";
/// Not among the first 50 %.
const OUTSIDE: &str = "203.0.113.7";

fn bytes(path: &str, client: &str) -> Vec<u8> {
    let fields = [("host", "tickets.example"), ("x-forwarded-for", client)]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    request_bytes("GET", path.as_bytes(), &fields, &Body::None)
}

/// A client that keeps its connection as long as the server wants it.
struct Visitor<'a> {
    envoy: &'a Envoy,
    connection: Option<Client>,
}

impl Visitor<'_> {
    fn get(&mut self, path: &str, client: &str) -> Response {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.envoy.connect("in").unwrap(),
        };
        let response = connection.exchange("GET", &bytes(path, client)).unwrap();
        if response.field("connection").as_deref() != Some("close") {
            self.connection = Some(connection);
        }
        response
    }
}

/// How the configuration comes to Envoy.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// The listener is replaced.
    Lds,
    /// The filter alone is, as Istio does.
    Ecds,
}

struct Gateway {
    envoy: Envoy,
    delivery: Delivery,
    directory: tempfile::TempDir,
    version: AtomicU32,
    _upstream: Upstream,
}

fn filter(config: &Value) -> Value {
    WasmFilter::new(&modules::filter("waf"), config).resource()
}

fn listener(delivery: Delivery, directory: &Path, config: &Value) -> Listener {
    Listener::new("in").filter(match delivery {
        Delivery::Lds => filter(config),
        Delivery::Ecds => discovered_filter("backstop", &directory.join("ecds.json")),
    })
}

impl Gateway {
    fn start(delivery: Delivery, config: &Value) -> Self {
        let upstream = Upstream::start().unwrap();
        let directory = tempfile::tempdir().unwrap();
        write_discovered(&directory.path().join("ecds.json"), &filter(config), 0).unwrap();
        let envoy = Envoy::start_dynamic(
            &Bootstrap::new(upstream.address()),
            &[listener(delivery, directory.path(), config)],
            2,
        );
        Self {
            envoy: envoy.unwrap(),
            delivery,
            directory,
            version: AtomicU32::new(0),
            _upstream: upstream,
        }
    }

    fn configure(&self, config: &Value) {
        let version = self.version.fetch_add(1, Ordering::Relaxed) + 1;
        let directory = self.directory.path();
        match self.delivery {
            Delivery::Lds => {
                let listener = listener(Delivery::Lds, directory, config);
                self.envoy.set_listeners(&[listener], version).unwrap();
            }
            Delivery::Ecds => {
                write_discovered(&directory.join("ecds.json"), &filter(config), version).unwrap();
            }
        }
    }

    fn visitor(&self) -> Visitor<'_> {
        Visitor {
            envoy: &self.envoy,
            connection: None,
        }
    }

    /// Configures, and comes back once both workers do as expected: what the attack gets from inside and outside.
    fn step(&self, config: &Value, expected: [u16; 2]) {
        self.configure(config);
        let mut agreeing = 0;
        // New connections: the kernel deals them out to the workers.
        while agreeing < 20 {
            let mut visitor = self.visitor();
            let seen = [INSIDE, OUTSIDE].map(|client| visitor.get(ATTACK, client).status);
            agreeing = if seen == expected { agreeing + 1 } else { 0 };
        }
    }

    /// The sum of the counters whose names end so.
    fn counted(&self, suffix: &str) -> u64 {
        let stats = self.envoy.admin("/stats").unwrap();
        stats
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| name.ends_with(suffix))
            .filter_map(|(_, value)| value.trim().parse::<u64>().ok())
            .sum()
    }

    fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.envoy.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .unwrap()
    }
}

fn rehearse(delivery: Delivery) {
    let detect = json!({"mode": "detect"});
    let gateway = Gateway::start(delivery, &detect);
    let stop = AtomicBool::new(false);
    let answered = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut visitor = gateway.visitor();
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(visitor.get(PAGE, INSIDE).status, 200);
                    assert_eq!(visitor.get(PAGE, OUTSIDE).status, 200);
                    let status = visitor.get(ATTACK, INSIDE).status;
                    assert!(matches!(status, 200 | 403), "{status}");
                    answered.fetch_add(3, Ordering::Relaxed);
                }
            });
        }
        for (config, expected) in [
            (detect.clone(), [200, 200]),
            (json!({"mode": "block", "enforcePercent": 30}), [403, 200]),
            (json!({"mode": "block", "enforcePercent": 50}), [403, 200]),
            (json!({"mode": "block"}), [403, 403]),
            (json!({"mode": "block", "enforcePercent": 30}), [403, 200]),
            (detect.clone(), [200, 200]),
        ] {
            gateway.step(&config, expected);
        }
        stop.store(true, Ordering::Relaxed);
    });
    println!(
        "{delivery:?}: {} requests in the meantime, none lost",
        answered.load(Ordering::Relaxed)
    );
    assert_eq!(gateway.counted("update_rejected"), 0);
    assert_eq!(gateway.counted("config_fail"), 0);
}

#[test]
fn each_step_of_a_roll_out_is_one_line_by_listener_updates() {
    rehearse(Delivery::Lds);
}

#[test]
fn each_step_of_a_roll_out_is_one_line_by_filter_updates() {
    rehearse(Delivery::Ecds);
}

/// A hundred configurations one after another, with requests in between.
fn a_hundred_updates(delivery: Delivery) {
    let gateway = Gateway::start(delivery, &json!({"mode": "block"}));
    let updates = |count: usize| {
        for n in 0..count {
            let (mode, status) = [("block", 403), ("detect", 200)][n % 2];
            gateway.step(&json!({"mode": mode}), [status, status]);
        }
    };
    // What the first ones allocate is kept for the next: buffers of the VMs, Envoy's statistics.
    updates(20);
    let before = gateway.resident_kib();
    updates(100);
    let after = gateway.resident_kib();
    println!("{delivery:?}: {before} KiB resident before 100 updates, {after} KiB after");
    // One configuration that stays behind in both workers would be at least that much, a hundred times.
    assert!(after < before + 100 * 64, "{before} KiB, then {after} KiB");
}

#[test]
fn a_hundred_listener_updates_leave_no_memory_behind() {
    a_hundred_updates(Delivery::Lds);
}

#[test]
fn a_hundred_filter_updates_leave_no_memory_behind() {
    a_hundred_updates(Delivery::Ecds);
}
