//! What the prefilter looks for on behalf of XXE_INJECTION: a literal (lower case; matched without regard to ASCII case)
//! and this category's feature bits (0..=5) that it sets. Also compiled into build.rs, so it uses nothing.

/// Literals and the feature bits that each sets.
pub const ANCHORS: &[(&[u8], u8)] = &[];
