//! One per request: callbacks to the stage, its flow to actions.

use std::rc::Rc;

use backstop_stage::rate_limit::ResponseHeaders;
use backstop_stage::{Flow, RateLimit, request_headers};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

/// A request's context.
pub(crate) struct Filter {
    stage: Option<Rc<RateLimit>>,
    /// What the response gets, once.
    pending: ResponseHeaders,
}

impl Filter {
    pub(crate) const fn new(stage: Option<Rc<RateLimit>>) -> Self {
        Self {
            stage,
            pending: ResponseHeaders::new(),
        }
    }
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        // Without a configuration that was accepted, the proxy does not send requests here.
        let Some(stage) = &self.stage else {
            return Action::Continue;
        };
        let (flow, pending) = stage.on_request_headers(&request_headers());
        self.pending = pending;
        match flow {
            Flow::Continue => Action::Continue,
            Flow::Answered => Action::Pause,
        }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if let Some(stage) = &self.stage {
            stage.on_response_headers(&std::mem::take(&mut self.pending));
        }
        Action::Continue
    }
}
