//! A stream driven step by step.

use crate::gateway::Gateway;
use crate::headers::HeaderMap;
use crate::outcome::{Outcome, Upstream};
use crate::request::Response;

/// What a step of a stream led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// Everything given so far has passed the chain.
    Flowing,
    /// A filter holds something back.
    Paused,
    /// The client has its whole answer.
    Answered,
    /// The stream was reset.
    Reset,
}

/// Drives one stream step by step. Nothing happens between steps: call-outs end, and the upstream answers, only when
/// told to.
pub struct StreamDriver<'g> {
    pub(super) gateway: &'g mut Gateway,
    pub(super) id: u64,
}

impl StreamDriver<'_> {
    /// The request's headers arrive.
    pub fn request_headers(
        &mut self,
        headers: impl Into<HeaderMap>,
        end_of_stream: bool,
    ) -> StreamState {
        self.gateway
            .host
            .request_headers(self.id, headers.into(), end_of_stream);
        self.state()
    }

    /// A piece of the body arrives.
    pub fn request_body(&mut self, bytes: impl AsRef<[u8]>, end_of_stream: bool) -> StreamState {
        self.gateway
            .host
            .request_body(self.id, bytes.as_ref(), end_of_stream);
        self.state()
    }

    /// The request's trailers arrive.
    pub fn request_trailers(&mut self, trailers: impl Into<HeaderMap>) -> StreamState {
        self.gateway.host.request_trailers(self.id, trailers.into());
        self.state()
    }

    /// The upstream answers.
    pub fn respond(&mut self, response: Response) -> StreamState {
        self.gateway.host.respond(self.id, response);
        self.state()
    }

    /// Fires what is due now: ends of call-outs, timers, queues.
    pub fn settle(&mut self) -> StreamState {
        self.gateway.host.settle();
        self.state()
    }

    /// The client goes away.
    pub fn disconnect(&mut self) -> StreamState {
        self.gateway.host.reset(self.id);
        self.state()
    }

    /// What the upstream has seen so far.
    pub fn upstream(&mut self) -> Option<&Upstream> {
        self.gateway.host.stream(self.id).upstream.as_ref()
    }

    /// Where the stream stands.
    pub fn state(&mut self) -> StreamState {
        let stream = self.gateway.host.stream(self.id);
        let holds = |iteration: &crate::stream::FilterIteration| {
            iteration.state != crate::stream::Iteration::Continue
        };
        if stream.client.reset {
            StreamState::Reset
        } else if stream.client.complete {
            StreamState::Answered
        } else if stream
            .filters
            .iter()
            .any(|filter| holds(&filter.decode) || holds(&filter.encode))
        {
            StreamState::Paused
        } else {
            StreamState::Flowing
        }
    }

    /// Lets everything run to its end, as [`Gateway::send`] does, and hands out what came of it.
    pub fn finish(self) -> Outcome {
        let stalled = !self
            .gateway
            .host
            .wait(self.id, crate::stream::Stream::finished);
        self.gateway.host.finish(self.id, stalled)
    }

    /// Ends the stream where it stands.
    pub fn close(self) -> Outcome {
        self.gateway.host.finish(self.id, false)
    }
}
