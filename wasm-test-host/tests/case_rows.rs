//! The detection cases (`shared/detect/cases`) through the module as it is deployed: each row as the request that carries it.

mod deployed;

use std::collections::BTreeMap;

use backstop_cases::{NotCarried, is_right, rows, rules_in};
use backstop_host::{Gateway, Request};

/// A gateway that reports whatever is found at a sensitivity, be it ever so little.
fn gateway(sensitivity: u8) -> Gateway {
    let config = serde_json::json!({
        "mode": "detect",
        "sensitivity": sensitivity,
        "scoreThreshold": 1,
    });
    deployed::gateway("waf", config.to_string())
}

#[test]
fn every_row_is_found_in_its_place_or_passes_as_it_says() {
    let mut gateways: BTreeMap<u8, Gateway> = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut not_carried: BTreeMap<NotCarried, usize> = BTreeMap::new();
    let rows = rows();
    for row in &rows {
        let request = match row.request() {
            Ok(request) => request,
            Err(reason) => {
                *not_carried.entry(reason).or_default() += 1;
                continue;
            }
        };
        let gateway = gateways
            .entry(row.level)
            .or_insert_with(|| gateway(row.level));
        let found = judged(gateway, &request);
        if !is_right(row, &found) {
            wrong.push(format!("{row}: found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let left_out: usize = not_carried.values().sum();
    println!(
        "{} rows, {left_out} of them not carried by HTTP: {not_carried:?}",
        rows.len()
    );
    assert!(left_out * 50 <= rows.len(), "{not_carried:?}");
}

/// The rules that the filter reports for a request.
fn judged(gateway: &mut Gateway, request: &backstop_cases::Request) -> Vec<String> {
    let mut sent = Request::new(request.method, &request.path);
    for (name, value) in &request.headers {
        sent = sent.header(name, value);
    }
    if let Some(body) = &request.body {
        sent = sent.body(body);
    }
    let outcome = gateway.send(sent);
    assert!(outcome.failures.is_empty(), "{outcome:?}");
    assert_eq!(outcome.status, 200, "{outcome:?}");
    outcome
        .logs
        .iter()
        .flat_map(|log| rules_in(&log.message))
        .collect()
}
