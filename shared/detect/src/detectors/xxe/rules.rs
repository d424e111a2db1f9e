//! The rules of XXE_INJECTION.

use crate::Rule;

/// Every rule of this category.
pub static RULES: &[Rule] = &[];
