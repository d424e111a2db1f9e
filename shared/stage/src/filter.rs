//! The SDK's contexts: one root per configuration, one filter per request.

use backstop_plugin::{LogLevel, config, host};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType};

use crate::Request;
use crate::pipeline::Pipeline;
use crate::stage::{CallResponse, Flow, Stages};

/// Compiles a configuration to the stages that it asks for. An error is one line.
type Compile = fn(&[u8]) -> Result<Stages, String>;

/// A filter's root context: compiles each configuration and makes a filter per request. Without a valid configuration the
/// proxy refuses the plugin, or keeps the configuration that it had.
pub struct Root {
    name: &'static str,
    compile: Compile,
    stages: Stages,
}

impl Root {
    /// The root of the filter called `name`.
    pub const fn new(name: &'static str, compile: Compile) -> Self {
        Self {
            name,
            compile,
            stages: Stages::new(),
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

impl Context for Root {}

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

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        // Without a configuration that was accepted, the proxy does not send requests here.
        Some(Box::new(Filter {
            pipeline: Pipeline::new(&self.stages),
        }))
    }
}

/// A request's context: callbacks to the pipeline, its flow to actions.
struct Filter {
    pipeline: Pipeline,
}

/// Whatever is not to go on now is held back.
const fn action(flow: Flow) -> Action {
    match flow {
        Flow::Continue => Action::Continue,
        Flow::Hold | Flow::Wait | Flow::Answered => Action::Pause,
    }
}

impl Filter {
    fn call_answered(&mut self, token: u32, response: CallResponse) {
        if self.pipeline.on_call_response(token, response) == Some(Flow::Continue)
            && let Err(error) = host::continue_request()
        {
            let line = format!("backstop: a request that was held back cannot go on: {error}");
            host::log(LogLevel::Error, line.as_bytes());
        }
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
        action(
            self.pipeline
                .on_request_headers(Request::read(end_of_stream)),
        )
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        action(self.pipeline.on_request_body(size, end_of_stream))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        action(self.pipeline.on_request_trailers())
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.pipeline.on_response_headers();
        Action::Continue
    }
}
