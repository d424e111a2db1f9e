//! The worker's ticks: there while a stage has something to do, and only then.

use backstop_plugin::LogLevel;
use backstop_plugin::host::{self, call};

/// How exactly held requests go on, and how often queues are looked at.
const MILLIS: u32 = 10;

/// Asks for ticks, until [`stop`].
pub(crate) fn start() {
    set(MILLIS);
}

/// Ends them.
pub(crate) fn stop() {
    set(0);
}

fn set(millis: u32) {
    if let Err(error) = call::set_tick_period(millis) {
        let line = format!("backstop: the proxy gives no ticks: {error}");
        host::log(LogLevel::Error, line.as_bytes());
    }
}
