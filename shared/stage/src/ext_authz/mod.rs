//! The bot verdict on critical APIs: the service is asked in the headers phase, and the request waits for its answer.

mod call;
mod passage;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use backstop_ext_authz::hold::Held;
use backstop_ext_authz::notify::{Fate, Queue};
use backstop_ext_authz::policy::Endpoint;
use backstop_ext_authz::{Effect, Ending, Gate, Outcome, Policy};
use backstop_http::Headers;
use backstop_plugin::host::call as host_call;
use backstop_plugin::metrics::{Counter, Histogram, count_labelled};
use backstop_plugin::{LogLevel, host};

use crate::proxy::{Asking, Shared, clock_nanos};
use crate::rate_limit::{namespace, random};
use crate::stage::{CallResponse, Passage, Stage};

use passage::Check;

const NAME: &str = "ext-authz";
const PREFIX: &str = "backstop_ext_authz";
const REQUESTS: &str = "requests_total";
const EVENTS: &str = "events_total";
/// How exactly held requests go on, and how often the queue is looked at.
const TICK_MILLIS: u32 = 10;

/// The verdicts under one configuration.
#[derive(Debug)]
pub struct ExtAuthz {
    gate: Gate,
    held: RefCell<Held>,
    queue: RefCell<Option<Telling>>,
    latency: Histogram,
    errors: Counter,
}

/// The block list's endpoint, what it is still to be told, and what is on its way.
#[derive(Debug)]
struct Telling {
    endpoint: Endpoint,
    queue: Queue,
    /// Numbers of messages by the tokens of their calls.
    calls: BTreeMap<u32, u64>,
}

impl ExtAuthz {
    /// Reads and compiles the configuration, and finds its tables in shared data. The breaker and the cache belong to the
    /// plugin, by its name and root id; the block list to its own name.
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
        let gate = Gate::open(policy, &namespace(), &Shared, random())
            .map_err(|_| format!("{NAME}: the proxy has no shared data"))?;
        let policy = gate.policy();
        Ok(Self {
            held: RefCell::new(Held::new(policy.max_held)),
            queue: RefCell::new(policy.notify.clone().map(|endpoint| Telling {
                queue: Queue::new(endpoint.patience),
                calls: BTreeMap::new(),
                endpoint,
            })),
            gate,
            latency: Histogram::new("backstop_ext_authz.call_duration_ms"),
            errors: Counter::new("backstop_ext_authz.errors_total"),
        })
    }

    fn event(&self, word: &str) {
        if self.gate.policy().metrics {
            count_labelled(PREFIX, &[("event", word)], EVENTS);
        }
    }

    fn error(&self, what: &str, error: impl std::fmt::Display) {
        self.errors.increment();
        host::log(
            LogLevel::Error,
            format!("{NAME}: {what}: {error}").as_bytes(),
        );
    }

    /// Takes what the endpoint is to be told; a tick sends it.
    fn tell(&self, messages: Vec<String>) {
        let Ok(mut telling) = self.queue.try_borrow_mut() else {
            return;
        };
        let Some(telling) = telling.as_mut() else {
            return;
        };
        for message in messages {
            if !telling.queue.push(message.into_bytes(), clock_nanos()) {
                self.event("notify-dropped");
            }
        }
        self.wake(true);
    }

    /// Asks for ticks while there is something to do, and only then.
    fn wake(&self, wanted: bool) {
        let millis = if wanted { TICK_MILLIS } else { 0 };
        if let Err(error) = host_call::set_tick_period(millis) {
            self.error("no ticks", error);
        }
    }

    /// Sends what the endpoint is to be told. For the root context: a call ends with the context that made it.
    fn send(&self, telling: &mut Telling) {
        let now = clock_nanos();
        while let Some(message) = telling.queue.send(now) {
            let length = message.body.len().to_string();
            let headers = [
                (":method", "POST"),
                (":path", telling.endpoint.path.as_str()),
                (":authority", telling.endpoint.authority.as_str()),
                ("content-type", "application/json"),
                ("content-length", length.as_str()),
            ];
            let endpoint = &telling.endpoint;
            match host_call::http(&endpoint.cluster, &headers, &message.body, endpoint.timeout) {
                Ok(token) => {
                    telling.calls.insert(token, message.number);
                }
                Err(_) => self.told(telling.queue.outcome(message.number, false, now)),
            }
        }
    }

    fn told(&self, fate: Fate) {
        match fate {
            Fate::Delivered => self.event("notify-delivered"),
            Fate::Again { .. } => self.event("notify-again"),
            Fate::Dropped => self.event("notify-dropped"),
            Fate::Unknown => {}
        }
    }

    fn count(&self, ending: &Ending) {
        if !self.gate.policy().metrics {
            return;
        }
        let event_type = self.event_type(ending);
        let cached = matches!(ending.outcome, Outcome::Verdict { cached: true, .. });
        let labels = [
            ("event_type", event_type),
            ("outcome", ending.outcome.word()),
            ("action", action(&ending.effect)),
            ("cached", if cached { "true" } else { "false" }),
        ];
        count_labelled(PREFIX, &labels, REQUESTS);
    }

    fn event_type<'a>(&'a self, ending: &Ending) -> &'a str {
        ending
            .api
            .and_then(|api| self.gate.api(api))
            .map_or("-", |api| api.event_type.as_str())
    }

    fn log(&self, ending: &Ending, headers: &Headers, asking: &Asking<'_>, millis: Option<u64>) {
        let policy = self.gate.policy();
        let usual = matches!(
            ending.outcome,
            Outcome::Verdict {
                verdict: backstop_ext_authz::Verdict::None,
                ..
            }
        );
        let level = if usual {
            LogLevel::Info
        } else {
            LogLevel::Warn
        };
        if !policy.log || (usual && policy.log_only_unusual) || !host::logs(level) {
            return;
        }
        let now = host::unix_nanos() / 1_000_000;
        let line = self
            .gate
            .log_line(ending, action(&ending.effect), headers, asking, millis, now);
        host::log(level, line.as_bytes());
    }
}

/// What becomes of the request, in one word.
const fn action(effect: &Effect) -> &'static str {
    match effect {
        Effect::Pass(_) => "pass",
        Effect::Hold(..) => "hold",
        Effect::Refuse(_) => "refuse",
    }
}

impl Stage for ExtAuthz {
    fn begin(self: Rc<Self>) -> Box<dyn Passage> {
        Box::new(Check::new(self))
    }

    fn on_tick(&self) -> Vec<u32> {
        let mut due = Vec::new();
        let mut busy = false;
        if let Ok(mut held) = self.held.try_borrow_mut() {
            let now = clock_nanos();
            while let Some(request) = held.release(now) {
                due.push(request);
            }
            busy |= !held.is_empty();
        }
        if let Ok(mut telling) = self.queue.try_borrow_mut()
            && let Some(telling) = telling.as_mut()
        {
            self.send(telling);
            busy |= !telling.queue.is_empty();
        }
        if !busy {
            self.wake(false);
        }
        due
    }

    fn on_call_response(&self, token: u32, response: CallResponse) -> bool {
        let Ok(mut telling) = self.queue.try_borrow_mut() else {
            return false;
        };
        let Some(telling) = telling.as_mut() else {
            return false;
        };
        let Some(number) = telling.calls.remove(&token) else {
            return false;
        };
        let taken = match response {
            CallResponse::Http { headers, .. } if headers > 0 => host_call::http_response_headers()
                .ok()
                .and_then(|raw| Headers::parse(raw).ok())
                .is_some_and(|headers| {
                    headers
                        .first(b":status")
                        .is_some_and(|status| status.len() == 3 && status.starts_with(b"2"))
                }),
            CallResponse::Http { .. } | CallResponse::Grpc { .. } => false,
        };
        self.told(telling.queue.outcome(number, taken, clock_nanos()));
        true
    }
}
