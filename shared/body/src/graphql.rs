//! GraphQL documents: their strings and comments, named by the argument they are given to.
//!
//! Only tokens of an executable document (GraphQL specification, October 2021, section 2) are accepted. Outside of
//! strings and comments these leave no room for a payload, so when every token is one of them, the document as a
//! whole need not be inspected. `|` and `&` belong to type definitions and are refused for that reason.

use std::ops::ControlFlow;

use backstop_http::Kind;

use crate::cursor::Cursor;
use crate::escape::unescape_json;
use crate::sink::Sink;

/// Whether a string begins like a GraphQL document.
pub(crate) fn looks_like_document(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    text.contains(&b'{')
        && [
            &b"{"[..],
            b"query",
            b"mutation",
            b"subscription",
            b"fragment",
            b"#",
        ]
        .iter()
        .any(|start| text.starts_with(start))
}

/// Visits strings and comments. `false` when something is no token of a document; the caller then visits it whole.
pub(crate) fn walk(
    document: &[u8],
    scratch: &mut Vec<u8>,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), bool> {
    let mut cursor = Cursor::new(document);
    let mut name: &[u8] = b"";
    let mut argument: &[u8] = b"";
    loop {
        cursor.take_while(|byte| byte.is_ascii_whitespace() || byte == b',');
        let Some(byte) = cursor.peek() else {
            return ControlFlow::Continue(true);
        };
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'_' => name = cursor.take_while(is_name),
            b':' => {
                cursor.skip(1);
                argument = name;
            }
            b'{' | b'}' | b'(' | b')' | b'[' | b']' | b'!' | b'=' => cursor.skip(1),
            b'$' | b'@' => {
                cursor.skip(1);
                if cursor.take_while(is_name).is_empty() {
                    return ControlFlow::Continue(false);
                }
            }
            b'.' => {
                if !cursor.skip_if(b"...") {
                    return ControlFlow::Continue(false);
                }
            }
            b'-' | b'0'..=b'9' => {
                cursor.skip_if(b"-");
                let number =
                    cursor.take_while(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E'));
                if !number.first().is_some_and(u8::is_ascii_digit) {
                    return ControlFlow::Continue(false);
                }
                // The sign of an exponent.
                if number
                    .last()
                    .is_some_and(|byte| matches!(byte, b'e' | b'E'))
                {
                    cursor.take_while(|byte| matches!(byte, b'+' | b'-' | b'0'..=b'9'));
                }
            }
            b'#' => {
                cursor.skip(1);
                let comment = cursor.take_while(|byte| byte != b'\n' && byte != b'\r');
                sink.put(Kind::Graphql, b"#", comment.trim_ascii())?;
            }
            b'"' => {
                if !visit_string(&mut cursor, argument, scratch, sink)? {
                    return ControlFlow::Continue(false);
                }
            }
            _ => return ControlFlow::Continue(false),
        }
    }
}

/// Takes and visits a string or block string; `false` when it has no end.
fn visit_string(
    cursor: &mut Cursor<'_>,
    argument: &[u8],
    scratch: &mut Vec<u8>,
    sink: &mut Sink<'_>,
) -> ControlFlow<(), bool> {
    if cursor.skip_if(b"\"\"\"") {
        scratch.clear();
        loop {
            let (text, closed) = cursor.take_until(b"\"\"\"");
            match text.strip_suffix(b"\\") {
                // `\"""` is the only escape of a block string.
                Some(before) if closed => {
                    scratch.extend_from_slice(before);
                    scratch.extend_from_slice(b"\"\"\"");
                }
                _ => {
                    scratch.extend_from_slice(text);
                    sink.put(Kind::Graphql, argument, scratch)?;
                    return ControlFlow::Continue(closed);
                }
            }
        }
    }
    cursor.skip(1);
    let rest = cursor.rest();
    let mut escaped = false;
    let end = rest.iter().position(|byte| {
        let closing = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closing
    });
    let raw = cursor.take(end.unwrap_or(usize::MAX));
    cursor.skip(1);
    unescape_json(raw, scratch);
    sink.put(Kind::Graphql, argument, scratch)?;
    ControlFlow::Continue(end.is_some())
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::tests::visits;

    fn walk_all(document: &str) -> (Vec<String>, bool) {
        let mut accepted = false;
        let seen = visits(|sink| {
            let ControlFlow::Continue(whole) = walk(document.as_bytes(), &mut Vec::new(), sink)
            else {
                return;
            };
            accepted = whole;
        });
        (seen, accepted)
    }

    #[test]
    fn strings_are_named_by_their_argument() {
        let cases: &[(&str, &[&str], bool)] = &[
            ("{ user(id: 1, size: -1.5e+3) { name } }", &[], true),
            (
                "query Q($a: [Int!] = 3) { user(id: \"1' or 1=1\") @include(if: $a) { ...F } }",
                &["id"],
                true,
            ),
            (
                "{ a(x: \"one\", y: [\"two\", \"thr\\u0065e\"]) }",
                &["x one", "y two", "y three"],
                true,
            ),
            (
                "{ a(x: \"\"\"block \\\"\"\" \"q\" \"\"\") }",
                &["x block \"\"\" \"q\" "],
                true,
            ),
            ("{ a # it's a comment\n }", &["# it's a comment"], true),
            ("{ a(x: \"open) }", &["x open) }"], false),
            ("{ a } ; drop table x", &[], false),
            ("{ a' or 1=1 }", &[], false),
            ("{ a | id }", &[], false),
            ("{ $(id) }", &[], false),
            ("{ a -- b }", &[], false),
        ];
        for (document, expected, accepted) in cases {
            let (seen, whole) = walk_all(document);
            assert_eq!(whole, *accepted, "{document}");
            assert_eq!(seen.len(), expected.len(), "{document}: {seen:?}");
            for (visit, expected) in seen.iter().zip(*expected) {
                let (argument, text) = expected.split_once(' ').unwrap_or((expected, "1' or 1=1"));
                assert_eq!(
                    *visit,
                    format!("graphql:{argument} = {}", text.as_bytes().escape_ascii()),
                    "{document}"
                );
            }
        }
    }

    #[test]
    fn documents_are_told_from_other_strings() {
        for document in [
            "{ a }",
            " query { a }",
            "mutation M { a }",
            "# c\n{ a }",
            "fragment F on T { a }",
        ] {
            assert!(looks_like_document(document.as_bytes()), "{document}");
        }
        for other in ["", "shoes", "query without braces", "select {a}", "it's"] {
            assert!(!looks_like_document(other.as_bytes()), "{other}");
        }
    }
}
