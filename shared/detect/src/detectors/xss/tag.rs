//! Tags, as browsers tokenise them: the WHATWG states without the tree, and the liberties that older browsers took.
//!
//! Every `<` that could open a tag is tried, inside quotes and comments too, for the page around the value decides
//! what is a quote and a comment. A tag's attributes end at `>`, at the end, or at the next `<` that opens a tag, so
//! that no stretch is read by many tags; what overlaps within quotes is paid from a budget.

use super::ascii::{at, from, is_gap, is_quote, skip_gaps};

/// The longest tag name that any judgement asks for.
const NAME: usize = 24;

/// A tag's name in lower case, NUL bytes left out and a namespace prefix cut off.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    bytes: [u8; NAME],
    len: usize,
}

impl Name {
    /// The name; empty where it is longer than any known one.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// A start or end tag.
#[derive(Clone, Copy, Debug)]
pub struct Tag {
    /// Its name.
    pub name: Name,
    /// Whether it is an end tag.
    pub closing: bool,
    /// Whether white space or a control character stood between `<` and the name: no browser of today takes it.
    pub spaced: bool,
    /// Where its `<` stands.
    pub start: usize,
    /// Where its name ends.
    pub name_end: usize,
}

/// An attribute of a tag.
#[derive(Clone, Copy, Debug)]
pub struct Attribute<'a> {
    /// The name as written, stray quotes before it left out.
    pub name: &'a [u8],
    /// The value without its quotes; `None` where there is no `=`.
    pub value: Option<&'a [u8]>,
    /// Where the value starts, behind its quote.
    pub value_start: usize,
    /// Where the next attribute may start.
    pub end: usize,
}

/// The tag that opens at `start`, where a `<` stands.
pub fn tag_at(bytes: &[u8], start: usize) -> Option<Tag> {
    let mut spaced = false;
    let mut closing = false;
    for position in start + 1..start + 9 {
        match at(bytes, position)? {
            // Lists that were decoded once too often have `<;`.
            b';' => {}
            byte if is_gap(byte) => spaced |= byte != 0,
            b'/' if !closing => closing = true,
            byte if byte.is_ascii_alphabetic() => {
                return Some(named(bytes, start, position, closing, spaced));
            }
            _ => return None,
        }
    }
    None
}

fn named(bytes: &[u8], start: usize, name_start: usize, closing: bool, spaced: bool) -> Tag {
    let mut name = Name {
        bytes: [0; NAME],
        len: 0,
    };
    let mut length = 0;
    let mut fits = true;
    for byte in from(bytes, name_start) {
        match byte {
            0 => {}
            b':' => {
                name.len = 0;
                fits = true;
            }
            b'/' | b'>' | b'<' | b'\\' | b'%' | b'+' | b';' | b'&' | b'#' => break,
            byte if is_gap(*byte) || is_quote(*byte) => break,
            byte => match name.bytes.get_mut(name.len) {
                Some(slot) => {
                    *slot = byte.to_ascii_lowercase();
                    name.len += 1;
                }
                None => fits = false,
            },
        }
        length += 1;
        // A "name" of this size is text without a space; browsers would take it, no judgement knows it.
        if length > 64 {
            fits = false;
            break;
        }
    }
    if !fits {
        name.len = 0;
    }
    Tag {
        name,
        closing,
        spaced,
        start,
        name_end: name_start + length,
    }
}

/// The attribute at or after `position`; `None` at the tag's end.
pub fn attribute_at(bytes: &[u8], position: usize) -> Option<Attribute<'_>> {
    let start = attribute_start(bytes, position)?;
    let mut name_end = start;
    while let Some(byte) = at(bytes, name_end) {
        // A name may begin with `=`; that is how browsers read `<a =b>`.
        let ends = match byte {
            b'=' => name_end > start,
            b'/' | b'>' => true,
            b'<' => opens(bytes, name_end),
            byte => is_gap(byte) || is_quote(byte),
        };
        if ends {
            break;
        }
        name_end += 1;
    }
    let name = bytes.get(start..name_end)?;
    let equals = skip_gaps(bytes, name_end);
    if at(bytes, equals) != Some(b'=') {
        // `name_end` moves on even where the name is empty, for what ended it is skipped as a separator.
        return Some(Attribute {
            name,
            value: None,
            value_start: name_end,
            end: name_end.max(start + 1),
        });
    }
    let value_start = skip_gaps(bytes, equals + 1);
    let (value_start, value_end, end) = value_at(bytes, value_start);
    Some(Attribute {
        name,
        value: bytes.get(value_start..value_end),
        value_start,
        end,
    })
}

fn attribute_start(bytes: &[u8], position: usize) -> Option<usize> {
    let mut start = position;
    loop {
        match at(bytes, start)? {
            b'>' => return None,
            b'<' if opens(bytes, start) => return None,
            byte if is_gap(byte)
                || is_quote(byte)
                || matches!(byte, b'/' | b'\\' | b'+' | b';') =>
            {
                start += 1
            }
            _ => return Some(start),
        }
    }
}

/// Whether the `<` at `position` opens something that is looked at on its own.
fn opens(bytes: &[u8], position: usize) -> bool {
    at(bytes, position + 1).is_some_and(|byte| byte.is_ascii_alphabetic())
        || at(bytes, position + 1) == Some(b'/')
            && at(bytes, position + 2).is_some_and(|byte| byte.is_ascii_alphabetic())
}

/// Start and end of the value at `start`, and where it is over.
fn value_at(bytes: &[u8], start: usize) -> (usize, usize, usize) {
    match at(bytes, start) {
        Some(quote @ (b'"' | b'\'')) => {
            let length = memchr::memchr(quote, from(bytes, start + 1));
            let end = length.map_or(bytes.len(), |length| start + 1 + length);
            (start + 1, end, (end + 1).min(bytes.len()))
        }
        _ => {
            let rest = from(bytes, start);
            let length = rest
                .iter()
                .position(|byte| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ' | b'>'))
                .unwrap_or(rest.len());
            (start, start + length, start + length)
        }
    }
}
