//! XSS.

pub mod anchors;
pub mod rules;

use crate::{Hits, Input};

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    features != 0
}

/// Parses the value and records what it is.
pub fn detect(_input: &Input<'_>, _hits: &mut Hits) {}
