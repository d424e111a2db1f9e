//! What a byte can be in a path, in one look-up.

use super::dots;

/// A slash may start here, in some spelling.
pub const SLASH: u8 = 1;
/// A dot may start here, in some spelling.
pub const DOT: u8 = 2;
/// A path can start behind it.
pub const BOUNDARY: u8 = 4;
/// An ASCII letter.
pub const LETTER: u8 = 8;
/// A part of a scheme's name or of what it is not read out of: letters, digits, `_`, `-` and `.`.
pub const WORD: u8 = 16;
/// Such a part that is nothing else to a path: neither a dot nor a digit that may begin one.
pub const INNER: u8 = 32;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0_u8;
    while let [first, tail @ ..] = rest {
        if dots::may_be_slash(byte) {
            *first |= SLASH;
        }
        if dots::may_be_dot(byte) {
            *first |= DOT;
        }
        if is_boundary(byte) {
            *first |= BOUNDARY;
        }
        if byte.is_ascii_alphabetic() {
            *first |= LETTER;
        }
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') {
            *first |= WORD;
            if *first & (SLASH | DOT | BOUNDARY) == 0 {
                *first |= INNER;
            }
        }
        rest = tail;
        byte = byte.wrapping_add(1);
    }
    table
}

/// What a byte can be: the bits above.
#[inline]
pub fn of(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// Signs behind which a path can start inside a value.
const fn is_boundary(byte: u8) -> bool {
    matches!(
        byte,
        b'=' | b'\''
            | b'"'
            | b'('
            | b','
            | b':'
            | b';'
            | b'|'
            | b'&'
            | b'<'
            | b'>'
            | b'['
            | b'{'
            | b'@'
            | b' '
            | b'\n'
            | b'\t'
            | b'`'
            | b'!'
            | b'+'
            | b'#'
            | b'?'
            | 0
    )
}
