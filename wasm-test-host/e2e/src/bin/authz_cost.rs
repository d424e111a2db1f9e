//! What asking an ext_authz service costs, beside Envoy's native filter in front of the same service, in one run:
//! `authz-cost MODULES-FOLDER [--bursts 40] [--requests 200]`.
//!
//! One worker, a kept-alive HTTP/1.1 connection per chain, direct response, chains interleaved burst by burst. CPU is that of
//! the Envoy process (the service's own is not in it), latency the client's wall clock. Then the service is stopped, so that
//! it takes calls and never answers, and killed, so that it refuses connections: 1,000 requests over four connections each.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use backstop_e2e::bootstrap::{Bootstrap, Listener, WasmFilter, ext_authz_filter};
use backstop_e2e::client::{Body, Client, request_bytes};
use backstop_e2e::{AuthzService, Envoy, Upstream};
use serde_json::json;

const TIMEOUT: &str = "200ms";
/// Requests to a service that is gone, and the connections that they come on.
const DEAD_REQUESTS: usize = 1000;
const CONNECTIONS: usize = 4;

struct Chain {
    name: &'static str,
    listener: &'static str,
    path: &'static str,
    client: Client,
    micros: Vec<f64>,
    latencies: Vec<Duration>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let modules = PathBuf::from(
        arguments
            .next()
            .context("usage: authz-cost MODULES-FOLDER [--bursts N] [--requests N]")?,
    );
    let (mut bursts, mut requests) = (40usize, 200usize);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().context("a flag takes a number")?.parse()?;
        match flag.as_str() {
            "--bursts" => bursts = value,
            "--requests" => requests = value,
            other => bail!("unknown flag {other}"),
        }
    }
    let mut service = AuthzService::start()?;
    let upstream = Upstream::start()?;
    let config = json!({
        "apis": [{"eventType": "QUEUE_ENTER", "path": {"prefix": "/enter"}}],
        "service": {"grpc": {"cluster": "adapter", "timeout": TIMEOUT}},
        "logging": {"enabled": false},
    });
    let module = modules.join("ext-authz.wasm");
    let ours = WasmFilter::new(&module, &config).resource();
    let bootstrap = Bootstrap::new(upstream.address())
        .grpc_service("adapter", service.address())
        .listener(Listener::new("none").direct_response())
        .listener(Listener::new("ours").filter(ours).direct_response())
        .listener(
            Listener::new("native")
                .filter(ext_authz_filter("adapter", TIMEOUT))
                .direct_response(),
        );
    let envoy = Envoy::start(&bootstrap, 1)?;
    let mut chains = Vec::new();
    for (name, listener, path) in [
        ("no filter", "none", "/enter"),
        ("backstop, asked", "ours", "/enter"),
        ("native, asked", "native", "/enter"),
        ("backstop, not critical", "ours", "/"),
    ] {
        chains.push(Chain {
            name,
            listener,
            path,
            client: envoy.connect(listener)?,
            micros: Vec::with_capacity(bursts),
            latencies: Vec::with_capacity(bursts * requests),
        });
    }
    for burst in 0..=bursts {
        for chain in &mut chains {
            let before = envoy.cpu_nanos()?;
            for _ in 0..requests {
                let took = exchange(&mut chain.client, chain.path)?;
                if burst > 0 {
                    chain.latencies.push(took);
                }
            }
            let spent = envoy.cpu_nanos()?.saturating_sub(before);
            // The first burst warms caches and V8's tiers.
            if burst > 0 {
                chain.micros.push(spent as f64 / requests as f64 / 1000.0);
            }
        }
    }
    println!(
        "GET, {bursts} bursts of {requests}: CPU us per request of the Envoy process (tenth percentile, quartiles), latency us at \
         the client"
    );
    let mut base = None;
    for chain in &mut chains {
        chain.micros.sort_by(f64::total_cmp);
        let at = |share: f64| chain.micros[((chain.micros.len() - 1) as f64 * share) as usize];
        let (p50, p99) = (
            percentile(&mut chain.latencies, 50),
            percentile(&mut chain.latencies, 99),
        );
        let (cpu, low) = *base.get_or_insert((at(0.1), p50));
        println!(
            "  {:24} CPU p10 {:6.1} p25 {:6.1} p50 {:6.1}, added {:6.1}   latency p50 {:7.1} p99 {:8.1}, added p50 {:7.1}",
            chain.name,
            at(0.1),
            at(0.25),
            at(0.5),
            at(0.1) - cpu,
            p50,
            p99,
            p50 - low,
        );
    }
    service.freeze()?;
    dead(&envoy, &chains, "takes calls and never answers")?;
    service.kill()?;
    dead(&envoy, &chains, "refuses connections")
}

/// Many requests to a service that is gone.
fn dead(envoy: &Envoy, chains: &[Chain], how: &str) -> Result<()> {
    println!(
        "{DEAD_REQUESTS} requests over {CONNECTIONS} connections, the service {how} (time-out {TIMEOUT}), latency us"
    );
    for chain in chains.iter().filter(|chain| chain.path == "/enter") {
        let mut latencies = thread::scope(|scope| -> Result<Vec<Duration>> {
            let senders: Vec<_> = (0..CONNECTIONS)
                .map(|_| {
                    scope.spawn(|| -> Result<Vec<Duration>> {
                        let mut client = envoy.connect(chain.listener)?;
                        (0..DEAD_REQUESTS / CONNECTIONS)
                            .map(|_| exchange(&mut client, chain.path))
                            .collect()
                    })
                })
                .collect();
            let mut all = Vec::with_capacity(DEAD_REQUESTS);
            for sender in senders {
                let part = sender.join();
                all.extend(part.map_err(|_| anyhow::anyhow!("a sender panicked"))??);
            }
            Ok(all)
        })?;
        println!(
            "  {:24} p50 {:9.1}   p90 {:9.1}   p99 {:9.1}   max {:9.1}",
            chain.name,
            percentile(&mut latencies, 50),
            percentile(&mut latencies, 90),
            percentile(&mut latencies, 99),
            percentile(&mut latencies, 100),
        );
    }
    Ok(())
}

fn exchange(client: &mut Client, path: &str) -> Result<Duration> {
    let fields = [
        ("host".to_owned(), b"tickets.example".to_vec()),
        ("x-verdict".to_owned(), b"none".to_vec()),
    ];
    let request = request_bytes("GET", path.as_bytes(), &fields, &Body::None);
    let asked = Instant::now();
    let response = client.exchange("GET", &request)?;
    if response.status != 200 {
        bail!("{path} answers {}: all of these pass", response.status);
    }
    Ok(asked.elapsed())
}

/// In microseconds.
fn percentile(latencies: &mut [Duration], percent: usize) -> f64 {
    latencies.sort_unstable();
    let last = latencies.len().saturating_sub(1);
    let at = latencies.get(last * percent / 100);
    at.map_or(0.0, |latency| latency.as_secs_f64() * 1e6)
}
