//! Requests through a policy.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::cell::Cell;

use backstop_http::Headers;
use backstop_origin_verify::{Host, Outcome, Policy, Refusal, Verdict, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const OLD: &str = "old-0123456789abcdef0123456789abcdef";
const NEW: &str = "new-0123456789abcdef0123456789abcdef";
/// 2026-12-01T00:00:00Z
const DECEMBER: i64 = 1_796_083_200;

struct Gateway {
    address: &'static str,
    now: i64,
    asked: Cell<u32>,
}

impl Host for Gateway {
    fn source_address(&self) -> Option<Vec<u8>> {
        self.asked.set(self.asked.get() + 1);
        Some(self.address.as_bytes().to_vec())
    }

    fn unix_seconds(&self) -> i64 {
        self.now
    }
}

fn policy(more: &str) -> Policy {
    let json = format!(
        r#"{{"secrets":[
            {{"name":"old","sha256":"{}","notAfter":"2026-12-01T00:00:00Z"}},
            {{"name":"new","sha256":"{}","notBefore":"2026-11-01T09:00:00+09:00"}}
        ]{more}}}"#,
        STANDARD.encode(digest(OLD.as_bytes())),
        STANDARD.encode(digest(NEW.as_bytes())),
    );
    Policy::from_json(json.as_bytes()).unwrap()
}

fn send_at(policy: &Policy, now: i64, path: &str, origin: &[&[u8]]) -> (Outcome, u32) {
    let gateway = Gateway {
        address: "203.0.113.9:4711",
        now,
        asked: Cell::new(0),
    };
    let mut headers = Headers::from_pairs([
        (":method", "GET"),
        (":path", path),
        (":authority", "shop.example"),
    ]);
    for value in origin {
        headers.push(b"X-Origin-Verify", value);
    }
    let outcome = policy.verify(&headers, &gateway);
    (outcome, gateway.asked.get())
}

fn send(policy: &Policy, path: &str, origin: &[&[u8]]) -> Outcome {
    send_at(policy, DECEMBER - 1, path, origin).0
}

#[test]
fn a_secret_on_the_list_is_accepted_and_taken_off() {
    let policy = policy("");
    for (value, position) in [(OLD, 0), (NEW, 1)] {
        let (outcome, asked) = send_at(&policy, DECEMBER - 1, "/", &[value.as_bytes()]);
        assert_eq!(outcome.verdict, Verdict::Accepted(position));
        assert!(outcome.remove_header && outcome.reply.is_none());
        assert_eq!(asked, 0, "an accepted request costs no look-up");
    }
    assert_eq!(
        (policy.secret_name(0), policy.secret_name(1)),
        ("old", "new")
    );
}

#[test]
fn every_other_value_is_refused_for_a_stated_reason() {
    let policy = policy("");
    let digest_itself = STANDARD.encode(digest(NEW.as_bytes()));
    let joined = format!("{NEW},{NEW}");
    let spaced = format!("{NEW} ");
    for (values, refusal) in [
        (&[][..], Refusal::Missing),
        (&[&b""[..]], Refusal::Empty),
        (&[b"guess"], Refusal::Mismatch),
        (&[digest_itself.as_bytes()], Refusal::Mismatch),
        (&[joined.as_bytes()], Refusal::Mismatch),
        (&[spaced.as_bytes()], Refusal::Mismatch),
        (&[NEW.to_uppercase().as_bytes()], Refusal::Mismatch),
        (&[b"\xff\xfe"], Refusal::NotUtf8),
        (&[NEW.as_bytes(), NEW.as_bytes()], Refusal::Repeated),
        (&[b"guess", NEW.as_bytes()], Refusal::Repeated),
        (&[b"", NEW.as_bytes()], Refusal::Repeated),
    ] {
        let outcome = send(&policy, "/", values);
        assert_eq!(outcome.verdict, Verdict::Refused(refusal, None));
        assert_eq!(outcome.remove_header, !values.is_empty());
        let reply = outcome.reply.unwrap();
        assert_eq!(reply.status, 403);
        assert_eq!(
            reply.details,
            format!("backstop_origin_verify{{{}}}", refusal.word())
        );
    }
}

#[test]
fn validity_has_a_first_and_a_last_moment() {
    let policy = policy("");
    // 2026-11-01T09:00:00+09:00
    const NOVEMBER: i64 = 1_793_491_200;
    for (now, value, expected) in [
        (DECEMBER - 1, OLD, Verdict::Accepted(0)),
        (DECEMBER, OLD, Verdict::Refused(Refusal::Expired, Some(0))),
        (
            NOVEMBER - 1,
            NEW,
            Verdict::Refused(Refusal::NotYetValid, Some(1)),
        ),
        (NOVEMBER, NEW, Verdict::Accepted(1)),
        (i64::MAX - 1, NEW, Verdict::Accepted(1)),
    ] {
        let (outcome, _) = send_at(&policy, now, "/", &[value.as_bytes()]);
        assert_eq!(outcome.verdict, expected, "{now} {value}");
    }
}

#[test]
fn report_mode_lets_pass_what_it_reports_and_still_takes_the_header_off() {
    let policy = policy(r#","mode":"report""#);
    let outcome = send(&policy, "/", &[b"guess"]);
    assert_eq!(outcome.verdict, Verdict::Refused(Refusal::Mismatch, None));
    assert!(outcome.reply.is_none() && outcome.remove_header);
    assert_eq!(outcome.client, "203.0.113.9");
}

/// L1: the legacy layer exempted any URL that mentioned an excluded path anywhere.
#[test]
fn l1_an_exemption_is_of_the_path_itself() {
    let policy = policy(r#","exempt":{"paths":[{"exact":"/health"},{"prefix":"/.well-known"}]}"#);
    for path in [
        "/health",
        "/health/",
        "/health?full=1",
        "/.well-known/acme-challenge/x",
    ] {
        let outcome = send(&policy, path, &[b"anything"]);
        assert_eq!(outcome.verdict, Verdict::Exempt, "{path}");
        assert!(
            outcome.remove_header,
            "an exempt request loses the header, too"
        );
    }
    for path in [
        "/api/pay?x=/health",
        "/api/pay#/health",
        "/api/health",
        "/healthy",
        "/health/../api/pay",
        "/.well-known/..%2fapi/pay",
        "/.well-known/..;/api/pay",
        "/.well-known/%2e%2e/api/pay",
    ] {
        let outcome = send(&policy, path, &[]);
        assert_eq!(
            outcome.verdict,
            Verdict::Refused(Refusal::Missing, None),
            "{path}"
        );
    }
}

/// L2: the legacy layer took the client's address from X-Forwarded-For.
#[test]
fn l2_exempt_clients_are_those_that_the_proxy_vouches_for() {
    let policy = policy(r#","exempt":{"clients":["10.0.0.0/8"]}"#);
    let headers = Headers::from_pairs([
        (":method", "GET"),
        (":path", "/"),
        ("x-forwarded-for", "10.1.2.3"),
        ("forwarded", "for=10.1.2.3"),
        ("x-real-ip", "10.1.2.3"),
    ]);
    for (address, exempt) in [
        ("10.1.2.3:80", true),
        ("[::ffff:10.1.2.3]:80", true),
        ("203.0.113.9:80", false),
        ("", false),
    ] {
        let gateway = Gateway {
            address,
            now: 0,
            asked: Cell::new(0),
        };
        let outcome = policy.verify(&headers, &gateway);
        assert_eq!(outcome.verdict == Verdict::Exempt, exempt, "{address}");
        assert_eq!(gateway.asked.get(), 1);
    }
}

#[test]
fn unreadable_headers_are_refused_and_the_header_is_taken_off_all_the_same() {
    let gateway = Gateway {
        address: "203.0.113.9:1",
        now: 0,
        asked: Cell::new(0),
    };
    let outcome = policy("").failed(Refusal::HeadersUnreadable, &Headers::default(), &gateway);
    assert!(outcome.remove_header && outcome.reply.is_some());
}

/// L11: the legacy layer kept the secret in clear text where dumps and logs show it.
#[test]
fn l11_neither_log_nor_debug_output_shows_what_was_sent() {
    let policy = policy("");
    let headers = Headers::from_pairs([
        (":method", "GET"),
        (":path", "/a?token=abc&b=1"),
        (":authority", "shop.example"),
        ("x-origin-verify", OLD),
        ("x-request-id", "id-1"),
    ]);
    let gateway = Gateway {
        address: "203.0.113.9:1",
        now: DECEMBER,
        asked: Cell::new(0),
    };
    let outcome = policy.verify(&headers, &gateway);
    let line = policy
        .log_line(&headers, &outcome, 1_795_366_594_007)
        .unwrap();
    let read: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        read,
        serde_json::json!({
            "timestamp": "2026-11-22T16:56:34.007Z",
            "level": "warn",
            "type": "security",
            "event": "ORIGIN_VERIFY_FAILED",
            "category": "ORIGIN_VERIFY",
            "rule": "expired",
            "description": "The secret in the origin header is no longer valid",
            "client_ip": "203.0.113.9",
            "path": "/a?token=***&b=1",
            "blocked": true,
            "mode": "enforce",
            "secret": "old",
            "request_id": "id-1",
            "host": "shop.example",
            "method": "GET",
        })
    );
    assert!(!format!("{policy:?}{outcome:?}").contains(OLD));
    let accepted = send(&policy, "/", &[NEW.as_bytes()]);
    assert_eq!(policy.log_line(&headers, &accepted, 0), None);
}

#[test]
fn a_share_of_the_clients_is_refused_and_the_others_are_reported() {
    for (percent, refused) in [
        (0, [false, false]),
        (30, [true, false]),
        (100, [true, true]),
    ] {
        let policy = policy(&format!(r#","enforcePercent":{percent}"#));
        for (address, refused) in ["198.51.100.1:1", "203.0.113.7:1"].into_iter().zip(refused) {
            let gateway = Gateway {
                address,
                now: DECEMBER,
                asked: Cell::new(0),
            };
            let headers = Headers::from_pairs([(":method", "GET"), (":path", "/")]);
            let outcome = policy.verify(&headers, &gateway);
            assert_eq!(outcome.verdict, Verdict::Refused(Refusal::Missing, None));
            assert_eq!(outcome.reply.is_some(), refused, "{address} at {percent}");
            let line = policy.log_line(&headers, &outcome, 0).unwrap();
            assert!(line.contains(&format!(r#""blocked":{refused}"#)), "{line}");
        }
    }
}
