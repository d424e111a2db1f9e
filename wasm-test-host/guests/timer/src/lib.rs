//! A singleton service without requests: says hello, then ticks with the time of day.

use std::time::Duration;

use log::info;
use proxy_wasm::traits::{Context, RootContext};
use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_root_context(|_| Box::new(Root { ticks: 0 }));
}}

struct Root {
    ticks: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_vm_start(&mut self, _: usize) -> bool {
        info!("hello");
        self.set_tick_period(Duration::from_secs(5));
        true
    }

    fn on_tick(&mut self) {
        self.ticks += 1;
        let now = self
            .get_current_time()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        info!("tick {} at {}", self.ticks, now.as_secs());
        if self.ticks == 3 {
            self.set_tick_period(Duration::ZERO);
        }
    }
}
