//! Byte classes and comparisons that every part of this detector uses.

/// The byte at `at`, if there is one.
pub fn at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// The byte before `at`, if there is one.
pub fn before(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at.checked_sub(1)?).copied()
}

/// What follows `at`; empty beyond the end.
pub fn from(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

/// Whether `bytes` starts with `literal` (lower case) without regard to case.
#[inline]
pub fn starts_with(bytes: &[u8], literal: &[u8]) -> bool {
    literal.first().is_none_or(|first| {
        bytes
            .first()
            .is_some_and(|byte| byte.eq_ignore_ascii_case(first))
    }) && bytes
        .get(..literal.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(literal))
}

/// Whether `name` is one of `names` (lower case) without regard to case.
pub fn is_one_of(name: &[u8], names: &[&[u8]]) -> bool {
    names.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// Space or control character: what browsers of some age have skipped inside markup and schemes.
pub const fn is_gap(byte: u8) -> bool {
    byte <= b' ' || byte == 0x7f
}

/// Part of a JavaScript identifier.
#[inline]
pub fn is_identifier(byte: u8) -> bool {
    static IDENTIFIER: [bool; 256] = {
        let mut table = [false; 256];
        let mut rest: &mut [bool] = &mut table;
        let mut byte = 0_u8;
        while let [first, tail @ ..] = rest {
            *first = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$');
            rest = tail;
            byte = byte.wrapping_add(1);
        }
        table
    };
    IDENTIFIER.get(usize::from(byte)).copied().unwrap_or(false)
}

/// One of the signs that delimit a string in HTML or JavaScript.
pub const fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// The first position from `from` on that holds no gap.
pub fn skip_gaps(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| is_gap(**byte)).count()
}

/// The last position before `end` that holds no gap, looking at most 16 bytes back.
pub fn last_solid(bytes: &[u8], end: usize) -> Option<usize> {
    let start = end.saturating_sub(16);
    let window = bytes.get(start..end)?;
    Some(start + window.iter().rposition(|byte| !is_gap(*byte))?)
}

/// Where `needle` starts in `bytes`, without regard to case; `needle` is lower case and not empty.
pub fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    super::super::ascii::find(bytes, needle, bytes.len())
}
