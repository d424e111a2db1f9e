//! What a limited client gets to see, and what the log says.

#[cfg(test)]
mod support;

use backstop_rate_limit::{Decision, Limiter};
use support::{SECOND, START, Worker, get, request};

const LIMITS: &str = r#""limits":[
    {"name":"all","tokensPerFill":100,"fillInterval":"1s","maxTokens":200},
    {"name":"auth","match":{"path":{"prefix":"/auth"}},"key":[{"clientAddress":{}}],
     "tokensPerFill":2,"fillInterval":"60s","maxTokens":3},
    {"name":"trial","tokensPerFill":1,"fillInterval":"1h","mode":"shadow"}]"#;

fn with(rest: &str) -> String {
    format!("{{{LIMITS}{rest}}}")
}

fn headers_of(limiter: &Limiter, decision: &Decision) -> Vec<String> {
    let headers = match limiter.answer(decision, &get("/auth")) {
        Some(answer) => answer.headers,
        None => limiter.response_headers(decision),
    };
    headers
        .into_iter()
        .filter(|(name, _)| name != "content-type")
        .map(|(name, value)| format!("{name}: {value}"))
        .collect()
}

#[test]
fn a_limited_request_is_told_when_to_come_again() {
    let worker = Worker::new();
    let limiter = worker.limiter(&with(""));
    assert_eq!(worker.passing(&limiter, 10, "/auth"), 3);
    worker.wait(SECOND / 2);
    let decision = worker.decide(&limiter, "/auth");
    let answer = limiter.answer(&decision, &get("/auth")).unwrap();
    assert_eq!(answer.status, 429);
    assert_eq!(answer.body, "Too Many Requests\n");
    assert_eq!(answer.details, "backstop_rate_limit{auth}");
    assert_eq!(answer.grpc_status, None);
    assert_eq!(
        headers_of(&limiter, &decision),
        [
            // 29.5 s, rounded up.
            "retry-after: 30",
            "x-ratelimit-limit: 3, 200;w=2;name=\"all\", 3;w=90;name=\"auth\"",
            "x-ratelimit-remaining: 0",
            "x-ratelimit-reset: 30",
        ]
    );
    worker.wait(29 * SECOND + SECOND / 2);
    assert_eq!(
        worker.passing(&limiter, 10, "/auth"),
        1,
        "Retry-After is kept"
    );
    assert_eq!(limiter.verdict(&decision), "limited:auth");
    assert_eq!(limiter.verdict(&Decision::default()), "allowed");
}

#[test]
fn the_ietf_fields_are_of_every_limit_that_applies() {
    let worker = Worker::new();
    let limiter = worker.limiter(&with(
        r#","headers":{"retryAfter":false,"xRateLimit":false,"rateLimit":true,"onAllowed":true}"#,
    ));
    assert_eq!(
        headers_of(&limiter, &worker.decide(&limiter, "/auth")),
        [
            "ratelimit-policy: \"all\";q=200;w=2, \"auth\";q=3;w=90",
            // Two tokens come back in 60 s; 199 in 2 s, rounded up.
            "ratelimit: \"all\";r=199;t=2, \"auth\";r=2;t=60",
        ]
    );
    worker.passing(&limiter, 10, "/auth");
    assert_eq!(
        headers_of(&limiter, &worker.decide(&limiter, "/auth")),
        [
            "ratelimit-policy: \"all\";q=200;w=2, \"auth\";q=3;w=90",
            "ratelimit: \"all\";r=197;t=2, \"auth\";r=0;t=30",
        ]
    );
}

#[test]
fn responses_to_requests_that_pass_have_headers_only_if_wanted() {
    let worker = Worker::new();
    for (headers, expected) in [("", false), (r#","headers":{"onAllowed":true}"#, true)] {
        let limiter = worker.limiter(&with(headers));
        assert_eq!(limiter.policy().marks_allowed(), expected);
        let decision = worker.decide(&limiter, "/auth");
        assert_eq!(!limiter.response_headers(&decision).is_empty(), expected);
        assert!(limiter.answer(&decision, &get("/auth")).is_none());
    }
}

#[test]
fn a_grpc_client_gets_resource_exhausted() {
    let worker = Worker::new();
    let limiter = worker.limiter(&with(
        r#","response":{"status":503,"body":"later {requestId}"}"#,
    ));
    let call = request(
        "POST",
        "/auth/x",
        &[
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("x-request-id", "r-1"),
        ],
    );
    for _ in 0..3 {
        limiter.decide(&worker, &call);
    }
    let answer = limiter
        .answer(&limiter.decide(&worker, &call), &call)
        .unwrap();
    assert_eq!((answer.status, answer.grpc_status), (503, Some(8)));
    assert_eq!(answer.body, "later r-1");
}

#[test]
fn the_log_line_has_the_legacy_fields() {
    let worker = Worker::new();
    let limiter = worker.limiter(&with(""));
    worker.passing(&limiter, 10, "/auth");
    let headers = request(
        "POST",
        "/auth/login?user=a&password=hunter2",
        &[("x-request-id", "r-1")],
    );
    let decision = limiter.decide(&worker, &headers);
    let line = limiter
        .log_line(&decision, &headers, &worker, START / 1_000_000)
        .unwrap();
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "timestamp": "2026-11-22T16:56:34.000Z", "level": "warn", "type": "ratelimit", "scope": "local",
            "client_ip": "203.0.113.7", "path": "/auth/login?user=a&password=***", "limited": true,
            "count": 3, "limit": 3, "name": "auth", "action": "limited", "mode": "enforce", "retry_after_ms": 30_000,
            "request_id": "r-1", "host": "shop.example.com", "method": "POST", "also": ["all=not-taken", "trial=shadow"],
        })
    );
}

#[test]
fn what_is_logged_is_configured() {
    for (logging, over, passing) in [
        ("", true, false),
        (r#","logging":{"onlyLimited":false}"#, true, true),
        (r#","logging":{"enabled":false}"#, false, false),
    ] {
        let worker = Worker::new();
        let limiter = worker.limiter(&with(logging));
        let line = |decision: &Decision| limiter.log_line(decision, &get("/"), &worker, 0);
        assert_eq!(line(&worker.decide(&limiter, "/")).is_some(), passing);
        // The shadow limit has nothing left: that is logged like a limited request, and is none.
        let shadow = line(&worker.decide(&limiter, "/"));
        assert_eq!(shadow.is_some(), over);
        if let Some(line) = shadow {
            assert!(line.contains(r#""limited":false"#), "{line}");
            assert!(
                line.contains(r#""name":"trial","action":"shadow","mode":"shadow""#),
                "{line}"
            );
        }
        assert!(line(&Decision::default()).is_none());
    }
}
