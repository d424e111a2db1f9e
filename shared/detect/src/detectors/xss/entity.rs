//! The characters of a URL in an attribute: character references decoded, white space and control characters dropped.

use super::ascii::{from, is_gap, starts_with};

/// Iterates over a value's characters as a URL parser sees them; those beyond ASCII come as `?`.
#[derive(Debug)]
pub struct Plain<'a> {
    rest: &'a [u8],
}

impl<'a> Plain<'a> {
    /// The characters of `value`.
    pub const fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }
}

impl Iterator for Plain<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            let mut byte = *first;
            let mut length = 1;
            if byte == b'&'
                && let Some((decoded, taken)) = reference(rest)
            {
                byte = decoded;
                length += taken;
            }
            self.rest = from(self.rest, length);
            if !is_gap(byte) {
                return Some(byte);
            }
        }
    }
}

/// The reference behind an `&`: its character and its length. Digits may be padded with zeros, and the semicolon missing.
fn reference(rest: &[u8]) -> Option<(u8, usize)> {
    const NAMED: [(&[u8], u8); 8] = [
        (b"tab;", b'\t'),
        (b"newline;", b'\n'),
        (b"colon;", b':'),
        (b"lpar;", b'('),
        (b"rpar;", b')'),
        (b"sol;", b'/'),
        (b"comma;", b','),
        (b"amp;", b'&'),
    ];
    let Some(digits) = rest.strip_prefix(b"#") else {
        return NAMED
            .iter()
            .find(|(name, _)| starts_with(rest, name))
            .map(|(name, byte)| (*byte, name.len()));
    };
    let (radix, digits, mark) = match digits.split_first() {
        Some((b'x' | b'X', hex)) => (16, hex, 2),
        _ => (10, digits, 1),
    };
    let mut code = 0u32;
    let mut length = 0;
    for digit in digits
        .iter()
        .map_while(|byte| char::from(*byte).to_digit(radix))
        .take(24)
    {
        code = code.saturating_mul(radix).saturating_add(digit);
        length += 1;
    }
    if length == 0 {
        return None;
    }
    let semicolon = usize::from(digits.get(length) == Some(&b';'));
    let byte = u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(b'?');
    Some((byte, mark + length + semicolon))
}
