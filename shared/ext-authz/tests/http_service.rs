//! The question and its answers over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use backstop_ext_authz::answer::{Action, Decision, Malformed};
use backstop_ext_authz::check::{BodyPrefix, Question};
use backstop_ext_authz::config;
use backstop_ext_authz::http_service::HttpProtocol;
use backstop_http::Headers;

mod messages;
use messages::change;

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
