//! The ten detectors: bytes in, findings out. No host, no clock, no serde.
//!
//! A value goes through `decode` until nothing changes; each form it takes is swept once by the prefilter, whose
//! features say which detectors deserve to look; a detector parses the value and pushes what it found.
#![forbid(unsafe_code)]

pub mod category;
pub mod detectors;
pub mod input;
pub mod rule;

pub use category::{Category, CategorySet};
pub use input::{Hit, Hits, Input};
pub use rule::{Level, Rule, Severity};
