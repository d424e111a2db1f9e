//! What answers say, over gRPC and over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::time::Duration;

use backstop_ext_authz::answer::{Action, Allowed, Decision, Denied, HeaderChange, Malformed};
use backstop_ext_authz::check::{BodyPrefix, Question};
use backstop_ext_authz::config::{self, Challenge, Throttle};
use backstop_ext_authz::http_service::HttpProtocol;
use backstop_ext_authz::message::{
    BoolValue, CheckResponse, DeniedHttpResponse, HeaderValue, HeaderValueOption, HttpResponse,
    HttpStatus, OkHttpResponse, Status,
};
use backstop_ext_authz::verdict::{Translation, Verdict};
use backstop_http::Headers;
use backstop_policy::Response;
use proptest::prelude::*;
use prost::Message as _;

fn response(code: Option<i32>, response: Option<HttpResponse>) -> Vec<u8> {
    CheckResponse {
        status: code.map(|code| Status {
            code,
            message: "for developers".to_owned(),
        }),
        http_response: response,
    }
    .encode_to_vec()
}

fn option(name: &str, value: &str, append: Option<bool>, append_action: i32) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key: name.to_owned(),
            value: value.to_owned(),
            raw_value: Vec::new(),
        }),
        append: append.map(|value| BoolValue { value }),
        append_action,
    }
}

fn ok(headers: Vec<HeaderValueOption>) -> Option<HttpResponse> {
    Some(HttpResponse::Ok(OkHttpResponse {
        headers,
        ..OkHttpResponse::default()
    }))
}

fn denied(status: i32, headers: Vec<HeaderValueOption>, body: &str) -> Option<HttpResponse> {
    Some(HttpResponse::Denied(DeniedHttpResponse {
        status: Some(HttpStatus { code: status }),
        headers,
        body: body.to_owned(),
    }))
}

fn change(action: Action, name: &str, value: &str) -> HeaderChange {
    HeaderChange {
        action,
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

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

fn translation() -> Translation {
    Translation::compile(
        &Throttle::default(),
        &Challenge::default(),
        &Response::default(),
    )
    .unwrap()
}

#[test]
fn verdicts_are_told_from_the_answers() {
    let throttle = |value: &str| {
        response(
            Some(0),
            ok(vec![option("x-defense-throttle-ms", value, None, 0)]),
        )
    };
    let reason = |status, value: &str| {
        response(
            Some(7),
            denied(status, vec![option("X-Defense-Reason", value, None, 0)], ""),
        )
    };
    let delay = |millis| Verdict::Throttle(Duration::from_millis(millis));
    for (bytes, expected) in [
        (response(Some(0), None), Some(Verdict::None)),
        (throttle("80"), Some(delay(80))),
        (throttle(" 250 "), Some(delay(250))),
        (throttle("2000"), Some(delay(2000))),
        (throttle("60000"), Some(delay(2000))),
        (throttle("99999999999999999999999"), Some(delay(2000))),
        (throttle("0"), Some(Verdict::None)),
        (throttle("-1"), Some(Verdict::None)),
        (throttle("soon"), Some(Verdict::None)),
        (throttle(""), Some(Verdict::None)),
        (reason(428, "CHALLENGE_REQUIRED"), Some(Verdict::Challenge)),
        (reason(403, "BLOCKED"), Some(Verdict::Block)),
        (reason(403, "MISSING_TOKEN"), Some(Verdict::Denied)),
        (response(Some(7), None), Some(Verdict::Denied)),
        (
            response(
                Some(13),
                Some(HttpResponse::Error(DeniedHttpResponse::default())),
            ),
            None,
        ),
    ] {
        let mut decision = Decision::read_grpc(&bytes).unwrap();
        assert_eq!(translation().verdict(&mut decision), expected);
        if let Decision::Allowed(allowed) = decision {
            assert!(
                allowed.request.is_empty(),
                "the upstream does not delay again"
            );
        }
    }
}

#[test]
fn a_challenge_has_the_services_body_or_one_that_the_client_wants() {
    let html = [("accept", "text/html,*/*;q=0.8"), ("x-request-id", "id-7")];
    let json = [("accept", "application/json"), ("x-request-id", "id-7")];
    let answer = |accept: &[(&str, &str)], body: &str, headers: Vec<(String, String)>| {
        let denied = Denied {
            status: 428,
            headers,
            body: body.to_owned(),
        };
        let headers = Headers::from_pairs(accept.iter().copied());
        translation().refusal(&denied, Verdict::Challenge, &headers)
    };
    let reason = || {
        vec![(
            "x-defense-reason".to_owned(),
            "CHALLENGE_REQUIRED".to_owned(),
        )]
    };
    let page = answer(&html, "", reason());
    assert_eq!(page.status, 428);
    assert_eq!(page.details, "ext_authz{challenge}");
    assert!(
        page.body.starts_with("<!doctype html>") && page.body.contains("id-7"),
        "{}",
        page.body
    );
    assert!(page.headers.contains(&(
        "content-type".to_owned(),
        "text/html; charset=utf-8".to_owned()
    )));
    assert!(page.headers.contains(&reason()[0]));
    let object = answer(&json, "", reason());
    let read: serde_json::Value = serde_json::from_str(&object.body).unwrap();
    assert_eq!(read["error"], "challenge_required");
    assert_eq!(read["requestId"], "id-7");
    let own = answer(&html, "its own", reason());
    assert_eq!(own.body, "its own");
    let types: Vec<_> = own
        .headers
        .iter()
        .filter(|(name, _)| name == "content-type")
        .collect();
    assert_eq!(types[0].1, "text/plain; charset=utf-8");
    let typed = answer(
        &html,
        "{}",
        vec![("content-type".to_owned(), "application/json".to_owned())],
    );
    assert_eq!(
        typed.headers,
        [("content-type".to_owned(), "application/json".to_owned())]
    );
}

fn http(json: &str) -> HttpProtocol {
    let config: config::HttpService = serde_json::from_str(json).unwrap();
    HttpProtocol::compile(&config).unwrap()
}

#[test]
fn the_http_question_has_the_request_and_no_more_than_allowed() {
    let question: config::Check = serde_json::from_str(
        r#"{"allowedHeaders": ["cookie", "x-*"], "deniedHeaders": ["x-secret"]}"#,
    )
    .unwrap();
    let question = Question::compile(&question).unwrap();
    let service =
        http(r#"{"cluster": "a", "pathPrefix": "/check/", "headersToAdd": {"x-site": "kr"}}"#);
    let headers = Headers::from_pairs([
        (":method", &b"POST"[..]),
        (":path", b"/queue/matches/1/enter?a=\xff"),
        (":authority", b"shop.example.com"),
        (":scheme", b"https"),
        ("authorization", b"Bearer t"),
        ("cookie", b"a=\xff"),
        ("accept", b"*/*"),
        ("x-secret", b"s"),
        ("x-site", b"spoofed"),
        ("x-ext-authz-event-type", b"SPOOFED"),
        ("content-length", b"100"),
        ("traceparent", b"00-1-2-01"),
    ]);
    let body = BodyPrefix {
        bytes: b"abc",
        partial: true,
    };
    let asked = service.question(&question, "QUEUE_ENTER", &headers, Some(body));
    let pairs: Vec<_> = asked
        .headers
        .iter()
        .map(|(name, value)| (std::str::from_utf8(name).unwrap(), value.as_slice()))
        .collect();
    assert_eq!(
        pairs,
        [
            (":method", &b"POST"[..]),
            (":path", b"/check/queue/matches/1/enter?a=\xff"),
            (":authority", b"shop.example.com"),
            (":scheme", b"https"),
            ("authorization", b"Bearer t"),
            ("cookie", b"a=\xff"),
            ("traceparent", b"00-1-2-01"),
            ("x-ext-authz-event-type", b"QUEUE_ENTER"),
            ("x-site", b"kr"),
            ("x-envoy-auth-partial-body", b"true"),
            ("content-length", b"3"),
        ]
    );
    assert_eq!(asked.body, b"abc");
}

#[test]
fn http_answers_by_their_status() {
    let service = http(
        r#"{"cluster": "a", "allowedUpstreamHeaders": ["x-user", "x-defense-*"],
            "allowedUpstreamHeadersToAppend": ["x-tag"], "allowedClientHeaders": ["x-defense-reason"],
            "allowedClientHeadersOnSuccess": ["set-cookie"]}"#,
    );
    let read = |status: &str, headers: &[(&str, &str)], body: &str| {
        let pairs = [(":status", status)]
            .into_iter()
            .chain(headers.iter().copied());
        service.read(&Headers::from_pairs(pairs), body.as_bytes())
    };
    let all = [
        ("X-User", "u"),
        ("x-user", "v"),
        ("x-tag", "t"),
        ("x-other", "o"),
        ("set-cookie", "c"),
        (
            "x-envoy-auth-headers-to-remove",
            "cookie, :path,Authorization",
        ),
        ("content-length", "3"),
    ];
    let Ok(Decision::Allowed(allowed)) = read("200", &all, "") else {
        panic!("not allowed");
    };
    assert_eq!(
        allowed.request,
        [
            change(Action::Set, "x-user", "u"),
            change(Action::Append, "x-user", "v"),
            change(Action::Append, "x-tag", "t"),
        ]
    );
    assert_eq!(
        allowed.response,
        [change(Action::Append, "set-cookie", "c")]
    );
    assert_eq!(allowed.remove, ["cookie", "authorization"]);
    for status in ["500", "503", "599"] {
        assert_eq!(read(status, &[], ""), Ok(Decision::Error), "{status}");
    }
    for status in ["201", "302", "403", "428", "429"] {
        let headers = [
            ("x-defense-reason", "BLOCKED"),
            ("location", "/login"),
            ("x-internal", "1"),
            ("content-length", "2"),
        ];
        let Ok(Decision::Denied(denied)) = read(status, &headers, "no") else {
            panic!("{status} not denied");
        };
        assert_eq!(denied.status.to_string(), status);
        assert_eq!(denied.body, "no");
        let names: Vec<_> = denied
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["x-defense-reason", "location"]);
    }
    for status in ["", "abc", "100", "600", "-1"] {
        assert_eq!(read(status, &[], ""), Err(Malformed::Status), "{status}");
    }
    assert_eq!(
        read("403", &[], &"a".repeat(65 * 1024)),
        Err(Malformed::TooLarge)
    );
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
