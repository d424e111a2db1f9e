//! The bot verdict on critical APIs: the service is asked in the headers phase, and the request waits for its answer.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use backstop_ext_authz::answer::{Action, Allowed, HeaderChange};
use backstop_ext_authz::check::BodyPrefix;
use backstop_ext_authz::hold::Held;
use backstop_ext_authz::notify::{Fate, Queue};
use backstop_ext_authz::policy::Endpoint;
use backstop_ext_authz::{Effect, Ending, Failure, Gate, Outcome, Pending, Policy, Reply, Step};
use backstop_http::Headers;
use backstop_plugin::host::{Buffer, call};
use backstop_plugin::metrics::{Counter, Histogram, count_labelled};
use backstop_plugin::{LogLevel, host};

use crate::Request;
use crate::ext_authz_call::{dispatch, grpc_failure, http_response};
use crate::proxy::{Asking, Shared, clock_nanos};
use crate::rate_limit::{namespace, random};
use crate::reply::reply;
use crate::stage::{Body, CallResponse, Flow, Passage, Stage};

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
        if let Err(error) = call::set_tick_period(millis) {
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
            match call::http(&endpoint.cluster, &headers, &message.body, endpoint.timeout) {
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
        Box::new(Check {
            stage: self,
            state: State::New,
            response: Vec::new(),
        })
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
            CallResponse::Http { headers, .. } if headers > 0 => call::http_response_headers()
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

/// One request.
struct Check {
    stage: Rc<ExtAuthz>,
    state: State,
    /// What the response gets, once.
    response: Vec<HeaderChange>,
}

/// How far it is.
enum State {
    New,
    /// Its body's beginning is wanted.
    Body(Pending, usize),
    /// The service has been asked.
    Asked {
        token: u32,
        pending: Pending,
        since: u64,
    },
    /// It is held for its time.
    Held(u32),
    /// There is nothing more to do with it.
    Done,
}

impl Check {
    fn follow(&mut self, request: &Request, headers: &Headers, step: Step) -> Flow {
        match step {
            Step::Pass(None) => Flow::Continue,
            Step::Pass(Some(name)) => {
                if let Err(error) = host::remove_request_header(&name) {
                    self.stage.error("a header stays", error);
                }
                Flow::Continue
            }
            Step::NeedBody(pending, limit) => {
                self.state = State::Body(pending, limit);
                Flow::Hold
            }
            Step::End(ending) => self.end(request, headers, ending, None),
            Step::Call(pending, call) => match dispatch(&call) {
                Ok(token) => {
                    self.state = State::Asked {
                        token,
                        pending,
                        since: clock_nanos(),
                    };
                    Flow::Wait
                }
                Err(error) => {
                    let cluster = &call.cluster;
                    self.stage
                        .error(&format!("cluster `{cluster}` cannot be called"), error);
                    let asking = Asking::of(request);
                    let reply = Reply::Failed(Failure::NoCluster);
                    let ending = self.stage.gate.finish(&asking, pending, headers, reply);
                    self.end(request, headers, ending, Some(0))
                }
            },
        }
    }

    fn end(
        &mut self,
        request: &Request,
        headers: &Headers,
        ending: Ending,
        millis: Option<u64>,
    ) -> Flow {
        let stage = self.stage.clone();
        stage.count(&ending);
        for event in &ending.events {
            stage.event(event.word());
        }
        if let Some(millis) = millis
            && stage.gate.policy().metrics
        {
            stage.latency.record(millis);
        }
        stage.log(&ending, headers, &Asking::of(request), millis);
        // Access logs then show the verdict. A host without filter state is no reason to fail.
        let _ = host::set_property(&["ext_authz_verdict"], ending.outcome.word().as_bytes());
        if !ending.notify.is_empty() {
            stage.tell(ending.notify);
        }
        match ending.effect {
            Effect::Pass(allowed) => {
                self.change(headers, allowed);
                Flow::Continue
            }
            Effect::Hold(allowed, delay) => {
                self.change(headers, allowed);
                let nanos = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
                let due = clock_nanos().saturating_add(nanos);
                let id = request.context_id;
                let held = stage
                    .held
                    .try_borrow_mut()
                    .is_ok_and(|mut held| held.hold(id, due));
                if !held {
                    stage.event("throttle-not-held");
                    return Flow::Continue;
                }
                stage.wake(true);
                self.state = State::Held(id);
                Flow::Wait
            }
            Effect::Refuse(answer) => {
                if !reply(NAME, &answer) {
                    stage.errors.increment();
                }
                Flow::Answered
            }
        }
    }

    /// Changes the request; what the response gets is for later.
    fn change(&mut self, headers: &Headers, allowed: Allowed) {
        for name in &allowed.remove {
            if let Err(error) = host::remove_request_header(name) {
                self.stage.error("a header stays", error);
            }
        }
        for change in &allowed.request {
            let there = headers.first(change.name.as_bytes()).is_some();
            let (replaces, adds) = what(change.action, there);
            let changed = if replaces && there {
                host::remove_request_header(&change.name)
            } else {
                Ok(())
            };
            let changed = match changed {
                Ok(()) if adds => call::append_request_header(&change.name, &change.value),
                other => other,
            };
            if let Err(error) = changed {
                self.stage.error("a header cannot be set", error);
            }
        }
        self.response = allowed.response;
    }

    fn ask_with_body(&mut self, request: &Request, len: usize, end: bool) -> Flow {
        let State::Body(pending, limit) = std::mem::replace(&mut self.state, State::Done) else {
            return Flow::Continue;
        };
        let Ok(headers) = request.headers() else {
            return Flow::Continue;
        };
        let headers = headers.clone();
        let bytes = host::buffer(Buffer::RequestBody, 0, limit.min(len)).unwrap_or_default();
        let body = BodyPrefix {
            bytes: &bytes,
            partial: !end || len > bytes.len(),
        };
        let asking = Asking::of(request);
        let step = self.stage.gate.ask(&asking, pending, &headers, Some(body));
        self.follow(request, &headers, step)
    }
}

/// Whether a change takes away what is there, and whether it adds.
const fn what(action: Action, there: bool) -> (bool, bool) {
    match action {
        Action::Set => (true, true),
        Action::Append => (false, true),
        Action::AddIfAbsent => (false, !there),
        Action::SetIfPresent => (true, there),
    }
}

impl Passage for Check {
    fn on_request_headers(&mut self, request: &mut Request) -> Flow {
        let headers = match request.headers() {
            Ok(headers) => headers.clone(),
            Err(error) => {
                self.stage.error("request headers", error);
                return Flow::Continue;
            }
        };
        let end = request.end_of_stream;
        let step = self.stage.gate.begin(&Asking::of(request), &headers, end);
        self.follow(request, &headers, step)
    }

    fn on_request_body(&mut self, request: &Request, body: Body) -> Flow {
        match &self.state {
            State::Body(_, limit) if body.end || body.len >= *limit => {
                self.ask_with_body(request, body.len, body.end)
            }
            State::Body(..) => Flow::Hold,
            _ => Flow::Continue,
        }
    }

    fn on_request_trailers(&mut self, request: &Request) -> Flow {
        // All that is held of the body: as much as is wanted of it.
        match self.state {
            State::Body(_, limit) => self.ask_with_body(request, limit, true),
            _ => Flow::Continue,
        }
    }

    fn on_call_response(
        &mut self,
        request: &mut Request,
        token: u32,
        response: CallResponse,
    ) -> Flow {
        let (pending, since) = match std::mem::replace(&mut self.state, State::Done) {
            State::Asked {
                token: own,
                pending,
                since,
            } if own == token => (pending, since),
            other => {
                self.state = other;
                return Flow::Wait;
            }
        };
        let Ok(headers) = request.headers() else {
            return Flow::Continue;
        };
        let headers = headers.clone();
        let asking = Asking::of(request);
        let millis = clock_nanos().saturating_sub(since) / 1_000_000;
        let gate = &self.stage.gate;
        let ending = match response {
            CallResponse::Grpc { status: 0, message } => match call::grpc_message(message) {
                Ok(bytes) => gate.finish(&asking, pending, &headers, Reply::Grpc(&bytes)),
                Err(_) => gate.finish(&asking, pending, &headers, Reply::Failed(Failure::Service)),
            },
            CallResponse::Grpc { status, .. } => {
                let late = gate.is_late(&pending, millis);
                let reply = Reply::Failed(grpc_failure(status, late));
                gate.finish(&asking, pending, &headers, reply)
            }
            CallResponse::Http {
                headers: count,
                body,
                ..
            } => {
                let late = gate.is_late(&pending, millis);
                match http_response(count, body, late) {
                    Ok((response, body)) => {
                        let reply = Reply::Http {
                            headers: &response,
                            body: &body,
                        };
                        gate.finish(&asking, pending, &headers, reply)
                    }
                    Err(failure) => gate.finish(&asking, pending, &headers, Reply::Failed(failure)),
                }
            }
        };
        self.end(request, &headers, ending, Some(millis))
    }

    fn on_wake(&mut self) -> Flow {
        match self.state {
            State::Held(_) => {
                self.state = State::Done;
                Flow::Continue
            }
            _ => Flow::Wait,
        }
    }

    fn on_response_headers(&mut self) {
        let changes = std::mem::take(&mut self.response);
        if changes.is_empty() {
            return;
        }
        let there = call::response_headers()
            .ok()
            .and_then(|raw| Headers::parse(raw).ok())
            .unwrap_or_default();
        for change in changes {
            let there = there.first(change.name.as_bytes()).is_some();
            let (replaces, adds) = what(change.action, there);
            if replaces && there {
                let _ = call::remove_response_header(&change.name);
            }
            if adds && host::add_response_header(&change.name, &change.value).is_err() {
                self.stage.errors.increment();
            }
        }
    }
}

/// The client left, or the request is over.
impl Drop for Check {
    fn drop(&mut self) {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Asked { pending, .. } => {
                for event in self.stage.gate.abandon(&Asking::nobody(), pending) {
                    self.stage.event(event.word());
                }
                self.stage.event("client-left");
            }
            State::Held(id) => {
                if let Ok(mut held) = self.stage.held.try_borrow_mut() {
                    held.leave(id);
                }
                self.stage.event("client-left");
            }
            State::New | State::Body(..) | State::Done => {}
        }
    }
}
