//! Origin verify in the headers phase.

use backstop_http::Headers;
use backstop_origin_verify::{ConfigError, Outcome, Policy, Refusal, Verdict};
use backstop_plugin::metrics::{Counter, count_labelled};
use backstop_plugin::{LogLevel, host};

use crate::Flow;
use crate::proxy::Proxy;
use crate::reply::reply;

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
        let policy = Policy::from_json(json)?;
        Ok(Self {
            accepted: policy
                .secret_names()
                .map(|name| counter("accepted", name))
                .collect(),
            exempt: counter("exempt", NO_SECRET),
            errors: Counter::new("backstop_origin_verify.errors_total"),
            policy,
        })
    }

    /// The headers phase. `headers` is the whole list, or why the proxy did not hand it out.
    pub fn on_request_headers(&self, headers: &Result<Headers, String>) -> Flow {
        let none = Headers::default();
        let (seen, outcome) = match headers {
            Ok(headers) => (headers, self.policy.verify(headers, &Proxy)),
            Err(error) => {
                self.error(&format!("request headers: {error}"));
                let refusal = Refusal::HeadersUnreadable;
                (&none, self.policy.failed(refusal, &none, &Proxy))
            }
        };
        let flow = self.conclude(seen, &outcome);
        if flow == Flow::Answered || !outcome.remove_header {
            return flow;
        }
        match host::remove_request_header(self.policy.header()) {
            Ok(()) => Flow::Continue,
            Err(error) => {
                self.error(&format!("the header could not be removed: {error}"));
                let refusal = Refusal::HeaderNotRemoved;
                self.conclude(seen, &self.policy.failed(refusal, seen, &Proxy))
            }
        }
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

/// `result` is `accepted`, `exempt` or the refusal's word; `secret` the name of the secret that was sent, if it is known.
const fn labels<'a>(result: &'a str, secret: &'a str) -> [(&'static str, &'a str); 2] {
    [("result", result), ("secret", secret)]
}

fn counter(result: &str, secret: &str) -> Counter {
    Counter::labelled(PREFIX, &labels(result, secret), REQUESTS)
}
