//! LDAP_INJECTION: RFC 4515 filters, as fragments that leave the assertion which the server built around the value.
//!
//! A value stands at `(attribute=VALUE)`. To get out it needs a closing parenthesis that it did not open itself; then
//! another filter. Balanced parentheses, as prose, titles and code have them, are never that.

pub mod anchors;
pub mod rules;

use anchors::{CLOSE, OPEN, STAR};
use backstop_http::scan::Set;

use crate::{Hits, Input};

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    features & CLOSE != 0 || features & (OPEN | STAR) == OPEN | STAR
}

/// What opens and closes filters.
static SIGNS: Set = Set::of(b"()*");

/// Parses the value and records what it is.
pub fn detect(input: &Input<'_>, hits: &mut Hits) {
    let bytes = input.bytes;
    let mut depth = 0usize;
    let start = bytes
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .unwrap_or(0);
    for at in SIGNS.positions(bytes) {
        let Some((byte, rest)) = bytes.get(at..).and_then(<[u8]>::split_first) else {
            break;
        };
        match byte {
            b'(' => {
                if depth == 0 && at == start && opens_operator(rest) && is_whole(bytes, at) {
                    hits.push(&rules::WHOLE, at..bytes.len());
                }
                depth += 1;
            }
            b')' if depth > 0 => depth -= 1,
            b')' => {
                if opens_filter(rest) {
                    hits.push(&rules::FILTER, at..bytes.len());
                } else if rest.first() == Some(&0) {
                    hits.push(&rules::NULL, at..bytes.len());
                }
            }
            b'*' if rest.first() == Some(&b'(')
                && rest.get(1..).is_some_and(opens_operator)
                && rest.get(2..).is_some_and(opens_filter) =>
            {
                hits.push(&rules::WILDCARD, at..bytes.len());
            }
            _ => {}
        }
    }
    if is_only_signs(bytes) {
        hits.push(&rules::WILDCARD, 0..bytes.len());
    }
}

/// How many signs may stand between a closing parenthesis and the attribute that follows: real filters use a few.
const MAX_SIGNS: usize = 16;

/// Whether what follows a closing parenthesis starts another filter: at least one opening parenthesis among operators and
/// closing ones, then an attribute with its comparison; or, where an operator was among them, the end.
fn opens_filter(rest: &[u8]) -> bool {
    let signs = rest
        .iter()
        .take(MAX_SIGNS)
        .take_while(|byte| matches!(byte, b'(' | b')' | b'&' | b'|' | b'!' | b' ' | b'\t'))
        .count();
    let Some((prefix, tail)) = rest.split_at_checked(signs) else {
        return false;
    };
    let Some(open) = prefix.iter().position(|byte| *byte == b'(') else {
        return false;
    };
    let operator = prefix.iter().any(|byte| matches!(byte, b'&' | b'|' | b'!'));
    let spaced = prefix.iter().any(|byte| matches!(byte, b' ' | b'\t'));
    if tail.is_empty() {
        return operator && prefix.len() > open + 1;
    }
    (operator || !spaced) && has_comparison(tail)
}

/// `attribute=`, `attribute>=`, `attribute:=`…: RFC 4512 attribute descriptions with options, or an OID.
fn has_comparison(tail: &[u8]) -> bool {
    let length = tail
        .iter()
        .take(64)
        .take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b';' | b'.' | b'_')
        })
        .count();
    let attribute = tail.get(..length).unwrap_or_default();
    let comparison = tail.get(length..).unwrap_or_default();
    if !attribute.first().is_some_and(u8::is_ascii_alphanumeric) {
        return false;
    }
    match comparison {
        [b'=', b'=' | b'>', ..] => false,
        [b'=', ..] | [b'>' | b'<' | b'~' | b':', b'=', ..] => true,
        // An extensible match by a named rule.
        [b':', rule @ ..] => rule
            .iter()
            .take(64)
            .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'.' | b'-'))
            .and_then(|end| rule.get(end..))
            .is_some_and(|rest| rest.starts_with(b":=")),
        _ => false,
    }
}

/// `&(`, `|(`, `!(`, with white space.
fn opens_operator(rest: &[u8]) -> bool {
    let Some((b'&' | b'|' | b'!', tail)) = rest.split_first() else {
        return false;
    };
    tail.trim_ascii_start().first() == Some(&b'(')
}

/// Whether the value is one filter from `at`, its start, on, with an attribute in its first operand.
fn is_whole(bytes: &[u8], at: usize) -> bool {
    bytes.trim_ascii_end().ends_with(b")") && bytes.get(at + 1..).is_some_and(opens_filter)
}

/// Nothing but the signs of a filter, with a star, and parentheses that do not pair up.
fn is_only_signs(bytes: &[u8]) -> bool {
    let is_sign = |byte: &u8| matches!(byte, b'(' | b')' | b'*' | b'&' | b'|' | b'!' | b' ' | 0);
    if bytes.len() < 3 || bytes.len() > 64 || !bytes.iter().all(is_sign) || !bytes.contains(&b'*') {
        return false;
    }
    let count = |sign: u8| bytes.iter().filter(|byte| **byte == sign).count();
    count(b'(') != count(b')')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_a_filter() {
        for rest in [
            &b"(uid=*"[..],
            b"(|(uid=*",
            b")(&(objectClass=*)",
            b"!(sn=*",
            b"((|userPassword=*)",
            b"(gidNumber<=100",
            b"(sn~=smith",
            b"(cn:caseExactMatch:=x",
            b"(&",
            b" ( & ",
        ] {
            assert!(opens_filter(rest), "{}", rest.escape_ascii());
        }
        for rest in [
            &b""[..],
            b"(",
            b" (see below)",
            b"(a == b)",
            b"(x=>y)",
            b" (a=b)",
            b"text (uid=*)",
        ] {
            assert!(!opens_filter(rest), "{}", rest.escape_ascii());
        }
    }
}
