//! Limits that a rate-limit service counts: what it is asked, and what becomes of the request.

#[cfg(test)]
mod support;

use backstop_http::Headers;
use backstop_rate_limit::{Decision, Limiter, Outcome, Policy, Reply};
use backstop_rls::message::{
    DescriptorStatus, Duration, HeaderValue, RateLimit, RateLimitRequest, RateLimitResponse,
};
use prost::Message as _;
use support::{Worker, get, request};

/// The legacy layer's descriptors; local limits of one token an hour by address, on `/local` alone.
fn config(more: &str) -> String {
    format!(
        r#"{{
      "limits": [{{"name": "local", "match": {{"path": {{"prefix": "/local"}}}}, "key": [{{"clientAddress": {{}}}}],
                   "tokensPerFill": 1, "fillInterval": "1h"}}],
      "exempt": [{{"path": {{"prefix": "/health"}}}}],
      "trustedClients": ["10.0.0.0/8"],
      "globalLimits": {{
        "cluster": "outbound|8081||ratelimit.infra.svc.cluster.local", "domain": "shop",
        "descriptors": [
          {{"entries": [{{"key": "remote_address", "from": {{"clientAddress": {{}}}}}}]}},
          {{"match": {{"path": {{"template": "/seat/matches/{{id}}/seat-holds"}}, "methods": ["POST"]}},
            "entries": [{{"key": "route", "value": "seat-hold"}},
                        {{"key": "match", "from": {{"pathVariable": {{"name": "id"}}}}}},
                        {{"key": "user", "from": {{"header": {{"name": "x-user", "ifAbsent": "skip"}}}}}}]}}
        ]{more}}}
    }}"#
    )
}

#[cfg(test)]
fn descriptors(decision: &Decision) -> Vec<Vec<(String, String)>> {
    let question = decision.question.as_ref().expect("a question");
    let question = RateLimitRequest::decode(question.as_slice()).unwrap();
    assert_eq!(question.domain, "shop");
    let entries = |descriptor: backstop_rls::Descriptor| {
        let entries = descriptor.entries.into_iter();
        entries.map(|entry| (entry.key, entry.value)).collect()
    };
    question.descriptors.into_iter().map(entries).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn reply(code: i32, wait: Option<i64>, headers: &[(&str, &str)]) -> Vec<u8> {
    RateLimitResponse {
        overall_code: code,
        statuses: vec![DescriptorStatus {
            code,
            current_limit: Some(RateLimit {
                requests_per_unit: 300,
                unit: 2,
                name: String::new(),
            }),
            limit_remaining: 7,
            duration_until_reset: wait.map(|seconds| Duration { seconds, nanos: 1 }),
        }],
        response_headers_to_add: headers
            .iter()
            .map(|(key, value)| HeaderValue {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
                raw_value: Vec::new(),
            })
            .collect(),
        request_headers_to_add: Vec::new(),
    }
    .encode_to_vec()
}

fn ruled(limiter: &Limiter, worker: &Worker, headers: &Headers, reply: Reply<'_>) -> Decision {
    let mut decision = limiter.decide(worker, headers);
    assert!(decision.question.is_some() && !decision.is_limited());
    limiter.rule(&mut decision, reply);
    assert!(decision.question.is_none());
    decision
}

#[test]
fn the_service_is_asked_with_the_parts_of_the_request() {
    let worker = Worker::new();
    let limiter = worker.limiter(&config(""));
    assert_eq!(
        descriptors(&worker.decide(&limiter, "/any?x=1")),
        [pairs(&[("remote_address", "203.0.113.7")])]
    );
    let hold = request(
        "POST",
        "//seat/x/../matches/%34%32/seat-holds?n=1",
        &[("x-user", "kim")],
    );
    assert_eq!(
        descriptors(&limiter.decide(&worker, &hold)),
        [
            pairs(&[("remote_address", "203.0.113.7")]),
            pairs(&[("route", "seat-hold"), ("match", "42"), ("user", "kim")]),
        ]
    );
    // Without the part that it needs, the descriptor is left out.
    let hold = request("POST", "/seat/matches/42/seat-holds", &[]);
    assert_eq!(descriptors(&limiter.decide(&worker, &hold)).len(), 1);
    worker.from("[2001:db8::1:2]:0");
    assert_eq!(
        descriptors(&worker.decide(&limiter, "/"))[0],
        pairs(&[("remote_address", "2001:db8::/64")])
    );
}

#[test]
fn it_is_not_asked_about_requests_that_are_refused_exempt_or_trusted() {
    let worker = Worker::new();
    let limiter = worker.limiter(&config(""));
    assert!(worker.decide(&limiter, "/local").question.is_some());
    let limited = worker.decide(&limiter, "/local");
    assert!(limited.is_limited() && limited.question.is_none());
    assert!(worker.decide(&limiter, "/health").is_empty());
    // L1: an exempt path in the query exempts nothing.
    assert!(worker.decide(&limiter, "/pay?x=/health").question.is_some());
    worker.from("10.1.2.3:0");
    assert!(worker.decide(&limiter, "/pay").is_empty());
}

#[test]
fn limits_of_the_service_alone_are_a_configuration() {
    let worker = Worker::new();
    let limiter = worker.limiter(
        r#"{"globalLimits":{"cluster":"rls","domain":"d","descriptors":[
            {"match":{"methods":["POST"]},"entries":[{"key":"all","value":"1"}]}]}}"#,
    );
    assert!(worker.decide(&limiter, "/").is_empty());
    let decision = limiter.decide(&worker, &request("POST", "/", &[]));
    assert!(decision.checks.is_empty() && decision.question.is_some());
    assert_eq!(worker.asked.get(), 0, "nothing needs the client's address");
    let global = limiter.policy().global.as_ref().unwrap();
    assert_eq!(
        (
            global.cluster.as_str(),
            global.authority.as_str(),
            global.timeout_millis
        ),
        ("rls", "rls", 250)
    );
    let limiter = worker.limiter(&config(""));
    let global = limiter.policy().global.as_ref().unwrap();
    assert_eq!(global.authority, "ratelimit.infra.svc.cluster.local");
}

#[test]
fn over_limit_is_answered_as_a_local_limit_is() {
    let worker = Worker::new();
    let limiter = worker.limiter(&config(""));
    let headers = get("/pay");
    let over = reply(2, Some(11), &[("X-Shop", "full")]);
    let decision = ruled(&limiter, &worker, &headers, Reply::Message(&over));
    assert!(decision.is_limited() && decision.is_over());
    let answer = limiter.answer(&decision, &headers).unwrap();
    assert_eq!(
        (answer.status, answer.details.as_str()),
        (429, "backstop_rate_limit{global:shop}")
    );
    assert_eq!(
        answer.headers[1..],
        pairs(&[
            ("x-shop", "full"),
            ("retry-after", "12"),
            ("x-ratelimit-limit", "300, 300;w=60"),
            ("x-ratelimit-remaining", "7"),
            ("x-ratelimit-reset", "12"),
        ])
    );
    assert_eq!(limiter.verdict(&decision), "limited:global:shop");
    let line = limiter
        .log_line(&decision, &headers, &worker, 1_795_366_594_000)
        .unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["scope"], "global");
    assert_eq!(line["client_ip"], "203.0.113.7");
    assert_eq!(
        (&line["limited"], &line["count"], &line["limit"]),
        (&true.into(), &293.into(), &300.into())
    );
    assert_eq!(line["name"], "global:shop");
    assert_eq!(line["retry_after_ms"], 12_000);
    // gRPC clients get RESOURCE_EXHAUSTED.
    let grpc = request("POST", "/pay", &[("content-type", "application/grpc")]);
    assert_eq!(
        limiter.answer(&decision, &grpc).unwrap().grpc_status,
        Some(8)
    );
}

#[test]
fn the_headers_of_the_service_go_before_ours() {
    let worker = Worker::new();
    let limiter = worker.limiter(&config("").replacen(
        r#""exempt""#,
        r#""headers": {"onAllowed": true}, "exempt""#,
        1,
    ));
    let headers = get("/local");
    let told = [("x-ratelimit-remaining", "299"), ("retry-after", "0")];
    let ok = reply(1, None, &told);
    let decision = ruled(&limiter, &worker, &headers, Reply::Message(&ok));
    assert!(!decision.is_limited() && limiter.answer(&decision, &headers).is_none());
    let names: Vec<String> = limiter
        .response_headers(&decision)
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        names,
        [
            "x-ratelimit-remaining=299",
            "retry-after=0",
            "x-ratelimit-limit=1, 1;w=3600;name=\"local\"",
            "x-ratelimit-reset=1",
        ]
    );
    // Nothing to warn of: only limited requests are logged.
    assert_eq!(limiter.log_line(&decision, &headers, &worker, 0), None);
}

#[test]
fn a_service_that_fails_lets_pass_or_refuses_as_configured() {
    let timeout = Reply::Status(14, 250_000_000);
    let cases = [
        (Reply::NotSent, "not-sent"),
        (timeout, "timeout"),
        (Reply::Status(14, 9), "unavailable"),
        (Reply::Status(13, 0), "error-status"),
        (Reply::Message(b"\x08\x00"), "malformed"),
    ];
    let worker = Worker::new();
    let headers = get("/pay");
    for (reply, word) in cases {
        let open = worker.limiter(&config(""));
        let decision = ruled(&open, &worker, &headers, reply);
        assert!(!decision.is_limited() && !decision.is_over() && decision.is_notable());
        assert_eq!(open.answer(&decision, &headers), None);
        assert_eq!(open.verdict(&decision), format!("{word}:global:shop"));
        let line = open.log_line(&decision, &headers, &worker, 0).unwrap();
        assert!(line.contains(&format!(
            r#""action":"allowed","mode":"enforce","event":"{word}""#
        )));

        let closed = worker.limiter(&config(r#","failureMode":"deny""#));
        let decision = ruled(&closed, &worker, &headers, reply);
        assert!(decision.is_limited());
        let answer = closed.answer(&decision, &headers).unwrap();
        assert_eq!(answer.status, 503);
        assert_eq!(
            answer.details,
            format!("backstop_rate_limit{{global:shop:{word}}}")
        );
        assert!(!answer.headers.iter().any(|(name, _)| name == "retry-after"));
        let grpc = request("POST", "/pay", &[("content-type", "application/grpc")]);
        assert_eq!(
            closed.answer(&decision, &grpc).unwrap().grpc_status,
            Some(14)
        );
    }
}

#[test]
fn in_shadow_mode_neither_its_word_nor_its_silence_refuses() {
    let worker = Worker::new();
    let limiter = worker.limiter(&config(r#","mode":"shadow","failureMode":"deny""#));
    let headers = get("/pay");
    let over = reply(2, None, &[]);
    for (reply, verdict) in [
        (Reply::Message(over.as_slice()), "shadow:global:shop"),
        (Reply::NotSent, "not-sent:global:shop"),
    ] {
        let decision = ruled(&limiter, &worker, &headers, reply);
        assert!(!decision.is_limited() && decision.is_over());
        assert_eq!(
            decision.ruling.as_ref().unwrap().outcome,
            Outcome::WouldLimit
        );
        assert_eq!(limiter.verdict(&decision), verdict);
        assert_eq!(limiter.answer(&decision, &headers), None);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |global: &str| {
        let json = format!(r#"{{"globalLimits":{global}}}"#);
        Policy::from_json(json.as_bytes()).unwrap_err().to_string()
    };
    let with = |more: &str, entry: &str| {
        refused(&format!(
            r#"{{"cluster":"c","domain":"d"{more},"descriptors":[{{"entries":[{entry}]}}]}}"#
        ))
    };
    let entry = r#"{"key":"k","value":"v"}"#;
    for (error, expected) in [
        (
            refused(r#"{"cluster":"c","domain":"d","descriptors":[]}"#),
            "$.globalLimits.descriptors: 0 descriptors; there are 1 to 64",
        ),
        (
            refused(r#"{"cluster":"","domain":"d","descriptors":[]}"#),
            "$.globalLimits.cluster: `` is not a cluster's name",
        ),
        (
            refused(r#"{"cluster":"c","domain":"a b","descriptors":[]}"#),
            "$.globalLimits.domain: `a b` is not a domain: 1 to 64 letters, digits, `-`, `_`, `.`, `/`",
        ),
        (
            with("", ""),
            "$.globalLimits.descriptors[0].entries: 0 entries; there are 1 to 16",
        ),
        (
            with("", r#"{"key":"","value":"v"}"#),
            "$.globalLimits.descriptors[0].entries[0].key: is empty",
        ),
        (
            with("", r#"{"key":"k"}"#),
            "$.globalLimits.descriptors[0].entries[0]: needs either `value`, which is not empty, or `from`",
        ),
        (
            with("", r#"{"key":"k","from":{"pathVariable":{"name":"id"}}}"#),
            "$.globalLimits.descriptors[0].entries[0].from.pathVariable.name: the limit's `match.path` is no template \
             with `{id}`",
        ),
        (
            with(r#","authority":"a|b""#, entry),
            "$.globalLimits.authority: `a|b` is not a host",
        ),
        (
            with(r#","timeout":"0s""#, entry),
            "$.globalLimits.timeout: 0s is not between 1ms and 60s",
        ),
        (
            with(r#","failureMode":"open""#, entry),
            "$.globalLimits.failureMode: unknown variant `open`, expected `allow` or `deny`",
        ),
    ] {
        assert_eq!(error, format!("rate-limit config: {expected}"));
    }
}
