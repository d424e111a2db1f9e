//! One per configuration: compiles it, makes a filter per request.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use backstop_plugin::{LogLevel, config, host};
use backstop_waf::{Policy, Scanner};
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use crate::filter::Filter;
use crate::telemetry::Telemetry;

/// What all requests of a worker share under one configuration.
pub(crate) struct Shared {
    pub(crate) policy: Rc<Policy>,
    pub(crate) scanner: RefCell<Scanner>,
    pub(crate) telemetry: Telemetry,
    requests: Cell<u32>,
}

impl Shared {
    /// Whether this request is one of those whose inspection is timed.
    pub(crate) fn is_timed(&self) -> bool {
        let number = self.requests.get().wrapping_add(1);
        self.requests.set(number);
        self.policy.metrics && number.checked_rem(self.policy.time_one_in) == Some(0)
    }
}

/// The root context. Without a valid configuration it makes no filter that lets anything pass unseen: the proxy then
/// refuses the configuration and keeps the one it had.
#[derive(Default)]
pub(crate) struct Root {
    shared: Option<Rc<Shared>>,
}

impl Root {
    fn configure(&mut self, size: usize) -> Result<(), String> {
        let json = config::plugin_configuration(size)
            .map_err(|error| format!("waf config: the proxy did not hand it out: {error}"))?;
        let policy = Policy::from_json(&json).map_err(|error| error.to_string())?;
        self.shared = Some(Rc::new(Shared {
            scanner: RefCell::new(policy.scanner()),
            policy: Rc::new(policy),
            telemetry: Telemetry::default(),
            requests: Cell::new(0),
        }));
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
        Some(Box::new(Filter::new(self.shared.clone())))
    }
}
