//! `cargo bench -p backstop-rate-limit`: nanoseconds per decision, with shared data in memory in place of the proxy's. Best
//! of several rounds each, in one run.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench ends where it cannot go on"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::time::Instant;

use backstop_rate_limit::Limiter;
use support::{Worker, request};

/// Short rounds, so that on a busy machine some run undisturbed.
const ROUNDS: usize = 300;
const DECISIONS: u32 = 1_000;

fn main() {
    // `cargo test` builds and starts benches too; there it is enough that this one starts.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let client = r#""key":[{"clientAddress":{}}]"#;
    let plenty = r#""tokensPerFill":1000000,"fillInterval":"1ms","maxTokens":1000000"#;
    let nothing = r#""tokensPerFill":1,"fillInterval":"8000h""#;
    let limit = |name: &str, key: &str, rate: &str| format!(r#"{{"name":"{name}",{key},{rate}}}"#);
    let all =
        |limits: &[String], rest: &str| format!(r#"{{"limits":[{}]{rest}}}"#, limits.join(","));
    println!("{:<52} {:>10} {:>16}", "limits", "one key", "60,000 keys");
    for (name, json) in [
        (
            "one, no key, passes",
            all(&[limit("a", r#""key":[]"#, plenty)], ""),
        ),
        (
            "one by address, 16 ways (424 bytes), passes",
            all(&[limit("a", client, plenty)], r#","table":{"ways":16}"#),
        ),
        (
            "one by address, 64 ways (1576 bytes), passes",
            all(&[limit("a", client, plenty)], ""),
        ),
        (
            "one by address, 168 ways (4072 bytes), passes",
            all(&[limit("a", client, plenty)], r#","table":{"ways":168}"#),
        ),
        (
            "one by address, 64 ways, limited",
            all(&[limit("a", client, nothing)], ""),
        ),
        (
            "three by address, 64 ways, pass",
            all(
                &[
                    limit("a", client, plenty),
                    limit("b", client, plenty),
                    limit("c", client, plenty),
                ],
                "",
            ),
        ),
    ] {
        println!(
            "{name:<52} {:>7.0} ns {:>13.0} ns",
            measure(&json, 1),
            measure(&json, 60_000)
        );
    }
}

/// Nanoseconds per decision over so many clients.
fn measure(json: &str, clients: u32) -> f64 {
    let worker = Worker::new();
    let limiter: Limiter = worker.limiter(json);
    let headers = request(
        "GET",
        "/queue/matches/17/enter?x=1",
        &[
            ("user-agent", "Mozilla/5.0"),
            ("accept", "*/*"),
            ("cookie", "a=b; c=d"),
        ],
    );
    let mut number = 0_u32;
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        for _ in 0..DECISIONS {
            number = number.wrapping_add(1);
            *worker.client.borrow_mut() = format!(
                "10.{}.{}.7:0",
                (number % clients) >> 8,
                (number % clients) & 255
            );
            worker.wait(1000);
            black_box(limiter.decide(&worker, black_box(&headers)));
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e9 / f64::from(DECISIONS));
    }
    best
}
