//! The rules of COMMAND_INJECTION.

use crate::Rule;

/// Every rule of this category.
pub static RULES: &[Rule] = &[];
