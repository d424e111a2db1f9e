//! The bot verdict on critical APIs: an authorization service is asked over `envoy.service.auth.v3` before a request goes
//! on. No host.
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | what an operator writes |
//! | [`api`] | which critical API a request is for, however its path is spelled |
//! | [`bot_token`] | the token that some APIs demand, as far as its form goes |
//! | [`header_names`] | sets of header names, as configuration writes them |
#![forbid(unsafe_code)]

pub mod api;
pub mod bot_token;
pub mod config;
pub mod header_names;
mod spelling;

pub use config::{Config, ConfigError};
