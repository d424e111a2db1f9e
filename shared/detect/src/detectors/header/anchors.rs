//! What the prefilter looks for on behalf of HEADER_INJECTION: a literal (lower case; matched without regard to ASCII case)
//! and this category's feature bits (0..=5) that it sets. Also compiled into build.rs, so it uses nothing.

/// A line ends. Unicode look-alikes are folded to these by the decodings before.
pub const NEWLINE: u8 = 0b01;

/// Literals and the feature bits that each sets.
pub const ANCHORS: &[(&[u8], u8)] = &[
    (b"\r", NEWLINE),
    (b"\n", NEWLINE),
    (b"set-cookie:", NEWLINE),
];
