//! The rules of LOG4SHELL.

use crate::Rule;

/// Every rule of this category.
pub static RULES: &[Rule] = &[];
