//! Elements and instructions that make a parser fetch another document: XInclude, schema locations, style sheets.

use std::ops::Range;

use backstop_http::Kind;

use super::cursor::Cursor;
use super::rules::{ENCODING, SCHEMA_LOCATION, STYLESHEET, XINCLUDE, XSLT, XSLT_CODE};
use crate::Hits;

/// Records what the tag or instruction at `start` fetches, where `<` stands.
pub fn judge(bytes: &[u8], start: usize, hits: &mut Hits) {
    let cursor = Cursor::new(bytes, start + 1);
    let span = start..start + 1;
    if cursor.rest().starts_with(b"?") {
        instruction(cursor, span, hits);
    } else {
        element(cursor, span, hits);
    }
}

fn instruction(mut cursor: Cursor<'_>, span: Range<usize>, hits: &mut Hits) {
    if cursor.take(b"?xml-stylesheet") {
        if !is_a_style_sheet(cursor.rest())
            && attribute(tag(cursor.rest()), b"href").is_some_and(|href| {
                is_elsewhere(href)
                    || href.is_empty()
                    || href.starts_with(b"#")
                    || starts_with(href, b"data:")
            })
        {
            hits.push(&STYLESHEET, span.start..span.start + 16);
        }
    } else if cursor.take(b"?xml") && cursor.space() {
        const HIDING: [&[u8]; 8] = [
            b"utf-7",
            b"utf7",
            b"utf-32",
            b"ucs-4",
            b"iso-10646-ucs-4",
            b"cp037",
            b"ibm037",
            b"ebcdic",
        ];
        let encoding = attribute(tag(cursor.rest()), b"encoding").unwrap_or_default();
        if HIDING.iter().any(|name| starts_with(encoding, name)) {
            hits.push(&ENCODING, span.start..span.start + 5);
        }
    }
}

fn element(mut cursor: Cursor<'_>, span: Range<usize>, hits: &mut Hits) {
    let name = cursor.name();
    let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    let prefix = name.strip_suffix(local).unwrap_or_default();
    if !local.eq_ignore_ascii_case(b"include") && !local.eq_ignore_ascii_case(b"import") {
        return;
    }
    let tag = tag(cursor.rest());
    let href = attribute(tag, b"href");
    if prefix.eq_ignore_ascii_case(b"xi:") || is_xinclude_namespace(tag) {
        if href.is_some() || prefix.eq_ignore_ascii_case(b"xi:") {
            hits.push(&XINCLUDE, span.start..span.start + 1 + name.len());
        }
    } else if (prefix.eq_ignore_ascii_case(b"xsl:") || prefix.eq_ignore_ascii_case(b"xslt:"))
        && href.is_some_and(is_elsewhere)
    {
        hits.push(&XSLT, span.start..span.start + 1 + name.len());
    }
}

fn is_xinclude_namespace(tag: &[u8]) -> bool {
    memchr::memmem::find(tag, b"w3.org/2001/XInclude").is_some()
        || memchr::memmem::find(tag, b"w3.org/2003/XInclude").is_some()
}

/// Whether an XInclude namespace is bound to a prefix of the document's choice whose `include` is used.
pub fn renamed_xinclude(bytes: &[u8], hits: &mut Hits) {
    let Some(namespace) = memchr::memmem::find(bytes, b"/XInclude") else {
        return;
    };
    let head = bytes
        .get(namespace.saturating_sub(96)..namespace)
        .unwrap_or_default();
    let bound = memchr::memmem::rfind(head, b"xmlns").is_some();
    let used = memchr::memmem::find(bytes, b":include").is_some()
        || memchr::memmem::find(bytes, b"<include").is_some();
    if bound && used {
        hits.push(&XINCLUDE, namespace..namespace + 9);
    }
}

/// What binds a style sheet to its processor's language, or lets it write files and read them as text.
pub fn language_of_a_sheet(bytes: &[u8], hits: &mut Hits) {
    const BINDINGS: [&[u8]; 4] = [
        b"=\"http://php.net/xsl\"",
        b"='http://php.net/xsl'",
        b"apache.org/xalan/java",
        b"apache.org/xslt/java",
    ];
    const ELEMENTS: [&[u8]; 2] = [b"<msxsl:script", b"<xsl:result-document"];
    let found = BINDINGS
        .iter()
        .chain(&ELEMENTS)
        .find_map(|text| memchr::memmem::find(bytes, text))
        .or_else(|| {
            memchr::memmem::find(bytes, b"=\"http://exslt.org/common\"")
                .filter(|_| memchr::memmem::find(bytes, b":document href").is_some())
        })
        .or_else(|| {
            memchr::memmem::find(bytes, b"unparsed-text(")
                .filter(|_| memchr::memmem::find(bytes, b"select=").is_some())
        });
    if let Some(start) = found {
        hits.push(&XSLT_CODE, start..bytes.len());
    }
}

/// Schema locations by an odd scheme, or outside of a document from a stranger's host.
pub fn schema_locations(bytes: &[u8], kind: Kind, hits: &mut Hits) {
    for at in memchr::memmem::find_iter(bytes, b"chemaLocation") {
        if !bytes
            .get(..at)
            .is_some_and(|head| head.ends_with(b"s") || head.ends_with(b"S"))
        {
            continue;
        }
        let mut cursor = Cursor::new(bytes, at + 13);
        cursor.space();
        if !cursor.take(b"=") {
            continue;
        }
        cursor.space();
        let Some(locations) = cursor.literal() else {
            continue;
        };
        let mut previous: &[u8] = b"";
        for (index, part) in locations
            .split(u8::is_ascii_whitespace)
            .filter(|part| !part.is_empty())
            .enumerate()
        {
            let odd = part.contains(&b':')
                && !is_web(part)
                && !starts_with(part, b"urn:")
                && !starts_with(part, b"classpath");
            let stranger = kind != Kind::XmlDocument
                && index % 2 == 1
                && is_web(part)
                && is_web(previous)
                && site(part) != site(previous);
            if odd || stranger {
                hits.push(&SCHEMA_LOCATION, at..at + 13);
                return;
            }
            previous = part;
        }
    }
}

/// The rest of a tag or instruction, up to its end.
fn tag(rest: &[u8]) -> &[u8] {
    rest.split(|byte| matches!(byte, b'<' | b'>'))
        .next()
        .unwrap_or_default()
}

/// The value of the attribute called `name`.
fn attribute<'a>(tag: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    memchr::memmem::find_iter(tag, name).find_map(|at| {
        let mut cursor = Cursor::new(tag, at + name.len());
        cursor.space();
        if !cursor.take(b"=") {
            return None;
        }
        cursor.space();
        cursor.literal()
    })
}

/// Whether an address names a scheme or a host.
fn is_elsewhere(address: &[u8]) -> bool {
    let address = address.trim_ascii();
    let scheme = address
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    scheme > 1 && address.get(scheme) == Some(&b':')
        || address.starts_with(b"//")
        || address.starts_with(b"\\\\")
}

/// Whether an instruction loads a style sheet of CSS, which transforms nothing: its type and its address both say so.
fn is_a_style_sheet(rest: &[u8]) -> bool {
    let value = |name| attribute(tag(rest), name).unwrap_or_default().trim_ascii();
    let address = value(b"href");
    value(b"type").eq_ignore_ascii_case(b"text/css")
        && is_web(address)
        && address
            .split(|byte| matches!(byte, b'?' | b'#'))
            .next()
            .is_some_and(|path| path.ends_with(b".css"))
}

fn is_web(address: &[u8]) -> bool {
    starts_with(address, b"http://") || starts_with(address, b"https://")
}

/// The last two labels of a web address's host: enough to tell a namespace's own schema.
fn site(address: &[u8]) -> &[u8] {
    let host = address
        .splitn(4, |byte| *byte == b'/')
        .nth(2)
        .unwrap_or_default();
    let dot = memchr::memrchr(b'.', host).and_then(|last| memchr::memrchr(b'.', host.get(..last)?));
    dot.and_then(|dot| host.get(dot + 1..)).unwrap_or(host)
}

fn starts_with(bytes: &[u8], literal: &[u8]) -> bool {
    bytes
        .get(..literal.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(literal))
}
