//! What a stage is.

use std::fmt;
use std::rc::Rc;

use crate::Request;

/// One stage under one configuration, shared by all requests of a worker.
pub trait Stage: fmt::Debug {
    /// A request came: what takes it through this stage.
    fn begin(self: Rc<Self>) -> Box<dyn Passage>;

    /// The worker's clock ticks, because this stage asked for it. Outside any request: call-outs made here are answered to
    /// [`on_call_response`](Self::on_call_response).
    fn on_tick(&self) -> Tick {
        Tick::default()
    }

    /// The answer to a call-out made outside any request. Whether it was this stage's.
    fn on_call_response(&self, _token: u32, _response: CallResponse) -> bool {
        false
    }
}

/// What a stage makes of a tick.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tick {
    /// The requests that were waiting and go on now, by their contexts' ids: each is told by [`Passage::on_wake`].
    pub due: Vec<u32>,
    /// Whether there is more to do: then another tick comes. Once no stage has more to do, none does until one asks for it.
    pub more: bool,
}

/// The stages of a filter, in their order.
pub type Stages = Vec<Rc<dyn Stage>>;

/// One request on its way through one stage. Headers may be changed as long as they are held back: in the headers phase, and
/// after it while a stage waits or holds since then.
///
/// Phases come in this order, each only if all stages before this one let the request go on. What a phase answers is kept:
/// a stage that is waiting or holds the request is not asked again until there is something new for it.
pub trait Passage {
    /// The headers phase.
    fn on_request_headers(&mut self, request: &mut Request) -> Flow;

    /// More of the body.
    fn on_request_body(&mut self, _request: &mut Request, _body: Body) -> Flow {
        Flow::Continue
    }

    /// Trailers: they end a body whose last piece never said so.
    fn on_request_trailers(&mut self, _request: &mut Request) -> Flow {
        Flow::Continue
    }

    /// The answer to a call-out, or that there is none, while this stage is waiting ([`Flow::Wait`]). `token` is what the
    /// proxy gave for the call; if it is not this stage's, the answer is [`Flow::Wait`] again. The answer's parts can be
    /// read from the proxy during this call only.
    fn on_call_response(
        &mut self,
        _request: &mut Request,
        _token: u32,
        _response: CallResponse,
    ) -> Flow {
        Flow::Wait
    }

    /// The time is over for which this stage is waiting ([`Flow::Wait`]).
    fn on_wake(&mut self) -> Flow {
        Flow::Wait
    }

    /// The response is on its way to the client: the upstream's, or a local one.
    fn on_response_headers(&mut self) {}
}

/// What a stage tells the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The request goes on, to the next stage.
    Continue,
    /// The request is held back until more of its body is there. For a stage's headers phase this needs a proxy that
    /// hands out a body whose headers are held (`allow_on_headers_stop_iteration`).
    Hold,
    /// The request is held back until a call-out is answered (`on_call_response` comes, also when the call times out), or
    /// until its stage wakes it at a tick (`on_wake`).
    Wait,
    /// The request was answered: no further stage sees it, and no further piece of it goes on.
    Answered,
}

/// What of the body can be read from the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Body {
    /// Bytes that this stage was shown before and that can still be read: others hold the body back.
    pub start: usize,
    /// Bytes that can be read now, those included: all that is held back, with this piece; or this piece alone where
    /// nothing is held.
    pub len: usize,
    /// Whether this is all of it.
    pub end: bool,
}

/// What came of a call-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallResponse {
    /// HTTP: numbers of headers and trailers, bytes of body. No headers at all: the call failed.
    Http {
        /// Header fields.
        headers: usize,
        /// Bytes of the body.
        body: usize,
        /// Trailer fields.
        trailers: usize,
    },
    /// gRPC: its status (0 is OK) and the bytes of the message.
    Grpc {
        /// The status code.
        status: u32,
        /// Bytes of the message.
        message: usize,
    },
}
