//! What answers say, over gRPC.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use backstop_ext_authz::answer::{Action, Allowed, Decision, Denied, HeaderChange, Malformed};
use backstop_ext_authz::message::{DeniedHttpResponse, HttpResponse, OkHttpResponse};
use proptest::prelude::*;

mod messages;
use messages::{change, denied, ok, option, response};

#[test]
fn the_status_decides_and_contradictions_say_nothing() {
    let allowed = Ok(Decision::Allowed(Allowed::default()));
    let refused = |status| {
        Ok(Decision::Denied(Denied {
            status,
            headers: Vec::new(),
            body: String::new(),
        }))
    };
    let error = || Some(HttpResponse::Error(DeniedHttpResponse::default()));
    for (name, bytes, expected) in [
        ("OK alone", response(Some(0), None), allowed.clone()),
        (
            "OK with its response",
            response(Some(0), ok(vec![])),
            allowed.clone(),
        ),
        ("its response alone", response(None, ok(vec![])), allowed),
        ("denied alone", response(Some(7), None), refused(403)),
        (
            "denied without status",
            response(Some(16), denied(0, vec![], "")),
            refused(403),
        ),
        (
            "denied with status",
            response(Some(7), denied(401, vec![], "")),
            refused(401),
        ),
        ("an error", response(Some(13), error()), Ok(Decision::Error)),
        (
            "an error without status",
            response(None, error()),
            Ok(Decision::Error),
        ),
        ("nothing", response(None, None), Err(Malformed::NotAMessage)),
        ("no bytes", Vec::new(), Err(Malformed::NotAMessage)),
        (
            "garbage",
            b"<html>502</html>".to_vec(),
            Err(Malformed::NotAMessage),
        ),
        (
            "OK and denied",
            response(Some(0), denied(403, vec![], "")),
            Err(Malformed::Contradiction),
        ),
        (
            "denied and OK",
            response(Some(7), ok(vec![])),
            Err(Malformed::Contradiction),
        ),
        (
            "OK and error",
            response(Some(0), error()),
            Err(Malformed::Contradiction),
        ),
        (
            "denied alone, no status",
            response(None, denied(403, vec![], "")),
            Err(Malformed::Contradiction),
        ),
        (
            "no such status",
            response(Some(7), denied(999, vec![], "")),
            Err(Malformed::Status),
        ),
        (
            "a negative status",
            response(Some(7), denied(-1, vec![], "")),
            Err(Malformed::Status),
        ),
        (
            "1xx",
            response(Some(7), denied(101, vec![], "")),
            Err(Malformed::Status),
        ),
        (
            "a long body",
            response(Some(7), denied(403, vec![], &"a".repeat(64 * 1024 + 1))),
            Err(Malformed::TooLarge),
        ),
        (
            "many headers",
            response(Some(0), ok(vec![option("a", "b", None, 0); 65])),
            Err(Malformed::TooLarge),
        ),
    ] {
        assert_eq!(Decision::read_grpc(&bytes), expected, "{name}");
    }
}

#[test]
fn headers_are_changed_as_the_answer_says_and_never_the_framing() {
    let bytes = response(
        Some(0),
        Some(HttpResponse::Ok(OkHttpResponse {
            headers: vec![
                option("X-User", "a", None, 0),
                option("x-b", "b", Some(true), 0),
                option("x-c", "c", Some(false), 0),
                option("x-d", "d", None, 1),
                option("x-e", "e", None, 2),
                option("x-f", "f", None, 3),
                option(":path", "/admin", None, 2),
                option("Host", "evil", None, 2),
                option("content-length", "0", None, 2),
                option("transfer-encoding", "chunked", None, 2),
            ],
            headers_to_remove: vec![
                "Cookie".to_owned(),
                ":method".to_owned(),
                "host".to_owned(),
                "not a name".to_owned(),
            ],
            response_headers_to_add: vec![
                option("x-r", "r", None, 0),
                option(":status", "200", None, 2),
            ],
            ..OkHttpResponse::default()
        })),
    );
    let Ok(Decision::Allowed(allowed)) = Decision::read_grpc(&bytes) else {
        panic!("not allowed");
    };
    assert_eq!(
        allowed.request,
        [
            change(Action::Set, "x-user", "a"),
            change(Action::Append, "x-b", "b"),
            change(Action::Set, "x-c", "c"),
            change(Action::AddIfAbsent, "x-d", "d"),
            change(Action::Set, "x-e", "e"),
            change(Action::SetIfPresent, "x-f", "f"),
        ]
    );
    assert_eq!(allowed.remove, ["cookie"]);
    assert_eq!(allowed.response, [change(Action::Append, "x-r", "r")]);
    for (name, value, action) in [
        ("", "a", 0),
        ("a b", "a", 0),
        ("a\r\nb", "a", 0),
        ("a", "b\r\nset-cookie: x", 0),
        ("a", "b\0", 0),
        ("a", "b", 4),
    ] {
        for response in [
            response(Some(0), ok(vec![option(name, value, None, action)])),
            response(
                Some(7),
                denied(403, vec![option(name, value, None, action)], ""),
            ),
        ] {
            assert_eq!(
                Decision::read_grpc(&response),
                Err(Malformed::Header),
                "{name:?} {value:?}"
            );
        }
    }
}

fn header_change() -> impl Strategy<Value = HeaderChange> {
    let action = prop::sample::select(vec![
        Action::Set,
        Action::Append,
        Action::AddIfAbsent,
        Action::SetIfPresent,
    ]);
    (action, "x-[a-z0-9-]{1,8}", "[ -~가-힣]{0,20}").prop_map(|(action, name, value)| {
        HeaderChange {
            action,
            name,
            value,
        }
    })
}

fn decision() -> impl Strategy<Value = Decision> {
    let changes = || prop::collection::vec(header_change(), 0..5);
    let names = || prop::collection::vec("x-[a-z]{1,8}", 0..4);
    let allowed = (
        changes(),
        names(),
        changes(),
        prop::collection::vec(("\\PC{0,8}", "\\PC{0,8}"), 0..3),
        names(),
    )
        .prop_map(|(request, remove, response, set_query, remove_query)| {
            Decision::Allowed(Allowed {
                request,
                remove,
                response,
                set_query,
                remove_query,
            })
        });
    let denied = (
        200_u32..600,
        prop::collection::vec(("x-[a-z]{1,8}", "[ -~]{0,20}"), 0..5),
        "\\PC{0,40}",
    )
        .prop_map(|(status, headers, body)| {
            Decision::Denied(Denied {
                status,
                headers,
                body,
            })
        });
    prop_oneof![allowed, denied, Just(Decision::Error)]
}

proptest! {
    /// What is remembered is what was said.
    #[test]
    fn decisions_are_read_as_they_were_written(decision in decision()) {
        prop_assert_eq!(Decision::read_grpc(&decision.to_bytes()), Ok(decision));
    }

    /// Any bytes at all are read or refused, and no header that a message cannot have comes out.
    #[test]
    fn any_answer_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(Decision::Allowed(allowed)) = Decision::read_grpc(&bytes) {
            for change in allowed.request.iter().chain(&allowed.response) {
                prop_assert!(!change.name.starts_with(':') && !change.value.contains(['\r', '\n', '\0']));
            }
        }
    }
}
