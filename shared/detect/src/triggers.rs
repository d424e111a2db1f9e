//! What the prefilter looks for on the engine's own behalf: the bytes that make a decoding worth trying. Four bits, above the
//! sixty of the categories. Also compiled into build.rs, so it uses nothing.

/// A percent sign: `%41`, `%u0041`.
pub const PERCENT: u8 = 0b0001;
/// Text encodings that are seldom seen: an ampersand (`&lt;`) or a UTF-7 shift of an ASCII sign (`+ADw-`).
pub const ENTITY: u8 = 0b0010;
/// A backslash: `\u0041`, `\x41`.
pub const BACKSLASH: u8 = 0b0100;
/// A NUL, or a byte that [`FOLDED`] has.
pub const WIDE: u8 = 0b1000;

/// The bytes that overlong UTF-8 and the look-alikes of ASCII signs begin with: neither Hangul nor most of what else is written is
/// decoded for them.
pub const FOLDED: &[u8] = &[
    0xc0, 0xc1, 0xe0, 0xf0, 0xf8, 0xfc, // overlong
    0xc4, 0xc5, 0xca, 0xcb, 0xe2, 0xe3, 0xe5, 0xef, // look-alikes
];

/// Literals and the trigger bits that each sets.
pub const LITERALS: &[(&[u8], u8)] = &[
    (b"%", PERCENT),
    (b"&", ENTITY),
    // UTF-7: every shift that begins with an ASCII character.
    (b"+aa", ENTITY),
    (b"+ab", ENTITY),
    (b"+ac", ENTITY),
    (b"+ad", ENTITY),
    (b"+ae", ENTITY),
    (b"+af", ENTITY),
    (b"+ag", ENTITY),
    (b"+ah", ENTITY),
    (b"\\", BACKSLASH),
    (b"\0", WIDE),
];
