//! Adds its own configuration to every response; refuses an empty one.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::new(Root { header_content: String::new() }));
}}

struct Root {
    header_content: String,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        match String::from_utf8(configuration) {
            Ok(text) if !text.is_empty() => {
                self.header_content = text;
                true
            }
            _ => {
                log::error!("config guest: the configuration is empty or not UTF-8");
                false
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream {
            header_content: self.header_content.clone(),
        }))
    }
}

struct Stream {
    header_content: String,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.add_http_response_header("x-config", &self.header_content);
        Action::Continue
    }
}
