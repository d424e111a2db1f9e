//! Code that is spoken of and code that is shown: what a browser would not run although its names are there.

use std::ops::Range;

use super::ascii::{at, from, is_identifier, is_one_of};
use super::elements;
use super::tag::{Attribute, Tag, tag_at};
use crate::Input;

use backstop_http::Kind;

/// How far a name's surroundings are looked at, in bytes.
const WINDOW: usize = 4096;
/// How many tags are looked at to tell markup from text.
const TAGS: usize = 32;

/// Whether the name at `word` is mentioned: behind a word and a space, in a code span of Markdown, or in the text of an
/// element that shows code.
pub fn mentions(bytes: &[u8], word: &Range<usize>) -> bool {
    let start = chain_start(bytes, word.start);
    follows_a_word(bytes, start) || in_code_span(bytes, start) || is_shown(bytes, word.start)
}

/// Whether a tag is a link of a text in a parameter, as pages have them that are shared: an address of the web, its end tag, and
/// words around it. A link by itself was put there for somebody to follow.
pub fn is_link(input: &Input<'_>, tag: &Tag, attribute: &Attribute<'_>) -> bool {
    const AROUND: usize = 160;
    const TEXT: usize = 1024;
    let bytes = input.bytes;
    if input.place.kind != Kind::Query
        || tag.name.as_bytes() != b"a"
        || attribute.name != b"href"
        || !attribute
            .value
            .is_some_and(|url| url.starts_with(b"http://") || url.starts_with(b"https://"))
    {
        return false;
    }
    let behind = from(bytes, attribute.end);
    let behind = behind.get(..TEXT).unwrap_or(behind);
    let Some(end) = memchr::memmem::find(behind, b"</a>") else {
        return false;
    };
    let left = bytes
        .get(tag.start.saturating_sub(AROUND)..tag.start)
        .and_then(|left| left.rsplit(|byte| *byte == b'>').next());
    let right = from(behind, end + 4);
    let right = right.get(..AROUND).unwrap_or(right);
    let right = right.split(|byte| *byte == b'<').next();
    let words = |text: Option<&[u8]>| {
        text.unwrap_or_default()
            .split(|byte| !byte.is_ascii_alphabetic() && *byte < 0x80)
            .filter(|word| word.len() > 1)
            .count()
    };
    words(left) + words(right) >= 5
}

/// Where the chain of members begins that the name at `start` belongs to: `document` of `document.body.innerHTML`.
fn chain_start(bytes: &[u8], start: usize) -> usize {
    let head = bytes.get(..start).unwrap_or_default();
    let length = head
        .iter()
        .rev()
        .take(96)
        .take_while(|byte| is_identifier(**byte) || **byte == b'.')
        .count();
    start - length
}

/// Whether a word and spaces stand before `start` on its line. Two names in a row are no JavaScript, whatever string or
/// statement the value is placed in, unless the first is a keyword that takes an operand.
fn follows_a_word(bytes: &[u8], start: usize) -> bool {
    const KEYWORDS: [&[u8]; 16] = [
        b"await",
        b"case",
        b"const",
        b"delete",
        b"do",
        b"else",
        b"extends",
        b"in",
        b"instanceof",
        b"let",
        b"new",
        b"return",
        b"throw",
        b"typeof",
        b"var",
        b"void",
    ];
    let head = bytes.get(..start).unwrap_or_default();
    let spaces = head
        .iter()
        .rev()
        .take(8)
        .take_while(|byte| **byte == b' ')
        .count();
    let head = head.get(..start - spaces).unwrap_or_default();
    let length = head
        .iter()
        .rev()
        .take(24)
        .take_while(|byte| is_identifier(**byte) || **byte >= 0x80)
        .count();
    let word = from(head, head.len() - length);
    spaces > 0 && length > 0 && !is_one_of(word, &KEYWORDS) && !is_one_of(word, &[b"yield"])
}

/// Whether `start` is behind the backtick that opens a code span: `` call `alert(1)` to try ``. In a template literal
/// that it would close, a name right behind the backtick is an error, and behind a name it is a call.
fn in_code_span(bytes: &[u8], start: usize) -> bool {
    let Some(open) = start
        .checked_sub(1)
        .filter(|open| at(bytes, *open) == Some(b'`'))
    else {
        return false;
    };
    let apart = open.checked_sub(1).is_none_or(|before| {
        at(bytes, before).is_some_and(|byte| matches!(byte, b' ' | b'\n' | b'(' | b'*' | b'|'))
    });
    let rest = from(bytes, start);
    let line = rest.get(..256).unwrap_or(rest);
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let span = memchr::memchr(b'`', line).and_then(|end| line.get(..end));
    apart && span.is_some_and(|span| memchr::memmem::find(span, b"${").is_none())
}

/// Whether `position` is in the text of an element that shows code: `<code>…</code>`, `<pre>…</pre>`.
fn is_shown(bytes: &[u8], position: usize) -> bool {
    const SHOWING: [&[u8]; 5] = [b"code", b"pre", b"samp", b"kbd", b"tt"];
    let rest = from(bytes, position);
    let rest = rest.get(..WINDOW).unwrap_or(rest);
    let closed = memchr::memchr(b'<', rest).is_some_and(|end| at(rest, end + 1) == Some(b'/'));
    closed && element_around(bytes, position).is_some_and(|name| is_one_of(name, &SHOWING))
}

/// The name of the start tag that is complete and is the last sign of markup before `position`.
fn element_around(bytes: &[u8], position: usize) -> Option<&[u8]> {
    let from_byte = position.saturating_sub(WINDOW);
    let window = bytes.get(from_byte..position)?;
    let open = from_byte + memchr::memrchr(b'<', window)?;
    let name = from(bytes, open + 1);
    let length = name
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let complete = memchr::memchr(b'>', bytes.get(open..position)?).is_some();
    name.get(..length)
        .filter(|name| complete && !name.is_empty())
}

/// Whether the attribute at `position` is one of an escaped start tag in the text of real markup: a browser shows
/// `<p>&lt;b onclick="go()"&gt;`, whatever it says. A quote left open before it may be the page's own.
pub fn is_escaped(bytes: &[u8], position: usize) -> bool {
    let Some(element) = element_around(bytes, position) else {
        return false;
    };
    let from_byte = position.saturating_sub(WINDOW);
    let window = bytes.get(from_byte..position).unwrap_or_default();
    let Some(open) = memchr::memmem::rfind(window, b"&lt;") else {
        return false;
    };
    let inside = from(window, open + 4);
    let even = |quote: u8| memchr::memchr_iter(quote, inside).count().is_multiple_of(2);
    inside.first().is_some_and(u8::is_ascii_alphabetic)
        && !inside.contains(&b'>')
        && even(b'"')
        && even(b'\'')
        && elements::is_known(&element.to_ascii_lowercase())
}

/// Whether `bytes` is markup: an element that browsers know ends in it. What is escaped in the text of markup is shown.
pub fn is_markup(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'<', bytes)
        .filter(|start| at(bytes, start + 1) == Some(b'/'))
        .take(TAGS)
        .filter_map(|start| tag_at(bytes, start))
        .any(|tag| at(bytes, tag.name_end) == Some(b'>') && elements::is_known(tag.name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentioned(text: &str, name: &str) -> bool {
        let start = text.find(name).unwrap();
        mentions(text.as_bytes(), &(start..start + name.len()))
    }

    #[test]
    fn a_name_behind_a_word_is_mentioned() {
        assert!(mentioned("how does document.cookie work", "document"));
        assert!(mentioned("what alert(1) does", "alert"));
        assert!(mentioned("then page.document.cookie", "document"));
        assert!(mentioned("함수 alert() 는", "alert"));
        for code in [
            "alert(1)",
            "x;alert(1)",
            "return alert(1)",
            "1, alert(1)",
            "a\nalert(1)",
        ] {
            assert!(!mentioned(code, "alert"), "{code}");
        }
    }

    #[test]
    fn a_code_span_is_opened_by_a_backtick_that_no_name_precedes() {
        assert!(mentioned("write `alert(1)` there", "alert"));
        for code in ["a`alert(1)`", "`;alert(1)`", "`alert(1)", "`alert(1)${x}`"] {
            assert!(!mentioned(code, "alert"), "{code}");
        }
    }

    #[test]
    fn code_in_an_element_that_shows_it() {
        assert!(mentioned("<pre class=\"x\">a = 1;alert(1)</pre>", "alert"));
        for code in [
            "<b>;alert(1)</b>",
            "<pre>;alert(1)",
            "<pre ;alert(1)</pre>",
            "<code></code>;alert(1)",
        ] {
            assert!(!mentioned(code, "alert"), "{code}");
        }
    }

    #[test]
    fn an_attribute_of_an_escaped_tag() {
        let escaped = |text: &str| is_escaped(text.as_bytes(), text.find("onclick").unwrap());
        assert!(escaped("<p>&lt;b class=\"x\" onclick=\"go()\"&gt;</p>"));
        for live in [
            "&lt;b onclick=\"go()\"&gt;",
            "<p>&lt;b \" onclick=\"go()\"</p>",
            "<p>&lt;b> onclick=\"go()\"</p>",
            "<b title=&lt;b onclick=\"go()\">",
        ] {
            assert!(!escaped(live), "{live}");
        }
    }

    #[test]
    fn markup_has_an_element_that_ends() {
        assert!(is_markup(b"a <b>c</b>"));
        for text in ["a < b", "<b>", "</unheard>", "</b", "&lt;/b&gt;"] {
            assert!(!is_markup(text.as_bytes()), "{text}");
        }
    }
}
