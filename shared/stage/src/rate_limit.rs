//! Rate limits in the headers phase, the word of a rate-limit service, and headers on the response.

use std::hash::{BuildHasher, RandomState};
use std::rc::Rc;
use std::time::Duration;

use backstop_http::Headers;
use backstop_plugin::host::{Buffer, call};
use backstop_plugin::metrics::{Counter, count_labelled};
use backstop_plugin::{LogLevel, host};
use backstop_rate_limit::{Decision, Limiter, Outcome, Policy, Reply, Unavailable};

use crate::Request;
use crate::proxy::{Proxy, Shared, clock_nanos};
use crate::reply::reply;
use crate::stage::{CallResponse, Flow, Passage, Stage};

const NAME: &str = "rate-limit";
const PREFIX: &str = "backstop_rate_limit";
const REQUESTS: &str = "requests_total";
const EVENTS: &str = "events_total";
const GLOBAL_REQUESTS: &str = "global_requests_total";

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

    /// What becomes of the request by the limits of this proxy. Where it did not hand out the headers, nothing can be
    /// counted, and the request passes.
    fn judge(&self, request: &mut Request) -> Verdict {
        let headers = match request.headers() {
            Ok(headers) => headers.clone(),
            Err(error) => {
                self.errors.increment();
                host::log(
                    LogLevel::Error,
                    format!("{NAME}: request headers: {error}").as_bytes(),
                );
                return Verdict::Passed(ResponseHeaders::new());
            }
        };
        let mut decision = self.limiter.decide(&Proxy::of(request), &headers);
        if decision.is_empty() {
            return Verdict::Passed(ResponseHeaders::new());
        }
        self.count(&decision);
        self.log(&decision, request, &headers);
        match self.ask(&decision) {
            None => self.conclude(&decision, &headers),
            Some(Ok(token)) => Verdict::Asked(Asked {
                token,
                since: clock_nanos(),
                decision: Box::new(decision),
            }),
            Some(Err(())) => {
                self.limiter.rule(&mut decision, Reply::NotSent);
                self.ruled(&decision, request, &headers)
            }
        }
    }

    /// Calls the rate-limit service if it is to be asked: the call's token.
    fn ask(&self, decision: &Decision) -> Option<Result<u32, ()>> {
        let question = decision.question.as_ref()?;
        let global = self.limiter.policy().global.as_ref()?;
        let called = call::grpc(
            &global.cluster,
            &global.authority,
            backstop_rls::SERVICE,
            backstop_rls::METHOD,
            &[],
            question,
            Duration::from_millis(u64::from(global.timeout_millis)),
        );
        Some(called.map_err(|error| {
            self.errors.increment();
            let line = format!(
                "{NAME}: cluster `{}` cannot be called: {error}",
                global.cluster
            );
            host::log(LogLevel::Error, line.as_bytes());
        }))
    }

    /// What becomes of a request once the service's word, or its silence, is known.
    fn ruled(&self, decision: &Decision, request: &mut Request, headers: &Headers) -> Verdict {
        self.log(decision, request, headers);
        let Some(ruling) = &decision.ruling else {
            return self.conclude(decision, headers);
        };
        if self.limiter.policy().metrics {
            let labels = [("action", ruling.outcome.word()), ("reason", ruling.word())];
            count_labelled(PREFIX, &labels, GLOBAL_REQUESTS);
        }
        let verdict = self.conclude(decision, headers);
        if matches!(verdict, Verdict::Passed(_)) {
            for (name, value) in ruling.request_headers() {
                if request.add_header(name, value).is_err() {
                    self.errors.increment();
                }
            }
        }
        verdict
    }

    /// Answers the request or lets it pass.
    fn conclude(&self, decision: &Decision, headers: &Headers) -> Verdict {
        if decision.is_notable() {
            // Access logs then show the verdict. A host without filter state is no reason to fail.
            let verdict = self.limiter.verdict(decision);
            let _ = host::set_property(&["rate_limit_verdict"], verdict.as_bytes());
        }
        let Some(answer) = self.limiter.answer(decision, headers) else {
            return Verdict::Passed(self.limiter.response_headers(decision));
        };
        if !reply(NAME, &answer) {
            self.errors.increment();
        }
        Verdict::Answered
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
        let level = if decision.is_notable() {
            LogLevel::Warn
        } else {
            LogLevel::Info
        };
        let policy = self.limiter.policy();
        let wanted = policy.log && (decision.is_notable() || !policy.log_only_limited);
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
            waiting: None,
            pending: ResponseHeaders::new(),
        })
    }
}

/// What the limits say to a request so far.
enum Verdict {
    /// It passes, and its response gets these headers: mostly none.
    Passed(ResponseHeaders),
    /// It was answered.
    Answered,
    /// The rate-limit service has been asked.
    Asked(Asked),
}

/// A call that is under way.
struct Asked {
    token: u32,
    /// When it began.
    since: u64,
    /// What its answer completes.
    decision: Box<Decision>,
}

/// One request.
struct Check {
    limits: Rc<RateLimit>,
    waiting: Option<Asked>,
    /// What the response gets, once.
    pending: ResponseHeaders,
}

impl Check {
    fn follow(&mut self, verdict: Verdict) -> Flow {
        match verdict {
            Verdict::Passed(headers) => {
                self.pending = headers;
                Flow::Continue
            }
            Verdict::Answered => Flow::Answered,
            Verdict::Asked(asked) => {
                self.waiting = Some(asked);
                Flow::Wait
            }
        }
    }
}

impl Passage for Check {
    fn on_request_headers(&mut self, request: &mut Request) -> Flow {
        let verdict = self.limits.judge(request);
        self.follow(verdict)
    }

    fn on_call_response(
        &mut self,
        request: &mut Request,
        token: u32,
        response: CallResponse,
    ) -> Flow {
        let CallResponse::Grpc { status, message } = response else {
            return Flow::Wait;
        };
        let Some(asked) = self.waiting.take_if(|asked| asked.token == token) else {
            return Flow::Wait;
        };
        let limits = &self.limits;
        let mut decision = asked.decision;
        if status == 0 {
            // A message that the proxy does not hand out is one without bytes: it says nothing, and is found malformed.
            let bytes = host::buffer(Buffer::GrpcMessage, 0, message).unwrap_or_default();
            limits.limiter.rule(&mut decision, Reply::Message(&bytes));
        } else {
            let waited = clock_nanos().saturating_sub(asked.since);
            let reply = Reply::Status(status, waited);
            limits.limiter.rule(&mut decision, reply);
        }
        let none = Rc::default();
        let headers = request.headers().map_or(none, Rc::clone);
        let verdict = limits.ruled(&decision, request, &headers);
        self.follow(verdict)
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
pub(crate) fn namespace() -> Vec<u8> {
    let mut namespace = Vec::new();
    for name in ["plugin_name", "plugin_root_id"] {
        // A host that does not tell has one plugin, or is told apart by the limits alone.
        namespace.extend(host::property(&[name]).unwrap_or_default());
        namespace.push(0);
    }
    namespace
}

/// Random bytes: the standard library's hash keys are the host's (`random_get`).
pub(crate) fn random() -> [u8; 16] {
    let state = RandomState::new();
    let mut bytes = [0; 16];
    let (first, second) = bytes.split_at_mut(8);
    first.copy_from_slice(&state.hash_one(1_u8).to_le_bytes());
    second.copy_from_slice(&state.hash_one(2_u8).to_le_bytes());
    bytes
}
