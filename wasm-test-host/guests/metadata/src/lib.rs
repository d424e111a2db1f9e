//! Copies dynamic metadata that an earlier filter wrote into a request header, and writes filter state.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_http_context(|_, _| Box::new(Stream));
}}

struct Stream;

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let path = vec![
            "metadata",
            "filter_metadata",
            "envoy.filters.http.lua",
            "tier",
        ];
        if let Some(tier) = self.get_property(path) {
            let tier = String::from_utf8_lossy(&tier).into_owned();
            self.set_http_request_header("x-tier", Some(&tier));
        }
        self.set_property(vec!["guest_saw"], Some(b"metadata"));
        Action::Continue
    }
}
