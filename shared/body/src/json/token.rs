//! Tokens of JSON.

use backstop_http::scan::find_either;

use crate::cursor::Cursor;

/// A string as spelled, without its quotes.
pub(super) struct RawString<'a> {
    pub(super) raw: &'a [u8],
    pub(super) escaped: bool,
    pub(super) closed: bool,
}

/// Takes a string whose opening quote has been taken.
pub(super) fn take_string<'a>(cursor: &mut Cursor<'a>, quote: u8) -> RawString<'a> {
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
pub(super) fn takes_colon(cursor: &mut Cursor<'_>) -> bool {
    cursor.take_while(is_space);
    cursor.skip_if(b":")
}

/// Space of JSON, and the record separator of JSON text sequences (RFC 7464).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x1e)
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | b'+' | b'-') || byte >= 0x80
}

/// A number or a literal of JSON. Numbers by their characters only: nothing can be hidden in those.
pub(super) fn is_standard(word: &[u8]) -> bool {
    match word {
        b"true" | b"false" | b"null" => true,
        [b'-' | b'0'..=b'9', ..] => {
            word.iter()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'))
                && !word.windows(2).any(|pair| pair == b"--")
        }
        _ => false,
    }
}
