//! Limits that are enforced for a share of the clients.
#![allow(clippy::unwrap_used, reason = "a test")]

#[cfg(test)]
mod support;

use support::{START, Worker, get};

const INSIDE: &str = "198.51.100.1:0";
const OUTSIDE: &str = "203.0.113.7:0";

fn config(percent: u32) -> String {
    format!(
        r#"{{"enforcePercent":{percent},"limits":[
            {{"name":"client","key":[{{"clientAddress":{{}}}}],"tokensPerFill":1,"fillInterval":"60s","maxTokens":2}}],
            "headers":{{"onAllowed":true}}}}"#
    )
}

#[test]
fn clients_outside_the_roll_out_are_counted_and_pass() {
    let worker = Worker::new();
    let limiter = worker.limiter(&config(30));
    assert_eq!(worker.from(INSIDE).passing(&limiter, 5, "/"), 2);
    assert_eq!(worker.from(OUTSIDE).passing(&limiter, 5, "/"), 5);
    let decision = worker.decide(&limiter, "/");
    assert_eq!(limiter.verdict(&decision), "shadow:client");
    assert_eq!(limiter.response_headers(&decision), [], "told of no limit");
    let line = limiter
        .log_line(&decision, &get("/"), &worker, START / 1_000_000)
        .unwrap();
    assert!(
        line.contains(r#""limited":false"#)
            && line.contains(r#""action":"shadow","mode":"shadow""#),
        "{line}"
    );
}

#[test]
fn the_percentage_grows_without_new_buckets() {
    let worker = Worker::new();
    let none = worker.limiter(&config(0));
    assert_eq!(worker.from(INSIDE).passing(&none, 5, "/"), 5);
    assert_eq!(worker.from(OUTSIDE).passing(&none, 5, "/"), 5);
    for (percent, inside, outside) in [(30, 0, 5), (100, 0, 0), (0, 5, 5)] {
        let limiter = worker.limiter(&config(percent));
        assert_eq!(
            worker.from(INSIDE).passing(&limiter, 5, "/"),
            inside,
            "{percent}"
        );
        assert_eq!(
            worker.from(OUTSIDE).passing(&limiter, 5, "/"),
            outside,
            "{percent}"
        );
    }
}

#[test]
fn the_address_is_asked_for_only_in_mid_roll_out() {
    for (percent, asked) in [(0, 0), (1, 1), (99, 1), (100, 0)] {
        let worker = Worker::new();
        let json = format!(
            r#"{{"enforcePercent":{percent},"limits":[{{"name":"all","tokensPerFill":1,"fillInterval":"1s"}}]}}"#
        );
        worker.decide(&worker.limiter(&json), "/");
        assert_eq!(worker.asked.get(), asked, "{percent}");
    }
}
