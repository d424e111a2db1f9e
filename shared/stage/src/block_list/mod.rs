//! The block list: listed clients are refused in the headers phase, before anything else is done with their requests; and
//! what the other stages find out about a client feeds it.

mod telling;

use std::cell::RefCell;
use std::rc::Rc;

use backstop_block_list::{Event, Feeding, Listing, Mode, Scope, Why, log_line};
use backstop_http::{Exchange, Headers, client_address};
use backstop_plugin::metrics::{Counter, count_labelled};
use backstop_plugin::{LogLevel, host};
use backstop_policy::{ResponseTemplate, Rollout};
use backstop_waf::{Action, Report, Transaction};

use crate::Request;
use crate::proxy::{Shared, clock_nanos};
use crate::rate_limit::random;
use crate::reply::reply;
use crate::stage::{CallResponse, Flow, Passage, Stage, Tick};
use crate::ticks;

use telling::Telling;

const NAME: &str = "block-list";
const PREFIX: &str = "backstop_block_list";

/// The block list under one configuration.
#[derive(Debug)]
pub struct BlockList {
    listing: Listing,
    owner: Owner,
    telling: RefCell<Option<Telling>>,
    errors: Counter,
}

/// What the filter whose section the list is in says about all its refusals.
#[derive(Clone, Debug)]
struct Owner {
    refusal: ResponseTemplate,
    rollout: Rollout,
    log: bool,
    metrics: bool,
}

impl BlockList {
    /// The list of a WAF's configuration, if it has one, put to its table in shared data.
    ///
    /// # Errors
    /// That the proxy has no shared data.
    pub fn of_waf(policy: &backstop_waf::Policy) -> Result<Option<Rc<Self>>, String> {
        let owner = || Owner {
            refusal: policy.refusal().clone(),
            rollout: policy.rollout(),
            log: policy.log,
            metrics: policy.metrics,
        };
        let list = policy.block_list.as_ref();
        list.map(|list| Self::open(list, owner())).transpose()
    }

    /// The list of a configuration of the ext_authz call-out, if it has one, put to its table in shared data.
    ///
    /// # Errors
    /// That the proxy has no shared data.
    pub fn of_ext_authz(policy: &backstop_ext_authz::Policy) -> Result<Option<Rc<Self>>, String> {
        let owner = || Owner {
            refusal: policy.refusal().clone(),
            rollout: policy.rollout(),
            log: policy.log,
            metrics: policy.metrics,
        };
        let list = policy.block_list.as_ref();
        list.map(|list| Self::open(list, owner())).transpose()
    }

    fn open(list: &backstop_block_list::BlockList, owner: Owner) -> Result<Rc<Self>, String> {
        let telling = list.notify.clone().map(Telling::new);
        let listing = Listing::open(list.clone(), &Shared, random())
            .map_err(|_| format!("{NAME}: the proxy has no shared data"))?;
        Ok(Rc::new(Self {
            listing,
            owner,
            telling: RefCell::new(telling),
            errors: Counter::new("backstop_block_list.errors_total"),
        }))
    }

    /// Whether listed clients are refused, or only reported.
    pub fn mode(&self) -> Mode {
        self.listing.list().mode
    }

    /// What the WAF found in a request. What it did not refuse feeds only a list that does not refuse either.
    /// Whether it did feed the list.
    pub(crate) fn found(
        &self,
        request: &Request,
        transaction: &Transaction,
        report: &Report,
    ) -> bool {
        let feeds = match report.action {
            Action::Block => true,
            Action::Detect => self.mode() == Mode::Report,
            Action::Pass => false,
        };
        let (true, Some(client), Ok(headers)) = (feeds, client_of(request), request.headers())
        else {
            return false;
        };
        let findings = transaction.findings(report);
        let now = clock_nanos();
        let feeding = self
            .listing
            .detection(&Shared, headers, client, findings, now);
        let counted = !feeding.events.is_empty();
        self.fed(feeding);
        counted
    }

    /// What became of a report about a client: counts, logs, tells the endpoint.
    pub(crate) fn fed(&self, feeding: Feeding) {
        for event in &feeding.events {
            self.count(event.word());
        }
        let Some(entry) = feeding.entry else {
            return;
        };
        if self.owner.log && host::logs(LogLevel::Warn) {
            let now = host::unix_nanos() / 1_000_000;
            let line = log_line::entry(&entry, self.mode(), now);
            host::log(LogLevel::Warn, line.as_bytes());
        }
        if let Ok(mut telling) = self.telling.try_borrow_mut()
            && let Some(telling) = telling.as_mut()
        {
            if let Some(word) = telling.push(entry) {
                self.count(word);
            }
            ticks::start();
        }
    }

    fn count(&self, event: &str) {
        if self.owner.metrics {
            count_labelled(PREFIX, &[("event", event)], "events_total");
        }
    }

    fn admit(&self, request: &Request) -> Flow {
        let Ok(headers) = request.headers() else {
            // Others refuse what cannot be read.
            return Flow::Continue;
        };
        let client = client_of(request);
        let mut events: Vec<Event> = Vec::new();
        let now = clock_nanos();
        let why = self
            .listing
            .find(&Shared, headers, client, now, &mut events);
        for event in events {
            self.count(event.word());
        }
        let Some(why) = why else {
            return Flow::Continue;
        };
        let enforces = self.mode() == Mode::Enforce && self.owner.rollout.enforces(client);
        let mode = if enforces {
            Mode::Enforce
        } else {
            Mode::Report
        };
        self.tell_request(why, mode, request, headers);
        if !enforces {
            return Flow::Continue;
        }
        let id = headers.first(b"x-request-id").unwrap_or_default();
        let status = self.owner.refusal.status();
        let details = format!("{PREFIX}{{{}}}", why.word());
        let is_grpc = Exchange::of(headers).is_grpc();
        if !reply(
            NAME,
            &self.owner.refusal.answer(status, details, id, is_grpc),
        ) {
            self.errors.increment();
        }
        Flow::Answered
    }

    fn tell_request(&self, why: Why, mode: Mode, request: &Request, headers: &Headers) {
        let action = match mode {
            Mode::Enforce => "refuse",
            Mode::Report => "report",
        };
        // Access logs then show it. A host without filter state is no reason to fail.
        let verdict = format!("{action}:{}", why.word());
        let _ = host::set_property(&["block_list_verdict"], verdict.as_bytes());
        if self.owner.metrics {
            let labels = [("why", why.word()), ("action", action)];
            count_labelled(PREFIX, &labels, "requests_total");
        }
        if self.owner.log && host::logs(LogLevel::Warn) {
            let now = host::unix_nanos() / 1_000_000;
            let line = log_line::request(why, mode, client_of(request), headers, now);
            host::log(LogLevel::Warn, line.as_bytes());
        }
    }
}

fn client_of(request: &Request) -> Option<std::net::IpAddr> {
    client_address(&request.source_address()?)
}

impl Stage for BlockList {
    fn begin(self: Rc<Self>) -> Box<dyn Passage> {
        Box::new(Door(self))
    }

    fn on_tick(&self) -> Tick {
        let Ok(mut telling) = self.telling.try_borrow_mut() else {
            return Tick::default();
        };
        let Some(telling) = telling.as_mut() else {
            return Tick::default();
        };
        for word in telling.send() {
            self.count(word);
        }
        Tick {
            due: Vec::new(),
            more: !telling.is_empty(),
        }
    }

    fn on_call_response(&self, token: u32, response: CallResponse) -> bool {
        let Ok(mut telling) = self.telling.try_borrow_mut() else {
            return false;
        };
        let answered = telling
            .as_mut()
            .and_then(|telling| telling.answered(token, response));
        if let Some(Some(word)) = answered {
            self.count(word);
        }
        answered.is_some()
    }
}

/// One request.
struct Door(Rc<BlockList>);

impl Passage for Door {
    fn on_request_headers(&mut self, request: &mut Request) -> Flow {
        // A list for critical requests only is asked where those are known.
        match self.0.listing.list().scope {
            Scope::Everything => self.0.admit(request),
            Scope::CriticalApis => Flow::Continue,
        }
    }
}
