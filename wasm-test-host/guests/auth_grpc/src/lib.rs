//! Asks `Authority/Random` of the cluster `authority` over gRPC: an even first byte of its message says yes.

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
        let call = self.dispatch_grpc_call(
            "authority",
            "guest.Authority",
            "Random",
            vec![("x-from", b"guest")],
            Some(b"\x08\x01"),
            Duration::from_secs(1),
        );
        if let Err(status) = call {
            log::warn!("call refused: {status:?}");
            self.refuse();
        }
        Action::Pause
    }
}

impl Context for Stream {
    fn on_grpc_call_response(&mut self, _: u32, status_code: u32, response_size: usize) {
        let body = self.get_grpc_call_response_body(0, response_size);
        log::info!("gRPC status {status_code}");
        match body.as_deref().and_then(<[u8]>::first) {
            Some(byte) if status_code == 0 && byte % 2 == 0 => self.resume_http_request(),
            _ => self.refuse(),
        }
    }
}
