//! MongoDB query operators where a client has no business to send them.

use backstop_http::Kind;

use super::rules;
use crate::{Hits, Input};

/// Query operators (MongoDB manual, "Query and Projection Operators"). Update operators are left out: analytics
/// payloads use the names of some (`$set`, `$push`).
const OPERATORS: [&[u8]; 28] = [
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
];

/// Judges a name: a JSON key, or a parameter's name with brackets.
pub fn judge(input: &Input<'_>, hits: &mut Hits) {
    let bytes = input.bytes;
    match input.place.kind {
        Kind::JsonKey => {
            if is_operator(bytes) {
                hits.push(&rules::OPERATOR_KEY, 0..bytes.len());
            } else {
                brackets(bytes, hits);
            }
        }
        Kind::QueryName | Kind::FormName | Kind::CookieName | Kind::MultipartName => {
            brackets(bytes, hits)
        }
        Kind::Query | Kind::Form | Kind::Cookie => keys(bytes, hits),
        _ => {}
    }
}

/// `{"$ne": 1}`, `$where: '…'`: an operator as a key in a value that some parser may take for JSON.
fn keys(bytes: &[u8], hits: &mut Hits) {
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
        if after.trim_ascii_start().first() == Some(&b':') && is_operator(name) {
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
        let length = memchr::memchr(b']', rest).unwrap_or(rest.len());
        if is_operator(rest.get(..length).unwrap_or_default()) {
            hits.push(&rules::OPERATOR_PARAMETER, start..start + length);
            return;
        }
        from = start + 1;
    }
}

fn is_operator(name: &[u8]) -> bool {
    name.first() == Some(&b'$')
        && OPERATORS
            .iter()
            .any(|operator| operator.eq_ignore_ascii_case(name))
}
