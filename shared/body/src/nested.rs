//! Values that are documents themselves: JSON in a form field, a parameter, a cookie or a JSON string; base64 of JSON or of a
//! SAML message; a GraphQL document in a parameter.
//!
//! Read as one text, such a value is full of quotes, braces and backslashes that belong to its format. Read as what it is, an
//! attack within it stands alone, and so does an honest sentence.

use std::ops::ControlFlow;

use backstop_http::{Kind, Place};

use crate::escape::percent_decode;
use crate::graphql;
use crate::json::{Json, Outcome};
use crate::part;
use crate::report::Limits;
use crate::sink::{Sink, cut};
use crate::xml::Xml;

/// Documents within documents that are taken apart; a deeper one is text. Three are seen in the wild: a form field of JSON whose
/// string is JSON whose string is JSON (saved searches, event hubs).
const MAX_LEVELS: usize = 3;

/// The shortest base64 that is tried: a dozen bytes hold no document worth reading.
const SHORTEST_BASE64: usize = 24;

/// How far into a SAML message its namespace is looked for.
const SAML_ROOT: usize = 1024;

/// Called once per value within a document.
pub type VisitInner<'v> = dyn FnMut(Place<'_>, &[u8]) + 'v;

/// Visits what `value` holds if it is a faultless document, and answers whether it is one: then everything in it that can carry
/// an attack has been visited. Query and cookie values come as they are on the wire, others decoded.
///
/// Strings in JSON have the place `json` and the outer name before their pointer: `filter` with `{"a":["x"]}` gives `/filter/a/0`.
/// In a cookie they stay values of that cookie. Time and memory are linear in the value, times the levels.
#[inline]
pub fn unfold(place: Place<'_>, value: &[u8], visit: &mut VisitInner<'_>) -> bool {
    may_be_document(place, value) && unfold_document(place, value, visit)
}

fn unfold_document(place: Place<'_>, value: &[u8], visit: &mut VisitInner<'_>) -> bool {
    let mut plain = Vec::new();
    let plain = match place.kind {
        Kind::Query | Kind::Cookie if value.contains(&b'%') || value.contains(&b'+') => {
            percent_decode(value, place.kind == Kind::Query, &mut plain);
            plain.as_slice()
        }
        _ => value,
    };
    unfold_decoded(place, plain, 1, visit)
}

/// Whether the first bytes can be those of a document: what nearly every value answers no to.
#[inline]
fn may_be_document(place: Place<'_>, value: &[u8]) -> bool {
    match place.kind {
        Kind::Query | Kind::Cookie => {
            let encoded = matches!(value, [b'%', b'5' | b'7', b'B' | b'b', ..]);
            let marked = matches!(value, [b'j', b':' | b'%', ..]);
            encoded || marked || opens(value) || is_graphql_parameter(place)
        }
        Kind::Form => opens(value) || is_graphql_parameter(place),
        Kind::Json | Kind::Multipart => opens(value),
        _ => false,
    }
}

fn opens_json(value: &[u8]) -> bool {
    matches!(value.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// The first digits of `{"`, `{` and a line end, `[{`, `["`, `<?` and `<s` in base64.
fn opens_base64(value: &[u8]) -> bool {
    value.len() >= SHORTEST_BASE64
        && matches!(
            value,
            [b'e', b'y' | b'w', ..] | [b'W', b'3' | b'y', ..] | [b'P', b'D' | b'H', ..]
        )
}

/// GraphQL over HTTP sends a document of a GET as the parameter `query`.
fn is_graphql_parameter(place: Place<'_>) -> bool {
    matches!(place.kind, Kind::Query | Kind::Form) && place.name == b"query"
}

fn unfold_decoded(
    place: Place<'_>,
    value: &[u8],
    level: usize,
    visit: &mut VisitInner<'_>,
) -> bool {
    if level > MAX_LEVELS {
        return false;
    }
    // Express marks a cookie of JSON so.
    let value = match place.kind {
        Kind::Cookie => value.strip_prefix(b"j:").unwrap_or(value),
        _ => value,
    };
    if opens_json(value) {
        return json(place, value, level, visit)
            || is_graphql_parameter(place) && document(value, visit);
    }
    if is_graphql_parameter(place) && document(value, visit) {
        return true;
    }
    let Some(decoded) = base64(value) else {
        return false;
    };
    if opens_json(&decoded) {
        return json(place, &decoded, level, visit);
    }
    is_saml(&decoded) && saml(&decoded, visit)
}

/// Visits the strings of JSON that every reader reads alike; `false`, and nothing visited, for any other text.
fn json(place: Place<'_>, value: &[u8], level: usize, visit: &mut VisitInner<'_>) -> bool {
    let mut reader = Json::default();
    let max_depth = Limits::default().max_depth;
    let mut ignore = |_: Place<'_>, _: &[u8]| ControlFlow::Continue(());
    let outcome = reader.walk(value, max_depth, &mut Sink::new(&mut ignore));
    if outcome != ControlFlow::Continue(Outcome::default()) {
        return false;
    }
    let mut name = Vec::new();
    let mut see = |inner: Place<'_>, text: &[u8]| {
        let named = named(place, inner, &mut name);
        if !opens(text) || !unfold_decoded(named, text, level + 1, visit) {
            visit(named, text);
        }
        ControlFlow::Continue(())
    };
    let _ = reader.walk(value, max_depth, &mut Sink::new(&mut see));
    true
}

/// Whether a string within a document may be one. Nearly all that are asked about are told by their first byte.
#[inline]
pub(crate) fn opens(text: &[u8]) -> bool {
    match text.first() {
        Some(b'{' | b'[') => true,
        Some(b'e' | b'W' | b'P') => opens_base64(text),
        Some(byte) if byte.is_ascii_whitespace() => opens_json(text),
        _ => false,
    }
}

/// The place of a value within the document at `outer`.
fn named<'a>(outer: Place<'a>, inner: Place<'a>, name: &'a mut Vec<u8>) -> Place<'a> {
    if outer.kind == Kind::Cookie && inner.kind == Kind::Json {
        return outer;
    }
    if !matches!(inner.kind, Kind::Json | Kind::JsonKey) {
        return inner;
    }
    name.clear();
    if outer.kind != Kind::Json {
        name.push(b'/');
    }
    name.extend_from_slice(cut(outer.name));
    name.extend_from_slice(inner.name);
    Place::new(inner.kind, cut(name))
}

/// Visits the strings of a GraphQL document; `false`, and nothing visited, for any other text.
fn document(value: &[u8], visit: &mut VisitInner<'_>) -> bool {
    if !graphql::looks_like_document(value) {
        return false;
    }
    let mut scratch = Vec::new();
    let mut ignore = |_: Place<'_>, _: &[u8]| ControlFlow::Continue(());
    if graphql::walk(value, &mut scratch, &mut Sink::new(&mut ignore))
        != ControlFlow::Continue(true)
    {
        return false;
    }
    let mut see = |inner: Place<'_>, text: &[u8]| {
        visit(inner, text);
        ControlFlow::Continue(())
    };
    let _ = graphql::walk(value, &mut scratch, &mut Sink::new(&mut see));
    true
}

/// What base64 (RFC 4648, both alphabets) of text that may be a document decodes to.
fn base64(value: &[u8]) -> Option<Vec<u8>> {
    let value = value.trim_ascii();
    if !opens_base64(value) {
        return None;
    }
    let digits = value.trim_ascii_end();
    let is_digit = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n' | b' '
            )
    };
    if !digits.iter().all(is_digit) {
        return None;
    }
    // A space was a plus before the form was read.
    let standard: Vec<u8> = digits
        .iter()
        .map(|byte| match byte {
            b'-' | b' ' => b'+',
            b'_' => b'/',
            other => *other,
        })
        .collect();
    Some(part::base64(&standard))
}

/// Whether a document is a SAML message (its namespaces begin so, SAML 2.0 core section 1.2 and SAML 1.1). Other XML may be
/// markup, and is read as text.
fn is_saml(document: &[u8]) -> bool {
    let root = document.get(..SAML_ROOT).unwrap_or(document);
    memchr::memmem::find(root, b"urn:oasis:names:tc:SAML:").is_some()
}

fn saml(document: &[u8], visit: &mut VisitInner<'_>) -> bool {
    let mut reader = Xml::default();
    let max_depth = Limits::default().max_depth;
    let mut ignore = |_: Place<'_>, _: &[u8]| ControlFlow::Continue(());
    if reader.walk(document, max_depth, &mut Sink::new(&mut ignore)) != ControlFlow::Continue(None)
    {
        return false;
    }
    let mut see = |inner: Place<'_>, text: &[u8]| {
        visit(inner, text);
        ControlFlow::Continue(())
    };
    let _ = reader.walk(document, max_depth, &mut Sink::new(&mut see));
    true
}

#[cfg(test)]
mod tests;
