//! An HTTP/1.1 load of fixed pace over several kept-alive connections, and what a rate limit makes of it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::client::{Body, Client, request_bytes};

/// The field by which limiters tell keys apart.
pub const KEY: &str = "x-key";
/// The response field with Envoy's own time at the request's start, in microseconds: [`crate::Listener::start_time`].
pub const START: &str = "x-e2e-start";

/// A load: request `i` is for key `i mod keys`, due at `i / per_second`, on connection `i mod connections`. A connection
/// that is behind sends at once: nothing is left out because the server is slow.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Kept-alive connections.
    pub connections: usize,
    /// Different keys.
    pub keys: usize,
    /// Requests in a second, over all connections.
    pub per_second: u32,
    /// How long.
    pub duration: Duration,
}

/// What became of one key's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Those that passed.
    pub admitted: u32,
    /// All of them.
    pub sent: u32,
    /// Envoy's time at the first one, in microseconds.
    pub first: u64,
    /// And at the last one.
    pub last: u64,
}

impl Load {
    /// Sends it; what became of each key.
    ///
    /// # Errors
    /// When a connection breaks, or an answer is neither 200 nor 429.
    pub fn run(&self, address: SocketAddr) -> Result<HashMap<usize, Seen>> {
        let total = (self.duration.as_secs_f64() * f64::from(self.per_second)) as usize;
        let begin = Instant::now() + Duration::from_millis(50);
        let parts = thread::scope(|scope| {
            let sender = |connection| {
                scope.spawn(move || {
                    self.send(
                        address,
                        begin,
                        (connection..total).step_by(self.connections),
                    )
                })
            };
            let senders: Vec<_> = (0..self.connections).map(sender).collect();
            let joined = senders.into_iter().map(|sender| {
                sender
                    .join()
                    .map_err(|_| anyhow::anyhow!("a sender panicked"))?
            });
            joined.collect::<Result<Vec<_>>>()
        })?;
        let mut all: HashMap<usize, Seen> = HashMap::new();
        for (key, seen) in parts.into_iter().flatten() {
            all.entry(key)
                .and_modify(|sum| {
                    sum.admitted += seen.admitted;
                    sum.sent += seen.sent;
                    sum.first = sum.first.min(seen.first);
                    sum.last = sum.last.max(seen.last);
                })
                .or_insert(seen);
        }
        Ok(all)
    }

    fn send(
        &self,
        address: SocketAddr,
        begin: Instant,
        numbers: impl Iterator<Item = usize>,
    ) -> Result<HashMap<usize, Seen>> {
        let mut client = Client::connect(address)?;
        let mut all: HashMap<usize, Seen> = HashMap::new();
        for number in numbers {
            let due = begin + Duration::from_secs_f64(number as f64 / f64::from(self.per_second));
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let key = number % self.keys;
            let fields = [
                ("host".to_owned(), b"shop.example".to_vec()),
                (KEY.to_owned(), format!("key-{key}").into_bytes()),
            ];
            let bytes = request_bytes("GET", b"/pay", &fields, &Body::None);
            let response = client.exchange("GET", &bytes)?;
            let admitted = match response.status {
                200 => 1,
                429 => 0,
                other => bail!("status {other}"),
            };
            let start = response.field(START).context("no start time")?;
            let start: u64 = start.parse().context("start time")?;
            let fresh = Seen {
                admitted: 0,
                sent: 0,
                first: start,
                last: start,
            };
            let seen = all.entry(key).or_insert(fresh);
            seen.admitted += admitted;
            seen.sent += 1;
            seen.first = seen.first.min(start);
            seen.last = seen.last.max(start);
        }
        Ok(all)
    }
}

impl Seen {
    /// Whole tokens that a bucket gives from the key's first request to its last: a full one, and the rate over the time
    /// in between.
    pub fn expected(&self, burst: u32, rate: u32) -> u32 {
        let micros = u128::from(self.last.saturating_sub(self.first));
        let filled = micros * u128::from(rate) / 1_000_000;
        (burst + u32::try_from(filled).unwrap_or(u32::MAX - burst)).min(self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_tokens_are_expected_and_no_more_than_were_asked_for() {
        let seen = |micros: u64, sent| Seen {
            admitted: 0,
            sent,
            first: 7,
            last: 7 + micros,
        };
        assert_eq!(seen(0, 100).expected(5, 2), 5);
        assert_eq!(seen(499_999, 100).expected(5, 2), 5);
        assert_eq!(seen(500_000, 100).expected(5, 2), 6);
        assert_eq!(seen(10_000_000, 100).expected(5, 2), 25);
        assert_eq!(seen(10_000_000, 12).expected(5, 2), 12);
    }
}
