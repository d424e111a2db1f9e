//! The SDK's contexts: one root per configuration, one filter per request.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use backstop_plugin::host::call;
use backstop_plugin::{LogLevel, config, host};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use crate::Request;
use crate::pipeline::Pipeline;
use crate::stage::{CallResponse, Flow, Stages, Tick};

/// Compiles a configuration to the stages that it asks for. An error is one line.
type Compile = fn(&[u8]) -> Result<Stages, String>;

/// A filter's root context: compiles each configuration and makes a filter per request. Without a valid configuration the
/// proxy refuses the plugin, or keeps the configuration that it had.
pub struct Root {
    name: &'static str,
    compile: Compile,
    stages: Stages,
    waiting: Waiting,
}

/// Requests that wait, by their contexts' ids: what a tick wakes, or an answer to a call that was made at a tick.
type Waiting = Rc<RefCell<BTreeMap<u32, Rc<RefCell<Pipeline>>>>>;

impl Root {
    /// The root of the filter called `name`.
    pub fn new(name: &'static str, compile: Compile) -> Self {
        Self {
            name,
            compile,
            stages: Stages::new(),
            waiting: Waiting::default(),
        }
    }

    /// Goes on with a waiting request, by what `act` finds in its pipeline.
    fn resume(&self, context_id: u32, act: impl FnOnce(&mut Pipeline) -> Option<Flow>) -> bool {
        let pipeline = self
            .waiting
            .try_borrow()
            .ok()
            .and_then(|waiting| waiting.get(&context_id).cloned());
        let Some(pipeline) = pipeline else {
            return false;
        };
        if call::set_effective_context(context_id).is_err() {
            return false;
        }
        let flow = pipeline
            .try_borrow_mut()
            .ok()
            .and_then(|mut pipeline| act(&mut pipeline));
        go_on(flow);
        if !matches!(flow, None | Some(Flow::Wait)) {
            forget(&self.waiting, context_id);
        }
        flow.is_some()
    }

    /// The answer to a call that a stage made at a tick, for itself or for a request that it woke.
    fn call_answered(&self, token: u32, response: CallResponse) {
        if self
            .stages
            .iter()
            .any(|stage| stage.on_call_response(token, response))
        {
            return;
        }
        let waiting: Vec<u32> = self
            .waiting
            .try_borrow()
            .map(|waiting| waiting.keys().copied().collect())
            .unwrap_or_default();
        for context_id in waiting {
            if self.resume(context_id, |pipeline| {
                pipeline.on_call_response(token, response)
            }) {
                return;
            }
        }
    }

    fn configure(&mut self, size: usize) -> Result<(), String> {
        let json = config::plugin_configuration(size).map_err(|error| {
            format!(
                "{} config: the proxy did not hand it out: {error}",
                self.name
            )
        })?;
        self.stages = (self.compile)(&json)?;
        Ok(())
    }
}

impl Context for Root {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, trailers: usize) {
        let response = CallResponse::Http {
            headers,
            body,
            trailers,
        };
        self.call_answered(token, response);
    }

    fn on_grpc_call_response(&mut self, token: u32, status: u32, message: usize) {
        self.call_answered(token, CallResponse::Grpc { status, message });
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        match self.configure(size) {
            Ok(()) => true,
            Err(message) => {
                host::log(LogLevel::Error, message.as_bytes());
                false
            }
        }
    }

    fn on_tick(&mut self) {
        // All calls of the stages' own first: they belong to this context, and waking a request is in that one's name.
        let ticks: Vec<Tick> = self.stages.iter().map(|stage| stage.on_tick()).collect();
        // Before any request goes on: it may ask for ticks again.
        if ticks.iter().all(|tick| !tick.more) {
            crate::ticks::stop();
        }
        for context_id in ticks.into_iter().flat_map(|tick| tick.due) {
            self.resume(context_id, Pipeline::on_wake);
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context_id: u32) -> Option<Box<dyn HttpContext>> {
        // Without a configuration that was accepted, the proxy does not send requests here.
        Some(Box::new(Filter {
            context_id,
            pipeline: Rc::new(RefCell::new(Pipeline::new(&self.stages))),
            waiting: self.waiting.clone(),
        }))
    }
}

/// A request's context: callbacks to the pipeline, its flow to actions.
struct Filter {
    context_id: u32,
    pipeline: Rc<RefCell<Pipeline>>,
    waiting: Waiting,
}

/// Whatever is not to go on now is held back.
const fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Hold | Flow::Wait | Flow::Answered => Action::Pause,
    }
}

/// Lets a request go on that was held back, if that is what became of it.
fn go_on(flow: Option<Flow>) {
    if flow == Some(Flow::Continue)
        && let Err(error) = host::continue_request()
    {
        let line = format!("backstop: a request that was held back cannot go on: {error}");
        host::log(LogLevel::Error, line.as_bytes());
    }
}

fn forget(waiting: &Waiting, context_id: u32) {
    if let Ok(mut waiting) = waiting.try_borrow_mut() {
        waiting.remove(&context_id);
    }
}

impl Filter {
    /// What the pipeline makes of a callback. One that comes while another one of this request is at work has nothing to
    /// say: no proxy makes it.
    fn act(&self, act: impl FnOnce(&mut Pipeline) -> Flow) -> Action {
        let Ok(mut pipeline) = self.pipeline.try_borrow_mut() else {
            return Action::Pause;
        };
        let flow = act(&mut pipeline);
        if flow == Flow::Wait
            && let Ok(mut waiting) = self.waiting.try_borrow_mut()
        {
            waiting.insert(self.context_id, self.pipeline.clone());
        }
        action(flow)
    }

    fn call_answered(&self, token: u32, response: CallResponse) {
        let flow = self
            .pipeline
            .try_borrow_mut()
            .ok()
            .and_then(|mut pipeline| pipeline.on_call_response(token, response));
        go_on(flow);
    }
}

/// The request is over, or its client left.
impl Drop for Filter {
    fn drop(&mut self) {
        forget(&self.waiting, self.context_id);
    }
}

impl Context for Filter {
    fn on_http_call_response(&mut self, token: u32, headers: usize, body: usize, trailers: usize) {
        let response = CallResponse::Http {
            headers,
            body,
            trailers,
        };
        self.call_answered(token, response);
    }

    fn on_grpc_call_response(&mut self, token: u32, status: u32, message: usize) {
        self.call_answered(token, CallResponse::Grpc { status, message });
    }
}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let request = Request::read(self.context_id, end_of_stream);
        self.act(|pipeline| pipeline.on_request_headers(request))
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        self.act(|pipeline| pipeline.on_request_body(size, end_of_stream))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.act(Pipeline::on_request_trailers)
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if let Ok(mut pipeline) = self.pipeline.try_borrow_mut() {
            pipeline.on_response_headers();
        }
        Action::Continue
    }
}
