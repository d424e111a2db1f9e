//! The bot verdict on critical APIs: the service is asked in the headers phase, and the request waits for its answer.

mod call;
mod changes;
mod passage;

use std::cell::RefCell;
use std::rc::Rc;

use backstop_ext_authz::hold::Held;
use backstop_ext_authz::{Effect, Ending, Gate, Outcome, Policy};
use backstop_http::Headers;
use backstop_plugin::metrics::{Counter, Histogram, count_labelled};
use backstop_plugin::{LogLevel, host};

use crate::block_list::BlockList;
use crate::proxy::{Asking, Shared, clock_nanos};
use crate::rate_limit::{namespace, random};
use crate::stage::{Passage, Stage, Tick};

use passage::Check;

const NAME: &str = "ext-authz";
const PREFIX: &str = "backstop_ext_authz";
const REQUESTS: &str = "requests_total";
const EVENTS: &str = "events_total";

/// The verdicts under one configuration.
#[derive(Debug)]
pub struct ExtAuthz {
    gate: Gate,
    held: RefCell<Held>,
    list: Option<Rc<BlockList>>,
    latency: Histogram,
    errors: Counter,
}

impl ExtAuthz {
    /// The stage of a compiled configuration, with its tables in shared data: the breaker and the cache belong to the plugin,
    /// by its name and root id. `list` is that of the configuration; it is a stage of its own, which comes before this one.
    ///
    /// # Errors
    /// That the proxy has no shared data.
    pub fn open(policy: Policy, list: Option<Rc<BlockList>>) -> Result<Self, String> {
        let gate = Gate::open(policy, &namespace(), &Shared, random())
            .map_err(|_| format!("{NAME}: the proxy has no shared data"))?;
        let policy = gate.policy();
        Ok(Self {
            held: RefCell::new(Held::new(policy.max_held)),
            list,
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

    fn event_type(&self, ending: &Ending) -> &str {
        self.gate
            .api(ending.api)
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

    fn on_tick(&self) -> Tick {
        let mut tick = Tick::default();
        if let Ok(mut held) = self.held.try_borrow_mut() {
            let now = clock_nanos();
            while let Some(request) = held.release(now) {
                tick.due.push(request);
            }
            tick.more = !held.is_empty();
        }
        tick
    }
}
