//! One request's way past the service: what is asked, and what its answer means. The caller makes the calls.

use std::net::IpAddr;
use std::time::Duration;

use backstop_http::{Exchange, Headers, NormalizedPath, client_address};
use backstop_policy::Answer;
use backstop_table::{Seed, SharedData, Table, Unavailable};

use crate::answer::{Action, Allowed, Decision, HeaderChange};
use crate::api::CriticalApi;
use crate::block_list::BlockList;
use crate::breaker::{Breaker, CallOutcome, Ticket};
use crate::cache::{CacheKey, Kept, VALUE};
use crate::call::{Call, Reply};
use crate::check::{BodyPrefix, Facts};
use crate::config::{FailureMode, Mode, Scope};
use crate::outcome::{Event, Failure, Outcome};
use crate::policy::Policy;
use crate::verdict::Verdict;

/// What a gate asks of its surroundings.
pub trait Host: SharedData {
    /// The client's address as Envoy vouches for it.
    fn source_address(&self) -> Option<Vec<u8>>;
    /// What else only the proxy knows about the request.
    fn facts(&self) -> Facts;
    /// Nanoseconds of a clock that all workers share, and that does not go back.
    fn clock_nanos(&self) -> u64;
}

/// A policy, put to its tables.
#[derive(Debug)]
pub struct Gate {
    pub(crate) policy: Policy,
    pub(crate) seed: Seed,
    breaker: Option<Breaker>,
    answers: Option<Table<VALUE>>,
}

/// What is to be done with a request.
#[derive(Debug)]
pub enum Step {
    /// It goes on: nothing is to be known about it. The name is of a header that it must lose.
    Pass(Option<String>),
    /// This much of its body is needed first; then [`Gate::ask`].
    NeedBody(Pending, usize),
    /// The service is to be called; then [`Gate::finish`].
    Call(Pending, Call),
    /// There is an end to it.
    End(Ending),
}

/// A request that waits for its verdict.
#[derive(Clone, Debug)]
pub struct Pending {
    pub(crate) api: usize,
    pub(crate) client: Option<IpAddr>,
    pub(crate) events: Vec<Event>,
    key: Option<CacheKey>,
    ticket: Option<Ticket>,
}

/// How a request ends.
#[derive(Debug)]
pub struct Ending {
    /// What came of it.
    pub outcome: Outcome,
    /// The position of its API; `None` for a listed client's request to another one.
    pub api: Option<usize>,
    /// What becomes of it.
    pub effect: Effect,
    /// What the block list's endpoint is to be told.
    pub notify: Vec<String>,
    /// What else is to be counted.
    pub events: Vec<Event>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Effect {
    /// It goes on, with these changes.
    Pass(Allowed),
    /// It goes on with these changes, but not before this time is over.
    Hold(Allowed, Duration),
    /// It is answered.
    Refuse(Answer),
}

impl Gate {
    /// Puts a policy to its tables. `namespace` makes the breaker and the cache this plugin's own; `candidate` is sixteen
    /// random bytes.
    ///
    /// # Errors
    /// When the proxy has no shared data.
    pub fn open(
        policy: Policy,
        namespace: &[u8],
        shared: &impl SharedData,
        candidate: [u8; 16],
    ) -> Result<Self, Unavailable> {
        let seed = Seed::agree(shared, b"backstop.ext-authz/seed", candidate)?;
        let key = |kind: &[u8], more: &[u8]| {
            let mut hasher = seed.hasher();
            hasher.field(1, namespace);
            hasher.field(2, more);
            let mut key = b"backstop.ext-authz/".to_vec();
            key.extend_from_slice(kind);
            key.extend_from_slice(&hasher.finish().to_le_bytes());
            key
        };
        let cluster = policy
            .service
            .as_ref()
            .map(|target| target.cluster.as_bytes());
        Ok(Self {
            breaker: policy.breaker.map(|settings| {
                Breaker::new(key(b"breaker/", cluster.unwrap_or_default()), settings)
            }),
            answers: policy
                .cache
                .as_ref()
                .map(|cache| cache.table(&key(b"cache/", &cache.identity()))),
            policy,
            seed,
        })
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The API at a position.
    pub fn api(&self, index: usize) -> Option<&CriticalApi> {
        self.policy.apis.get(index)
    }

    /// The headers phase of a request. `end_of_stream`: it has no body.
    pub fn begin(&self, host: &impl Host, headers: &Headers, end_of_stream: bool) -> Step {
        let path = NormalizedPath::new(headers.path());
        let matched = self.policy.apis.find(headers, &path);
        let everywhere = |list: &BlockList| list.scope == Scope::Everything;
        if matched.is_none() && !self.policy.block_list.as_ref().is_some_and(everywhere) {
            return Step::Pass(self.spoofed(headers));
        }
        let mut events = Vec::new();
        let client = host
            .source_address()
            .and_then(|address| client_address(&address));
        let now = host.clock_nanos();
        let listed = self.listed(host, headers, client, now, &mut events);
        let index = matched.map(|matched| matched.index);
        if let Some((why, Mode::Enforce)) = listed {
            return Step::End(self.refuse(
                Outcome::Listed(why),
                index,
                None,
                headers,
                (client, events),
            ));
        }
        if let (Some(_), Some((why, _))) = (index, listed) {
            events.push(Event::ListedOnly(why));
        }
        let Some(matched) = matched else {
            return match listed {
                Some((why, _)) => Step::End(Ending {
                    outcome: Outcome::Listed(why),
                    api: None,
                    effect: Effect::Pass(self.unspoofed(headers)),
                    notify: Vec::new(),
                    events,
                }),
                None => Step::Pass(self.spoofed(headers)),
            };
        };
        if matched.ambiguous {
            return Step::End(self.refuse(
                Outcome::AmbiguousPath,
                index,
                Some(400),
                headers,
                (client, events),
            ));
        }
        if matched.api.require_bot_token
            && let Err(error) = self.policy.bot_token.check(headers)
        {
            return Step::End(self.refuse(
                Outcome::Token(error),
                index,
                None,
                headers,
                (client, events),
            ));
        }
        let mut pending = Pending {
            api: matched.index,
            client,
            key: None,
            ticket: None,
            events,
        };
        if let (Some(cache), Some(table)) = (&self.policy.cache, &self.answers)
            && matched.api.cache
        {
            let event_type = &matched.api.event_type;
            pending.key = cache.key(self.seed, event_type, headers, &path, client);
            let answer = pending
                .key
                .map_or(Ok(None), |key| cache.get(table, host, key, now));
            match answer {
                Ok(Some(decision)) => {
                    return Step::End(self.decided(host, pending, headers, decision, true));
                }
                Ok(None) => {}
                Err(Unavailable) => pending.events.push(Event::SharedDataUnavailable),
            }
        }
        let finite = Exchange::of(headers).request_body_is_finite();
        if matched.api.body_bytes > 0 && !end_of_stream && finite {
            return Step::NeedBody(pending, matched.api.body_bytes);
        }
        self.ask(host, pending, headers, None)
    }

    /// The question about a request, or its end if the breaker is open.
    pub fn ask(
        &self,
        host: &impl Host,
        mut pending: Pending,
        headers: &Headers,
        body: Option<BodyPrefix<'_>>,
    ) -> Step {
        let (Some(api), Some(target)) = (self.api(pending.api), &self.policy.service) else {
            return Step::Pass(self.spoofed(headers));
        };
        if let Some(breaker) = &self.breaker {
            match breaker.admit(host, host.clock_nanos()) {
                Ok(Some(ticket)) => pending.ticket = Some(ticket),
                Ok(None) => {
                    return Step::End(self.failed(pending, headers, Failure::BreakerOpen));
                }
                Err(Unavailable) => pending.events.push(Event::SharedDataUnavailable),
            }
        }
        let call = Call::new(target, &self.policy.question, api, headers, host, body);
        Step::Call(pending, call)
    }

    /// What the service's answer means for the request that waited for it.
    pub fn finish(
        &self,
        host: &impl Host,
        mut pending: Pending,
        headers: &Headers,
        reply: Reply<'_>,
    ) -> Ending {
        let decision = match &self.policy.service {
            Some(target) => reply.read(target),
            None => Err(Failure::NoCluster),
        };
        let success = !matches!(decision, Err(_) | Ok(Decision::Error));
        let outcome = if success {
            CallOutcome::Success
        } else {
            CallOutcome::Failure
        };
        self.report(host, &mut pending, outcome);
        match decision {
            Ok(Decision::Error) => self.failed(pending, headers, Failure::Service),
            Ok(decision) => self.decided(host, pending, headers, decision, false),
            Err(failure) => self.failed(pending, headers, failure),
        }
    }

    /// Whether a call that took so long ran out of its time: over HTTP the proxy answers for the service then.
    pub fn is_late(&self, pending: &Pending, millis: u64) -> bool {
        self.api(pending.api)
            .is_some_and(|api| u128::from(millis) >= api.timeout.as_millis())
    }

    /// The client left while the request waited; what is to be counted.
    pub fn abandon(&self, host: &impl Host, mut pending: Pending) -> Vec<Event> {
        self.report(host, &mut pending, CallOutcome::Abandoned);
        pending.events
    }

    fn report(&self, host: &impl Host, pending: &mut Pending, outcome: CallOutcome) {
        let (Some(breaker), Some(ticket)) = (&self.breaker, pending.ticket.take()) else {
            return;
        };
        match breaker.report(host, ticket, outcome, host.clock_nanos()) {
            Ok(Some(transition)) => pending.events.push(Event::Breaker(transition)),
            Ok(None) => {}
            Err(Unavailable) => pending.events.push(Event::SharedDataUnavailable),
        }
    }

    fn decided(
        &self,
        host: &impl Host,
        mut pending: Pending,
        headers: &Headers,
        decision: Decision,
        cached: bool,
    ) -> Ending {
        let mut shown = decision.clone();
        let Some(verdict) = self.policy.translation.verdict(&mut shown) else {
            return self.failed(pending, headers, Failure::Service);
        };
        let mut notify = Vec::new();
        if !cached {
            self.remember(host, &mut pending, &decision, verdict);
            if verdict == Verdict::Block {
                notify = self.list(host, &mut pending, headers);
            }
        }
        let enforce = self.enforces(pending.client);
        let effect = match shown {
            Decision::Allowed(mut allowed) => {
                allowed.request.extend(self.event_type(pending.api));
                match verdict {
                    Verdict::Throttle(delay) if enforce => Effect::Hold(allowed, delay),
                    _ => Effect::Pass(allowed),
                }
            }
            Decision::Denied(denied) if enforce => {
                Effect::Refuse(self.policy.translation.refusal(&denied, verdict, headers))
            }
            Decision::Denied(_) | Decision::Error => self.plain(pending.api),
        };
        Ending {
            outcome: Outcome::Verdict { verdict, cached },
            api: Some(pending.api),
            effect,
            notify,
            events: pending.events,
        }
    }

    fn failed(&self, pending: Pending, headers: &Headers, failure: Failure) -> Ending {
        let deny = self
            .api(pending.api)
            .filter(|api| api.failure_mode == FailureMode::Deny);
        let outcome = |open| Outcome::Failed { failure, open };
        match deny {
            Some(api) if self.enforces(pending.client) => self.refuse(
                outcome(false),
                Some(pending.api),
                Some(api.status_on_error),
                headers,
                (pending.client, pending.events),
            ),
            _ => Ending {
                outcome: outcome(true),
                api: Some(pending.api),
                effect: self.plain(pending.api),
                notify: Vec::new(),
                events: pending.events,
            },
        }
    }

    /// Whether refusals are enforced for this client, or only told.
    fn enforces(&self, client: Option<IpAddr>) -> bool {
        self.policy.mode == Mode::Enforce && self.policy.rollout.enforces(client)
    }

    /// The gateway's own refusal; where nothing is enforced it is only told.
    fn refuse(
        &self,
        outcome: Outcome,
        api: Option<usize>,
        status: Option<u32>,
        headers: &Headers,
        (client, events): (Option<IpAddr>, Vec<Event>),
    ) -> Ending {
        let effect = if self.enforces(client) {
            let word = outcome.word();
            Effect::Refuse(self.policy.translation.own_refusal(status, word, headers))
        } else {
            match api {
                Some(api) => self.plain(api),
                None => Effect::Pass(self.unspoofed(headers)),
            }
        };
        Ending {
            outcome,
            api,
            effect,
            notify: Vec::new(),
            events,
        }
    }

    /// A critical request that goes on as it came, with its event type.
    fn plain(&self, api: usize) -> Effect {
        Effect::Pass(Allowed {
            request: self.event_type(api).into_iter().collect(),
            ..Allowed::default()
        })
    }

    fn event_type(&self, api: usize) -> Option<HeaderChange> {
        Some(HeaderChange {
            action: Action::Set,
            name: self.policy.question.event_type_header().to_owned(),
            value: self.api(api)?.event_type.clone(),
        })
    }

    /// The event type's header, if a client has written it into a request that has none.
    fn spoofed(&self, headers: &Headers) -> Option<String> {
        let name = self.policy.question.event_type_header();
        headers.first(name.as_bytes()).map(|_| name.to_owned())
    }

    fn unspoofed(&self, headers: &Headers) -> Allowed {
        Allowed {
            remove: self.spoofed(headers).into_iter().collect(),
            ..Allowed::default()
        }
    }

    fn remember(
        &self,
        host: &impl Host,
        pending: &mut Pending,
        decision: &Decision,
        verdict: Verdict,
    ) {
        let (Some(cache), Some(table), Some(key)) =
            (&self.policy.cache, &self.answers, pending.key)
        else {
            return;
        };
        match cache.put(table, host, key, decision, verdict, host.clock_nanos()) {
            Ok(Kept::TooLong) => pending.events.push(Event::NotRemembered),
            Ok(Kept::Yes { .. } | Kept::NotThisVerdict | Kept::Contended) => {}
            Err(Unavailable) => pending.events.push(Event::SharedDataUnavailable),
        }
    }
}
