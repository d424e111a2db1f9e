//! Origin verify in the headers phase.

use std::rc::Rc;

use backstop_http::Headers;
use backstop_origin_verify::{ConfigError, Outcome, Policy, Refusal, Verdict};
use backstop_plugin::metrics::{Counter, count_labelled};
use backstop_plugin::{LogLevel, host};

use crate::Request;
use crate::proxy::Proxy;
use crate::reply::reply;
use crate::stage::{Flow, Passage, Stage};

const NAME: &str = "origin-verify";
const PREFIX: &str = "backstop_origin_verify";
const REQUESTS: &str = "requests_total";
/// The label of requests that no known secret came with.
const NO_SECRET: &str = "none";

/// Origin verify under one configuration.
#[derive(Debug)]
pub struct OriginVerify {
    policy: Policy,
    errors: Counter,
    /// Accepted requests by secret.
    accepted: Vec<Counter>,
    exempt: Counter,
}

impl OriginVerify {
    /// Reads and compiles the configuration.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        Ok(Self::new(Policy::from_json(json)?))
    }

    /// The stage of a compiled configuration.
    pub fn new(policy: Policy) -> Self {
        Self {
            accepted: policy
                .secret_names()
                .map(|name| counter("accepted", name))
                .collect(),
            exempt: counter("exempt", NO_SECRET),
            errors: Counter::new("backstop_origin_verify.errors_total"),
            policy,
        }
    }

    fn judge(&self, request: &mut Request) -> Flow {
        let none = Headers::default();
        let proxy = Proxy::of(request);
        let (seen, outcome) = match request.headers() {
            Ok(headers) => (&**headers, self.policy.verify(headers, &proxy)),
            Err(error) => {
                self.error(&format!("request headers: {error}"));
                let refusal = Refusal::HeadersUnreadable;
                (&none, self.policy.failed(refusal, &none, &proxy))
            }
        };
        let flow = self.conclude(seen, &outcome);
        if flow == Flow::Answered || !outcome.remove_header {
            return flow;
        }
        let Err(error) = request.remove_header(self.policy.header()) else {
            return Flow::Continue;
        };
        self.error(&format!("the header could not be removed: {error}"));
        let refusal = Refusal::HeaderNotRemoved;
        let seen = request.headers().map_or(&none, |headers| headers);
        let outcome = self.policy.failed(refusal, seen, &Proxy::of(request));
        self.conclude(seen, &outcome)
    }

    /// Counts, logs, answers.
    fn conclude(&self, headers: &Headers, outcome: &Outcome) -> Flow {
        self.count(outcome.verdict);
        self.log(headers, outcome);
        let Some(answer) = &outcome.reply else {
            return Flow::Continue;
        };
        if !reply(NAME, answer) {
            self.errors.increment();
        }
        Flow::Answered
    }

    fn error(&self, message: &str) {
        self.errors.increment();
        host::log(LogLevel::Error, format!("{NAME}: {message}").as_bytes());
    }

    fn count(&self, verdict: Verdict) {
        if !self.policy.metrics {
            return;
        }
        match verdict {
            Verdict::Exempt => self.exempt.increment(),
            Verdict::Accepted(position) => {
                if let Some(counter) = self.accepted.get(position) {
                    counter.increment();
                }
            }
            Verdict::Refused(refusal, secret) => {
                let secret = secret.map_or(NO_SECRET, |position| self.policy.secret_name(position));
                count_labelled(PREFIX, &labels(refusal.word(), secret), REQUESTS);
            }
        }
    }

    fn log(&self, headers: &Headers, outcome: &Outcome) {
        if !self.policy.log
            || !matches!(outcome.verdict, Verdict::Refused(..))
            || !host::logs(LogLevel::Warn)
        {
            return;
        }
        let now = host::unix_nanos() / 1_000_000;
        if let Some(line) = self.policy.log_line(headers, outcome, now) {
            host::log(LogLevel::Warn, line.as_bytes());
        }
    }
}

impl Stage for OriginVerify {
    fn begin(self: Rc<Self>) -> Box<dyn Passage> {
        Box::new(Check(self))
    }
}

/// One request.
struct Check(Rc<OriginVerify>);

impl Passage for Check {
    fn on_request_headers(&mut self, request: &mut Request) -> Flow {
        self.0.judge(request)
    }
}

/// `result` is `accepted`, `exempt` or the refusal's word; `secret` the name of the secret that was sent, if it is known.
const fn labels<'a>(result: &'a str, secret: &'a str) -> [(&'static str, &'a str); 2] {
    [("result", result), ("secret", secret)]
}

fn counter(result: &str, secret: &str) -> Counter {
    Counter::labelled(PREFIX, &labels(result, secret), REQUESTS)
}
