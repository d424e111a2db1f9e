//! Sends two HTTP calls at once, goes on when both have answered and tells upstream what they said.

use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_http_context(|_, _| Box::new(Stream { open: Vec::new(), answers: Vec::new() }));
}}

struct Stream {
    open: Vec<u32>,
    answers: Vec<String>,
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        for path in ["/first", "/second"] {
            let headers = vec![
                (":method", "GET"),
                (":path", path),
                (":authority", "oracle.example"),
            ];
            if let Ok(token) =
                self.dispatch_http_call("oracle", headers, None, vec![], Duration::from_secs(1))
            {
                self.open.push(token);
            }
        }
        if self.open.is_empty() {
            Action::Continue
        } else {
            Action::Pause
        }
    }
}

impl Context for Stream {
    fn on_http_call_response(&mut self, token: u32, _: usize, body_size: usize, _: usize) {
        let body = self
            .get_http_call_response_body(0, body_size)
            .unwrap_or_default();
        self.answers
            .push(String::from_utf8_lossy(&body).into_owned());
        self.open.retain(|open| *open != token);
        if self.open.is_empty() {
            self.answers.sort();
            let answers = self.answers.join("+");
            self.set_http_request_header("x-oracles", Some(&answers));
            self.resume_http_request();
        }
    }
}
