//! What the prefilter looks for on behalf of LDAP_INJECTION: a literal (lower case; matched without regard to ASCII case)
//! and this category's feature bits (0..=5) that it sets. Also compiled into build.rs, so it uses nothing.

/// An assertion closes.
pub const CLOSE: u8 = 0b001;
/// A filter opens.
pub const OPEN: u8 = 0b010;
/// A wild card.
pub const STAR: u8 = 0b100;

/// A parenthesis in a filter's own escape.
pub const ESCAPED: u8 = 0b1_0000;

/// A matching rule by its number: RFC 4517's, Active Directory's.
pub const MATCH: u8 = 0b1000;

/// Literals and the feature bits that each sets.
pub const ANCHORS: &[(&[u8], u8)] = &[
    (b")", CLOSE),
    (b"(", OPEN),
    (b"*", STAR),
    (b"\\28", ESCAPED),
    (b"\\29", ESCAPED),
    (b":2.5.13.", MATCH),
    (b":1.2.840.113556.1.4.", MATCH),
];
