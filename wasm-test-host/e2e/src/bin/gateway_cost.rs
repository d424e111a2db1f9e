//! CPU microseconds of the Envoy process per request, by filter chain, in one run:
//! `gateway-cost MODULES-FOLDER [--bursts 60] [--requests 500]`.
//!
//! One worker, one keep-alive HTTP/1.1 connection per chain, direct response, chains interleaved burst by burst so
//! that a drifting machine hits all alike; the tenth percentile of the bursts is quoted, with the quartiles beside it.
#![forbid(unsafe_code)]

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use backstop_e2e::bootstrap::{
    Bootstrap, Listener, LocalRateLimit, WasmFilter, local_rate_limit, lua_filter,
};
use backstop_e2e::client::{Body, Client, request_bytes};
use backstop_e2e::{Envoy, Upstream};
use serde_json::json;

/// The secret that the request brings to origin verify, and its digest as the configuration has it.
const SECRET: &str = "e2e-secret-0123456789abcdef";
const SECRET_SHA256: &str = "Jn3DrHK1GsPHNiyEokHBymvtK4TbuNLcJJs5a5Croh8=";

struct Chain {
    name: &'static str,
    client: Client,
    micros: Vec<f64>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let modules = PathBuf::from(
        arguments
            .next()
            .context("usage: gateway-cost MODULES-FOLDER [--bursts N] [--requests N]")?,
    );
    let (mut bursts, mut requests) = (60usize, 500usize);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().context("a flag takes a number")?.parse()?;
        match flag.as_str() {
            "--bursts" => bursts = value,
            "--requests" => requests = value,
            other => bail!("unknown flag {other}"),
        }
    }
    let upstream = Upstream::start()?;
    let waf = json!({"mode": "block"});
    // A limit that nobody reaches, and a secret that the request brings: every filter does all of its work.
    let limits = json!({"limits": [{"name": "client", "key": [{"clientAddress": {}}],
        "tokensPerFill": 1_000_000, "fillInterval": "1s", "maxTokens": 1_000_000}]});
    let origin = json!({"secrets": [{"name": "current", "sha256": SECRET_SHA256}]});
    let edge = json!({"originVerify": &origin, "rateLimit": &limits, "waf": &waf});
    let wasm = |name: &str, config: &serde_json::Value| {
        WasmFilter::new(&modules.join(format!("{name}.wasm")), config).resource()
    };
    let chains = [
        ("no filter", vec![]),
        ("origin verify", vec![wasm("origin-verify", &origin)]),
        ("rate limit", vec![wasm("rate-limit", &limits)]),
        (
            "envoy local_ratelimit",
            vec![local_rate_limit(&LocalRateLimit {
                header: "",
                keys: 1,
                tokens_per_second: 1_000_000,
                burst: 1_000_000,
            })],
        ),
        ("backstop waf", vec![wasm("waf", &waf)]),
        (
            "three modules",
            vec![
                wasm("origin-verify", &origin),
                wasm("rate-limit", &limits),
                wasm("waf", &waf),
            ],
        ),
        ("edge", vec![wasm("edge", &edge)]),
        (
            "lua, sixty patterns",
            vec![lua_filter(include_str!("../../lua/waf.lua"))],
        ),
    ];
    let names = chains.each_ref().map(|(name, _)| *name);
    let mut bootstrap = Bootstrap::new(upstream.address());
    for (name, filters) in chains {
        let listener = filters
            .into_iter()
            .fold(Listener::new(name), |listener, filter| {
                listener.filter(filter)
            });
        bootstrap = bootstrap.listener(listener.direct_response());
    }
    let envoy = Envoy::start(&bootstrap, 1)?;

    let request = get();
    let mut chains = Vec::new();
    for name in names {
        let mut client = envoy.connect(name)?;
        let response = client.exchange("GET", &request)?;
        if response.status != 200 {
            bail!(
                "{name} answers {}: the measure wants a request that passes",
                response.status
            );
        }
        chains.push(Chain {
            name,
            client,
            micros: Vec::with_capacity(bursts),
        });
    }
    for burst in 0..=bursts {
        for chain in &mut chains {
            let before = envoy.cpu_nanos()?;
            for _ in 0..requests {
                chain.client.exchange("GET", &request)?;
            }
            let spent = envoy.cpu_nanos()?.saturating_sub(before);
            // The first burst warms caches and V8's tiers.
            if burst > 0 {
                chain.micros.push(spent as f64 / requests as f64 / 1000.0);
            }
        }
    }
    report(request.len(), requests, &mut chains);
    Ok(())
}

fn report(bytes: usize, requests: usize, chains: &mut [Chain]) {
    let bursts = chains.first().map_or(0, |chain| chain.micros.len());
    println!(
        "GET, {bytes} bytes on the wire, {bursts} bursts of {requests}, CPU us per request of the Envoy process"
    );
    let mut base = 0.0;
    for chain in chains {
        chain.micros.sort_by(f64::total_cmp);
        let at = |share: f64| chain.micros[((chain.micros.len() - 1) as f64 * share) as usize];
        if base == 0.0 {
            base = at(0.1);
        }
        let added = at(0.1) - base;
        println!(
            "  {:22} p10 {:8.1}   p25 {:8.1}   p50 {:8.1}   added (p10) {:8.1}",
            chain.name,
            at(0.1),
            at(0.25),
            at(0.5),
            added
        );
    }
}

fn browser_fields() -> Vec<(String, Vec<u8>)> {
    [
        ("host", "tickets.example"),
        ("user-agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"),
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        ("accept-language", "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7"),
        ("accept-encoding", "gzip, deflate, br"),
        ("referer", "https://tickets.example/matches?league=kbo&month=2026-09"),
        ("cookie", "session=7f1f6d3c2b9a4e55a0a1; _ga=GA1.1.1466225387.1763000000; seat_zone=1B; lang=ko; consent=2026-03-01.functional.statistics.marketing; theme=dark"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "document"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-origin-verify", SECRET),
        ("x-request-id", "5f0c7c0e-2f0e-4c4e-9a53-2f6f5d1c1a11"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
    .to_vec()
}

fn get() -> Vec<u8> {
    request_bytes(
        "GET",
        b"/seat/matches/4821/seat-groups?zone=1B&sort=price&page=2",
        &browser_fields(),
        &Body::None,
    )
}
