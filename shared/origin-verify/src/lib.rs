//! Origin verify: a request is accepted when it carries a secret that only the CDN in front of the gateway knows, in a
//! header that is taken off before the request goes on. No host.
//!
//! The configuration has SHA-256 digests, never a secret: nothing that the proxy shows (config dumps, logs, metrics) helps
//! to forge the header. Several secrets may be valid at once, each with a name and a time of validity, so that one is
//! rotated without a gap. [`Config`] is what an operator writes, [`Policy`] what it compiles to; [`Policy::verify`] judges
//! one request.
#![forbid(unsafe_code)]

pub mod config;
mod digest;
mod log_line;
mod policy;
mod verdict;

pub use backstop_policy::{Answer, ConfigError};
pub use config::{Config, Mode};
pub use digest::{Digest, digest};
pub use policy::{Host, Policy};
pub use verdict::{Outcome, Refusal, Verdict};
