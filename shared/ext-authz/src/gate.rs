//! One request's way past the service: what is asked, and what its answer means. The caller makes the calls.

use std::net::IpAddr;
use std::time::Duration;

use backstop_block_list::{Feeding, Listing, Mode as ListMode, Scope, Why};
use backstop_http::{Exchange, Headers, NormalizedPath, client_address};
use backstop_policy::Answer;
use backstop_table::{Seed, SharedData, Table, Unavailable};

use crate::answer::{Action, Allowed, Decision, HeaderChange};
use crate::api::CriticalApi;
use crate::breaker::{Breaker, CallOutcome, Ticket};
use crate::cache::{CacheKey, Kept, VALUE};
use crate::call::{Call, Reply};
use crate::check::{BodyPrefix, Facts};
use crate::config::{FailureMode, Mode};
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
    seed: Seed,
    listing: Option<Listing>,
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
    api: usize,
    client: Option<IpAddr>,
    events: Vec<Event>,
    key: Option<CacheKey>,
    ticket: Option<Ticket>,
}

/// How a request ends.
#[derive(Debug)]
pub struct Ending {
    /// What came of it.
    pub outcome: Outcome,
    /// The position of its API.
    pub api: usize,
    /// What becomes of it.
    pub effect: Effect,
    /// What the block list made of it.
    pub fed: Feeding,
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
        let list = policy.block_list.clone();
        let listing = list.map(|list| Listing::open(list, shared, candidate));
        Ok(Self {
            listing: listing.transpose()?,
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

    /// The headers phase of a request. `end_of_stream`: it has no body. A block list for every request
    /// ([`Scope::Everything`]) is not asked here, but by the caller, before.
    pub fn begin(&self, host: &impl Host, headers: &Headers, end_of_stream: bool) -> Step {
        let path = NormalizedPath::new(headers.path());
        let Some(matched) = self.policy.apis.find(headers, &path) else {
            return Step::Pass(self.spoofed(headers));
        };
        let mut events = Vec::new();
        let client = host
            .source_address()
            .and_then(|address| client_address(&address));
        let now = host.clock_nanos();
        let index = matched.index;
        match self.listed(host, headers, client, now, &mut events) {
            Some((why, ListMode::Enforce)) => {
                let told = (client, events);
                return Step::End(self.refuse(Outcome::Listed(why), index, None, headers, told));
            }
            Some((why, ListMode::Report)) => events.push(Event::ListedOnly(why)),
            None => {}
        }
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

    /// Whether a critical request's client is on a list that is for critical requests.
    fn listed(
        &self,
        host: &impl Host,
        headers: &Headers,
        client: Option<IpAddr>,
        now: u64,
        events: &mut Vec<Event>,
    ) -> Option<(Why, ListMode)> {
        let listing = self.listing.as_ref()?;
        if listing.list().scope != Scope::CriticalApis {
            return None;
        }
        let mut unavailable = Vec::new();
        let why = listing.find(host, headers, client, now, &mut unavailable);
        events.extend(unavailable.iter().map(|_| Event::SharedDataUnavailable));
        Some((why?, listing.list().mode))
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
        let mut fed = Feeding::default();
        if !cached {
            self.remember(host, &mut pending, &decision, verdict);
            if let (Verdict::Block, Some(listing), Some(api)) =
                (verdict, &self.listing, self.api(pending.api))
            {
                let now = host.clock_nanos();
                fed = listing.verdict(host, headers, pending.client, &api.event_type, now);
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
            api: pending.api,
            effect,
            fed,
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
                pending.api,
                Some(api.status_on_error),
                headers,
                (pending.client, pending.events),
            ),
            _ => Ending {
                outcome: outcome(true),
                api: pending.api,
                effect: self.plain(pending.api),
                fed: Feeding::default(),
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
        api: usize,
        status: Option<u32>,
        headers: &Headers,
        (client, events): (Option<IpAddr>, Vec<Event>),
    ) -> Ending {
        let effect = if self.enforces(client) {
            let word = outcome.word();
            Effect::Refuse(self.policy.translation.own_refusal(status, word, headers))
        } else {
            self.plain(api)
        };
        Ending {
            outcome,
            api,
            effect,
            fed: Feeding::default(),
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
