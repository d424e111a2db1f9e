//! The cores as stages of a request in a Proxy-Wasm host: each asks the host what its core wants to know, and turns the
//! core's outcome into replies, header changes, metrics and log lines.
//!
//! A filter is a [`Root`] with a function from its configuration to [`Stages`]: one, or for `edge` all. What a request
//! brings is read from the proxy once ([`Request`]) and shown to every stage; a stage may hold the request until its body
//! is there, or until a call-out is answered, and those after it wait.
#![forbid(unsafe_code)]

pub mod block_list;
pub mod ext_authz;
mod filter;
pub mod origin_verify;
mod pipeline;
mod proxy;
pub mod rate_limit;
mod reply;
mod request;
pub mod stage;
mod ticks;
pub mod waf;

pub use block_list::BlockList;
pub use ext_authz::ExtAuthz;
pub use filter::Root;
pub use origin_verify::OriginVerify;
pub use rate_limit::RateLimit;
pub use request::Request;
pub use stage::{Body, CallResponse, Flow, Passage, Stage, Stages, Tick};
pub use waf::Waf;
