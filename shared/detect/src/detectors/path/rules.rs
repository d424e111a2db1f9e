//! The rules of PATH_TRAVERSAL.

use crate::Rule;

/// Every rule of this category.
pub static RULES: &[Rule] = &[];
