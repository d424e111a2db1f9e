//! Rate limits in the headers phase, and their headers on the response.

use std::hash::{BuildHasher, RandomState};

use backstop_http::Headers;
use backstop_plugin::host::HostError;
use backstop_plugin::metrics::{Counter, count_labelled};
use backstop_plugin::{LogLevel, host};
use backstop_rate_limit::{
    Decision, Host, Limiter, Outcome, Policy, SharedData, Stored, Unavailable, Written,
};

use crate::Flow;
use crate::reply::reply;

const NAME: &str = "rate-limit";
const PREFIX: &str = "backstop_rate_limit";
const REQUESTS: &str = "requests_total";
const EVENTS: &str = "events_total";

/// Rate limits under one configuration.
#[derive(Debug)]
pub struct RateLimit {
    limiter: Limiter,
    /// Requests by limit that pass.
    allowed: Vec<Counter>,
    /// Requests by limit that are refused.
    limited: Vec<Counter>,
    errors: Counter,
    proxy: Proxy,
}

/// What is to be added to a response.
pub type ResponseHeaders = Vec<(String, String)>;

impl RateLimit {
    /// Reads and compiles the configuration, and finds its tables in shared data. Buckets belong to the plugin, by its name
    /// and root id, and to the limit.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed; or that the proxy has no shared data.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        let policy = Policy::from_json(json).map_err(|error| error.to_string())?;
        let counters = |outcome: Outcome| -> Vec<Counter> {
            policy
                .limit_names()
                .map(|limit| Counter::labelled(PREFIX, &labels(limit, outcome), REQUESTS))
                .collect()
        };
        let (allowed, limited) = (counters(Outcome::Allowed), counters(Outcome::Limited));
        let proxy = Proxy {
            monotonic: host::monotonic_nanos().is_some(),
        };
        let limiter = Limiter::open(policy, &namespace(), &proxy, random())
            .map_err(|Unavailable| format!("{NAME}: the proxy has no shared data"))?;
        // What earlier configurations left and is still in use goes with the next configuration.
        let _ = limiter.reclaim(&proxy, proxy.clock_nanos());
        Ok(Self {
            limiter,
            allowed,
            limited,
            errors: Counter::new("backstop_rate_limit.errors_total"),
            proxy,
        })
    }

    /// The headers phase; with it, what is to be added to the response, mostly nothing. `headers` is the whole list, or why
    /// the proxy did not hand it out: then nothing can be counted, and the request passes.
    pub fn on_request_headers(&self, headers: &Result<Headers, String>) -> (Flow, ResponseHeaders) {
        let headers = match headers {
            Ok(headers) => headers,
            Err(error) => {
                self.errors.increment();
                host::log(
                    LogLevel::Error,
                    format!("{NAME}: request headers: {error}").as_bytes(),
                );
                return (Flow::Continue, ResponseHeaders::new());
            }
        };
        let decision = self.limiter.decide(&self.proxy, headers);
        if decision.checks.is_empty() {
            return (Flow::Continue, ResponseHeaders::new());
        }
        self.count(&decision);
        self.log(&decision, headers);
        if decision.is_over() {
            // Access logs then show the verdict. A host without filter state is no reason to fail.
            let verdict = self.limiter.verdict(&decision);
            let _ = host::set_property(&["rate_limit_verdict"], verdict.as_bytes());
        }
        match self.limiter.answer(&decision, headers) {
            Some(answer) => {
                if !reply(NAME, &answer) {
                    self.errors.increment();
                }
                (Flow::Answered, ResponseHeaders::new())
            }
            None => (Flow::Continue, self.limiter.response_headers(&decision)),
        }
    }

    /// The response headers phase of a request that passed.
    pub fn on_response_headers(&self, headers: &ResponseHeaders) {
        for (name, value) in headers {
            if host::add_response_header(name, value).is_err() {
                self.errors.increment();
            }
        }
    }

    fn count(&self, decision: &Decision) {
        if !self.limiter.policy().metrics {
            return;
        }
        for check in &decision.checks {
            let counter = match check.outcome {
                Outcome::Allowed => self.allowed.get(check.limit),
                Outcome::Limited => self.limited.get(check.limit),
                Outcome::WouldLimit | Outcome::NotTaken => None,
            };
            let limit = self.limiter.name(check);
            match counter {
                Some(counter) => counter.increment(),
                None => count_labelled(PREFIX, &labels(limit, check.outcome), REQUESTS),
            }
            if let Some(event) = check.event {
                count_labelled(PREFIX, &[("limit", limit), ("event", event.word())], EVENTS);
            }
        }
    }

    fn log(&self, decision: &Decision, headers: &Headers) {
        let level = if decision.is_over() {
            LogLevel::Warn
        } else {
            LogLevel::Info
        };
        let policy = self.limiter.policy();
        let wanted = policy.log && (decision.is_over() || !policy.log_only_limited);
        if !wanted || !host::logs(level) {
            return;
        }
        let now = host::unix_nanos() / 1_000_000;
        if let Some(line) = self.limiter.log_line(decision, headers, &self.proxy, now) {
            host::log(level, line.as_bytes());
        }
    }
}

/// The limit's name, and what it said: `allowed`, `limited`, `shadow` or `not-taken`.
const fn labels(limit: &str, outcome: Outcome) -> [(&'static str, &str); 2] {
    [("limit", limit), ("action", outcome.word())]
}

/// What makes this plugin's buckets its own.
fn namespace() -> Vec<u8> {
    let mut namespace = Vec::new();
    for name in ["plugin_name", "plugin_root_id"] {
        // A host that does not tell has one plugin, or is told apart by the limits alone.
        namespace.extend(host::property(&[name]).unwrap_or_default());
        namespace.push(0);
    }
    namespace
}

/// Random bytes: the standard library's hash keys are the host's (`random_get`).
fn random() -> [u8; 16] {
    let state = RandomState::new();
    let mut bytes = [0; 16];
    let (first, second) = bytes.split_at_mut(8);
    first.copy_from_slice(&state.hash_one(1_u8).to_le_bytes());
    second.copy_from_slice(&state.hash_one(2_u8).to_le_bytes());
    bytes
}

/// The proxy, as the limits ask it.
#[derive(Debug)]
struct Proxy {
    /// Whether the proxy has a clock that only goes forward.
    monotonic: bool,
}

impl SharedData for Proxy {
    fn get(&self, key: &[u8]) -> Result<Option<Stored>, Unavailable> {
        match host::shared_data(key) {
            Ok((value, cas)) => Ok(Some(Stored { value, cas })),
            Err(HostError::NotFound) => Ok(None),
            Err(_) => Err(Unavailable),
        }
    }

    fn set(&self, key: &[u8], value: &[u8], cas: u32) -> Result<Written, Unavailable> {
        match host::set_shared_data(key, value, cas) {
            Ok(()) => Ok(Written::Done),
            Err(HostError::CasMismatch) => Ok(Written::Conflict),
            Err(_) => Err(Unavailable),
        }
    }
}

impl Host for Proxy {
    fn source_address(&self) -> Option<Vec<u8>> {
        host::property(&["source", "address"]).ok()
    }

    fn clock_nanos(&self) -> u64 {
        if self.monotonic {
            // Once there, it stays.
            host::monotonic_nanos().unwrap_or(0)
        } else {
            host::unix_nanos()
        }
    }
}
