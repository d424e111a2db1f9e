//! Verdicts that are enforced for a share of the clients.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use backstop_ext_authz::{Effect, Reply};

mod support;
use support::*;

const INSIDE: &str = "198.51.100.1:0";
const OUTSIDE: &str = "203.0.113.7:0";

#[test]
fn clients_outside_the_roll_out_are_told_of_and_pass() {
    let worker = Worker::new();
    let gate = gate(
        &worker,
        &config(
            r#", "enforcePercent": 30, "blockList": {"entries": ["198.51.100.1", "203.0.113.7"], "scope": "criticalApis"}"#,
        ),
    );
    for (client, refused) in [(INSIDE, true), (OUTSIDE, false)] {
        let listed = ended(&gate, worker.is(client), &enter());
        assert_eq!(listed.outcome.word(), "block-list", "{client}");
        assert_eq!(status(&listed).is_some(), refused, "{client}");
    }
}

#[test]
fn verdicts_failures_and_tokens_are_rolled_out_alike() {
    let worker = Worker::new();
    let gate = gate(&worker, &config(r#", "enforcePercent": 30"#));
    let hold = request("POST", "/hold", &[]);
    let block = denied(403, "BLOCKED");
    let throttle = allowed(&[("x-defense-throttle-ms", "250")]);
    for (client, inside) in [(INSIDE, true), (OUTSIDE, false)] {
        worker.is(client);
        let verdict = asked(&gate, &worker, &enter(), Reply::Grpc(&block));
        assert_eq!(verdict.outcome.word(), "block");
        assert_eq!(status(&verdict), inside.then_some(403));
        let slow = asked(&gate, &worker, &enter(), Reply::Grpc(&throttle));
        assert_eq!(matches!(slow.effect, Effect::Hold(..)), inside);
        let token = ended(&gate, &worker, &hold);
        assert_eq!(status(&token).is_some(), inside, "{token:?}");
    }
}
