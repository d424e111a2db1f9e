//! How soon what one worker lists is refused by the others: `block-list-spread MODULES-FOLDER [--clients 500]`.
//!
//! Each of many clients sends three attacks over a connection of one worker; when the third is refused, a harmless request of
//! the same client goes over a connection of each other worker until it is refused. Which worker has a connection, Envoy's own
//! gauges say.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use backstop_e2e::bootstrap::{Bootstrap, Listener, WasmFilter};
use backstop_e2e::client::{Body, Client, request_bytes};
use backstop_e2e::{Envoy, Upstream};
use serde_json::json;

const ATTACK: &str = "/search?q=1'+union+select+password+from+users--+";
const HARMLESS: &str = "/search?q=hamlet";
/// More than a request that is refused can take on a busy machine.
const PATIENCE: u32 = 10_000;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let modules = PathBuf::from(
        arguments
            .next()
            .context("usage: block-list-spread MODULES-FOLDER [--clients N]")?,
    );
    let mut clients = 500u32;
    while let Some(flag) = arguments.next() {
        ensure!(flag == "--clients", "unknown flag {flag}");
        clients = arguments.next().context("a flag takes a number")?.parse()?;
    }
    ensure!(clients <= 60_000, "no more than 60,000 clients");
    println!(
        "{clients} clients, three attacks each; us from the third refusal on one worker to the refusal on another"
    );
    for workers in [2, 4] {
        run(&modules.join("waf.wasm"), workers, clients)?;
    }
    Ok(())
}

fn run(module: &Path, workers: u32, clients: u32) -> Result<()> {
    let config = json!({
        "blockList": {"threshold": {"count": 3, "window": "1m"}, "ttl": "10m"},
        "logging": {"enabled": false},
    });
    let upstream = Upstream::start()?;
    let bootstrap = Bootstrap::new(upstream.address()).listener(
        Listener::new("in")
            .filter(WasmFilter::new(module, &config).resource())
            .direct_response(),
    );
    let envoy = Envoy::start(&bootstrap, workers)?;
    let mut connections = one_of_each_worker(&envoy, workers)?;
    let (mut spread, mut ordinary, mut passed) = (Vec::new(), Vec::new(), 0u32);
    for number in 0..clients {
        let client = format!("198.18.{}.{}", number / 250, number % 250 + 1);
        let length = connections.len();
        connections.rotate_left(1 + number as usize % (length - 1));
        let Some((first, others)) = connections.split_first_mut() else {
            bail!("no connection");
        };
        let began = Instant::now();
        ensure!(send(first, HARMLESS, &client)? == 200, "{client} is new");
        ordinary.push(began.elapsed());
        for _ in 0..3 {
            ensure!(send(first, ATTACK, &client)? == 403, "an attack passed");
        }
        let third = Instant::now();
        for other in others {
            let before = passed;
            while send(other, HARMLESS, &client)? == 200 {
                passed += 1;
                ensure!(passed - before < PATIENCE, "{client} is never refused");
            }
            spread.push(third.elapsed());
        }
    }
    let refused = spread.len();
    println!(
        "  {workers} workers: p50 {:7.1}  p99 {:7.1}  max {:8.1}   passed before it: {passed} of {refused};   an ordinary request: \
         p50 {:7.1}  p99 {:7.1}",
        percentile(&mut spread, 50),
        percentile(&mut spread, 99),
        percentile(&mut spread, 100),
        percentile(&mut ordinary, 50),
        percentile(&mut ordinary, 99),
    );
    Ok(())
}

/// Connections until every worker has one; the rest are closed again.
fn one_of_each_worker(envoy: &Envoy, workers: u32) -> Result<Vec<Client>> {
    let mut connections: Vec<Option<Client>> = (0..workers).map(|_| None).collect();
    let mut counted = connections_of_workers(envoy, workers)?;
    for _ in 0..200 * workers {
        let mut client = envoy.connect("in")?;
        // Accepted by the kernel is not yet accepted by a worker.
        ensure!(send(&mut client, HARMLESS, "198.19.0.1")? == 200);
        let now = connections_of_workers(envoy, workers)?;
        let Some(worker) = now.iter().zip(&counted).position(|(now, then)| now > then) else {
            bail!("{now:?} after {counted:?}");
        };
        connections[worker].get_or_insert(client);
        counted = now;
        if connections.iter().all(Option::is_some) {
            return Ok(connections.into_iter().flatten().collect());
        }
    }
    bail!("a worker that takes no connection: {counted:?}")
}

/// How many connections each worker has ever taken.
fn connections_of_workers(envoy: &Envoy, workers: u32) -> Result<Vec<u64>> {
    let stats = envoy.admin("/stats?filter=worker_.*downstream_cx_total")?;
    (0..workers)
        .map(|worker| {
            let name = format!(".worker_{worker}.downstream_cx_total: ");
            stats
                .lines()
                .filter(|line| !line.contains(".admin."))
                .find_map(|line| line.split_once(&name)?.1.trim().parse().ok())
                .with_context(|| format!("no{name}in {stats}"))
        })
        .collect()
}

fn send(connection: &mut Client, path: &str, client: &str) -> Result<u16> {
    let fields = [("host", "tickets.example"), ("x-forwarded-for", client)]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let request = request_bytes("GET", path.as_bytes(), &fields, &Body::None);
    Ok(connection.exchange("GET", &request)?.status)
}

/// In microseconds.
fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    let at = times.get(last * percent / 100);
    at.map_or(0.0, |time| time.as_secs_f64() * 1e6)
}
