//! Declarations of a document type: `<!DOCTYPE`, `<!ENTITY` and their kin, in a document or as a fragment in any value.

use super::cursor::Cursor;
use super::rules::{DECLARATION, DOCTYPE, ENTITY, ENTITY_BOMB, PARAMETER_ENTITY, SYSTEM};
use crate::Rule;

/// The rule that the declaration at `start` matches, where `<!` stands.
pub fn judge(bytes: &[u8], start: usize) -> Option<&'static Rule> {
    let mut cursor = Cursor::new(bytes, start + 2);
    if cursor.take(b"entity") {
        entity(cursor)
    } else if cursor.take(b"doctype") {
        doctype(cursor)
    } else if cursor.take(b"notation") {
        cursor.space();
        cursor.name();
        cursor.space();
        Some(if is_external(&mut cursor) {
            &SYSTEM
        } else {
            &DECLARATION
        })
    } else if cursor.take(b"element") || cursor.take(b"attlist") {
        Some(&DECLARATION)
    } else {
        None
    }
}

/// Takes `SYSTEM` or `PUBLIC` where a literal follows.
fn is_external(cursor: &mut Cursor<'_>) -> bool {
    (cursor.take(b"system") || cursor.take(b"public")) && cursor.space()
}

fn entity(mut cursor: Cursor<'_>) -> Option<&'static Rule> {
    if !cursor.space() {
        return None;
    }
    let parameter = cursor.take(b"%");
    cursor.space();
    let name = cursor.name();
    cursor.space();
    if is_external(&mut cursor) {
        return Some(&SYSTEM);
    }
    if parameter {
        return Some(&PARAMETER_ENTITY);
    }
    let Some(text) = cursor.literal() else {
        // Neither a literal nor an address: a fragment, or prose.
        return (!name.is_empty()).then_some(&DECLARATION);
    };
    Some(if references(text) > 1 {
        &ENTITY_BOMB
    } else if is_character(text) || is_namespace(text) {
        &DECLARATION
    } else {
        &ENTITY
    })
}

/// How many entities other than the five of XML itself a text refers to, up to two.
fn references(text: &[u8]) -> usize {
    const BUILT_IN: [&[u8]; 6] = [b"#", b"amp;", b"lt;", b"gt;", b"quot;", b"apos;"];
    memchr::memchr_iter(b'&', text)
        .filter_map(|at| text.get(at + 1..))
        .filter(|name| {
            name.first()
                .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
                && !BUILT_IN.iter().any(|known| name.starts_with(known))
        })
        .take(2)
        .count()
}

/// A character by number: `&#160;`, or a character outside ASCII.
fn is_character(text: &[u8]) -> bool {
    let digits = text
        .strip_prefix(b"&#")
        .or_else(|| text.strip_prefix(b"&#38;#"));
    match digits.and_then(|digits| digits.strip_suffix(b";")) {
        Some(digits) => digits.len() <= 7 && digits.iter().all(u8::is_ascii_alphanumeric),
        None => text.len() <= 4 && text.iter().all(|byte| !byte.is_ascii()),
    }
}

/// A namespace that drawing programs declare as an entity.
fn is_namespace(text: &[u8]) -> bool {
    text.starts_with(b"http://ns.adobe.com/") || text.starts_with(b"http://www.w3.org/")
}

fn doctype(mut cursor: Cursor<'_>) -> Option<&'static Rule> {
    if !cursor.space() {
        return None;
    }
    cursor.name();
    cursor.space();
    if cursor.take(b"system") {
        cursor.space();
        // `<!DOCTYPE html SYSTEM "about:legacy-compat">` is the HTML standard's own.
        match cursor.literal() {
            Some(system) if system == b"about:legacy-compat" || is_published(system) => {}
            Some(_) => return Some(&DOCTYPE),
            None => return None,
        }
    } else if cursor.take(b"public") {
        cursor.space();
        let public = cursor.literal()?;
        cursor.space();
        let system = cursor.literal();
        if !is_well_known(public, system) {
            return Some(&DOCTYPE);
        }
    }
    cursor.space();
    if !cursor.take(b"[") {
        return None;
    }
    cursor.space();
    // Entities in the subset are judged where they stand; anything else that it declares or refers to is a DTD.
    let subset = cursor.rest();
    let judged_elsewhere = subset
        .get(..8)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"<!entity"));
    (!subset.starts_with(b"]")
        && !judged_elsewhere
        && (subset.starts_with(b"<!") || subset.starts_with(b"%") || subset.starts_with(b"<?")))
    .then_some(&DOCTYPE)
}

/// Document types that standards and tools publish, fetched from where they are published: nobody else's file is read.
fn is_well_known(public: &[u8], system: Option<&[u8]>) -> bool {
    OWNERS.iter().any(|owner| public.starts_with(owner))
        && system.is_none_or(|system| {
            is_published(system) || !system.contains(&b':') && !system.contains(&b'/')
        })
}

/// Whether an address is one of a publisher of document types.
fn is_published(system: &[u8]) -> bool {
    let host = system
        .strip_prefix(b"http://")
        .or_else(|| system.strip_prefix(b"https://"));
    host.is_some_and(|host| {
        PUBLISHERS
            .iter()
            .any(|publisher| matches!(host.strip_prefix(*publisher), Some([b'/', ..])))
    })
}

/// How public identifiers of well-known document types start.
const OWNERS: [&[u8]; 17] = [
    b"-//W3C//",
    b"-//IETF//",
    b"-//WAPFORUM//",
    b"-//Apple",
    b"-//APPLE",
    b"ISO/IEC ",
    b"-//Sun Microsystems",
    b"-//Apache",
    b"-//Hibernate",
    b"-//mybatis.org//",
    b"-//SPRING//",
    b"-//OASIS//",
    b"-//NLM//",
    b"-//Netscape",
    b"-//JBoss",
    b"-//OpenSymphony",
    b"-//NISO//",
];

/// Hosts that publish them.
const PUBLISHERS: [&[u8]; 18] = [
    b"www.w3.org",
    b"www.wapforum.org",
    b"www.apple.com",
    b"java.sun.com",
    b"struts.apache.org",
    b"logging.apache.org",
    b"jakarta.apache.org",
    b"www.hibernate.org",
    b"hibernate.sourceforge.net",
    b"mybatis.org",
    b"www.springframework.org",
    b"www.oasis-open.org",
    b"docs.oasis-open.org",
    b"dtd.nlm.nih.gov",
    b"jats.nlm.nih.gov",
    b"my.netscape.com",
    b"www.jboss.org",
    b"xml.cxml.org",
];
