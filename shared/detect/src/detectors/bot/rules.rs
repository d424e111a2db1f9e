//! The rules of BOT_SCANNER.

use crate::Rule;

/// Every rule of this category.
pub static RULES: &[Rule] = &[];
