//! Tokens of JSON.

use backstop_http::scan::{find_either, word_marks};

use crate::cursor::Cursor;

/// A string as spelled, without its quotes.
pub(super) struct RawString<'a> {
    pub(super) raw: &'a [u8],
    pub(super) escaped: bool,
    pub(super) closed: bool,
}

/// The text of the string that `rest` begins with, in double quotes and without escapes, and what follows the string.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub(super) fn plain_string(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, inner) = rest.split_first()?;
    let end = find_either(b'"', b'\\', inner)?;
    match inner.split_at_checked(end)? {
        (text, [b'"', after @ ..]) => Some((text, after)),
        _ => None,
    }
}

/// The longest name that counts as plain: longer ones may be an encoded text.
pub const MAX_PLAIN_NAME: usize = 24;

/// The plain name in double quotes that `rest` begins with, and what follows its colon: letters, digits and underscores, as
/// programs name members. One look-up per byte finds its end and sees that it is one.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub(super) fn plain_key(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, inner) = rest.split_first()?;
    // Sixteen bytes show the end of nearly all.
    let marks = match inner.first_chunk() {
        Some(sixteen) => word_marks(sixteen),
        None => 0xffff,
    };
    let length = match marks {
        ..0xffff => marks.trailing_ones() as usize,
        _ => inner.iter().position(|byte| bits(*byte) & NAME == 0)?,
    };
    match inner.split_at_checked(length)? {
        ([b'_', b'_', ..] | [], _) => None,
        (key, [b'"', b':', after @ ..]) if length <= MAX_PLAIN_NAME => Some((key, after)),
        _ => None,
    }
}

/// Takes a string whose opening quote has been taken.
#[inline]
pub(super) fn take_string<'a>(cursor: &mut Cursor<'a>, quote: u8) -> RawString<'a> {
    // Most strings hold no escape: the first sign found is the quote that closes.
    if let Some(end) = find_either(quote, b'\\', cursor.rest())
        && let Some((raw, [first, after @ ..])) = cursor.rest().split_at_checked(end)
        && *first == quote
    {
        cursor.go_to(after);
        return RawString {
            raw,
            escaped: false,
            closed: true,
        };
    }
    take_escaped(cursor, quote)
}

fn take_escaped<'a>(cursor: &mut Cursor<'a>, quote: u8) -> RawString<'a> {
    let rest = cursor.rest();
    let mut escaped = false;
    let mut end = 0;
    while let Some(tail) = rest.get(end..) {
        let Some(at) = find_either(quote, b'\\', tail) else {
            break;
        };
        end += at;
        if tail.get(at) == Some(&quote) {
            let raw = cursor.take(end);
            cursor.skip(1);
            return RawString {
                raw,
                escaped,
                closed: true,
            };
        }
        escaped = true;
        end += 2;
    }
    RawString {
        raw: cursor.take(usize::MAX),
        escaped,
        closed: false,
    }
}

/// Skips space and a colon, if a colon is next.
#[inline]
pub(super) fn takes_colon(cursor: &mut Cursor<'_>) -> bool {
    if cursor.peek() != Some(b':') {
        cursor.take_while(is_space);
    }
    cursor.skip_if(b":")
}

/// Space of JSON, and the record separator of JSON text sequences (RFC 7464).
#[inline]
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x1e)
}

/// `rest` without the space that it begins with.
#[inline]
pub(super) fn skip_space(rest: &[u8]) -> &[u8] {
    let mut rest = rest;
    while let [byte, after @ ..] = rest
        && *byte <= b' '
        && is_space(*byte)
    {
        rest = after;
    }
    rest
}

/// What a byte of a bare word is: a bit for each.
const WORD: u8 = 1;
const NUMBER: u8 = 2;
const NAME: u8 = 4;

static BARE: [u8; 256] = bare();

const fn bare() -> [u8; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0_u8;
    while let [first, tail @ ..] = rest {
        *first = match byte {
            b'0'..=b'9' | b'e' | b'E' => WORD | NUMBER | NAME,
            b'.' | b'-' | b'+' => WORD | NUMBER,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => WORD | NAME,
            b'$' | 0x80.. => WORD,
            _ => 0,
        };
        rest = tail;
        byte = byte.wrapping_add(1);
    }
    table
}

#[inline]
fn bits(byte: u8) -> u8 {
    BARE.get(usize::from(byte)).copied().unwrap_or(0)
}

#[inline]
pub(super) fn is_word(byte: u8) -> bool {
    bits(byte) & WORD != 0
}

/// The length of the number or literal at the start of `rest`, as far as a glance tells: digits with a sign, a point and an
/// exponent, or `true`, `false`, `null`, and no word behind it. `None`: [`is_standard`] may know better.
#[inline]
pub(super) fn plain_length(rest: &[u8]) -> Option<usize> {
    let length = match rest {
        [b't', b'r', b'u', b'e', ..] | [b'n', b'u', b'l', b'l', ..] => 4,
        [b'f', b'a', b'l', b's', b'e', ..] => 5,
        [b'0'..=b'9', digits @ ..] | [b'-', b'0'..=b'9', digits @ ..] => {
            let is_other = |byte: &u8| !matches!(byte, b'0'..=b'9' | b'.');
            let end = digits.iter().position(is_other).unwrap_or(digits.len());
            rest.len() - digits.len() + end
        }
        _ => return None,
    };
    let behind = rest.get(length).copied();
    (!behind.is_some_and(is_word)).then_some(length)
}

/// A number or a literal of JSON. Numbers by their characters only: nothing can be hidden in those.
pub(super) fn is_standard(word: &[u8]) -> bool {
    match word {
        b"true" | b"false" | b"null" => true,
        [first @ (b'-' | b'0'..=b'9'), rest @ ..] => {
            let mut previous = *first;
            rest.iter().all(|byte| {
                let comment = *byte == b'-' && previous == b'-';
                previous = *byte;
                bits(*byte) & NUMBER != 0 && !comment
            })
        }
        _ => false,
    }
}
