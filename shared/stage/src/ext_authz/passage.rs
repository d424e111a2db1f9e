//! One request on its way to its verdict.

use std::rc::Rc;

use backstop_ext_authz::answer::HeaderChange;
use backstop_ext_authz::check::BodyPrefix;
use backstop_ext_authz::{Effect, Ending, Failure, Pending, Reply, Step};
use backstop_http::Headers;
use backstop_plugin::host;
use backstop_plugin::host::{Buffer, call};

use super::call::{dispatch, grpc_failure, http_response};
use super::{ExtAuthz, NAME};
use crate::Request;
use crate::proxy::{Asking, clock_nanos};
use crate::reply::reply;
use crate::stage::{Body, CallResponse, Flow, Passage};
use crate::ticks;

/// One request.
pub(super) struct Check {
    pub(super) stage: Rc<ExtAuthz>,
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
    pub(super) const fn new(stage: Rc<ExtAuthz>) -> Self {
        Self {
            stage,
            state: State::New,
            response: Vec::new(),
        }
    }

    fn follow(&mut self, request: &mut Request, headers: &Headers, step: Step) -> Flow {
        match step {
            Step::Pass(None) => Flow::Continue,
            Step::Pass(Some(name)) => {
                if let Err(error) = request.remove_header(&name) {
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
        request: &mut Request,
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
        if let Some(list) = &stage.list {
            list.fed(ending.fed);
        }
        match ending.effect {
            Effect::Pass(allowed) => {
                self.response = self.stage.change(request, allowed);
                Flow::Continue
            }
            Effect::Hold(allowed, delay) => {
                self.response = self.stage.change(request, allowed);
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
                ticks::start();
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

    fn ask_with_body(&mut self, request: &mut Request, len: usize, end: bool) -> Flow {
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
            partial: !end || len > limit,
        };
        let asking = Asking::of(request);
        let step = self.stage.gate.ask(&asking, pending, &headers, Some(body));
        self.follow(request, &headers, step)
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

    fn on_request_body(&mut self, request: &mut Request, body: Body) -> Flow {
        match &self.state {
            State::Body(_, limit) if body.end || body.len >= *limit => {
                self.ask_with_body(request, body.len, body.end)
            }
            State::Body(..) => Flow::Hold,
            _ => Flow::Continue,
        }
    }

    fn on_request_trailers(&mut self, request: &mut Request) -> Flow {
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
        if !changes.is_empty() {
            self.stage.change_response(changes);
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
