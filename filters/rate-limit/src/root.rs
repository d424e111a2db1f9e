//! One per configuration: compiles it, makes a filter per request.

use std::rc::Rc;

use backstop_plugin::{LogLevel, config, host};
use backstop_stage::RateLimit;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::filter::Filter;

/// The root context. Without a valid configuration the proxy refuses the plugin, or keeps the configuration it had.
#[derive(Default)]
pub(crate) struct Root {
    stage: Option<Rc<RateLimit>>,
}

impl Root {
    fn configure(&mut self, size: usize) -> Result<(), String> {
        let json = config::plugin_configuration(size).map_err(|error| {
            format!("rate-limit config: the proxy did not hand it out: {error}")
        })?;
        let stage = RateLimit::from_json(&json)?;
        self.stage = Some(Rc::new(stage));
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
        Some(Box::new(Filter::new(self.stage.clone())))
    }
}
