//! What a gate remembers for all workers: listed clients, verdicts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use backstop_ext_authz::block_list::{Fed, Why};
use backstop_ext_authz::config::Category;
use backstop_ext_authz::{Effect, Event, Failure, Gate, Outcome, Reply, Step, Verdict};

mod support;
use support::*;

#[test]
fn a_block_verdict_lists_the_client_and_tells_the_endpoint_once() {
    let worker = Worker::new();
    let gate = gate(
        &worker,
        &config(
            r#", "blockList": {"sessionCookie": "SID", "ttl": "1m", "notify": {"cluster": "a", "path": "/block"}}"#,
        ),
    );
    let ending = asked(
        &gate,
        &worker,
        &enter(),
        Reply::Grpc(&denied(403, "BLOCKED")),
    );
    assert_eq!(ending.events, [Event::Fed(Fed::Listed(Why::Verdict)); 2]);
    assert_eq!(
        ending.notify.len(),
        1,
        "the address; a session is none of the endpoint's"
    );
    let told: serde_json::Value = serde_json::from_str(&ending.notify[0]).unwrap();
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
    // Only critical APIs, by default; and not for ever.
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
fn the_wafs_detections_list_on_all_workers() {
    let worker = Worker::new();
    let json = config(r#", "blockList": {"scope": "everything", "threshold": {"count": 3}}"#);
    let (gate, other) = (gate(&worker, &json), gate(&worker, &json));
    let headers = request("GET", "/?q=1", &[]);
    let detect = |gate: &Gate| {
        gate.detection(
            &worker,
            &headers,
            Category::SqlInjection,
            "sql-union",
            b"UNION",
        )
    };
    assert_eq!(detect(&gate).events, [Event::Fed(Fed::Counted(1))]);
    assert_eq!(detect(&other).events, [Event::Fed(Fed::Counted(2))]);
    assert!(matches!(
        other.begin(&worker, &headers, true),
        Step::Pass(None)
    ));
    let third = detect(&gate);
    assert_eq!(third.events, [Event::Fed(Fed::Listed(Why::Threshold))]);
    let told: serde_json::Value = serde_json::from_str(&third.notify.unwrap()).unwrap();
    assert_eq!(told["reason"], "waf:SQL_INJECTION:sql-union");
    let ending = ended(&other, &worker, &headers);
    assert_eq!((ending.api, status(&ending)), (None, Some(403)));
    assert!(detect(&gate).notify.is_none(), "told once");
    // Flaw L14: the header does not say who is listed.
    worker.is("198.51.100.1:0");
    let spoofed = request("GET", "/", &[("x-forwarded-for", "203.0.113.9")]);
    assert!(matches!(
        other.begin(&worker, &spoofed, true),
        Step::Pass(None)
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
            &[("cookie", "SID=s1; SID=s1")],
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
