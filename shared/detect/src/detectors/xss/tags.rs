//! The value's tags: each `<` that could open one is judged by its element, its attributes and what surrounds it.

use backstop_http::Kind;

use super::anchors::{EQUALS, TAG};
use super::ascii::{at, find, from, is_gap, skip_gaps, starts_with};
use super::elements::{self, Element};
use super::rules::{
    CHARSET, FORM_ACTION, HTML_MARKUP, IMG_TAG, LINK_TAG, MARKUP_IN_URL, NESTING, PLUGIN_TAG,
    PROBE_TAG, RAWTEXT_END, SCRIPT_TAG, SERVER_INCLUDE, STYLE, TAG_LIKE,
};
use super::style;
use super::tag::{Tag, attribute_at, tag_at};
use super::{host, prose};
use crate::{Hits, Input, Level};

/// How many bytes may be read for each byte of the value before tags within tags are an attack of their own.
const READS_PER_BYTE: usize = 4;
/// What is free beyond that, for short values.
const READS_FREE: usize = 256;

/// What a tag's name costs, in steps of [`Work`](crate::Work).
const STEPS_OF_A_TAG: usize = 20;
/// What an attribute costs beside its bytes, and what each of those.
const STEPS_OF_AN_ATTRIBUTE: usize = 45;
const STEPS_OF_AN_ATTRIBUTES_BYTE: usize = 2;
/// What a style sheet costs per byte.
const STEPS_OF_A_STYLES_BYTE: usize = 4;

/// Records what the tags of `bytes` do.
pub fn scan(input: &Input<'_>, hits: &mut Hits) {
    let bytes = input.bytes;
    let mut budget = bytes.len() * READS_PER_BYTE + READS_FREE;
    let mut open = [0; RAW_TEXT.len()];
    for start in memchr::memchr_iter(b'<', bytes) {
        if !hits.spend(STEPS_OF_A_TAG) {
            return;
        }
        match at(bytes, start + 1) {
            Some(b'!') => declaration(bytes, start, hits),
            Some(b'?') => instruction(bytes, start, hits),
            Some(_) => {
                if let Some(tag) = tag_at(bytes, start) {
                    raw_text(&tag, &mut open, hits);
                    judge(input, &tag, &mut budget, hits);
                }
            }
            None => {}
        }
        if budget == 0 {
            hits.push(&NESTING, start..bytes.len());
            return;
        }
    }
    // A tag in another encoding has an anchor of its own, and so has every equals sign.
    if input.features & TAG != 0 {
        odd_charset(bytes, hits);
    }
    if input.features & EQUALS != 0
        && let Some(start) = memchr::memmem::find(bytes, b"=&{()}")
    {
        hits.push(&PROBE_TAG, start..start + 6);
    }
}

fn judge(input: &Input<'_>, tag: &Tag, budget: &mut usize, hits: &mut Hits) {
    let bytes = input.bytes;
    let name = tag.name.as_bytes();
    let span = tag.start..tag.name_end;
    let element = elements::of(name);
    if !tag.closing {
        match element {
            Element::Script => hits.push(&SCRIPT_TAG, span.clone()),
            Element::Probe if !tag.spaced => hits.push(&PROBE_TAG, span.clone()),
            Element::Form if name == b"isindex" => hits.push(&FORM_ACTION, span.clone()),
            Element::Plugin if name == b"applet" => hits.push(&PLUGIN_TAG, span.clone()),
            Element::Style => style_sheet(bytes, tag, budget, hits),
            _ => {}
        }
    }
    // `?<meta http-equiv=…`: a query that is a tag is cut at its first `=`, and the tag is a parameter's name.
    if input.place.kind == Kind::QueryName && !tag.spaced && is_left_open(bytes, tag) {
        hits.push(&MARKUP_IN_URL, tag.start..bytes.len());
    }
    // A tag with a space behind its `<` is text to every browser of today: only its name is worth a look.
    if !tag.spaced {
        attributes(input, tag, element, budget, hits);
    }
    if input.level >= Level::Two && !tag.spaced {
        match element {
            Element::Media => hits.push(&IMG_TAG, span),
            Element::Other if !elements::is_known(name) => hits.push(&TAG_LIKE, span),
            _ => hits.push(&HTML_MARKUP, span),
        }
    }
}

fn attributes(input: &Input<'_>, tag: &Tag, element: Element, budget: &mut usize, hits: &mut Hits) {
    let bytes = input.bytes;
    let in_url = is_in_url(input.place.kind);
    let mut position = tag.name_end;
    let mut link = elements::LinkParts::default();
    while let Some(attribute) = attribute_at(bytes, position) {
        let length = attribute.end - position;
        if !hits.spend(STEPS_OF_AN_ATTRIBUTE + length * STEPS_OF_AN_ATTRIBUTES_BYTE) {
            return;
        }
        if let Some(rule) = elements::attribute_rule(
            element,
            &attribute,
            from(bytes, attribute.value_start),
            hits,
        ) {
            hits.push(rule, tag.start..attribute.end);
        }
        if in_url
            && !hits.has(&MARKUP_IN_URL)
            && elements::leads_away(&attribute)
            && !prose::is_link(input, tag, &attribute)
        {
            hits.push(&MARKUP_IN_URL, tag.start..attribute.end);
        }
        if element == Element::Link && link.add(&attribute) {
            hits.push(&LINK_TAG, tag.start..attribute.end);
        }
        *budget = budget.saturating_sub(length);
        if *budget == 0 {
            return;
        }
        position = attribute.end;
    }
}

/// Whether the tag of an element that browsers know goes on with an attribute's name where the value ends.
fn is_left_open(bytes: &[u8], tag: &Tag) -> bool {
    let name = tag.name.as_bytes();
    let known = elements::is_known(name) || elements::of(name) != Element::Other;
    let rest = from(bytes, tag.name_end);
    known && !tag.closing && !rest.trim_ascii().is_empty() && !rest.contains(&b'>')
}

/// Places where no editor writes markup.
const fn is_in_url(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Path | Kind::QueryName | Kind::Query | Kind::CookieName | Kind::Cookie | Kind::Header
    )
}

/// Whether the tag at `start` is complete and without attributes, or names another host.
pub fn is_bare_or_leads_away(bytes: &[u8], start: usize) -> bool {
    let Some(tag) = tag_at(bytes, start) else {
        return false;
    };
    let mut position = tag.name_end;
    if at(bytes, skip_gaps(bytes, position)) == Some(b'>') {
        return true;
    }
    while let Some(attribute) = attribute_at(bytes, position) {
        if attribute.value.is_some_and(host::leaves_the_site) {
            return true;
        }
        position = attribute.end;
    }
    false
}

/// Elements whose end tag takes a parser out of raw text.
const RAW_TEXT: [&[u8]; 11] = [
    b"script",
    b"style",
    b"title",
    b"textarea",
    b"noscript",
    b"xmp",
    b"template",
    b"iframe",
    b"noembed",
    b"noframes",
    b"plaintext",
];

/// Counts the elements of raw text that are open; an end tag too many ends the page's own.
fn raw_text(tag: &Tag, open: &mut [u32; RAW_TEXT.len()], hits: &mut Hits) {
    let name = tag.name.as_bytes();
    let Some((_, count)) = RAW_TEXT.iter().zip(open).find(|(raw, _)| **raw == name) else {
        return;
    };
    if !tag.closing {
        *count = count.saturating_add(1);
    } else if *count == 0 {
        hits.push(&RAWTEXT_END, tag.start..tag.name_end);
    } else {
        *count -= 1;
    }
}

/// The content of a style element up to the next tag.
fn style_sheet(bytes: &[u8], tag: &Tag, budget: &mut usize, hits: &mut Hits) {
    let rest = from(bytes, tag.name_end);
    let end = memchr::memmem::find(rest, b"</").unwrap_or(rest.len());
    *budget = budget.saturating_sub(end);
    if !hits.spend(end * STEPS_OF_A_STYLES_BYTE) {
        return;
    }
    if rest.get(..end).is_some_and(style::runs_code) {
        hits.push(&STYLE, tag.start..tag.name_end);
    }
}

/// `<!--#exec …`.
fn declaration(bytes: &[u8], start: usize, hits: &mut Hits) {
    let directive = from(bytes, start)
        .strip_prefix(b"<!--#")
        .unwrap_or_default();
    if directive.first().is_some_and(u8::is_ascii_alphabetic) {
        hits.push(&SERVER_INCLUDE, start..start + 6);
    }
}

/// `<?import`, `<?xml-stylesheet href=javascript:…`.
fn instruction(bytes: &[u8], start: usize, hits: &mut Hits) {
    if starts_with(from(bytes, start + 2), b"import") && at(bytes, start + 8).is_none_or(is_gap) {
        hits.push(&PLUGIN_TAG, start..start + 8);
    }
}

/// Markup that shows in another character set: UTF-7, or the high bit on `<`.
fn odd_charset(bytes: &[u8], hits: &mut Hits) {
    for (mark, tails) in [
        (
            &b"+adw-"[..],
            &[&b"script"[..], b"/script", b"img", b"svg", b"iframe"][..],
        ),
        (b"\xbc", &[b"script", b"/script"]),
    ] {
        let mut position = 0;
        while let Some(found) = find(from(bytes, position), mark) {
            let tail = position + found + mark.len();
            // UTF-7 has no other use in a request: a tag that it closes, too, needs no dangerous name. Where nothing closes the
            // first, nothing closes a later one.
            let closed =
                position == 0 && mark.len() > 1 && find(from(bytes, tail), b"+ad4-").is_some();
            if closed
                || tails
                    .iter()
                    .any(|name| starts_with(from(bytes, tail), name))
            {
                hits.push(&CHARSET, position + found..tail);
                return;
            }
            position = tail;
        }
    }
}
