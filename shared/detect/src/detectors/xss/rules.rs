//! The rules of XSS.

use crate::Rule;

/// Every rule of this category.
pub static RULES: &[Rule] = &[];
