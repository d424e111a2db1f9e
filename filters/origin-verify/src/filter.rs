//! One per request: callbacks to the stage, its flow to actions.

use std::rc::Rc;

use backstop_stage::{Flow, OriginVerify, request_headers};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

/// A request's context.
pub(crate) struct Filter {
    stage: Option<Rc<OriginVerify>>,
}

impl Filter {
    pub(crate) const fn new(stage: Option<Rc<OriginVerify>>) -> Self {
        Self { stage }
    }
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        // Without a configuration that was accepted, the proxy does not send requests here.
        let Some(stage) = &self.stage else {
            return Action::Continue;
        };
        match stage.on_request_headers(&request_headers()) {
            Flow::Continue => Action::Continue,
            Flow::Answered => Action::Pause,
        }
    }
}
