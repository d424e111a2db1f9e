//! Edge against the chain of separate modules, in our host: the same requests in the same order, and everything that anybody
//! outside can see of them is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;

use backstop_e2e::case::{self, ListenerOptions};
use backstop_e2e::modules;
use backstop_e2e::probe::Probe;
use backstop_host::traffic::{self, Input, Item, ReadProgress};
use backstop_host::{Gateway, GatewayBuilder, LogLevel, Module, Outcome, Plugin, Request};
use serde_json::{Value, json};

/// The filters and their sections, in edge's order.
const SECTIONS: [(&str, &str); 3] = [
    ("origin-verify", "originVerify"),
    ("rate-limit", "rateLimit"),
    ("waf", "waf"),
];

const SECRET: &str = "e2e-secret-0123456789abcdef";
const DIGEST: &str = "Jn3DrHK1GsPHNiyEokHBymvtK4TbuNLcJJs5a5Croh8=";

/// A filter's module, compiled once.
fn module(filter: &str) -> Module {
    static MODULES: Mutex<BTreeMap<String, Module>> = Mutex::new(BTreeMap::new());
    let mut compiled = MODULES.lock().unwrap();
    compiled
        .entry(filter.to_owned())
        .or_insert_with(|| Module::from_file(modules::filter(filter)).unwrap())
        .clone()
}

/// The same sections as a chain of modules and as one.
struct Both {
    chain: Gateway,
    edge: Gateway,
}

/// What arrives at the upstream: header fields, body, trailers, and whether it ended.
type Upstream = (Vec<(String, String)>, Vec<u8>, Vec<(String, String)>, bool);

/// What of a request can be seen from outside.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    details: String,
    response_headers: Vec<(String, String)>,
    response_body: String,
    upstream: Option<Upstream>,
    filter_state: BTreeMap<String, Vec<u8>>,
    logs: Vec<(LogLevel, String)>,
    ended: (bool, bool),
}

fn text(headers: &backstop_host::HeaderMap) -> Vec<(String, String)> {
    let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
    headers
        .iter()
        .map(|(name, value)| (shown(name), shown(value)))
        .collect()
}

fn seen(outcome: &Outcome) -> Seen {
    assert!(outcome.failures.is_empty(), "{outcome:?}");
    Seen {
        status: outcome.status,
        details: outcome.details.clone(),
        response_headers: text(&outcome.response_headers),
        response_body: outcome.response_text(),
        upstream: outcome.upstream.as_ref().map(|upstream| {
            (
                text(&upstream.headers),
                upstream.body.clone(),
                upstream.trailers.as_ref().map(text).unwrap_or_default(),
                upstream.complete,
            )
        }),
        filter_state: outcome.filter_state.clone(),
        logs: outcome
            .logs
            .iter()
            .map(|line| (line.level, line.message.clone()))
            .collect(),
        ended: (outcome.stalled, outcome.reset),
    }
}

impl Both {
    fn start(config: &Value, options: ListenerOptions) -> Self {
        let stop = options.allow_on_headers_stop_iteration;
        let plugin = |filter: &str, config: &Value| {
            Plugin::new(&module(filter))
                .name(filter)
                .config(config.to_string())
                .allow_on_headers_stop_iteration(stop)
        };
        let start = |builder: GatewayBuilder| {
            builder
                .buffer_limit(options.buffer_limit.unwrap_or(1 << 20) as usize)
                .log_level(LogLevel::Info)
                .start()
                .unwrap()
        };
        let chain = SECTIONS
            .iter()
            .filter_map(|(filter, section)| Some((filter, config.get(section)?)))
            .fold(Gateway::builder(), |chain, (filter, own)| {
                chain.plugin(plugin(filter, own))
            });
        Self {
            chain: start(chain),
            edge: start(Gateway::builder().plugin(plugin("edge", config))),
        }
    }

    /// Sends a request to both. What both saw.
    fn send(&mut self, name: &str, request: &Request) -> Seen {
        let [chain, edge] =
            [&mut self.chain, &mut self.edge].map(|gateway| seen(&gateway.send(request)));
        assert_eq!(chain, edge, "{name}: the chain's, then edge's");
        edge
    }

    /// The filters' counters and histograms, which must be the same by now. How many there are.
    fn compare_metrics(&mut self) -> usize {
        let [chain, edge] = [&mut self.chain, &mut self.edge].map(|gateway| {
            let metrics = gateway.metrics();
            let counters: BTreeMap<String, u64> = metrics
                .counters()
                .filter(|(name, _)| name.starts_with("backstop_"))
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            let timed = metrics.histogram("backstop_waf.inspection_us").len();
            (counters, timed)
        });
        assert_eq!(chain, edge);
        edge.0.len()
    }
}

/// What the other filters are set to while one is tried: each does something to every request, and none refuses one that
/// the cases do not mean to be refused.
fn company() -> Value {
    json!({
        "originVerify": {"mode": "report", "headerName": "x-not-sent", "secrets": [{"name": "current", "sha256": DIGEST}]},
        "rateLimit": {
            "limits": [{"name": "everything", "tokensPerFill": 1000, "fillInterval": "1s"}],
            "headers": {"onAllowed": true, "rateLimit": true},
            "logging": {"onlyLimited": false},
        },
        "waf": {"mode": "detect"},
    })
}

#[test]
fn every_case_ends_alike_in_a_chain_and_in_edge() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let (mut cases, mut metrics) = (0, 0);
    let mut statuses = BTreeSet::new();
    for (_, file) in case::load(&folder).unwrap() {
        let section = SECTIONS.iter().find(|(filter, _)| *filter == file.filter);
        let configs = match section {
            Some((_, section)) => {
                let mut with_others = company();
                with_others[section] = file.config.clone();
                vec![json!({*section: file.config}), with_others]
            }
            None if file.filter == "edge" => vec![file.config.clone()],
            None => continue,
        };
        for config in configs {
            let mut both = Both::start(&config, file.listener);
            for case in &file.cases {
                let probe = Probe::from_spec(&case.name, &case.request).unwrap();
                let ending = both.send(&case.name, &probe.request());
                // gRPC's refusals are 200 for the client.
                assert_eq!(ending.status, case.expect.status, "{}", case.name);
                statuses.insert(ending.status);
                cases += 1;
            }
            metrics += both.compare_metrics();
        }
    }
    println!("edge: {cases} cases and {metrics} metrics as in a chain of modules: {statuses:?}");
    assert!(statuses.is_superset(&BTreeSet::from([200, 403, 413, 429])));
}

#[test]
fn sample_traffic_ends_alike_in_a_chain_and_in_edge() {
    let samples = modules::root().join("samples");
    let inputs = ["visitor.jsonl", "attacks.jsonl", "visitor.har"]
        .map(|name| Input::File(samples.join(name)));
    let config = json!({
        "originVerify": {"secrets": [{"name": "current", "sha256": DIGEST}]},
        "rateLimit": {
            "limits": [{"name": "client", "key": [{"clientAddress": {}}], "tokensPerFill": 1, "fillInterval": "1h",
                "maxTokens": 12}],
            "headers": {"onAllowed": true},
        },
        "waf": {},
    });
    let mut both = Both::start(&config, ListenerOptions::default());
    let mut count = 0_usize;
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    let mut sink = |item: Item| {
        let Item::Case(case) = item else {
            panic!("a broken sample: {item:?}")
        };
        let mut probe = Probe::from_traffic(&case);
        count += 1;
        if !count.is_multiple_of(11) {
            probe
                .fields
                .push(("x-origin-verify".to_owned(), SECRET.as_bytes().to_vec()));
        }
        let request = probe
            .request()
            .client(format!("203.0.113.{}:0", count % 13));
        let ending = both.send(&format!("{count} {}", probe.name), &request);
        let verdict = ending.details.split(['{', ':']).next().unwrap_or_default();
        *verdicts.entry(verdict.to_owned()).or_default() += 1;
        ControlFlow::Continue(())
    };
    traffic::read(&inputs, &ReadProgress::default(), &mut sink).unwrap();
    let metrics = both.compare_metrics();
    println!("edge: {count} sample requests and {metrics} metrics as in a chain: {verdicts:?}");
    for verdict in [
        "via_upstream",
        "backstop_origin_verify",
        "backstop_rate_limit",
        "backstop_waf",
    ] {
        assert!(
            verdicts.get(verdict).is_some_and(|count| *count > 10),
            "{verdicts:?}"
        );
    }
}
