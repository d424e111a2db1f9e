//! What a gate remembers for all workers: listed clients, verdicts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use backstop_block_list::{Event as ListEvent, Fed, Why};
use backstop_ext_authz::{Effect, Event, Failure, Outcome, Reply, Step, Verdict};

mod support;
use support::*;

#[test]
fn a_block_verdict_lists_the_client_and_tells_the_endpoint_once() {
    let worker = Worker::new();
    let gate = gate(
        &worker,
        &config(
            r#", "blockList": {"scope": "criticalApis", "sessionCookie": "SID", "ttl": "1m", "notify": {"cluster": "a", "path": "/block"}}"#,
        ),
    );
    let ending = asked(
        &gate,
        &worker,
        &enter(),
        Reply::Grpc(&denied(403, "BLOCKED")),
    );
    let listed = ListEvent::Fed(Fed::Listed(Why::Verdict));
    assert_eq!(
        ending.fed.events, [listed; 2],
        "the address and the session"
    );
    let told: serde_json::Value = serde_json::from_str(&ending.fed.entry.unwrap()).unwrap();
    assert_eq!(told["ip"], "203.0.113.9");
    assert_eq!(told["reason"], "verdict:BLOCK:QUEUE_ENTER");

    let refused = ended(&gate, &worker, &enter());
    assert_eq!(
        (status(&refused), refused.outcome),
        (Some(403), Outcome::Listed(Why::Verdict))
    );
    // The same session from elsewhere, and another session from the same address.
    worker.is("198.51.100.1:0");
    assert_eq!(ended(&gate, &worker, &enter()).outcome.word(), "block-list");
    let other = request("POST", "/queue/matches/1/enter", &[("cookie", "SID=s2")]);
    assert!(matches!(gate.begin(&worker, &other, true), Step::Call(..)));
    worker.is("203.0.113.9:0");
    assert_eq!(ended(&gate, &worker, &other).outcome.word(), "block-list");
    // Only critical APIs, as said; and not for ever.
    assert!(matches!(
        gate.begin(&worker, &request("GET", "/", &[]), true),
        Step::Pass(None)
    ));
    worker.advance(60 * SECOND);
    assert!(matches!(
        gate.begin(&worker, &enter(), true),
        Step::Call(..)
    ));
}

#[test]
fn remembered_verdicts_are_not_asked_again() {
    let worker = Worker::new();
    let gate = gate(
        &worker,
        &config(
            r#", "cache": {"key": [{"cookie": {"name": "SID"}}], "ttl": {"none": "5s", "block": "30s"}}"#,
        ),
    );
    let headers = enter();
    asked(
        &gate,
        &worker,
        &headers,
        Reply::Grpc(&allowed(&[("x-user", "u")])),
    );
    let again = ended(&gate, &worker, &headers);
    assert_eq!(
        again.outcome,
        Outcome::Verdict {
            verdict: Verdict::None,
            cached: true
        }
    );
    let Effect::Pass(changes) = again.effect else {
        panic!("held back")
    };
    assert_eq!(changes.request[0].name, "x-user");
    // Another session, another API, no session, two sessions: each is asked about.
    for headers in [
        request("POST", "/queue/matches/1/enter", &[("cookie", "SID=s2")]),
        request("POST", "/upload", &[("cookie", "SID=s1")]),
        request("POST", "/queue/matches/1/enter", &[]),
        request(
            "POST",
            "/queue/matches/1/enter",
            &[("cookie", "SID=s1; SID=s2")],
        ),
    ] {
        assert!(
            matches!(gate.begin(&worker, &headers, true), Step::Call(..)),
            "{headers:?}"
        );
    }
    worker.advance(5 * SECOND);
    asked(
        &gate,
        &worker,
        &headers,
        Reply::Grpc(&denied(403, "BLOCKED")),
    );
    worker.advance(29 * SECOND);
    assert_eq!(status(&ended(&gate, &worker, &headers)), Some(403));
    worker.advance(SECOND);
    // A challenge is not remembered, nor is a failure, nor what is too long.
    asked(
        &gate,
        &worker,
        &headers,
        Reply::Grpc(&denied(428, "CHALLENGE_REQUIRED")),
    );
    asked(&gate, &worker, &headers, Reply::Failed(Failure::Timeout));
    let long = asked(
        &gate,
        &worker,
        &headers,
        Reply::Grpc(&allowed(&[("x-user", &"u".repeat(300))])),
    );
    assert_eq!(long.events, [Event::NotRemembered]);
    assert!(matches!(
        gate.begin(&worker, &headers, true),
        Step::Call(..)
    ));
}
