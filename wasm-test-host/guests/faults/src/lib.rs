//! Misbehaves on command of the header `x-fault`: what a host must survive and report.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_http_context(|_, _| Box::new(Stream { fault: Vec::new() }));
}}

struct Stream {
    fault: Vec<u8>,
}

impl Context for Stream {}

#[inline(never)]
fn run_for_ever() {
    let mut n = 0u64;
    while std::hint::black_box(n) != u64::MAX {
        n = n.wrapping_add(1) & 0xffff;
    }
}

#[inline(never)]
fn take_all_memory() {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.fault = self
            .get_http_request_header_bytes("x-fault")
            .unwrap_or_default();
        match self.fault.as_slice() {
            b"panic" => panic!("told to"),
            b"loop" => run_for_ever(),
            b"memory" => take_all_memory(),
            b"pause" => return Action::Pause,
            b"reply twice" => {
                self.send_http_response(401, vec![], Some(b"first"));
                self.send_http_response(402, vec![], Some(b"second"));
                return Action::Pause;
            }
            b"string getter" => {
                // The String getter panics on a header that is not UTF-8: the mistake that Backstop must not make.
                let _ = self.get_http_request_headers();
            }
            _ => {}
        }
        Action::Continue
    }

    fn on_http_request_body(&mut self, _: usize, end_of_stream: bool) -> Action {
        match self.fault.as_slice() {
            b"late getter" => {
                // Envoy has given the headers away by now.
                let _ = self.get_http_request_header(":path");
            }
            b"hold body" if !end_of_stream => return Action::Pause,
            b"refuse at end" if end_of_stream => {
                self.send_http_response(403, vec![], None);
                return Action::Pause;
            }
            b"refuse at end" => return Action::Pause,
            _ => {}
        }
        Action::Continue
    }
}
