//! Counts requests across workers in shared data by compare and swap, and announces every third on a queue.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType, Status};

const KEY: &str = "guest.shared_data.count";
const QUEUE: &str = "guest.shared_data.announcements";

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::new(Root { queue: 0, heard: 0 }));
}}

struct Root {
    queue: u32,
    heard: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_vm_start(&mut self, _: usize) -> bool {
        self.queue = self.register_shared_queue(QUEUE);
        self.heard =
            hostcalls::define_metric(MetricType::Counter, "guest_announcements").unwrap_or(0);
        true
    }

    fn on_queue_ready(&mut self, queue: u32) {
        while let Ok(Some(message)) = self.dequeue_shared_queue(queue) {
            let _ = hostcalls::increment_metric(self.heard, 1);
            log::info!("heard: {}", String::from_utf8_lossy(&message));
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { queue: self.queue }))
    }
}

struct Stream {
    queue: u32,
}

impl Context for Stream {}

impl Stream {
    fn count(&self) -> Option<u64> {
        // Another worker may be faster: read again and try again.
        for _ in 0..16 {
            let (value, cas) = self.get_shared_data(KEY);
            let count = value
                .and_then(|v| v.try_into().ok())
                .map_or(0, u64::from_le_bytes)
                + 1;
            match self.set_shared_data(KEY, Some(&count.to_le_bytes()), cas) {
                Ok(()) => return Some(count),
                Err(Status::CasMismatch) => {}
                Err(status) => {
                    log::error!("shared data: {status:?}");
                    return None;
                }
            }
        }
        None
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        if let Some(count) = self.count() {
            self.set_http_request_header("x-count", Some(&count.to_string()));
            if count % 3 == 0 {
                let _ = self
                    .enqueue_shared_queue(self.queue, Some(format!("request {count}").as_bytes()));
            }
        }
        Action::Continue
    }
}
