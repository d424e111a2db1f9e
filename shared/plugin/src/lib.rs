//! What the glue of each filter needs from the Proxy-Wasm host.
//!
//! The SDK does contexts and dispatch. Everything that a request touches goes through [`host`], whose functions take and
//! give bytes, answer every status with a domain error and never panic: a reachable panic ends the VM, and with it every
//! request of the worker.
//!
//! | module | what it does |
//! |---|---|
//! | [`host`] | the host imports: header map, buffers, properties, local reply, metrics, log, clock |
//! | [`metrics`] | counters and histograms with bounded labels, defined once per VM |
//! | [`config`] | the plugin configuration as bytes |
#![deny(unsafe_code)]

pub mod config;
pub mod host;
pub mod metrics;
mod serialise;

pub use host::{HostError, LocalReply, LogLevel};
pub use metrics::{Counter, Histogram};

/// Names the callbacks that a filter implements, in a custom section of its module: `backstop pack` keeps the exports of
/// these and removes the others, which a proxy would call for nothing.
///
/// ```
/// backstop_plugin::callbacks!(b"proxy_on_request_headers proxy_on_request_body");
/// ```
#[macro_export]
macro_rules! callbacks {
    ($names:literal) => {
        const _: () = {
            #[cfg(target_family = "wasm")]
            #[used]
            #[unsafe(link_section = "backstop.callbacks")]
            static CALLBACKS: [u8; $names.len()] = *$names;
        };
    };
}
