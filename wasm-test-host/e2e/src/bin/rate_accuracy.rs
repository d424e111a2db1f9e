//! What rate limiters admit beside what they should: `rate-accuracy MODULE.wasm [--seconds 10]`.
//!
//! Real Envoy with 1, 2 and 4 workers; one hot key and 1,000 keys; this filter, Envoy's own `local_ratelimit`, and a token
//! bucket in a Lua table. Sixteen kept-alive HTTP/1.1 connections at a fixed pace, above the limit. Time is Envoy's
//! (`%START_TIME%` of each request): a key is expected to get its burst, and the rate over the time from its first request to
//! its last, in whole tokens.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use backstop_e2e::bootstrap::{
    Bootstrap, LocalRateLimit, WasmFilter, local_rate_limit, lua_filter,
};
use backstop_e2e::load::{KEY, Load};
use backstop_e2e::{Envoy, Listener, Upstream};
use serde_json::{Value, json};

/// A kind of traffic: keys, tokens a second and burst of each, requests a second.
const TRAFFIC: [(&str, usize, u32, u32, u32); 2] = [
    ("one key", 1, 500, 200, 1_000),
    ("1,000 keys", 1_000, 1, 5, 2_500),
];
const LIMITERS: [&str; 3] = ["backstop", "local_ratelimit", "lua table"];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: rate-accuracy MODULE.wasm [--seconds N]";
    let module = PathBuf::from(arguments.next().context(usage)?);
    let mut seconds = 10;
    while let Some(flag) = arguments.next() {
        let value = arguments.next().context(usage)?.parse()?;
        match flag.as_str() {
            "--seconds" => seconds = value,
            _ => bail!(usage),
        }
    }
    let upstream = Upstream::start()?;
    println!(
        "| limiter | workers | traffic | sent | expected | admitted | deviation | keys off by a token or more |"
    );
    println!("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |");
    for workers in [1, 2, 4] {
        let mut bootstrap = Bootstrap::new(upstream.address());
        for (traffic, keys, rate, burst, _) in TRAFFIC {
            for limiter in LIMITERS {
                let listener = Listener::new(&format!("{limiter}, {traffic}"))
                    .filter(filter(limiter, &module, keys, rate, burst))
                    .direct_response()
                    .start_time();
                bootstrap = bootstrap.listener(listener);
            }
        }
        let envoy = Envoy::start(&bootstrap, workers)?;
        for (traffic, keys, rate, burst, per_second) in TRAFFIC {
            let load = Load {
                connections: 16,
                keys,
                per_second,
                duration: Duration::from_secs(seconds),
            };
            for limiter in LIMITERS {
                let seen = load.run(envoy.listener(&format!("{limiter}, {traffic}"))?)?;
                let (mut sent, mut expected, mut admitted, mut off) = (0, 0, 0, 0);
                for seen in seen.values() {
                    let tokens = seen.expected(burst, rate);
                    sent += seen.sent;
                    expected += tokens;
                    admitted += seen.admitted;
                    off += u32::from(tokens != seen.admitted);
                }
                let deviation =
                    (f64::from(admitted) - f64::from(expected)) / f64::from(expected) * 100.0;
                println!(
                    "| {limiter} | {workers} | {traffic} | {sent} | {expected} | {admitted} | {deviation:+.2} % | {off} |"
                );
            }
        }
    }
    Ok(())
}

fn filter(limiter: &str, module: &Path, keys: usize, rate: u32, burst: u32) -> Value {
    match limiter {
        "backstop" => {
            let config = json!({
                "limits": [{"name": "key", "key": [{"header": {"name": KEY}}],
                            "tokensPerFill": rate, "fillInterval": "1s", "maxTokens": burst}],
                "logging": {"enabled": false},
            });
            WasmFilter::new(module, &config).resource()
        }
        "local_ratelimit" => local_rate_limit(&LocalRateLimit {
            header: KEY,
            keys,
            tokens_per_second: rate,
            burst,
        }),
        _ => {
            let script = include_str!("../../lua/rate_limit.lua");
            let numbers = format!("local rate, burst = {rate}, {burst}");
            lua_filter(&script.replacen("local rate, burst = 0, 0", &numbers, 1))
        }
    }
}
