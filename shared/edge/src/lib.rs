//! The configuration of `edge`, the filter that is all filters: a section for each, compiled together or not at all.
#![forbid(unsafe_code)]

mod config;
mod policies;
mod section;

pub use backstop_policy::ConfigError;
pub use config::Config;
pub use policies::Policies;
