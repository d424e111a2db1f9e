//! What passes, by which key, under which limits.

#[cfg(test)]
mod support;

use backstop_rate_limit::{Event, Outcome};
use support::{SECOND, START, Worker, get, request};

const PER_CLIENT: &str = r#"{"limits":[{"name":"client","key":[{"clientAddress":{}}],
    "tokensPerFill":50,"fillInterval":"1s","maxTokens":100}]}"#;

#[test]
fn a_burst_passes_and_then_the_rate() {
    let worker = Worker::new();
    let limiter = worker.limiter(PER_CLIENT);
    assert_eq!(worker.passing(&limiter, 1000, "/"), 100);
    let mut passed = 0;
    for _ in 0..1000 {
        worker.wait(SECOND / 100);
        passed += worker.passing(&limiter, 10, "/");
    }
    assert_eq!(passed, 500);
    worker.wait(3600 * SECOND);
    assert_eq!(worker.passing(&limiter, 1000, "/"), 100);
    assert_eq!(
        worker.from("203.0.113.8:0").passing(&limiter, 1000, "/"),
        100
    );
}

#[test]
fn all_limits_that_match_apply_and_tokens_are_taken_from_all_or_none() {
    let worker = Worker::new();
    let limiter = worker.limiter(
        r#"{"limits":[
            {"name":"all","tokensPerFill":10,"fillInterval":"1s","maxTokens":10},
            {"name":"login","match":{"path":{"prefix":"/auth"},"methods":["POST"]},
             "key":[{"clientAddress":{}}],"tokensPerFill":2,"fillInterval":"1s"}]}"#,
    );
    let login = request("POST", "/auth/login?x=1", &[]);
    let outcomes = |decision: backstop_rate_limit::Decision| -> Vec<Outcome> {
        decision.checks.iter().map(|check| check.outcome).collect()
    };
    for _ in 0..2 {
        assert_eq!(
            outcomes(limiter.decide(&worker, &login)),
            [Outcome::Allowed, Outcome::Allowed]
        );
    }
    let writes = worker
        .data
        .writes
        .load(std::sync::atomic::Ordering::Relaxed);
    for _ in 0..5 {
        assert_eq!(
            outcomes(limiter.decide(&worker, &login)),
            [Outcome::NotTaken, Outcome::Limited]
        );
    }
    assert_eq!(
        worker
            .data
            .writes
            .load(std::sync::atomic::Ordering::Relaxed),
        writes,
        "a refused request writes nothing"
    );
    // Two of ten are taken; only `all` applies here.
    assert_eq!(worker.passing(&limiter, 100, "/auth/login"), 8);
}

#[test]
fn two_workers_that_create_a_shard_at_once_lose_nothing() {
    let worker = Worker::new();
    let json = r#"{"limits":[{"name":"one","tokensPerFill":1,"fillInterval":"1h"}]}"#;
    let limiter = worker.limiter(json);
    let other = Worker::on(&worker.data);
    let others_limiter = other.limiter(json);
    // Before this worker's first write, which creates the shard, another one creates it and takes the only token.
    worker.interleave.borrow_mut().push(Box::new(move || {
        assert!(!others_limiter.decide(&other, &get("/")).is_limited());
    }));
    assert!(worker.decide(&limiter, "/").is_limited());
}

#[test]
fn a_race_between_reading_and_taking_is_undone() {
    let worker = Worker::new();
    let json = r#"{"limits":[
        {"name":"first","tokensPerFill":5,"fillInterval":"1h"},
        {"name":"second","match":{"methods":["GET"]},"tokensPerFill":2,"fillInterval":"1h"},
        {"name":"third","tokensPerFill":9,"fillInterval":"1h"}]}"#;
    let limiter = worker.limiter(json);
    assert!(!worker.decide(&limiter, "/").is_limited());
    let other = Worker::on(&worker.data);
    let others_limiter = other.limiter(json);
    // Before the write to `second` (the second from the top of the stack), another worker takes its last token.
    worker.interleave.borrow_mut().push(Box::new(move || {
        assert!(!others_limiter.decide(&other, &get("/")).is_limited());
    }));
    worker.interleave.borrow_mut().push(Box::new(|| {}));
    let decision = worker.decide(&limiter, "/");
    let outcomes: Vec<Outcome> = decision.checks.iter().map(|check| check.outcome).collect();
    assert_eq!(
        outcomes,
        [Outcome::NotTaken, Outcome::Limited, Outcome::NotTaken]
    );
    // Two requests passed: what is left is what they did not take.
    let post = limiter.decide(&worker, &request("POST", "/", &[]));
    let left: Vec<u32> = post
        .checks
        .iter()
        .map(|check| limiter.tokens(check).unwrap().0)
        .collect();
    assert_eq!(left, [2, 6]);
}

#[test]
fn shadow_limits_report_and_do_not_limit() {
    let worker = Worker::new();
    let limiter = worker.limiter(
        r#"{"limits":[
            {"name":"trial","tokensPerFill":1,"fillInterval":"1h","mode":"shadow"},
            {"name":"real","tokensPerFill":3,"fillInterval":"1h"}]}"#,
    );
    let outcomes: Vec<Vec<Outcome>> = (0..4)
        .map(|_| {
            let decision = worker.decide(&limiter, "/");
            decision.checks.iter().map(|check| check.outcome).collect()
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            [Outcome::Allowed, Outcome::Allowed],
            [Outcome::WouldLimit, Outcome::Allowed],
            [Outcome::WouldLimit, Outcome::Allowed],
            [Outcome::WouldLimit, Outcome::Limited],
        ]
    );
}

#[test]
fn cost_is_what_a_request_takes() {
    let worker = Worker::new();
    let limiter = worker.limiter(
        r#"{"limits":[{"name":"dear","tokensPerFill":1,"fillInterval":"1s","maxTokens":10,"cost":3}]}"#,
    );
    assert_eq!(worker.passing(&limiter, 10, "/"), 3);
    let decision = worker.decide(&limiter, "/");
    assert_eq!(decision.refusing().unwrap().wait_nanos, 2 * SECOND);
    worker.wait(2 * SECOND - 1);
    assert_eq!(worker.passing(&limiter, 1, "/"), 0);
    worker.wait(1);
    assert_eq!(worker.passing(&limiter, 2, "/"), 1);
}

/// A limit of one by `key`, and pairs of requests that share its bucket or do not.
fn same_bucket(key: &str, one: &[(&str, &str)], other: &[(&str, &str)]) -> bool {
    let worker = Worker::new();
    let limiter = worker.limiter(&format!(
        r#"{{"limits":[{{"name":"x","key":[{key}],"tokensPerFill":1,"fillInterval":"1h"}}]}}"#
    ));
    assert!(
        !limiter
            .decide(&worker, &request("GET", "/", one))
            .is_limited()
    );
    limiter
        .decide(&worker, &request("GET", "/", other))
        .is_limited()
}

#[test]
fn keys_of_headers_cookies_and_claims() {
    // {"sub":"anna"} and {"sub":"berta"}
    let anna = "Bearer e30.eyJzdWIiOiJhbm5hIn0.c2ln";
    let berta = "e30.eyJzdWIiOiJiZXJ0YSJ9.c2ln";
    let header = r#"{"header":{"name":"X-Api-Key"}}"#;
    let cookie = r#"{"cookie":{"name":"sid"}}"#;
    let claim = r#"{"jwtClaim":{"claim":"sub"}}"#;
    for (key, one, other, same) in [
        (
            header,
            &[("x-api-key", "a")][..],
            &[("x-api-key", " a ")][..],
            true,
        ),
        (header, &[("x-api-key", "a")], &[("x-api-key", "b")], false),
        (header, &[("x-api-key", "a")], &[], false),
        (header, &[], &[("y", "z")], true),
        (header, &[("x-api-key", "")], &[], false),
        // Whoever repeats the header does not choose the bucket.
        (
            header,
            &[("x-api-key", "a"), ("x-api-key", "b")],
            &[("x-api-key", "c"), ("x-api-key", "d")],
            true,
        ),
        (
            header,
            &[("x-api-key", "a"), ("x-api-key", "b")],
            &[("x-api-key", "a")],
            false,
        ),
        (
            cookie,
            &[("cookie", "sid=a; x=1")],
            &[("cookie", "x=2"), ("cookie", "sid=a")],
            true,
        ),
        (
            cookie,
            &[("cookie", "sid=a")],
            &[("cookie", "sid=b")],
            false,
        ),
        (
            cookie,
            &[("cookie", "sid=a; sid=b")],
            &[("cookie", "sid=c; sid=d")],
            true,
        ),
        (
            cookie,
            &[("cookie", "sid=a; sid=a")],
            &[("cookie", "sid=a")],
            true,
        ),
        (
            claim,
            &[("authorization", anna)],
            &[("authorization", anna)],
            true,
        ),
        (
            claim,
            &[("authorization", anna)],
            &[("authorization", berta)],
            false,
        ),
        (
            claim,
            &[("authorization", "Bearer x")],
            &[("authorization", "Basic y")],
            true,
        ),
        (claim, &[("authorization", "Bearer x")], &[], false),
    ] {
        assert_eq!(
            same_bucket(key, one, other),
            same,
            "{key} {one:?} {other:?}"
        );
    }
    let both = format!("{header},{cookie}");
    assert!(!same_bucket(
        &both,
        &[("x-api-key", "a")],
        &[("cookie", "sid=a")]
    ));
}

#[test]
fn a_limit_may_not_apply_without_its_key() {
    let worker = Worker::new();
    let limiter = worker.limiter(
        r#"{"limits":[{"name":"key","key":[{"header":{"name":"x-api-key","ifAbsent":"skip"}}],
            "tokensPerFill":1,"fillInterval":"1h"}]}"#,
    );
    assert_eq!(worker.passing(&limiter, 5, "/"), 5);
    let twice = request("GET", "/", &[("x-api-key", "a"), ("x-api-key", "b")]);
    assert!(!limiter.decide(&worker, &twice).is_limited());
    assert!(
        limiter.decide(&worker, &twice).is_limited(),
        "repeating is not leaving out"
    );
}

#[test]
fn path_variables_are_read_from_the_normalised_path() {
    let worker = Worker::new();
    let limiter = worker.limiter(
        r#"{"limits":[{"name":"match","match":{"path":{"template":"/queue/matches/{id}/enter"}},
            "key":[{"pathVariable":{"name":"id"}}],"tokensPerFill":1,"fillInterval":"1h"}]}"#,
    );
    for (path, passed) in [
        ("/queue/matches/1/enter", 1),
        ("/queue/matches/2/enter", 1),
        ("/queue//matches/1/enter;a=b", 0),
        ("/queue/matches/%31/enter/?q", 0),
        ("/queue/matches/x/../1/enter", 0),
        ("/queue/matches/1", 1),
    ] {
        assert_eq!(worker.passing(&limiter, 1, path), passed, "{path}");
    }
}

#[test]
fn trusted_clients_and_exempt_requests_are_not_counted() {
    let worker = Worker::new();
    let limiter = worker.limiter(
        r#"{"limits":[{"name":"all","tokensPerFill":1,"fillInterval":"1h"}],
            "trustedClients":["10.0.0.0/8"],"exempt":[{"path":{"exact":"/health"}}]}"#,
    );
    assert_eq!(worker.from("10.1.2.3:0").passing(&limiter, 5, "/"), 5);
    assert_eq!(
        worker.from("203.0.113.7:0").passing(&limiter, 5, "/health"),
        5
    );
    assert_eq!(worker.passing(&limiter, 5, "/"), 1);
    assert_eq!(worker.passing(&limiter, 5, "/health/../x"), 0);
}

#[test]
fn the_proxy_is_asked_for_nothing_that_is_not_needed() {
    let worker = Worker::new();
    let limiter = worker.limiter(
        r#"{"limits":[{"name":"post","match":{"methods":["POST"]},"key":[{"clientAddress":{}}],
            "tokensPerFill":1,"fillInterval":"1h"},
            {"name":"all","match":{"path":{"exact":"/"}},"tokensPerFill":1,"fillInterval":"1h"}]}"#,
    );
    worker.decide(&limiter, "/");
    worker.decide(&limiter, "/x");
    assert_eq!(worker.asked.get(), 0);
    limiter.decide(&worker, &request("POST", "/", &[]));
    assert_eq!(worker.asked.get(), 1);
}

#[test]
fn without_shared_data_the_configured_outcome_applies() {
    for (setting, limited) in [("allow", false), ("deny", true)] {
        let worker = Worker::new();
        let limiter = worker.limiter(&format!(
            r#"{{"onUnavailable":"{setting}","limits":[{{"name":"all","tokensPerFill":1,"fillInterval":"1h"}}]}}"#
        ));
        worker.broken.set(true);
        for _ in 0..3 {
            let decision = worker.decide(&limiter, "/");
            assert_eq!(decision.is_limited(), limited);
            assert_eq!(decision.checks[0].event, Some(Event::Unavailable));
        }
        worker.broken.set(false);
        assert_eq!(worker.passing(&limiter, 5, "/"), 1);
    }
}

#[test]
fn a_clock_that_is_set_neither_frees_nor_starves() {
    let worker = Worker::new();
    let limiter = worker.limiter(PER_CLIENT);
    assert_eq!(worker.passing(&limiter, 1000, "/"), 100);
    for back in [1, 3600, 365 * 24 * 3600] {
        worker.clock.set(START - back * SECOND);
        assert_eq!(
            worker.passing(&limiter, 1000, "/"),
            0,
            "{back} s back frees nobody"
        );
        let mut passed = 0;
        for _ in 0..10 {
            worker.wait(SECOND);
            passed += worker.passing(&limiter, 1000, "/");
        }
        // At most a second of the ten is lost.
        assert!((450..=500).contains(&passed), "{back} s back: {passed}");
    }
}
