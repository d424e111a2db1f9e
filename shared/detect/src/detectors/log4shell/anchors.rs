//! What the prefilter looks for on behalf of LOG4SHELL: a literal (lower case; matched without regard to ASCII case)
//! and this category's feature bits (0..=5) that it sets. Also compiled into build.rs, so it uses nothing.

/// A look-up opens.
pub const LOOKUP: u8 = 0b01;
/// The name of the look-up that does the harm, with or without its braces.
pub const JNDI: u8 = 0b10;

/// Literals and the feature bits that each sets.
pub const ANCHORS: &[(&[u8], u8)] = &[(b"${", LOOKUP), (b"jndi:", JNDI)];
