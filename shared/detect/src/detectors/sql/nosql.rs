//! MongoDB query operators where a client has no business to send them.

use backstop_http::Kind;

use super::rules;
use crate::{Hits, Input};

/// Query operators (MongoDB manual, "Query and Projection Operators"). Update operators are left out: analytics
/// payloads use the names of some (`$set`, `$push`).
const OPERATORS: [&[u8]; 29] = [
    b"$eq",
    b"$ne",
    b"$gt",
    b"$gte",
    b"$lt",
    b"$lte",
    b"$in",
    b"$nin",
    b"$or",
    b"$and",
    b"$nor",
    b"$not",
    b"$exists",
    b"$regex",
    b"$where",
    b"$expr",
    b"$mod",
    b"$text",
    b"$elemmatch",
    b"$jsonschema",
    b"$function",
    b"$accumulator",
    b"$all",
    b"$size",
    b"$lookup",
    b"$options",
    b"$near",
    b"$func",
    b"$type",
];

/// How far the bracket behind an operator is looked for: none is as long.
const LONGEST: usize = 24;

/// Judges a name: a JSON key, or a parameter's name with brackets.
pub fn judge(input: &Input<'_>, hits: &mut Hits) {
    let bytes = input.bytes;
    match input.place.kind {
        Kind::JsonKey => {
            if let Some(secret) = secret_by_pattern(bytes) {
                hits.push(&rules::SECRET_LOOKUP, secret);
            }
            if is_operator(bytes) {
                let segments = input.place.name.split(|byte| *byte == b'/');
                let rule = if is_filter(segments, bytes) {
                    &rules::OPERATOR_FILTER
                } else {
                    &rules::OPERATOR_KEY
                };
                hits.push(rule, 0..bytes.len());
            } else {
                brackets(bytes, hits);
            }
        }
        Kind::QueryName | Kind::FormName | Kind::CookieName | Kind::MultipartName => {
            if let Some(secret) = secret_by_pattern(bytes) {
                hits.push(&rules::SECRET_LOOKUP, secret);
            }
            // A parameter that is an operator itself, or holds one: `$where=…`, `$or[0][a]=b`.
            let end = memchr::memchr(b'[', bytes).unwrap_or(bytes.len());
            if bytes.get(..end).is_some_and(is_query) {
                hits.push(&rules::OPERATOR_PARAMETER, 0..end);
            }
            brackets(bytes, hits)
        }
        // A parameter that is called a filter and holds one: Parse's `where={"seats":{"$gte":2}}`.
        Kind::Query | Kind::Form if names_a_filter(input.place.name) && is_an_object(bytes) => {
            keys(bytes, |name| is_operator(name) && !compares(name), hits);
            if holds_a_secret(bytes) {
                keys(bytes, is_operator, hits);
            }
        }
        Kind::Query | Kind::Form | Kind::Cookie | Kind::Path => keys(bytes, is_operator, hits),
        // Documents carry queries of their own: only what runs code is nobody's to send.
        Kind::Json | Kind::Multipart | Kind::XmlText => {
            keys(bytes, |name| name.eq_ignore_ascii_case(b"$where"), hits)
        }
        _ => {}
    }
}

/// Whether an operator stands in a filter that the client is meant to write, as vector stores, CouchDB and Strapi take it:
/// below a member that is called one, comparing a field that is no secret, and neither running code nor reading by pattern,
/// the two that tell a field's content letter by letter.
fn is_filter<'a>(mut path: impl Iterator<Item = &'a [u8]>, operator: &[u8]) -> bool {
    if !compares(operator) || !path.any(names_a_filter) {
        return false;
    }
    // One that compares needs a field: right below the filter it compares what the application looks for.
    let mut needs_field = ![&b"$or"[..], b"$and", b"$not"]
        .iter()
        .any(|joins| joins.eq_ignore_ascii_case(operator));
    for segment in path {
        if holds_a_secret(segment) {
            return false;
        }
        needs_field &= matches!(segment, [] | [b'$' | b'0'..=b'9', ..]);
    }
    !needs_field
}

/// Whether a member or a parameter is called a filter.
fn names_a_filter(name: &[u8]) -> bool {
    const FILTERS: [&[u8]; 9] = [
        b"s",
        b"query",
        b"filter",
        b"filters",
        b"metadata_filter",
        b"selector",
        b"where",
        b"criteria",
        b"conditions",
    ];
    FILTERS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Whether an operator compares a field, or joins such comparisons.
fn compares(operator: &[u8]) -> bool {
    const COMPARING: [&[u8]; 12] = [
        b"$eq", b"$ne", b"$gt", b"$gte", b"$lt", b"$lte", b"$in", b"$nin", b"$or", b"$and",
        b"$not", b"$exists",
    ];
    COMPARING
        .iter()
        .any(|known| known.eq_ignore_ascii_case(operator))
}

/// Whether a text names a field that is a secret.
fn holds_a_secret(text: &[u8]) -> bool {
    const SECRETS: [&[u8]; 5] = [b"pass", b"pwd", b"secret", b"token", b"hash"];
    SECRETS.iter().any(|known| {
        text.windows(known.len())
            .any(|part| part.eq_ignore_ascii_case(known))
    })
}

/// Comparisons by a part of the text, as query builders write them behind a field (Django's field lookups, Strapi's and
/// Sequelize's operators, LoopBack's filters): each tells a field's content letter by letter.
const PATTERNS: [&[u8]; 14] = [
    b"startswith",
    b"istartswith",
    b"startswithi",
    b"endswith",
    b"iendswith",
    b"endswithi",
    b"contains",
    b"icontains",
    b"containsi",
    b"regex",
    b"iregex",
    b"like",
    b"ilike",
    b"regexp",
];

/// Whether a field's name says that it is a secret: `passenger` and `hashtag` are none.
fn is_a_secret(field: &[u8]) -> bool {
    const PARTS: [&[u8]; 6] = [
        b"password",
        b"passwd",
        b"passphrase",
        b"secret",
        b"token",
        b"apikey",
    ];
    const WORDS: [&[u8]; 4] = [b"pass", b"pwd", b"hash", b"otp"];
    let is_word = |part: &[u8]| WORDS.iter().any(|word| word.eq_ignore_ascii_case(part));
    PARTS.iter().any(|known| {
        field
            .windows(known.len())
            .any(|part| part.eq_ignore_ascii_case(known))
    }) || field.split(|byte| *byte == b'_').any(is_word)
}

/// `owner__password__startswith`, `filters[user][password][$contains]`: a name that asks for a secret by a part of it.
fn secret_by_pattern(name: &[u8]) -> Option<core::ops::Range<usize>> {
    let (path, lookup) = if let Some(inner) = name.strip_suffix(b"]") {
        let open = memchr::memrchr(b'[', inner)?;
        let (path, lookup) = inner.split_at_checked(open)?;
        (path, lookup.get(1..)?)
    } else {
        let (at, _) = name
            .windows(2)
            .enumerate()
            .rev()
            .take(LONGEST)
            .find(|(_, two)| *two == b"__")?;
        (name.get(..at)?, name.get(at + 2..)?)
    };
    let lookup = lookup.strip_prefix(b"$").unwrap_or(lookup);
    let known = PATTERNS
        .iter()
        .any(|pattern| pattern.eq_ignore_ascii_case(lookup));
    let path = path.get(path.len().saturating_sub(LONGEST)..)?;
    // The field itself: what stands last in front of the comparison.
    let path = path.strip_suffix(b"]").unwrap_or(path);
    let field = path
        .rsplit(|byte| matches!(byte, b'[' | b']' | b'.'))
        .next()?;
    let field = match memchr::memmem::rfind(field, b"__") {
        Some(at) => field.get(at + 2..)?,
        None => field,
    };
    (known && is_a_secret(field)).then_some(0..name.len())
}

/// Whether a value is an object that compares fields: one that begins with an operator compares the application's own.
fn is_an_object(bytes: &[u8]) -> bool {
    bytes
        .trim_ascii()
        .strip_prefix(b"{")
        .and_then(|inner| inner.trim_ascii_start().strip_prefix(b"\""))
        .is_some_and(|name| {
            name.first() != Some(&b'$') || name.starts_with(b"$or\"") || name.starts_with(b"$and\"")
        })
}

/// `{"$ne": 1}`, `$where: '…'`: an operator as a key in a value that some parser may take for JSON.
fn keys(bytes: &[u8], counts: impl Fn(&[u8]) -> bool, hits: &mut Hits) {
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'$', bytes.get(from..).unwrap_or_default()) {
        let start = from + found;
        let rest = bytes.get(start..).unwrap_or_default();
        let length = 1 + rest
            .iter()
            .skip(1)
            .take(16)
            .take_while(|b| b.is_ascii_alphabetic())
            .count();
        let (name, after) = rest.split_at_checked(length).unwrap_or_default();
        let after = after
            .strip_prefix(b"\"")
            .or(after.strip_prefix(b"'"))
            .unwrap_or(after);
        if after.trim_ascii_start().first() == Some(&b':') && counts(name) {
            hits.push(&rules::OPERATOR_KEY, start..start + length);
            return;
        }
        from = start + length;
    }
}

/// `a[$ne]`, `a[b][$gt]`.
fn brackets(bytes: &[u8], hits: &mut Hits) {
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(bytes.get(from..).unwrap_or_default(), b"[$") {
        let start = from + found + 1;
        let rest = bytes.get(start..).unwrap_or_default();
        let length = rest
            .iter()
            .take(LONGEST)
            .position(|byte| *byte == b']')
            .unwrap_or_else(|| rest.len().min(LONGEST));
        let operator = rest.get(..length).unwrap_or_default();
        if is_operator(operator) {
            // Each reads all that stands before it.
            if !hits.spend(2 * start) {
                return;
            }
            let segments = bytes
                .get(..start)
                .unwrap_or_default()
                .split(|byte| matches!(byte, b'[' | b']'));
            if is_filter(segments, operator) {
                hits.push(&rules::OPERATOR_FILTER, start..start + length);
            } else {
                hits.push(&rules::OPERATOR_PARAMETER, start..start + length);
                return;
            }
        }
        from = start + 1;
    }
}

/// Whether `name` is an operator that makes a query of its own. `$in` and `$size` may be anybody's parameters.
fn is_query(name: &[u8]) -> bool {
    [&b"$where"[..], b"$or", b"$and", b"$nor", b"$expr"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

fn is_operator(name: &[u8]) -> bool {
    name.first() == Some(&b'$')
        && OPERATORS
            .iter()
            .any(|operator| operator.eq_ignore_ascii_case(name))
}
