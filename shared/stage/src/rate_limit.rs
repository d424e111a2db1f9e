//! Rate limits in the headers phase, and their headers on the response.

use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;

use backstop_http::Headers;
use backstop_plugin::metrics::{Counter, count_labelled};
use backstop_plugin::{LogLevel, host};
use backstop_rate_limit::{Decision, Limiter, Outcome, Policy, Unavailable};

use crate::Request;
use crate::proxy::{Proxy, Shared, clock_nanos};
use crate::reply::reply;
use crate::stage::{Flow, Passage, Stage};

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
}

/// What is to be added to a response.
type ResponseHeaders = Vec<(String, String)>;

impl RateLimit {
    /// Reads and compiles the configuration, and finds its tables in shared data. Buckets belong to the plugin, by its name
    /// and root id, and to the limit.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed; or that the proxy has no shared data.
    pub fn from_json(json: &[u8]) -> Result<Self, String> {
        Self::open(Policy::from_json(json).map_err(|error| error.to_string())?)
    }

    /// The stage of a compiled configuration, with its tables in shared data.
    ///
    /// # Errors
    /// That the proxy has no shared data.
    pub fn open(policy: Policy) -> Result<Self, String> {
        let counters = |outcome: Outcome| -> Vec<Counter> {
            policy
                .limit_names()
                .map(|limit| Counter::labelled(PREFIX, &labels(limit, outcome), REQUESTS))
                .collect()
        };
        let (allowed, limited) = (counters(Outcome::Allowed), counters(Outcome::Limited));
        let limiter = Limiter::open(policy, &namespace(), &Shared, random())
            .map_err(|Unavailable| format!("{NAME}: the proxy has no shared data"))?;
        // What earlier configurations left and is still in use goes with the next configuration.
        let _ = limiter.reclaim(&Shared, clock_nanos());
        Ok(Self {
            limiter,
            allowed,
            limited,
            errors: Counter::new("backstop_rate_limit.errors_total"),
        })
    }

    /// What becomes of the request; with it, what is to be added to the response, mostly nothing. Where the proxy did not
    /// hand out the headers, nothing can be counted, and the request passes.
    fn judge(&self, request: &Request) -> (Flow, ResponseHeaders) {
        let headers = match request.headers() {
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
        let decision = self.limiter.decide(&Proxy::of(request), headers);
        if decision.checks.is_empty() {
            return (Flow::Continue, ResponseHeaders::new());
        }
        self.count(&decision);
        self.log(&decision, request, headers);
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

    fn mark(&self, headers: ResponseHeaders) {
        for (name, value) in headers {
            if host::add_response_header(&name, &value).is_err() {
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

    fn log(&self, decision: &Decision, request: &Request, headers: &Headers) {
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
        let proxy = Proxy::of(request);
        if let Some(line) = self.limiter.log_line(decision, headers, &proxy, now) {
            host::log(level, line.as_bytes());
        }
    }
}

impl Stage for RateLimit {
    fn begin(self: Rc<Self>) -> Box<dyn Passage> {
        Box::new(Check {
            limits: self,
            pending: ResponseHeaders::new(),
        })
    }
}

/// One request.
struct Check {
    limits: Rc<RateLimit>,
    /// What the response gets, once.
    pending: ResponseHeaders,
}

impl Passage for Check {
    fn on_request_headers(&mut self, request: &mut Request) -> Flow {
        let (flow, pending) = self.limits.judge(request);
        self.pending = pending;
        flow
    }

    fn on_response_headers(&mut self) {
        self.limits.mark(std::mem::take(&mut self.pending));
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
