//! Rate limits as they are deployed, in the host: one bucket for all workers, metrics, log lines, headers, what it costs.

mod deployed;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use backstop_host::pack::check;
use backstop_host::{Gateway, LogLevel, Request};

const PER_CLIENT: &str = r#"{"limits":[{"name":"client","key":[{"clientAddress":{}}],
    "tokensPerFill":5,"fillInterval":"1s","maxTokens":10}]"#;

fn gateway(workers: usize, more: &str) -> Gateway {
    Gateway::builder()
        .plugin(deployed::plugin(
            "rate-limit",
            format!("{PER_CLIENT}{more}}}"),
        ))
        .workers(workers)
        .log_level(LogLevel::Info)
        .start()
        .unwrap()
}

/// How many of `count` requests pass.
fn passing(gateway: &mut Gateway, count: u32, request: &Request) -> u32 {
    (0..count)
        .map(|_| u32::from(gateway.send(request.clone()).status == 200))
        .sum()
}

#[test]
fn it_exports_what_it_implements_and_imports_what_envoy_has() {
    let exports: Vec<String> = check(&deployed::wasm("rate-limit"))
        .unwrap()
        .into_iter()
        .collect();
    assert_eq!(
        exports,
        [
            "_initialize",
            "memory",
            "proxy_abi_version_0_2_1",
            "proxy_on_configure",
            "proxy_on_context_create",
            "proxy_on_delete",
            "proxy_on_grpc_close",
            "proxy_on_grpc_receive",
            "proxy_on_memory_allocate",
            "proxy_on_request_headers",
            "proxy_on_response_headers",
            "proxy_on_vm_start",
        ]
    );
}

#[test]
fn l4_workers_share_one_bucket_that_fills_with_time() {
    for workers in [1, 2, 4] {
        let mut gateway = gateway(workers, "");
        let request = Request::get("/").client("203.0.113.7");
        assert_eq!(passing(&mut gateway, 40, &request), 10, "{workers} workers");
        gateway.advance(Duration::from_millis(1000));
        assert_eq!(passing(&mut gateway, 40, &request), 5, "{workers} workers");
        let other = Request::get("/").client("203.0.113.8");
        assert_eq!(passing(&mut gateway, 40, &other), 10, "{workers} workers");
    }
}

#[test]
fn a_limited_request_is_answered_counted_and_logged() {
    let mut gateway = gateway(2, "");
    let request = Request::get("/search?q=1").client("203.0.113.7");
    passing(&mut gateway, 10, &request);
    let outcome = gateway.send(request);
    assert_eq!(outcome.status, 429);
    assert!(outcome.upstream.is_none());
    assert_eq!(outcome.response_headers.get("retry-after"), Some(&b"1"[..]));
    assert_eq!(
        outcome.response_headers.get("x-ratelimit-limit"),
        Some(&b"10, 10;w=2;name=\"client\""[..])
    );
    assert_eq!(outcome.logs.len(), 1);
    let line: serde_json::Value = serde_json::from_str(&outcome.logs[0].message).unwrap();
    assert_eq!(
        (
            &line["type"],
            &line["limited"],
            &line["client_ip"],
            &line["count"],
            &line["limit"]
        ),
        (
            &"ratelimit".into(),
            &true.into(),
            &"203.0.113.7".into(),
            &10.into(),
            &10.into()
        )
    );
    for (action, count) in [("allowed", 10), ("limited", 1)] {
        let name =
            format!("backstop_rate_limit.limit=.=client;.;action=.={action};.;requests_total");
        assert_eq!(gateway.metrics().counter(&name), count, "{name}");
    }
}

#[test]
fn responses_get_the_headers_that_are_wanted() {
    let mut gateway = gateway(1, r#","headers":{"rateLimit":true,"onAllowed":true}"#);
    let outcome = gateway.send(Request::get("/").client("203.0.113.7"));
    assert_eq!(outcome.status, 200);
    assert_eq!(
        outcome.response_headers.get("ratelimit"),
        Some(&b"\"client\";r=9;t=2"[..])
    );
    assert_eq!(
        outcome.response_headers.get("x-ratelimit-remaining"),
        Some(&b"9"[..])
    );
}

#[test]
fn a_reconfiguration_keeps_the_buckets_of_the_same_limit() {
    let mut gateway = gateway(2, "");
    let request = Request::get("/").client("203.0.113.7");
    assert_eq!(passing(&mut gateway, 20, &request), 10);
    let config = format!("{PER_CLIENT},\"logging\":{{\"enabled\":false}}}}");
    gateway.reconfigure("rate-limit", config).unwrap();
    assert_eq!(passing(&mut gateway, 20, &request), 0);
    assert!(
        gateway
            .reconfigure("rate-limit", r#"{"limits":[]}"#)
            .is_err()
    );
    assert_eq!(passing(&mut gateway, 20, &request), 0);
    gateway
        .reconfigure("rate-limit", PER_CLIENT.replace(":10", ":11") + "}")
        .unwrap();
    assert_eq!(passing(&mut gateway, 20, &request), 11);
}

#[test]
fn two_plugins_do_not_share_buckets() {
    let plugin = |name: &str| deployed::plugin("rate-limit", format!("{PER_CLIENT}}}")).name(name);
    let mut gateway = Gateway::builder()
        .plugin(plugin("one"))
        .plugin(plugin("two"))
        .start()
        .unwrap();
    // Both take a token of each request; with shared buckets five would pass.
    assert_eq!(
        passing(&mut gateway, 20, &Request::get("/").client("203.0.113.7")),
        10
    );
}

#[test]
fn a_flood_of_addresses_takes_no_more_memory_and_frees_nobody() {
    let mut gateway = gateway(
        2,
        r#","table":{"slots":256,"ways":32},"logging":{"enabled":false}"#,
    );
    let limited = Request::get("/").client("198.51.100.1");
    assert_eq!(passing(&mut gateway, 20, &limited), 10);
    let mut bytes = Vec::new();
    for round in 0..4_u32 {
        for number in 0..500_u32 {
            let address = IpAddr::V4(Ipv4Addr::from_bits(0x0b00_0000 + round * 500 + number));
            gateway.send(Request::get("/").client(address.to_string()));
        }
        assert_eq!(gateway.send(limited.clone()).status, 429);
        bytes.push(
            gateway
                .shared_data("")
                .values()
                .map(Vec::len)
                .sum::<usize>(),
        );
    }
    // Eight shards of 32 ways, the seed, the list of tables.
    assert_eq!(bytes, [8 * (40 + 32 * 24) + 16 + 24; 4]);
}
