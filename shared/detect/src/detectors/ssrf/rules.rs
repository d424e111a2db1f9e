//! The rules of SSRF.

use crate::Rule;

/// Every rule of this category.
pub static RULES: &[Rule] = &[];
