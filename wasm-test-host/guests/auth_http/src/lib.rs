//! Asks the cluster `authority` whether a request may pass: an even first byte of its answer says yes.

use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_http_context(|_, _| Box::new(Stream));
}}

struct Stream;

impl Stream {
    fn refuse(&self) {
        self.send_http_response(403, vec![("powered-by", "guest")], Some(b"no entry\n"));
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let headers = vec![
            (":method", "GET"),
            (":path", "/bytes/1"),
            (":authority", "authority.example"),
        ];
        match self.dispatch_http_call("authority", headers, None, vec![], Duration::from_secs(1)) {
            Ok(_) => Action::Pause,
            Err(status) => {
                log::warn!("call refused: {status:?}");
                self.refuse();
                Action::Pause
            }
        }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("powered-by", Some("guest"));
        Action::Continue
    }
}

impl Context for Stream {
    fn on_http_call_response(&mut self, _: u32, _: usize, body_size: usize, _: usize) {
        let body = self.get_http_call_response_body(0, body_size);
        match body.as_deref().and_then(<[u8]>::first) {
            Some(byte) if byte % 2 == 0 => self.resume_http_request(),
            _ => self.refuse(),
        }
    }
}
