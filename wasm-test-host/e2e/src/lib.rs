//! A real Envoy as a test fixture: its process, an upstream that records, a client that sends exact bytes.
//!
//! Everything listens on a free port of 127.0.0.1 and waits on events, never on the clock.
#![forbid(unsafe_code)]

pub mod bootstrap;
pub mod case;
pub mod client;
pub mod envoy;
pub mod http1;
pub mod load;
pub mod modules;
pub mod probe;
pub mod services;
pub mod upstream;

pub use bootstrap::{Bootstrap, Listener};
pub use client::{Client, Response};
pub use envoy::Envoy;
pub use services::{AuthzService, RateLimitService, Redis};
pub use upstream::{Recorded, Upstream};
