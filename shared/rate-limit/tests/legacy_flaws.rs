//! The flaws of the Lua rate limit that this replaces, each by its number: what walked around it then does not now.

#[cfg(test)]
mod support;

use backstop_rate_limit::Outcome;
use support::{Data, SECOND, Worker, limiter, request};

const PER_CLIENT: &str = r#"{"limits":[{"name":"client","key":[{"clientAddress":{}}],
    "tokensPerFill":5,"fillInterval":"1s","maxTokens":10}],"exempt":[{"path":{"prefix":"/health"}}]}"#;

#[test]
fn l1_an_exemption_is_not_reached_through_the_query() {
    let worker = Worker::new();
    let limiter = worker.limiter(PER_CLIENT);
    assert_eq!(worker.passing(&limiter, 50, "/health"), 50);
    assert_eq!(worker.passing(&limiter, 50, "/api/pay?x=/health"), 10);
    for path in [
        "/api/health",
        "/healthz",
        "/health/../api/pay",
        "/health/..%2fapi",
        "/api#/health",
    ] {
        assert_eq!(worker.passing(&limiter, 5, path), 0, "{path}");
    }
}

#[test]
fn l2_x_forwarded_for_neither_makes_a_fresh_bucket_nor_a_trusted_client() {
    let worker = Worker::new();
    let limiter = worker.limiter(&PER_CLIENT.replace(
        r#""exempt""#,
        r#""trustedClients":["203.0.113.200"],"exempt""#,
    ));
    let mut passed = 0;
    for number in 0..50 {
        let spoofed = format!("203.0.113.{}", 175 + number);
        let headers = request(
            "GET",
            "/",
            &[("x-forwarded-for", &spoofed), ("x-real-ip", &spoofed)],
        );
        passed += u32::from(!limiter.decide(&worker, &headers).is_limited());
    }
    assert_eq!(passed, 10);
}

#[test]
fn l3_the_query_is_no_part_of_the_key() {
    let worker = Worker::new();
    let limiter = worker.limiter(PER_CLIENT);
    let passed: u32 = (0..50)
        .map(|number| worker.passing(&limiter, 1, &format!("/search?n={number}")))
        .sum();
    assert_eq!(passed, 10);
}

#[test]
fn l4_workers_share_one_bucket() {
    let data = Data::default();
    let workers: Vec<Worker> = (0..8).map(|_| Worker::on(&data)).collect();
    let limiters: Vec<_> = workers
        .iter()
        .map(|worker| limiter(worker, PER_CLIENT, b"plugin"))
        .collect();
    let mut passed = 0;
    for _ in 0..10 {
        for (worker, limiter) in workers.iter().zip(&limiters) {
            passed += worker.passing(limiter, 1, "/");
        }
    }
    assert_eq!(passed, 10);
}

#[test]
fn l5_there_is_no_window_boundary_and_the_burst_is_what_is_configured() {
    let worker = Worker::new();
    let limiter = worker.limiter(PER_CLIENT);
    // Just before and just after a whole second.
    worker.wait(SECOND - 1_000_000);
    assert_eq!(worker.passing(&limiter, 50, "/"), 10);
    worker.wait(2_000_000);
    assert_eq!(worker.passing(&limiter, 50, "/"), 0);
    // A fifth of a second makes a token.
    worker.wait(SECOND / 5);
    assert_eq!(worker.passing(&limiter, 50, "/"), 1);
}

#[test]
fn l6_memory_is_not_the_clients_to_fill() {
    let worker = Worker::new();
    let limiter = worker.limiter(PER_CLIENT);
    let bound = limiter.policy().table_bytes() + 16 + 24;
    for number in 0..60_000_u32 {
        let client = format!("[2001:db8:{:x}:{:x}::1]:0", number >> 16, number & 0xffff);
        worker
            .from(&client)
            .decide(&limiter, &format!("/{number}?{number}"));
    }
    assert!(
        worker.data.size().1 <= bound,
        "{} of {bound}",
        worker.data.size().1
    );
}

#[test]
fn l12_every_spelling_of_a_path_has_the_same_limit() {
    let worker = Worker::new();
    let limiter = worker.limiter(
        r#"{"limits":[{"name":"enter","match":{"path":{"exact":"/queue/matches/1/enter"}},"tokensPerFill":1,"fillInterval":"1h"}]}"#,
    );
    assert_eq!(worker.passing(&limiter, 1, "/queue/matches/1/enter"), 1);
    for path in [
        "//queue//matches/1/enter",
        "/queue/matches/1/enter/",
        "/queue/matches/1/enter;a=b",
        "/%71ueue/matches/1/enter",
        "/%2571ueue/matches/1/enter?x",
        "/queue/./x/../matches/1/enter",
        "/queue\\matches\\1\\enter",
        "/queue/matches/1/enter#x",
    ] {
        let decision = worker.decide(&limiter, path);
        assert_eq!(decision.checks[0].outcome, Outcome::Limited, "{path}");
    }
}
