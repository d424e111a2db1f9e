//! The ten detectors: bytes in, findings out. No host, no clock, no serde.
//!
//! A value goes through `decode` until nothing changes; each form it takes is swept once by the prefilter, whose
//! features say which detectors deserve to look; a detector parses the value and pushes what it found.
#![forbid(unsafe_code)]

mod applies;
pub mod category;
pub mod chain;
mod changes;
pub mod decode;
pub mod detectors;
pub mod exhibit;
pub mod finding;
pub mod forms;
pub mod input;
mod lead;
pub mod prefilter;
pub mod rule;
pub mod rule_page;
pub mod scan;
mod shape;
pub mod triggers;
mod work;

pub use category::{Category, CategorySet};
pub use chain::{Chain, Decoding};
pub use finding::{Finding, Findings};
pub use forms::Forms;
pub use input::{Hit, Hits, Input};
pub use rule::{Level, Rule, Severity};
pub use scan::{Glance, ScanOptions, Scanner, rule, rules, rules_of};
pub use work::Work;
