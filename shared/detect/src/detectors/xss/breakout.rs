//! Values that end what they are placed in: a handler behind a quote without any tag, `"><`, end tags of raw text, and
//! code without names (`[][(![]+[])…`).

use std::ops::Range;

use super::ascii::{
    at, before, from, is_gap, is_identifier, is_one_of, is_quote, last_solid, skip_gaps,
};
use super::elements::{handler_rule, looks_like_code};
use super::rules::{ATTRIBUTE_BREAKOUT, JS_GADGET, STYLE};
use super::{handlers, jsx, prose, script, style, tags};
use crate::Hits;

/// What looking at the name before an `=` costs, in steps of [`Work`](crate::Work).
const STEPS_OF_AN_EQUALS: usize = 6;

/// Handlers and styles assigned outside of any tag: `" onfocus=go() x="`.
pub fn attributes(bytes: &[u8], hits: &mut Hits) {
    let around = Around {
        bytes,
        text: script::is_text(bytes),
        first_quote: bytes.iter().position(|byte| is_quote(*byte)),
    };
    let mut style_seen = false;
    for equals in memchr::memchr_iter(b'=', bytes) {
        if !hits.spend(STEPS_OF_AN_EQUALS) {
            return;
        }
        let Some(name) = name_before(bytes, equals) else {
            continue;
        };
        let Some(word) = bytes.get(name.clone()) else {
            continue;
        };
        if word.eq_ignore_ascii_case(b"style") {
            if !style_seen && style::runs_code(from(bytes, equals)) {
                hits.push(&STYLE, name);
            }
            style_seen = true;
        } else if handlers::looks_like_one(word)
            && !hits.has(handler_rule(word))
            && handlers::is_known(word)
            && around.is_attribute(&name, equals)
            && !prose::is_escaped(bytes, name.start)
        {
            hits.push(handler_rule(word), name);
        }
    }
}

/// The attribute name that ends before the `=` at `equals`.
fn name_before(bytes: &[u8], equals: usize) -> Option<Range<usize>> {
    let last = last_solid(bytes, equals)?;
    let window = bytes.get((last + 1).saturating_sub(handlers::LONGEST + 1)..last + 1)?;
    let length = window
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    (length >= 5).then_some(last + 1 - length..last + 1)
}

/// The value around the names that are judged, and what holds for all of them.
struct Around<'a> {
    bytes: &'a [u8],
    text: bool,
    first_quote: Option<usize>,
}

impl Around<'_> {
    /// Whether a handler's name stands where an attribute may: behind a separator, with a value that is code, and not in a script
    /// of somebody's post (`const onClick = useCallback(…)`, `onChange = (e) => …`).
    fn is_attribute(&self, name: &Range<usize>, equals: usize) -> bool {
        let Self {
            bytes,
            text,
            first_quote,
        } = *self;
        let separator = before(bytes, name.start);
        let separated = separator.is_none_or(|byte| {
            is_gap(byte)
                || is_quote(byte)
                || matches!(byte, b'/' | b';' | b'+' | b'\\' | b'>' | b')')
        });
        if !separated || at(bytes, equals + 1) == Some(b'=') {
            return false;
        }
        let start = skip_gaps(bytes, equals + 1);
        let code = from(bytes, start);
        if jsx::runs_nothing(code) {
            return false;
        }
        let quoted = at(code, 0).is_some_and(is_quote);
        let end = if quoted {
            b"\"'`".as_slice()
        } else {
            b" \t\r\n>".as_slice()
        };
        let body = from(code, usize::from(quoted));
        let body = body.get(..256).unwrap_or(body);
        let body = body
            .split(|byte| end.contains(byte))
            .next()
            .unwrap_or_default();
        let spaced = start > equals + 1 || equals > name.end;
        if spaced && text {
            return false;
        }
        let quote_before = first_quote.is_some_and(|quote| quote < name.start);
        if spaced && !quote_before {
            return false;
        }
        // Behind a quote, a quoted or missing value is an attribute whatever it holds; elsewhere it must be code.
        let attribute = quote_before && !text && !declared(bytes, name.start);
        looks_like_code(body) || attribute && separator.is_some() && (quoted || body.is_empty())
    }
}

/// Whether a declaration or a member access stands before a name.
fn declared(bytes: &[u8], start: usize) -> bool {
    let Some(last) = last_solid(bytes, start) else {
        return false;
    };
    let head = bytes.get(..=last).unwrap_or_default();
    let length = head
        .iter()
        .rev()
        .take(12)
        .take_while(|byte| is_identifier(**byte))
        .count();
    let word = from(head, head.len() - length);
    is_one_of(
        word,
        &[b"const", b"let", b"var", b"function", b"this", b"set"],
    )
}

/// A value that begins by closing an attribute and a tag: the first quote, then `>` and a tag.
pub fn tag_end(bytes: &[u8], hits: &mut Hits) {
    let Some(quote) = bytes.iter().position(|byte| is_quote(*byte)) else {
        return;
    };
    let head = bytes.get(..quote).unwrap_or_default();
    if head.contains(&b'<') || script::is_text(bytes) {
        return;
    }
    let rest = from(bytes, quote);
    let signs = rest
        .iter()
        .position(|byte| {
            !is_quote(*byte) && !matches!(byte, b'/' | b'\\' | b')' | b'}' | b'>' | b' ' | b';')
        })
        .unwrap_or(rest.len());
    let closes = rest
        .get(..signs)
        .is_some_and(|signs| signs.contains(&b'>') && !signs.ends_with(b" "));
    let opens = at(rest, signs) == Some(b'<')
        && (at(rest, signs + 1)
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'/' || byte == b'!'));
    if closes && opens && tags::is_bare_or_leads_away(bytes, quote + signs) {
        hits.push(&ATTRIBUTE_BREAKOUT, quote..quote + signs + 1);
    }
}

/// JavaScript written with brackets, `!` and `+` alone; spaces may stand where a form turned `+` into them.
pub fn nameless_code(bytes: &[u8], hits: &mut Hits) {
    let mut position = 0;
    while let Some(found) = memchr::memchr2(b'[', b'!', from(bytes, position)) {
        // A run begins with what groups its first bracket.
        let start = position + found;
        let start = start - usize::from(before(bytes, start) == Some(b'('));
        let run = from(bytes, start);
        let length = run
            .iter()
            .take_while(|byte| b"[](){}!+~$`<| ".contains(byte))
            .count();
        let run = run.get(..length).unwrap_or_default();
        if length >= 8 && is_nameless(run) {
            hits.push(&JS_GADGET, start..start + length);
            return;
        }
        position = start + length.max(1);
    }
}

/// How an empty array or object is made a number or a word. Each is an anchor: what has none of them is not looked at.
const OPERATED: [&[u8]; 5] = [b"![]", b"! []", b"!{}", b"+[]", b"~[]"];

/// Whether a run of signs holds empty arrays that are negated, added up or indexed by each other.
fn is_nameless(run: &[u8]) -> bool {
    let empty = |pair: &&[u8]| *pair == b"[]" || *pair == b"{}";
    run.windows(2).filter(empty).count() >= 2
        && OPERATED
            .iter()
            .any(|sign| memchr::memmem::find(run, sign).is_some())
        && run
            .iter()
            .any(|byte| matches!(byte, b'(' | b'+' | b'<' | b'`'))
}

#[cfg(test)]
mod tests {
    use super::super::anchors::ANCHORS;
    use super::*;

    #[test]
    fn what_nameless_code_is_told_by_are_anchors() {
        for sign in OPERATED {
            assert!(ANCHORS.iter().any(|(literal, _)| *literal == sign));
        }
        assert!(is_nameless(b"(![]+[])[+!![]]"));
        // Without an anchor it would be found or not by what else stands in the value.
        assert!(!is_nameless(b"!{<}{}!+{}"));
    }
}
