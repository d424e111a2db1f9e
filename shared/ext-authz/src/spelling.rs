//! The other reading of an ambiguous path.
//!
//! A normalised path takes `%2f` and `\` for separators, as the most permissive server does. A server that does not do so
//! sees one segment where the normalised path has two: `/matches/a%2fb/enter` reaches its `/matches/{id}/enter`. A
//! critical API has to be found by either.

use std::borrow::Cow;

/// What stands for a separator that is none: a letter that no path pattern gives a meaning.
const INSIDE: u8 = b'_';

/// `target` with every backslash and every encoded slash or backslash, however often encoded, as a letter. `None` if there
/// is nothing of the kind.
pub(crate) fn with_separators_inside(target: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !target.iter().any(|byte| matches!(byte, b'%' | b'\\')) {
        return None;
    }
    let mut out = Vec::with_capacity(target.len());
    let mut rest = target;
    let mut found = false;
    while let Some((byte, after)) = rest.split_first() {
        let skipped = match byte {
            b'\\' => Some(after),
            b'%' => after_encoded_separator(after),
            _ => None,
        };
        match skipped {
            Some(after) => {
                out.push(INSIDE);
                rest = after;
                found = true;
            }
            None => {
                out.push(*byte);
                rest = after;
            }
        }
    }
    found.then_some(Cow::Owned(out))
}

/// What follows `2f` or `5c`, with any number of `25` before.
fn after_encoded_separator(mut rest: &[u8]) -> Option<&[u8]> {
    while let Some(after) = rest.strip_prefix(b"25") {
        rest = after;
    }
    let (digits, after) = rest.split_first_chunk::<2>()?;
    (digits.eq_ignore_ascii_case(b"2f") || digits.eq_ignore_ascii_case(b"5c")).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_that_are_none_become_a_letter() {
        for (target, expected) in [
            ("/a/b", None),
            ("/a%20b/%25", None),
            ("/a%2", None),
            ("/a%252", None),
            ("/a%2fb", Some("/a_b")),
            ("/a%2Fb\\c%5cd", Some("/a_b_c_d")),
            ("/a%25252fb/%71", Some("/a_b/%71")),
            ("/a%%2fb", Some("/a%_b")),
        ] {
            assert_eq!(
                with_separators_inside(target.as_bytes()).as_deref(),
                expected.map(str::as_bytes),
                "{target}"
            );
        }
    }
}
