//! One request's way: what is asked, what its answer means, in every combination that matters.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::time::Duration;

use backstop_block_list::{Event as ListEvent, Why};
use backstop_ext_authz::answer::{Decision, Malformed};
use backstop_ext_authz::breaker::Transition;
use backstop_ext_authz::check::BodyPrefix;
use backstop_ext_authz::{Content, Effect, Event, Failure, Outcome, Reply, Step};
use backstop_http::Headers;

mod support;
use support::*;

#[test]
fn what_is_not_critical_costs_nothing() {
    let worker = Worker::new();
    let gate = gate(
        &worker,
        &config(r#", "blockList": {}, "cache": {"key": [{"cookie": {"name": "SID"}}]}"#),
    );
    let reads = worker.reads.get();
    for headers in [
        request("GET", "/queue/matches/1/enter", &[]),
        request("GET", "/", &[]),
    ] {
        assert!(matches!(
            gate.begin(&worker, &headers, false),
            Step::Pass(None)
        ));
    }
    assert_eq!(worker.reads.get(), reads);
    let spoofed = request("GET", "/", &[("x-ext-authz-event-type", "QUEUE_ENTER")]);
    let Step::Pass(Some(name)) = gate.begin(&worker, &spoofed, true) else {
        panic!("the spoofed header stays");
    };
    assert_eq!(name, "x-ext-authz-event-type");
}

#[test]
fn verdicts_by_outcome() {
    let worker = Worker::new();
    let gate = gate(&worker, &config(""));
    let headers = enter();
    let none = asked(
        &gate,
        &worker,
        &headers,
        Reply::Grpc(&allowed(&[("x-user", "u")])),
    );
    let Effect::Pass(changes) = &none.effect else {
        panic!("{none:?}")
    };
    let set: Vec<_> = changes
        .request
        .iter()
        .map(|it| (it.name.as_str(), it.value.as_str()))
        .collect();
    assert_eq!(
        set,
        [("x-user", "u"), ("x-ext-authz-event-type", "QUEUE_ENTER")]
    );
    assert_eq!(none.outcome.word(), "none");

    let throttle = asked(
        &gate,
        &worker,
        &headers,
        Reply::Grpc(&allowed(&[("x-defense-throttle-ms", "250")])),
    );
    let Effect::Hold(changes, delay) = &throttle.effect else {
        panic!("{throttle:?}")
    };
    assert_eq!(*delay, Duration::from_millis(250));
    assert_eq!(changes.request.len(), 1, "{changes:?}");

    for (bytes, code, word) in [
        (denied(428, "CHALLENGE_REQUIRED"), 428, "challenge"),
        (denied(403, "BLOCKED"), 403, "block"),
        (denied(401, "OTHER"), 401, "denied"),
    ] {
        let ending = asked(&gate, &worker, &headers, Reply::Grpc(&bytes));
        assert_eq!((status(&ending), ending.outcome.word()), (Some(code), word));
        let Effect::Refuse(answer) = ending.effect else {
            panic!("{word}")
        };
        assert_eq!(answer.details, format!("ext_authz{{{word}}}"));
        assert!(
            answer
                .headers
                .iter()
                .any(|(name, _)| name == "x-defense-reason")
        );
    }
}

#[test]
fn failures_by_mode() {
    let worker = Worker::new();
    let gate = gate(&worker, &config(r#", "breaker": {"enabled": false}"#));
    let hold = request("POST", "/hold/1", &[("x-bot-token", "t")]);
    let error = Decision::Error.to_bytes();
    for (reply, word) in [
        (Reply::Failed(Failure::Timeout), "timeout"),
        (Reply::Failed(Failure::Unreachable), "unreachable"),
        (Reply::Failed(Failure::NoCluster), "no-cluster"),
        (Reply::Grpc(b"garbage"), "malformed"),
        (Reply::Grpc(b""), "malformed"),
        (Reply::Grpc(&error), "service-error"),
    ] {
        let open = asked(&gate, &worker, &enter(), reply);
        assert_eq!((status(&open), open.outcome.word()), (None, word));
        assert!(matches!(open.outcome, Outcome::Failed { open: true, .. }));
        let closed = asked(&gate, &worker, &hold, reply);
        assert_eq!((status(&closed), closed.outcome.word()), (Some(503), word));
        let Effect::Refuse(answer) = closed.effect else {
            panic!("{word}")
        };
        assert_eq!(answer.details, format!("ext_authz{{{word}}}"));
    }
    assert_eq!(
        asked(&gate, &worker, &enter(), Reply::Grpc(b"\xff")).outcome,
        Outcome::Failed {
            failure: Failure::Malformed(Malformed::NotAMessage),
            open: true
        }
    );
}

#[test]
fn envoys_ways_to_say_that_a_call_failed() {
    for (status, message, expected) in [
        (
            14,
            "upstream request timeout{response_timeout}",
            Failure::Timeout,
        ),
        (
            14,
            "upstream connect error or disconnect/reset before headers",
            Failure::Unreachable,
        ),
        (4, "", Failure::Timeout),
        (2, "boom", Failure::Service),
        (12, "unimplemented", Failure::Service),
    ] {
        assert_eq!(
            Failure::of_grpc(status, message.as_bytes()),
            expected,
            "{status} {message}"
        );
    }
}

#[test]
fn the_breaker_spares_a_dead_service() {
    let worker = Worker::new();
    let gate = gate(
        &worker,
        &config(r#", "breaker": {"consecutiveFailures": 2, "openFor": "1s"}"#),
    );
    let headers = enter();
    asked(&gate, &worker, &headers, Reply::Failed(Failure::Timeout));
    let opened = asked(&gate, &worker, &headers, Reply::Failed(Failure::Timeout));
    assert_eq!(opened.events, [Event::Breaker(Transition::Opened)]);
    let reads = worker.reads.get();
    for _ in 0..100 {
        let ending = ended(&gate, &worker, &headers);
        assert_eq!(
            ending.outcome,
            Outcome::Failed {
                failure: Failure::BreakerOpen,
                open: true
            }
        );
    }
    assert_eq!(worker.reads.get(), reads + 100);
    let hold = request("POST", "/hold", &[("x-bot-token", "t")]);
    assert_eq!(status(&ended(&gate, &worker, &hold)), Some(503));

    worker.advance(SECOND);
    let Step::Call(probe, _) = gate.begin(&worker, &headers, true) else {
        panic!("no probe")
    };
    assert_eq!(
        ended(&gate, &worker, &headers).outcome.word(),
        "breaker-open"
    );
    // The probe's client leaves: the next request finds out.
    assert!(gate.abandon(&worker, probe).is_empty());
    let closed = asked(
        &gate,
        &worker,
        &headers,
        Reply::Grpc(&denied(403, "BLOCKED")),
    );
    assert_eq!(closed.events[0], Event::Breaker(Transition::Closed));
}

#[test]
fn cheap_refusals_come_before_the_call() {
    let worker = Worker::new();
    let gate = gate(&worker, &config(r#", "response": {"status": 401}"#));
    for (path, more, code, word) in [
        ("/hold/1", &[][..], 401, "token-missing"),
        ("/hold/1", &[("x-bot-token", "a b")], 401, "token-malformed"),
        (
            "/hold/1",
            &[("x-bot-token", "a"), ("x-bot-token", "a")],
            401,
            "token-repeated",
        ),
        ("/hold//1", &[("x-bot-token", "a")], 400, "ambiguous-path"),
    ] {
        let ending = ended(&gate, &worker, &request("POST", path, more));
        assert_eq!((status(&ending), ending.outcome.word()), (Some(code), word));
    }
}

#[test]
fn a_body_is_waited_for_only_where_it_is_wanted_and_finite() {
    let worker = Worker::new();
    let gate = gate(&worker, &config(""));
    let upload = request("POST", "/upload", &[]);
    let Step::NeedBody(pending, 4) = gate.begin(&worker, &upload, false) else {
        panic!("no body")
    };
    let body = BodyPrefix {
        bytes: b"abcd",
        partial: true,
    };
    let Step::Call(_, call) = gate.ask(&worker, pending, &upload, Some(body)) else {
        panic!("no call")
    };
    let Content::Grpc { message, .. } = call.content else {
        panic!("no message")
    };
    assert!(message.windows(4).any(|window| window == b"abcd"));
    assert!(matches!(gate.begin(&worker, &upload, true), Step::Call(..)));
    let stream = request("POST", "/upload", &[("content-type", "application/grpc")]);
    assert!(matches!(
        gate.begin(&worker, &stream, false),
        Step::Call(..)
    ));
    assert!(matches!(
        gate.begin(&worker, &enter(), false),
        Step::Call(..)
    ));
}

#[test]
fn report_mode_tells_and_lets_pass() {
    let worker = Worker::new();
    let gate = gate(
        &worker,
        &config(
            r#", "mode": "report", "blockList": {"scope": "criticalApis", "entries": ["198.51.100.1"]}"#,
        ),
    );
    let throttle = asked(
        &gate,
        &worker,
        &enter().clone(),
        Reply::Grpc(&allowed(&[("x-defense-throttle-ms", "80")])),
    );
    assert!(matches!(throttle.effect, Effect::Pass(_)), "{throttle:?}");
    let block = asked(
        &gate,
        &worker,
        &enter(),
        Reply::Grpc(&denied(403, "BLOCKED")),
    );
    assert_eq!((status(&block), block.outcome.word()), (None, "block"));
    worker.is("198.51.100.1:0");
    let listed = asked(
        &gate,
        &worker,
        &enter(),
        Reply::Grpc(&denied(403, "BLOCKED")),
    );
    assert_eq!((status(&listed), listed.outcome.word()), (None, "block"));
    assert_eq!(listed.events, [Event::ListedOnly(Why::Entry)]);
    let failed = ended(&gate, &worker, &request("POST", "/hold", &[]));
    assert_eq!(status(&failed), None);

    let listing_only = support::gate(
        &worker,
        &config(
            r#", "blockList": {"scope": "criticalApis", "mode": "report", "entries": ["198.51.100.1"]}"#,
        ),
    );
    let Step::Call(pending, _) = listing_only.begin(&worker, &enter(), true) else {
        panic!("not asked")
    };
    let events = listing_only.abandon(&worker, pending);
    assert_eq!(events, [Event::ListedOnly(Why::Entry)]);
}

#[test]
fn without_shared_data_requests_are_still_checked() {
    let worker = Worker::new();
    let gate = gate(
        &worker,
        &config(
            r#", "blockList": {"scope": "criticalApis"}, "cache": {"key": [{"cookie": {"name": "SID"}}]}"#,
        ),
    );
    worker.broken.set(true);
    let ending = asked(
        &gate,
        &worker,
        &enter(),
        Reply::Grpc(&denied(403, "BLOCKED")),
    );
    assert_eq!(status(&ending), Some(403));
    assert!(
        ending
            .events
            .iter()
            .all(|event| *event == Event::SharedDataUnavailable)
    );
    assert!(ending.events.len() >= 3, "{:?}", ending.events);
    assert_eq!(ending.fed.events, [ListEvent::SharedDataUnavailable]);
}

#[test]
fn over_http_the_outcomes_are_the_same() {
    let worker = Worker::new();
    let json = config("").replace(
        GRPC,
        r#""service": {"http": {"cluster": "adapter", "allowedUpstreamHeaders": ["x-*"]}}"#,
    );
    let gate = gate(&worker, &json);
    let response = |status: &str, more: &[(&str, &str)]| {
        Headers::from_pairs(
            [(":status", status)]
                .into_iter()
                .chain(more.iter().copied()),
        )
    };
    for (headers, code, word) in [
        (response("200", &[("x-user", "u")]), None, "none"),
        (
            response("200", &[("x-defense-throttle-ms", "80")]),
            None,
            "throttle",
        ),
        (
            response("428", &[("x-defense-reason", "CHALLENGE_REQUIRED")]),
            Some(428),
            "challenge",
        ),
        (
            response("403", &[("x-defense-reason", "BLOCKED")]),
            Some(403),
            "block",
        ),
        (response("401", &[]), Some(401), "denied"),
        (response("503", &[]), None, "service-error"),
        (response("99", &[]), None, "malformed"),
    ] {
        let reply = Reply::Http {
            headers: &headers,
            body: b"",
        };
        let ending = asked(&gate, &worker, &enter(), reply);
        assert_eq!((status(&ending), ending.outcome.word()), (code, word));
    }
}
