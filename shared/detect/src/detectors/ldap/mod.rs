//! LDAP_INJECTION: RFC 4515 filters, as fragments that leave the assertion which the server built around the value.
//!
//! A value stands at `(attribute=VALUE)`. To get out it needs a closing parenthesis that it did not open itself; then
//! another filter. Balanced parentheses, as prose, titles and code have them, are never that.

pub mod anchors;
pub mod rules;

use anchors::{CLOSE, ESCAPED, MATCH, OPEN, STAR};
use backstop_http::Kind;
use backstop_http::scan::Set;

use crate::{Hits, Input};

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    features & (CLOSE | MATCH | ESCAPED) != 0 || features & (OPEN | STAR) == OPEN | STAR
}

/// What opens and closes filters.
static SIGNS: Set = Set::of(b"()*");

/// Parses the value and records what it is.
pub fn detect(input: &Input<'_>, hits: &mut Hits) {
    parse(input, hits);
    if input.features & ESCAPED != 0 && hits.as_slice().is_empty() {
        let mut plain = [0; MAX_ESCAPED];
        if let Some(bytes) = unescape(input.bytes, &mut plain) {
            parse(&Input { bytes, ..*input }, hits);
        }
    }
}

/// How much of a value is read through a filter's own escapes.
const MAX_ESCAPED: usize = 256;

/// The start of a value with a filter's own escapes resolved (RFC 4515 section 3: a backslash and two digits): what the server sees
/// that decodes once too often.
fn unescape<'a>(bytes: &[u8], plain: &'a mut [u8; MAX_ESCAPED]) -> Option<&'a [u8]> {
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let mut rest = bytes;
    let mut length = 0;
    while let [first, tail @ ..] = rest
        && let Some(cell) = plain.get_mut(length)
    {
        (*cell, rest) = match tail {
            [high, low, behind @ ..]
                if *first == b'\\'
                    && let (Some(high), Some(low)) = (digit(high), digit(low)) =>
            {
                (high << 4 | low, behind)
            }
            _ => (*first, tail),
        };
        length += 1;
    }
    plain.get(..length)
}

fn parse(input: &Input<'_>, hits: &mut Hits) {
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
                if depth == 0 && at == start {
                    if opens_operator(rest) && is_whole(bytes, at) {
                        hits.push(&rules::WHOLE, at..bytes.len());
                        if stands_for_a_value(input) {
                            hits.push(&rules::FILTER_AS_VALUE, at..bytes.len());
                        }
                    }
                    if opens_filter(bytes.get(at..).unwrap_or_default()) && asks_on(rest) {
                        hits.push(&rules::CREDENTIALS, at..bytes.len());
                    }
                }
                depth += 1;
            }
            b')' if depth > 0 => depth -= 1,
            b')' => {
                if opens_filter(rest) {
                    hits.push(&rules::FILTER, at..bytes.len());
                } else if rest.first() == Some(&0) && !is_binary(bytes, at) {
                    hits.push(&rules::NULL, at..bytes.len());
                }
            }
            b'*' if extends_a_wildcard(rest) || at == start && empties_a_filter(rest) => {
                hits.push(&rules::WILDCARD, at..bytes.len());
            }
            _ => {}
        }
    }
    if is_only_signs(bytes) {
        hits.push(&rules::WILDCARD, 0..bytes.len());
    }
    if input.features & MATCH != 0 && is_matching_rule(bytes.get(start..).unwrap_or_default()) {
        hits.push(&rules::MATCHING, start..bytes.len());
    }
}

/// Whether control characters stand before `at`, as in whatever is compressed or packed. A name with one in it names nobody.
fn is_binary(bytes: &[u8], at: usize) -> bool {
    const WINDOW: usize = 64;
    let left = bytes.get(at.saturating_sub(WINDOW)..at).unwrap_or_default();
    left.iter()
        .any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

/// `*(|(uid=`: a wild card and then an operator with a filter; `*(uid=*`, `*|(uid=*`: one and the presence of an attribute that
/// every directory has.
fn extends_a_wildcard(rest: &[u8]) -> bool {
    let signs = rest
        .iter()
        .take(2)
        .take_while(|byte| matches!(byte, b'&' | b'|' | b'!'))
        .count();
    let Some((b'(', inner)) = rest.get(signs..).and_then(<[u8]>::split_first) else {
        return false;
    };
    opens_operator(inner) && inner.get(1..).is_some_and(opens_filter)
        || is_known_attribute(inner)
            .is_some_and(|length| matches!(inner.get(length..), Some([b'=', b'*', ..])))
}

/// `*()|`, `*()(&`: an assertion with nothing in it, and on with an operator.
fn empties_a_filter(rest: &[u8]) -> bool {
    matches!(
        rest,
        [b'(', b')', b'|' | b'&', ..] | [b'(', b')', b'(', b'|' | b'&', ..]
    )
}

/// Attributes that every directory has (RFC 4519, Active Directory), lower case.
const ATTRIBUTES: [&[u8]; 12] = [
    b"cn",
    b"dn",
    b"givenname",
    b"mail",
    b"member",
    b"memberof",
    b"objectclass",
    b"ou",
    b"samaccountname",
    b"sn",
    b"uid",
    b"userprincipalname",
];
/// Attributes that hold passwords (RFC 4519, Active Directory, what applications call them), lower case.
const PASSWORDS: [&[u8]; 6] = [
    b"pass",
    b"passwd",
    b"password",
    b"pwd",
    b"unicodepwd",
    b"userpassword",
];

/// The length of the attribute at the start of `text`.
fn attribute(text: &[u8]) -> usize {
    text.iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count()
}

/// The length of the attribute at the start of `text`, if it is one of those that directories have.
fn is_known_attribute(text: &[u8]) -> Option<usize> {
    let length = attribute(text);
    let name = text.get(..length)?;
    let known = |names: &[&[u8]]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    (known(&ATTRIBUTES) || known(&PASSWORDS)).then_some(length)
}

/// Whether a filter asks for a password, or holds a condition of two numbers: what stands in a filter that is sent, never in
/// one that is configured, where a placeholder stands for the value.
fn asks_on(filter: &[u8]) -> bool {
    memchr::memchr_iter(b'(', filter)
        .take(MAX_ASSERTIONS)
        .any(|at| {
            let inner = filter.get(at + 1..).unwrap_or_default();
            let length = attribute(inner);
            let (Some(name), Some([b'=', value @ ..])) = (inner.get(..length), inner.get(length..))
            else {
                return false;
            };
            let end = value.iter().position(|byte| *byte == b')');
            let value = value.get(..end.unwrap_or(value.len())).unwrap_or_default();
            let written = !value
                .iter()
                .any(|byte| matches!(byte, b'%' | b'{' | b'$' | b'<'));
            let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
            written
                && (PASSWORDS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name))
                    || is_number(name) && is_number(value))
        })
}

/// Whether a whole filter is what somebody sends who is asked for a value: not in a field that is called a filter or an
/// expression, not deep in a document, without the placeholders and the line breaks of a setting.
fn stands_for_a_value(input: &Input<'_>) -> bool {
    const CALLED: [&[u8]; 7] = [
        b"condition",
        b"criteri",
        b"expr",
        b"filter",
        b"ldap",
        b"query",
        b"rule",
    ];
    const DEEP: usize = 3;
    let name = input.place.name;
    let called = name
        .split(|byte| matches!(byte, b'/' | b'.' | b'['))
        .any(|part| {
            CALLED.iter().any(|known| {
                part.windows(known.len())
                    .any(|window| window.eq_ignore_ascii_case(known))
            })
        });
    let deep = name.iter().filter(|byte| **byte == b'/').count() >= DEEP;
    let value = !matches!(
        input.place.kind,
        Kind::TextBody | Kind::RawBody | Kind::XmlDocument | Kind::Graphql | Kind::Header
    );
    value
        && !called
        && !deep
        && !input
            .bytes
            .iter()
            .any(|byte| matches!(byte, b'%' | b'{' | b'$' | b'<' | b'\n'))
}

/// How many assertions of a whole filter are looked at.
const MAX_ASSERTIONS: usize = 64;

/// `attribute:2.5.13.18:=value` and no filter around it: an assertion by a matching rule's number (RFC 4517's, Active Directory's),
/// put where a value belongs.
fn is_matching_rule(value: &[u8]) -> bool {
    const RULES: [&[u8]; 2] = [b":2.5.13.", b":1.2.840.113556.1.4."];
    let length = attribute(value);
    let rest = value.get(length..).unwrap_or_default();
    length > 0 && RULES.iter().any(|rule| rest.starts_with(rule)) && has_comparison(value)
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
