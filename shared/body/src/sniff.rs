//! What the first bytes of a body show.
//!
//! An absent, odd or wrong Content-Type must not switch a reader off (coreruleset issue 4341): browsers send JSON as
//! `text/plain` to avoid a preflight, command-line clients send it as a form.

use crate::report::Format;

/// Bytes looked at to tell text from binary, and a form or a multipart body from other text.
const WINDOW: usize = 1024;

/// The format whose structure the first bytes show, if any.
pub(crate) fn shown_format(body: &[u8]) -> Option<Format> {
    let trimmed = body.trim_ascii_start();
    let window = trimmed.get(..WINDOW).unwrap_or(trimmed);
    match window {
        [b'{' | b'[', ..] => Some(Format::Json),
        // A JSON string and nothing else, which frameworks accept for a body of type string.
        [b'"', .., b'"'] if trimmed.len() == window.len() => Some(Format::Json),
        [b'<', b'?' | b'!' | b'A'..=b'Z' | b'a'..=b'z' | b'_', ..] => Some(Format::Xml),
        [b'-', b'-', ..] if looks_like_multipart(window) => Some(Format::Multipart),
        _ if looks_like_form(window) => Some(Format::Form),
        _ => None,
    }
}

/// The same of a form's field without a type. HTML from an editor is a text: only a prolog makes XML of it. JSON is taken apart
/// where it is faultless, as in fields of any form ([`crate::nested`]); a note that begins with a bracket is none.
pub(crate) fn shown_in_field(field: &[u8]) -> Option<Format> {
    shown_format(field).filter(|format| match format {
        Format::Json => false,
        Format::Xml => matches!(field.trim_ascii_start(), [b'<', b'?' | b'!', ..]),
        _ => true,
    })
}

/// Whether the first bytes are text: no NUL, few control characters, few bytes that are not UTF-8.
pub(crate) fn looks_like_text(body: &[u8]) -> bool {
    let window = body.get(..WINDOW).unwrap_or(body);
    let odd = window
        .iter()
        .filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127))
        .count();
    if window.contains(&0) || odd * 32 > window.len() {
        return false;
    }
    let not_utf8: usize = window
        .utf8_chunks()
        .map(|chunk| chunk.invalid().len())
        .sum();
    // A character cut at the window's end is at most three bytes. Legacy charsets of East Asia are mostly bytes that
    // are not UTF-8, but come with a declared text type.
    not_utf8 <= 3 + window.len() / 4
}

/// `--boundary`, end of line, a header of a part.
fn looks_like_multipart(window: &[u8]) -> bool {
    let Some(line_end) = window.iter().position(|byte| *byte == b'\n') else {
        return false;
    };
    let next = window.get(line_end + 1..).unwrap_or_default();
    next.get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"content-"))
}

/// A name without space or markup, then `=`.
fn looks_like_form(window: &[u8]) -> bool {
    let name = window.iter().position(|byte| !is_form_name(*byte));
    name.is_some_and(|end| end > 0 && window.get(end) == Some(&b'='))
}

/// Whether a form's names have it as it is: browsers encode all others.
pub(crate) fn is_form_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%+-_.[]*:$!~@&".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_their_first_bytes() {
        let sniff = |body| match shown_format(body) {
            Some(format) => format,
            None if looks_like_text(body) => Format::Text,
            None => Format::Binary,
        };
        let cases: &[(&[u8], Format)] = &[
            (b" \r\n{\"a\":1}", Format::Json),
            (b"[]", Format::Json),
            (b"\"x\"", Format::Json),
            (b"\"x\" he said", Format::Text),
            (b"<?xml?>", Format::Xml),
            (b"<a>", Format::Xml),
            (b"<!DOCTYPE a>", Format::Xml),
            (b"<3 you", Format::Text),
            (b"--x\r\nContent-Disposition: form-data", Format::Multipart),
            (b"--x\ncontent-type: a/b", Format::Multipart),
            (b"-- a comment\nselect 1", Format::Text),
            (b"a=1&b=2", Format::Form),
            (b"user%5Bname%5D=x", Format::Form),
            (b"a&b=2", Format::Form),
            (b"=x", Format::Text),
            (b"hello = world", Format::Text),
            ("\u{d55c}\u{ad6d}\u{c5b4}".as_bytes(), Format::Text),
            (b"\x89PNG\r\n\x1a\n\0\0", Format::Binary),
            (b"\xff\xd8\xff\xe0\x10JFIF\xff\xd8\xff\xe0", Format::Binary),
            (b"", Format::Text),
        ];
        for (body, expected) in cases {
            assert_eq!(sniff(body), *expected, "{}", body.escape_ascii());
        }
    }
}
