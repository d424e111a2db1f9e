//! What the prefilter looks for on the engine's own behalf: the bytes that make a decoding worth trying. Four bits, above the
//! sixty of the categories. Also compiled into build.rs, so it uses nothing.

/// A percent sign: `%41`, `%u0041`.
pub const PERCENT: u8 = 0b0001;
/// Text encodings that are seldom seen: an ampersand (`&lt;`) or a UTF-7 shift of an ASCII sign (`+ADw-`).
pub const ENTITY: u8 = 0b0010;
/// A backslash: `\u0041`, `\x41`.
pub const BACKSLASH: u8 = 0b0100;
/// A byte outside ASCII or a NUL: overlong or fullwidth UTF-8, padding.
pub const WIDE: u8 = 0b1000;

/// Literals and the trigger bits that each sets. Bytes outside ASCII are marked by class, not listed.
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
