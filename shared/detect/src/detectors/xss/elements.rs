//! What each element and attribute means: which run script, load a document, or are the mark of a test.

use super::ascii::{find, is_one_of, starts_with};
use super::handlers;
use super::host;
use super::jsx;
use super::rules::{
    ANIMATE, BASE_TAG, CLIENT_TEMPLATE, DATA_URL, EVENT_HANDLER, FORM_ACTION, IFRAME, JAVASCRIPT,
    LINK_HOST, META_TAG, ONCLICK, ONERROR, ONLOAD, PLUGIN_TAG, SRCDOC, STYLE,
};
use super::scheme::{self, Danger};
use super::style;
use super::tag::Attribute;
use crate::{Hits, Rule};

/// What a start tag is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// `script`.
    Script,
    /// Opens a document: `iframe`, `frame`, `portal` …
    Frame,
    /// Loads a plug-in or a data island.
    Plugin,
    /// `base`.
    Base,
    /// `meta`.
    Meta,
    /// `link`.
    Link,
    /// `form`, `button`, `input`.
    Form,
    /// `style`.
    Style,
    /// SMIL and XML-events elements that change other elements.
    Animation,
    /// Elements that only tests write.
    Probe,
    /// `img` and other media.
    Media,
    /// Any other, known to browsers or not.
    Other,
}

/// Elements of HTML, SVG and MathML without a meaning of their own here, sorted.
const KNOWN: &[&[u8]] = &[
    b"a",
    b"abbr",
    b"acronym",
    b"address",
    b"area",
    b"article",
    b"aside",
    b"b",
    b"bdi",
    b"bdo",
    b"big",
    b"blockquote",
    b"body",
    b"br",
    b"canvas",
    b"caption",
    b"center",
    b"circle",
    b"cite",
    b"code",
    b"col",
    b"colgroup",
    b"command",
    b"comment",
    b"content",
    b"data",
    b"datalist",
    b"dd",
    b"defs",
    b"del",
    b"desc",
    b"details",
    b"dfn",
    b"dialog",
    b"dir",
    b"div",
    b"dl",
    b"dt",
    b"element",
    b"ellipse",
    b"em",
    b"fieldset",
    b"figcaption",
    b"figure",
    b"filter",
    b"font",
    b"footer",
    b"foreignobject",
    b"g",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"h5",
    b"h6",
    b"head",
    b"header",
    b"hgroup",
    b"hr",
    b"html",
    b"i",
    b"ins",
    b"kbd",
    b"keygen",
    b"label",
    b"legend",
    b"li",
    b"line",
    b"main",
    b"map",
    b"mark",
    b"math",
    b"menu",
    b"menuitem",
    b"meter",
    b"mglyph",
    b"mi",
    b"mn",
    b"mo",
    b"mtext",
    b"nav",
    b"nobr",
    b"noframes",
    b"noscript",
    b"ol",
    b"optgroup",
    b"option",
    b"output",
    b"p",
    b"param",
    b"path",
    b"polygon",
    b"pre",
    b"progress",
    b"q",
    b"rect",
    b"rp",
    b"rt",
    b"ruby",
    b"s",
    b"samp",
    b"section",
    b"select",
    b"shadow",
    b"slot",
    b"small",
    b"span",
    b"strike",
    b"strong",
    b"sub",
    b"summary",
    b"sup",
    b"svg",
    b"table",
    b"tbody",
    b"td",
    b"template",
    b"text",
    b"textarea",
    b"tfoot",
    b"th",
    b"thead",
    b"time",
    b"title",
    b"tr",
    b"tt",
    b"u",
    b"ul",
    b"use",
    b"var",
    b"wbr",
];

/// The element called `name` (lower case).
pub fn of(name: &[u8]) -> Element {
    match name {
        b"script" => Element::Script,
        b"iframe" | b"frame" | b"frameset" | b"portal" | b"fencedframe" | b"vmlframe" => {
            Element::Frame
        }
        b"object" | b"embed" | b"applet" | b"xml" | b"import" => Element::Plugin,
        b"base" => Element::Base,
        b"meta" => Element::Meta,
        b"link" => Element::Link,
        b"form" | b"button" | b"input" | b"isindex" => Element::Form,
        b"style" => Element::Style,
        b"animate" | b"set" | b"animatetransform" | b"animatemotion" | b"animatecolor"
        | b"handler" | b"listener" => Element::Animation,
        b"marquee" | b"blink" | b"layer" | b"ilayer" | b"bgsound" | b"plaintext" | b"xmp"
        | b"listing" | b"xss" => Element::Probe,
        b"img" | b"image" | b"video" | b"audio" | b"source" | b"track" | b"picture" => {
            Element::Media
        }
        _ => Element::Other,
    }
}

/// Whether browsers know an element of this name that has no meaning of its own here.
pub fn is_known(name: &[u8]) -> bool {
    KNOWN.binary_search(&name).is_ok()
}

/// The rule that an attribute matches by itself, in the tag of `element`. `code` is everything from its value on.
pub fn attribute_rule(
    element: Element,
    attribute: &Attribute<'_>,
    code: &[u8],
    hits: &Hits,
) -> Option<&'static Rule> {
    let name = plain_name(attribute.name);
    let value = attribute.value?;
    // Once is enough: what follows may be long.
    if handlers::looks_like_one(name) && hits.has(handler_rule(name)) {
        return None;
    }
    if handlers::is_known(name) {
        return (!jsx::runs_nothing(code)).then(|| handler_rule(name));
    }
    if handlers::looks_like_one(name) && looks_like_code(value) && !jsx::runs_nothing(code) {
        return Some(&EVENT_HANDLER);
    }
    match scheme::of_attribute(value) {
        Some(Danger::Script) => return Some(&JAVASCRIPT),
        Some(Danger::Document) => return Some(&DATA_URL),
        Some(Danger::Svg) if element != Element::Media && element != Element::Form => {
            return Some(&DATA_URL);
        }
        _ => {}
    }
    if name.eq_ignore_ascii_case(b"style") {
        return (style::runs_code(value) || style::splits_parsers(value)).then_some(&STYLE);
    }
    if name.eq_ignore_ascii_case(b"srcdoc") {
        return Some(&SRCDOC);
    }
    if is_scope_escape(value) {
        return Some(&CLIENT_TEMPLATE);
    }
    if is_one_of(name, &[b"href", b"src"]) && host::is_disguised(value) {
        return Some(&LINK_HOST);
    }
    element_attribute(element, name, value)
}

/// Whether an expression in a framework's attribute reaches out of its scope by way of the event: what its path or its
/// view holds is the window.
fn is_scope_escape(value: &[u8]) -> bool {
    memchr::memchr(b'$', value).is_some()
        && memchr::memmem::find(value, b"$event").is_some()
        && [
            &b"composedPath"[..],
            b".path|",
            b".path |",
            b".view.",
            b"x=$event",
            b"orderBy",
        ]
        .iter()
        .any(|way| memchr::memmem::find(value, way).is_some())
}

/// What an attribute means in some elements only.
fn element_attribute(element: Element, name: &[u8], value: &[u8]) -> Option<&'static Rule> {
    match element {
        Element::Frame if is_one_of(name, &[b"src", b"href"]) => {
            (!host::is_video_player(value)).then_some(&IFRAME)
        }
        Element::Plugin
            if is_one_of(
                name,
                &[
                    b"src",
                    b"data",
                    b"code",
                    b"codebase",
                    b"classid",
                    b"type",
                    b"implementation",
                ],
            ) =>
        {
            Some(&PLUGIN_TAG)
        }
        Element::Base if name.eq_ignore_ascii_case(b"href") => Some(&BASE_TAG),
        Element::Meta if name.eq_ignore_ascii_case(b"http-equiv") => {
            let quiet = [
                &b"content-type"[..],
                b"x-ua-compatible",
                b"content-language",
                b"cache-control",
                b"expires",
                b"pragma",
            ];
            (!is_one_of(value.trim_ascii(), &quiet)).then_some(&META_TAG)
        }
        Element::Meta if name.eq_ignore_ascii_case(b"charset") => {
            (!is_one_of(value.trim_ascii(), &ORDINARY_CHARSETS)).then_some(&META_TAG)
        }
        Element::Meta if name.eq_ignore_ascii_case(b"content") => {
            find(value, b"charset=utf-7").map(|_| &META_TAG)
        }
        Element::Form if is_one_of(name, &[b"action", b"formaction"]) => {
            host::leaves_the_site(value).then_some(&FORM_ACTION)
        }
        Element::Animation if is_one_of(name, &[b"attributename", b"handler", b"ev:event"]) => {
            let harmful = handlers::is_known(value)
                || is_one_of(
                    value,
                    &[b"href", b"xlink:href", b"innerhtml", b"src", b"style"],
                )
                || name.eq_ignore_ascii_case(b"handler");
            harmful.then_some(&ANIMATE)
        }
        _ if is_one_of(name, &[b"datasrc", b"dataformatas"]) => Some(&PLUGIN_TAG),
        _ if is_one_of(name, &[b"lowsrc", b"dynsrc"]) => {
            host::leaves_the_site(value).then_some(&PLUGIN_TAG)
        }
        _ => None,
    }
}

/// What a link element loads and from where, over its attributes in any order.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkParts {
    loads: bool,
    imports: bool,
    away: bool,
}

impl LinkParts {
    /// Adds an attribute; answers whether the link loads a style sheet or a script from another host, or imports a page.
    pub fn add(&mut self, attribute: &Attribute<'_>) -> bool {
        const LOADING: [&[u8]; 5] = [
            b"stylesheet",
            b"preload",
            b"prefetch",
            b"prerender",
            b"icon",
        ];
        let value = attribute.value.unwrap_or_default();
        if attribute.name.eq_ignore_ascii_case(b"rel") {
            self.loads |= LOADING.iter().any(|kind| find(value, kind).is_some());
            self.imports |= find(value, b"import").is_some();
        } else if attribute.name.eq_ignore_ascii_case(b"href") {
            self.away |= host::leaves_the_site(value) && !host::is_font_sheet(value);
        }
        self.imports || self.loads && self.away
    }
}

/// Whether an attribute loads from or links to another host.
pub fn leads_away(attribute: &Attribute<'_>) -> bool {
    const ADDRESSES: [&[u8]; 9] = [
        b"href",
        b"src",
        b"xlink:href",
        b"background",
        b"poster",
        b"action",
        b"data",
        b"lowsrc",
        b"dynsrc",
    ];
    is_one_of(attribute.name, &ADDRESSES) && attribute.value.is_some_and(host::leaves_the_site)
}

/// Character sets that pages are written in.
const ORDINARY_CHARSETS: [&[u8]; 8] = [
    b"utf-8",
    b"utf8",
    b"euc-kr",
    b"ks_c_5601-1987",
    b"iso-8859-1",
    b"us-ascii",
    b"windows-1252",
    b"shift_jis",
];

/// A handler's name without stray quotes, an escape or a bracket behind it.
fn plain_name(name: &[u8]) -> &[u8] {
    let end = name
        .iter()
        .rposition(|byte| byte.is_ascii_alphanumeric())
        .map_or(0, |last| last + 1);
    name.get(..end).unwrap_or_default()
}

/// The rule of the handler called `name`.
pub fn handler_rule(name: &[u8]) -> &'static Rule {
    if name.eq_ignore_ascii_case(b"onerror") {
        &ONERROR
    } else if name.eq_ignore_ascii_case(b"onload") {
        &ONLOAD
    } else if name.eq_ignore_ascii_case(b"onclick") {
        &ONCLICK
    } else {
        &EVENT_HANDLER
    }
}

/// Whether a handler's value does something: a call, an assignment, a template.
pub fn looks_like_code(value: &[u8]) -> bool {
    value.windows(2).any(|pair| {
        matches!(pair, [before, b'(' | b'`' | b'['] if before.is_ascii_alphanumeric() || matches!(before, b'_' | b'$' | b')' | b']' | b'/' | b'\\'))
            || matches!(pair, [before, b'='] if before.is_ascii_alphanumeric())
    }) || starts_with(value, b"(")
        || starts_with(value, b"javascript:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_elements_is_sorted() {
        assert!(KNOWN.is_sorted());
    }
}
