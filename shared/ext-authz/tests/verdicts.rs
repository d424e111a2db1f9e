//! The platform's verdicts in answers, and what clients get.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test"
)]

use std::time::Duration;

use backstop_ext_authz::answer::{Decision, Denied};
use backstop_ext_authz::config::{Challenge, Throttle};
use backstop_ext_authz::message::{DeniedHttpResponse, HttpResponse};
use backstop_ext_authz::verdict::{Translation, Verdict};
use backstop_http::Headers;
use backstop_policy::Response;

mod messages;
use messages::{denied, ok, option, response};

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
