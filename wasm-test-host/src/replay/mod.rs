//! Recorded traffic through a filter: every request to a verdict, all verdicts to a summary.
//!
//! A reader, several workers with one filter each, and a collector that puts their results back in order are joined
//! by bounded channels, so a recording of any length takes the same memory. See `pipeline`.

mod authz_script;
mod cost;
mod filter;
mod pipeline;
mod subject;
mod summary;
mod verdict;

pub use authz_script::{AuthzScript, ScriptError};
pub use cost::{Cost, Quantiles, Slow};
pub use filter::FilterSubject;
pub use pipeline::{ReplayError, Replayed, replay};
pub use subject::{Judge, Subject, SubjectError};
pub use summary::{CategoryScore, SourceScore, Summary};
pub use verdict::{Decision, Finding, Verdict};
