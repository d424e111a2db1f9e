//! The cores as stages of a request in a Proxy-Wasm host: each asks the host what its core wants to know, and turns the
//! core's outcome into replies, header changes, metrics and log lines.
//!
//! A filter's crate puts one stage (or, for `edge`, all) behind the SDK's callbacks. The header list is fetched and parsed
//! once, by [`request_headers`], and shown to every stage.
#![forbid(unsafe_code)]

pub mod origin_verify;
mod proxy;
pub mod rate_limit;
mod reply;

pub use origin_verify::OriginVerify;
pub use proxy::request_headers;
pub use rate_limit::RateLimit;

/// What a stage tells the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The request goes on, to the next stage.
    Continue,
    /// The request was answered: no further stage sees it.
    Answered,
}
