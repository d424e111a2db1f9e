//! SQL_INJECTION. The value is read as SQL in three contexts: as it stands, and as the rest of a literal that it closes
//! with a quote. In each the tokens are folded and judged as a structure; words alone prove nothing.

pub mod anchors;
mod boolean;
mod breakout;
mod clause;
mod fold;
mod function;
mod grammar;
mod judge;
mod languages;
mod nosql;
mod probe;
pub mod rules;
mod select;
mod spelling;
mod spoken;
mod statement;
#[cfg(test)]
mod tests;
mod token;
mod tokenizer;
mod vocabulary;
mod words;

use backstop_http::Kind;
use backstop_http::scan::find;

use crate::{Hits, Input};
use tokenizer::Context;

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    use anchors::{COMPARE, CUT, LOGIC, QUOTE, STRONG, WORDED};
    features & (STRONG | QUOTE) != 0
        || features & LOGIC != 0 && features & (COMPARE | CUT) != 0
        || features & WORDED != 0 && features & CUT != 0
}

/// Parses the value and records what it is.
pub fn detect(input: &Input<'_>, hits: &mut Hits) {
    if !spoken::is_spoken(input) {
        parse(input, hits);
    }
}

fn parse(input: &Input<'_>, hits: &mut Hits) {
    nosql::judge(input, hits);
    if matches!(input.place.kind, Kind::JsonKey) && input.bytes.len() < 3 {
        return;
    }
    judge::judge(input, Context::Bare, hits);
    for quote in [b'\'', b'"', b'`'] {
        if judge::is_certain(hits) {
            return;
        }
        let Some(first) = find(quote, input.bytes) else {
            continue;
        };
        judge::judge(input, Context::Quoted(quote), hits);
        let doubled = input.bytes.get(first + 1) == Some(&quote);
        let escaped = first.checked_sub(1).and_then(|i| input.bytes.get(i)) == Some(&b'\\');
        if (doubled || escaped) && !judge::is_certain(hits) {
            judge::judge(input, Context::Escaped(quote), hits);
        }
    }
    probe::judge(input, hits);
}

/// Whether `bytes` begins with `start` (lower case), ASCII case set aside.
fn starts_with_ignore_case(bytes: &[u8], start: &[u8]) -> bool {
    bytes
        .get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// Whether `bytes` ends with `end` (lower case), ASCII case set aside.
fn ends_with_ignore_case(bytes: &[u8], end: &[u8]) -> bool {
    bytes
        .len()
        .checked_sub(end.len())
        .and_then(|from| bytes.get(from..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}
