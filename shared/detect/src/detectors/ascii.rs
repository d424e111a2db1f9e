//! Reading bytes without panics: the few look-ups that detectors share.

use std::cmp::Ordering;

use backstop_http::scan::find_either;

/// The byte at `at`, NUL beyond the end: no detector takes NUL for part of a word.
pub fn at(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The byte before `at`, NUL at the start.
pub fn before(bytes: &[u8], at: usize) -> u8 {
    at.checked_sub(1)
        .and_then(|i| bytes.get(i))
        .copied()
        .unwrap_or(0)
}

/// Everything from `start` on, empty beyond the end.
pub fn from(bytes: &[u8], start: usize) -> &[u8] {
    bytes.get(start..).unwrap_or_default()
}

/// Whether `literal` (lower case) stands at `start`, without regard to ASCII case.
#[inline]
pub fn has(bytes: &[u8], start: usize, literal: &[u8]) -> bool {
    // Nearly every question ends at the first byte.
    literal.first().is_none_or(|first| {
        bytes
            .get(start)
            .is_some_and(|byte| byte.eq_ignore_ascii_case(first))
    }) && bytes
        .get(start..start.saturating_add(literal.len()))
        .is_some_and(|found| found.eq_ignore_ascii_case(literal))
}

/// Whether `bytes` ends with `literal` (lower case), without regard to ASCII case.
pub fn ends(bytes: &[u8], literal: &[u8]) -> bool {
    bytes
        .len()
        .checked_sub(literal.len())
        .is_some_and(|start| has(bytes, start, literal))
}

/// Where `literal` (lower case, not empty) first stands within the first `window` bytes, without regard to ASCII case.
pub fn find(bytes: &[u8], literal: &[u8], window: usize) -> Option<usize> {
    let bytes = bytes.get(..window.min(bytes.len()))?;
    let first = *literal.first()?;
    let upper = first.to_ascii_uppercase();
    let mut start = 0;
    while let Some(found) = find_either(first, upper, from(bytes, start)) {
        start += found;
        if has(bytes, start, literal) {
            return Some(start);
        }
        start += 1;
    }
    None
}

/// Whether there is nothing but white space. Stops at the first byte that is none: to trim the end as well would read what
/// trails anew from every place that asks.
pub fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

/// Whether a byte can be part of a word: a letter, a digit, `_`, or anything outside ASCII.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// A look-up in a sorted table of lower-case words; `word` is in lower case already.
pub fn in_table(table: &[&str], word: &[u8]) -> bool {
    table
        .binary_search_by(|entry| compare(entry.as_bytes(), word))
        .is_ok()
}

/// The order of two words, which their first two bytes settle as a rule.
#[inline]
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let head = |word: &[u8]| match word {
        [first, second, ..] => u16::from_be_bytes([*first, *second]),
        [first] => u16::from_be_bytes([*first, 0]),
        [] => 0,
    };
    head(a).cmp(&head(b)).then_with(|| a.cmp(b))
}

/// The rows of a sorted table whose first two bytes are those at `start`, without regard to ASCII case.
pub fn candidates<'t, T>(
    table: &'t [(&'static [u8], T)],
    bytes: &[u8],
    start: usize,
) -> &'t [(&'static [u8], T)] {
    let wanted = u16::from_be_bytes([
        at(bytes, start).to_ascii_lowercase(),
        at(bytes, start + 1).to_ascii_lowercase(),
    ]);
    let key = |row: &(&'static [u8], T)| match row.0 {
        [first, second, ..] => u16::from_be_bytes([*first, *second]),
        [first] => u16::from_be_bytes([*first, 0]),
        [] => 0,
    };
    let first = table.partition_point(|row| key(row) < wanted);
    let rest = table.get(first..).unwrap_or_default();
    let count = rest.iter().take_while(|row| key(row) == wanted).count();
    rest.get(..count).unwrap_or_default()
}

/// With which two bytes the rows of a table begin. Bytes count by their low five bits, so that case makes no difference; a pair
/// that no row begins with may share its bits with one, never the other way round.
pub struct Heads([u32; 32]);

impl Heads {
    /// Of the rows of a table, each of two bytes or more.
    pub const fn of<T>(mut rows: &[(&[u8], T)]) -> Self {
        let mut heads = [0; 32];
        while let [(name, _), rest @ ..] = rows {
            if let [first, second, ..] = name {
                let (first, second) = (*first & 31, *second & 31);
                let mut left: &mut [u32] = &mut heads;
                let mut k = 0;
                while let [head, tail @ ..] = left {
                    if k == first {
                        *head |= 1 << second;
                    }
                    left = tail;
                    k += 1;
                }
            }
            rows = rest;
        }
        Self(heads)
    }

    /// Whether a row may begin with these bytes.
    #[inline]
    pub fn may_start(&self, first: u8, second: u8) -> bool {
        let seconds = self.0.get(usize::from(first & 31)).copied().unwrap_or(0);
        seconds >> (second & 31) & 1 != 0
    }
}

/// `word` in lower case in a scratch array, if it fits.
pub fn lower<const N: usize>(word: &[u8], scratch: &mut [u8; N]) -> Option<usize> {
    let target = scratch.get_mut(..word.len())?;
    target.copy_from_slice(word);
    target.make_ascii_lowercase();
    Some(word.len())
}

/// Whether a table of words is sorted without duplicates, as binary search needs.
#[cfg(test)]
pub fn is_sorted(table: &[&str]) -> bool {
    table.windows(2).all(|pair| pair[0] < pair[1])
}
