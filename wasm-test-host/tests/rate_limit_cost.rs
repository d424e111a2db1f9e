//! What a limit costs as it is deployed, in fuel: the same on every machine. The bounds are shares of a request that passes.

mod browser;
mod deployed;

use backstop_host::{Gateway, LogLevel, Outcome};

use browser::{BROWSER, PATH, get};

fn gateway(more: &str) -> Gateway {
    let config = format!(
        r#"{{"limits":[{{"name":"client","key":[{{"clientAddress":{{}}}}],"tokensPerFill":1,"fillInterval":"1h","maxTokens":4}}]{more}}}"#
    );
    Gateway::builder()
        .plugin(deployed::plugin("rate-limit", config))
        .log_level(LogLevel::Info)
        .start()
        .unwrap()
}

/// A browser's GET that passes and one that is limited, once metrics are defined.
fn passed_and_limited(more: &str) -> (Outcome, Outcome) {
    let mut gateway = gateway(more);
    let request = get(PATH, BROWSER);
    let mut outcomes: Vec<Outcome> = (0..8).map(|_| gateway.send(&request)).collect();
    let limited = outcomes.pop().unwrap();
    assert_eq!(limited.status, 429);
    let passed = outcomes.remove(2);
    assert!(passed.passed());
    (passed, limited)
}

#[test]
fn a_limited_request_and_its_log_line() {
    let (passed, logged) = passed_and_limited("");
    let (_, silent) = passed_and_limited(r#","logging":{"enabled":false}"#);
    let response: u64 = passed
        .costs
        .iter()
        .filter(|cost| cost.callback == "on_response_headers")
        .map(|cost| cost.fuel)
        .sum();
    println!(
        "passed {} fuel, {response} of it for a response that gets no headers; limited {}, without its log line {}",
        passed.fuel(),
        logged.fuel(),
        silent.fuel(),
    );
    assert_eq!((logged.logs.len(), silent.logs.len()), (1, 0));
    // Measured 1.1; before lines were told by the word, 1.6.
    let line = logged.fuel() - silent.fuel();
    assert!(line * 4 < passed.fuel() * 5, "{line}");
    // Envoy calls what a module exports, for every response: it comes back at once.
    assert!(response * 20 < passed.fuel(), "{response}");
}
