//! BOT_SCANNER: tools that name themselves, and what only tools send.

pub mod anchors;
pub mod rules;

use std::ops::Range;

use anchors::{CALLBACK, Group, LIBRARY, MARKS, PROBE, TOOL};
use backstop_http::Kind;

use crate::{Hits, Input, Rule};

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    features & (TOOL | LIBRARY | PROBE | CALLBACK) != 0
}

/// How much of a value is looked at, once for each mark: user agents and paths are shorter, and who hides a tool's name
/// does not send it at all.
const MAX_LENGTH: usize = 8192;

/// Looks for the marks that belong where the value stands.
pub fn detect(input: &Input<'_>, hits: &mut Hits) {
    let kind = input.place.kind;
    let agent = kind == Kind::Header && input.place.name == b"user-agent";
    let bytes = input.bytes.get(..MAX_LENGTH).unwrap_or(input.bytes);
    for (token, group, _) in MARKS {
        let belongs = match group {
            Group::Callback => true,
            Group::Probe => kind == Kind::Path,
            _ => agent,
        };
        if belongs
            && !hits.has(rules::of(*group))
            && let Some(span) = find_word(bytes, token)
        {
            hits.push(rules::of(*group), span);
        }
    }
}

/// Header fields that scanners add (lower case), and whose they are.
pub const HEADERS: &[(&[u8], &str)] = &[
    (b"acunetix-aspect", "acunetix.com"),
    (b"acunetix-product", "acunetix.com"),
    (b"acunetix-scanning-agreement", "acunetix.com"),
    (b"acunetix-user-agreement", "acunetix.com"),
    (b"x-ratproxy-loop", "code.google.com/p/ratproxy"),
    (b"x-request-memo", "microfocus.com (WebInspect)"),
    (b"x-requestmanager-memo", "microfocus.com (WebInspect)"),
    (b"x-scan-memo", "microfocus.com (WebInspect)"),
    (b"x-wipp", "microfocus.com (WebInspect)"),
];

/// The rule that a header field's name (lower case) breaks, whatever its value.
pub fn header_name(name: &[u8]) -> Option<&'static Rule> {
    (matches!(name.first(), Some(b'a' | b'x')) && HEADERS.iter().any(|(known, _)| *known == name))
        .then_some(&rules::HEADER)
}

/// Where `token` stands as a word: no letter or digit before it, no letter behind it, unless the token itself ends in a
/// sign there.
fn find_word(bytes: &[u8], token: &[u8]) -> Option<Range<usize>> {
    let first = token.first()?;
    let upper = first.to_ascii_uppercase();
    memchr::memchr2_iter(*first, upper, bytes).find_map(|start| {
        let end = start + token.len();
        let same = bytes.get(start..end)?.eq_ignore_ascii_case(token);
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        let free_before =
            !first.is_ascii_alphanumeric() || !before.is_some_and(u8::is_ascii_alphanumeric);
        let free_behind = !token.last().is_some_and(u8::is_ascii_alphanumeric)
            || !bytes.get(end).is_some_and(u8::is_ascii_alphabetic);
        (same && free_before && free_behind).then_some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_word() {
        assert_eq!(find_word(b"x sqlmap/1", b"sqlmap"), Some(2..8));
        assert_eq!(find_word(b"(SQLMAP)", b"sqlmap"), Some(1..7));
        assert_eq!(find_word(b"mysqlmap", b"sqlmap"), None);
        assert_eq!(find_word(b"sqlmapper", b"sqlmap"), None);
        assert_eq!(find_word(b"coast.me", b"oast.me"), None);
        assert_eq!(find_word(b"a.oast.me/", b"oast.me"), Some(2..9));
        assert_eq!(find_word(b"sqlma", b"sqlmap"), None);
    }

    #[test]
    fn marks_are_unique_and_have_a_source() {
        for (index, (token, _, source)) in MARKS.iter().enumerate() {
            assert!(!source.is_empty());
            assert!(token.to_ascii_lowercase() == *token);
            let again = MARKS
                .iter()
                .skip(index + 1)
                .any(|(other, _, _)| other == token);
            assert!(!again, "{}", token.escape_ascii());
        }
    }
}
