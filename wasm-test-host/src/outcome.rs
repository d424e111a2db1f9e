//! What came of a request, and everything a filter did on the way.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::callouts::{GrpcCall, HttpCall};
use crate::failure::Failure;
use crate::headers::HeaderMap;

/// Log levels of the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

impl LogLevel {
    pub(crate) fn from_abi(value: u32) -> Option<Self> {
        Some(match value {
            0 => Self::Trace,
            1 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            5 => Self::Critical,
            _ => return None,
        })
    }
}

/// Which VM something happened in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmRole {
    /// The throw-away VM that tries a configuration first.
    Canary,
    /// The VM of Envoy's main thread: it runs timers and queues, never requests.
    Main,
    /// The VM of that worker.
    Worker(usize),
}

/// One line a guest logged, or wrote to stdout or stderr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its level; stdout counts as info, stderr as error.
    pub level: LogLevel,
    /// The plugin's name.
    pub plugin: String,
    /// The VM it ran in.
    pub vm: VmRole,
    /// The text, invalid UTF-8 replaced.
    pub message: String,
}

/// Cost of one guest callback, the host calls that it makes included. Fuel counts WebAssembly operators: the same on every
/// machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackCost {
    /// Position of the plugin in the chain's configuration.
    pub plugin: usize,
    /// Export name without `proxy_`.
    pub callback: &'static str,
    /// Fuel it used; 0 when the module is compiled without fuel.
    pub fuel: u64,
    /// From the call into the guest to its return. Counting fuel slows the guest: time is that of a proxy's code only when
    /// the module is compiled without.
    pub time: Duration,
}

/// What the upstream saw of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upstream {
    /// Headers as they left the last filter.
    pub headers: HeaderMap,
    /// Body bytes that were passed on.
    pub body: Vec<u8>,
    /// Trailers, if any were passed on.
    pub trailers: Option<HeaderMap>,
    /// Whether the request reached its end. Headers without it: they leaked before the verdict, and the upstream
    /// saw the connection cut.
    pub complete: bool,
}

/// A call-out a filter made.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Callout {
    Http(HttpCall),
    Grpc(GrpcCall),
}

/// Everything that came of one request.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Status the client got; 0 when it got none (stalled, or reset).
    pub status: u16,
    /// Envoy's `%RESPONSE_CODE_DETAILS%`: `via_upstream`, `request_payload_too_large`, `wasm_fail_stream`, or the
    /// details of the filter's local reply.
    pub details: String,
    /// Response headers the client got, `:status` included.
    pub response_headers: HeaderMap,
    /// Response body the client got.
    pub response_body: Vec<u8>,
    /// Response trailers, if any.
    pub response_trailers: Option<HeaderMap>,
    /// What reached the upstream; `None` when it was never contacted.
    pub upstream: Option<Upstream>,
    /// How often the request's headers reached the upstream. More than once: a filter resumed a request that it had
    /// not paused, and Envoy then sends it twice (Envoy 1.37, verified).
    pub upstream_contacts: u32,
    /// What guests logged meanwhile.
    pub logs: Vec<LogLine>,
    /// Properties set, under Envoy's names (`wasm.<path>`).
    pub filter_state: BTreeMap<String, Vec<u8>>,
    /// Call-outs made, in order.
    pub callouts: Vec<Callout>,
    /// Cost of each guest callback, in order.
    pub costs: Vec<CallbackCost>,
    /// Guests that failed meanwhile.
    pub failures: Vec<Failure>,
    /// The request hung: a filter paused it and nothing was left that could resume it.
    pub stalled: bool,
    /// The stream was reset instead of answered, or cut in mid-response.
    pub reset: bool,
}

impl Outcome {
    /// Fuel of all callbacks together.
    pub fn fuel(&self) -> u64 {
        self.costs.iter().map(|cost| cost.fuel).sum()
    }

    /// Time of all callbacks together: what the filter adds to the request, without this host's own work on it.
    pub fn time(&self) -> Duration {
        self.costs.iter().map(|cost| cost.time).sum()
    }

    /// The first failure, if a guest failed.
    pub fn failure(&self) -> Option<&Failure> {
        self.failures.first()
    }

    /// `grpc-status` of the answer: from its trailers, or its headers when there are only those.
    pub fn grpc_status(&self) -> Option<u32> {
        let in_trailers = self
            .response_trailers
            .as_ref()
            .and_then(|trailers| trailers.text("grpc-status"));
        in_trailers
            .or_else(|| self.response_headers.text("grpc-status"))?
            .parse()
            .ok()
    }

    /// Whether the whole request reached the upstream.
    pub fn passed(&self) -> bool {
        self.upstream
            .as_ref()
            .is_some_and(|upstream| upstream.complete)
    }

    /// A property the filter set with `set_property([name])`, as text.
    pub fn state(&self, name: &str) -> Option<String> {
        let value = self.filter_state.get(&format!("wasm.{name}"))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Whether a log line contains this text.
    pub fn logged(&self, text: &str) -> bool {
        self.logs.iter().any(|line| line.message.contains(text))
    }

    /// Response body as text, invalid UTF-8 replaced.
    pub fn response_text(&self) -> String {
        String::from_utf8_lossy(&self.response_body).into_owned()
    }

    /// How often a callback ran, over all plugins.
    pub fn calls(&self, callback: &str) -> usize {
        self.costs
            .iter()
            .filter(|cost| cost.callback == callback)
            .count()
    }
}
