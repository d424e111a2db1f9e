//! Memory, floods, contention, and what reconfigurations and neighbours do to buckets.

#[cfg(test)]
mod support;

use std::sync::atomic::{AtomicU32, Ordering};

use backstop_rate_limit::{Event, Outcome};
use support::{Data, SECOND, Worker, get, limiter};

fn per_client(rate: &str, table: &str) -> String {
    format!(
        r#"{{"limits":[{{"name":"client","key":[{{"clientAddress":{{}}}}],{rate}}}],"table":{table}}}"#
    )
}

fn address(number: u32) -> String {
    format!("{}:0", std::net::Ipv4Addr::from_bits(0x0b00_0000 + number))
}

#[test]
fn memory_does_not_grow_and_a_limited_client_stays_limited() {
    let worker = Worker::new();
    // Ten an hour: nobody's bucket is full again while the test runs.
    let limiter = worker.limiter(&per_client(
        r#""tokensPerFill":10,"fillInterval":"1h""#,
        r#"{"slots":1024,"ways":32}"#,
    ));
    let victim = "198.51.100.1:0";
    assert_eq!(worker.from(victim).passing(&limiter, 50, "/"), 10);
    let (mut seen, mut shared, mut size) = (0, 0, (0, 0));
    for number in 0..50_000 {
        let decision = worker.from(&address(number)).decide(&limiter, "/");
        seen += u32::from(!decision.is_limited());
        shared += u32::from(decision.checks[0].event == Some(Event::SharedBucket));
        if number % 100 == 0 {
            worker.wait(1);
            assert!(
                worker.from(victim).decide(&limiter, "/").is_limited(),
                "{number}"
            );
        }
        if number == 25_000 {
            size = worker.data.size();
        }
    }
    assert_eq!(
        worker.data.size(),
        size,
        "memory is that of the first half of the flood"
    );
    // Thirty-two shards, the seed, the list of tables.
    assert_eq!(size, (34, limiter.policy().table_bytes() + 16 + 24));
    // A place for each but the victim's, then ten for each shard's shared bucket.
    assert_eq!(seen, 1023 + 32 * 10);
    assert_eq!(shared, 50_000 - 1023);
}

#[test]
fn what_happens_to_a_key_without_a_place_is_configured() {
    for (on_full, outcome, event) in [
        ("allow", Outcome::Allowed, Event::FullAllowed),
        ("deny", Outcome::Limited, Event::FullDenied),
        ("shareBucket", Outcome::Allowed, Event::SharedBucket),
    ] {
        let worker = Worker::new();
        let limiter = worker.limiter(&per_client(
            r#""tokensPerFill":1,"fillInterval":"1h""#,
            &format!(r#"{{"slots":2,"ways":2,"onFull":"{on_full}"}}"#),
        ));
        for number in 0..2 {
            assert!(
                !worker
                    .from(&address(number))
                    .decide(&limiter, "/")
                    .is_limited()
            );
        }
        let decision = worker.from(&address(2)).decide(&limiter, "/");
        assert_eq!(decision.checks[0].outcome, outcome, "{on_full}");
        assert_eq!(decision.checks[0].event, Some(event), "{on_full}");
        // A bucket that is full again gives its place to the new one.
        worker.wait(3600 * SECOND);
        let decision = worker.from(&address(3)).decide(&limiter, "/");
        assert_eq!(
            (decision.checks[0].outcome, decision.checks[0].event),
            (Outcome::Allowed, None)
        );
    }
}

#[test]
fn four_threads_admit_exactly_what_one_would() {
    let data = Data::default();
    let json = r#"{"limits":[
        {"name":"few","match":{"path":{"prefix":"/few"}},"tokensPerFill":900,"fillInterval":"1h"},
        {"name":"all","tokensPerFill":7000,"fillInterval":"1h"}]}"#;
    let (all, few) = (AtomicU32::new(0), AtomicU32::new(0));
    let start = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let worker = Worker::on(&data);
                worker.yields.set(true);
                let limiter = limiter(&worker, json, b"plugin");
                start.wait();
                for round in 0..3_000 {
                    let path = if round % 3 == 0 { "/few" } else { "/" };
                    let decision = worker.decide(&limiter, path);
                    assert!(decision.checks.iter().all(|check| check.event.is_none()));
                    if !decision.is_limited() {
                        all.fetch_add(1, Ordering::Relaxed);
                        few.fetch_add(u32::from(path == "/few"), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let (all, few) = (all.into_inner(), few.into_inner());
    assert_eq!(all, 7000);
    // Every token is in the bucket or with a request that passed.
    let worker = Worker::on(&data);
    let limiter = limiter(&worker, json, b"plugin");
    let decision = worker.decide(&limiter, "/few");
    let left: Vec<_> = decision
        .checks
        .iter()
        .map(|check| limiter.tokens(check).unwrap().0)
        .collect();
    assert_eq!(left, [900 - few, 0]);
}

#[test]
fn writes_that_always_conflict_end_and_are_told() {
    let worker = Worker::new();
    let json = r#"{"limits":[{"name":"all","tokensPerFill":1000,"fillInterval":"1h"}]}"#;
    let limiter = worker.limiter(json);
    worker.decide(&limiter, "/");
    for _ in 0..100 {
        let other = Worker::on(&worker.data);
        let others_limiter = other.limiter(json);
        worker.interleave.borrow_mut().push(Box::new(move || {
            other.decide(&others_limiter, "/");
        }));
    }
    let decision = worker.decide(&limiter, "/");
    assert_eq!(decision.checks[0].outcome, Outcome::Allowed);
    assert_eq!(decision.checks[0].event, Some(Event::Contended));
    assert_eq!(worker.interleave.borrow().len(), 100 - 32);
}

#[test]
fn a_reconfigured_limit_keeps_its_buckets_if_it_is_the_same() {
    let limit = |name: &str, rest: &str| {
        format!(
            r#"{{"name":"{name}","key":[{{"clientAddress":{{}}}}],"tokensPerFill":5,"fillInterval":"1h"{rest}}}"#
        )
    };
    let config =
        |limits: &[String], rest: &str| format!(r#"{{"limits":[{}]{rest}}}"#, limits.join(","));
    let before = config(&[limit("a", "")], "");
    for (after, kept) in [
        (before.clone(), true),
        (config(&[limit("b", ""), limit("a", "")], ""), true),
        (
            config(
                &[limit("a", "")],
                r#","headers":{"rateLimit":true},"trustedClients":["10.0.0.0/8"]"#,
            ),
            true,
        ),
        (
            config(&[limit("a", r#","cost":1,"maxTokens":5"#)], ""),
            true,
        ),
        (config(&[limit("a2", "")], ""), false),
        (config(&[limit("a", r#","maxTokens":6"#)], ""), false),
        (
            config(&[limit("a", r#","match":{"methods":["GET"]}"#)], ""),
            false,
        ),
        (config(&[limit("a", r#","slots":100"#)], ""), false),
    ] {
        let worker = Worker::new();
        let old = worker.limiter(&before);
        assert_eq!(worker.passing(&old, 10, "/"), 5);
        let new = worker.limiter(&after);
        assert_eq!(worker.passing(&new, 10, "/") == 0, kept, "{after}");
        assert_eq!(worker.passing(&old, 10, "/"), 0);
    }
}

#[test]
fn plugins_and_configurations_do_not_mix() {
    let worker = Worker::new();
    let json = r#"{"limits":[{"name":"all","tokensPerFill":5,"fillInterval":"1h"}]}"#;
    let other_json = json.replace(":5", ":6");
    let of =
        |namespace: &[u8], json: &str| worker.passing(&limiter(&worker, json, namespace), 20, "/");
    assert_eq!(of(b"gateway-a", json), 5);
    assert_eq!(of(b"gateway-b", json), 5);
    assert_eq!(of(b"gateway-a", &other_json), 6);
    assert_eq!(of(b"gateway-a", json), 0);
    let elsewhere = Worker::new();
    assert_eq!(
        elsewhere.passing(&limiter(&elsewhere, json, b"gateway-a"), 20, "/"),
        5
    );
}

#[test]
fn tables_of_earlier_configurations_give_their_memory_back() {
    let worker = Worker::new();
    let of = |tokens: u32| {
        let rate = format!(r#""tokensPerFill":{tokens},"fillInterval":"1h""#);
        worker.limiter(&per_client(&rate, r#"{"slots":64,"ways":8}"#))
    };
    let old = of(10);
    for number in 0..1000 {
        worker.from(&address(number)).decide(&old, "/");
    }
    let (_, before) = worker.data.size();
    let new = of(20);
    worker.decide(&new, "/");
    assert_eq!(
        new.reclaim(&worker, worker.clock.get()),
        Ok(1),
        "buckets are not full yet"
    );
    assert!(worker.from(&address(5)).passing(&old, 20, "/") <= 10);
    worker.wait(3601 * SECOND);
    assert_eq!(new.reclaim(&worker, worker.clock.get()), Ok(0));
    let (_, after) = worker.data.size();
    assert!(after < before / 4, "{after} of {before}");
    // Who still runs the old configuration finds full buckets, which is what they were.
    assert_eq!(worker.from(&address(5)).passing(&old, 20, "/"), 10);
    assert_eq!(worker.from("203.0.113.7:0").passing(&new, 30, "/"), 20);
}

#[test]
fn many_reconfigurations_are_remembered_up_to_a_bound() {
    let worker = Worker::new();
    let mut size = (0, 0);
    for round in 1..=1200_u32 {
        let limiter = worker.limiter(&format!(
            r#"{{"limits":[{{"name":"all","tokensPerFill":{round},"fillInterval":"1h"}}]}}"#
        ));
        limiter.decide(&worker, &get("/"));
        if round == 1100 {
            size = worker.data.size();
        }
    }
    let grown = worker.data.size().1 - size.1;
    assert_eq!(grown, 100 * 64, "a shard each, and no more in the list");
}
