//! The detection cases (`shared/detect/cases`) in a real Envoy: each row as the request that carries it, all of one
//! sensitivity over one connection, judged by Envoy's answer and by the decision log that Envoy writes.

use std::collections::{BTreeMap, HashMap};

use backstop_cases::{NotCarried, Row, is_right, rows, rules_in};
use backstop_e2e::bootstrap::{Bootstrap, Listener, WasmFilter};
use backstop_e2e::client::{Body, Client, request_bytes};
use backstop_e2e::upstream::CASE_ID;
use backstop_e2e::{Envoy, Upstream, modules};
use serde_json::{Value, json};

/// A row that only ends the log.
const LAST: &str = "last";

fn listener_name(level: u8) -> String {
    format!("level-{level}")
}

fn start(upstream: &Upstream) -> Envoy {
    let module = modules::filter("waf");
    let mut bootstrap = Bootstrap::new(upstream.address());
    for level in 1..=3 {
        let config = json!({"mode": "block", "sensitivity": level, "scoreThreshold": 1});
        let filter = WasmFilter::new(&module, &config).resource();
        bootstrap = bootstrap.listener(Listener::new(&listener_name(level)).filter(filter));
    }
    Envoy::start(&bootstrap, 1).unwrap()
}

/// The request's bytes. The decision log knows it by its `x-request-id`.
fn bytes(row: &str, request: &backstop_cases::Request) -> Vec<u8> {
    let own = [
        ("host", "tickets.example"),
        (CASE_ID, row),
        ("x-request-id", row),
    ];
    let fields: Vec<(String, Vec<u8>)> = own
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .chain(request.headers.iter().cloned())
        .collect();
    let body = request.body.clone().map_or(Body::None, Body::Whole);
    request_bytes(request.method, &request.path, &fields, &body)
}

/// The decisions that Envoy has logged, by the row that they are about.
fn decisions(envoy: &Envoy) -> HashMap<String, Vec<String>> {
    let mut decisions: HashMap<String, Vec<String>> = HashMap::new();
    for line in envoy.log() {
        let Some(json) = line.find("{\"timestamp\"").map(|at| &line[at..]) else {
            continue;
        };
        let parsed: Value = serde_json::from_str(json.trim()).unwrap();
        let row = parsed["request_id"].as_str().unwrap_or_default();
        decisions
            .entry(row.to_owned())
            .or_default()
            .extend(rules_in(json.trim()));
    }
    decisions
}

#[test]
fn every_row_ends_in_envoy_as_it_says() {
    let upstream = Upstream::start().unwrap();
    let envoy = start(&upstream);
    let mut clients: BTreeMap<u8, Client> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut not_carried: BTreeMap<NotCarried, usize> = BTreeMap::new();
    let mut sent: Vec<(Row, u16)> = Vec::new();
    let rows = rows();
    for row in &rows {
        let request = match row.request() {
            Ok(request) => request,
            Err(reason) => {
                *not_carried.entry(reason).or_default() += 1;
                continue;
            }
        };
        let client = clients
            .entry(row.level)
            .or_insert_with(|| envoy.connect(&listener_name(row.level)).unwrap());
        let response = client
            .exchange(request.method, &bytes(&row.id(), &request))
            .unwrap_or_else(|error| panic!("{row}: {error}"));
        if response.field("connection").as_deref() == Some("close") {
            clients.remove(&row.level);
        }
        sent.push((row.clone(), response.status));
    }
    // Its line is the last of this worker's.
    let last = backstop_cases::Request {
        method: "GET",
        path: b"/?q=%3Cscript%3E".to_vec(),
        headers: Vec::new(),
        body: None,
    };
    let mut client = envoy.connect(&listener_name(1)).unwrap();
    assert_eq!(
        client.exchange("GET", &bytes(LAST, &last)).unwrap().status,
        403
    );
    envoy
        .wait_log(|line| line.contains(&format!("\"request_id\":\"{LAST}\"")))
        .unwrap();
    let decisions = decisions(&envoy);
    for (row, status) in &sent {
        let found = decisions.get(&row.id()).cloned().unwrap_or_default();
        let expected = if row.expect.is_some() { 403 } else { 200 };
        if *status != expected || !is_right(row, &found) {
            wrong.push(format!("{row}: {status}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let left_out: usize = not_carried.values().sum();
    println!(
        "case rows: {} in Envoy as they say, {left_out} not carried by HTTP: {not_carried:?}",
        sent.len()
    );
    assert!(left_out * 50 <= rows.len(), "{not_carried:?}");
}
