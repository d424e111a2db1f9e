//! Cookie pairs, undecoded, from every Cookie header (HTTP/2 clients split them: RFC 9113 section 8.2.3).

use crate::headers::{Headers, Occurrence};
use crate::target::{Param, split_once};

/// One cookie as on the wire, without the quotes around its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// Before the first `=`; empty for a piece without `=`, which browsers treat as a nameless cookie (RFC 6265bis).
    pub name: &'a [u8],
    /// After the first `=`.
    pub value: &'a [u8],
}

/// The cookies of all Cookie headers in order.
pub fn cookies(headers: &Headers) -> impl Iterator<Item = Cookie<'_>> {
    headers.get_all(b"cookie").flat_map(Cookies::new)
}

/// The value of the cookie called `name`. The same value said twice is said once; another one makes it
/// [`Occurrence::Repeated`], and which of them a server takes is unknown.
pub fn cookie<'a>(headers: &'a Headers, name: &[u8]) -> Occurrence<'a> {
    let mut values = cookies(headers)
        .filter(|cookie| cookie.name == name)
        .map(|cookie| cookie.value);
    let Some(first) = values.next() else {
        return Occurrence::Absent;
    };
    if values.all(|value| value == first) {
        Occurrence::Once(first)
    } else {
        Occurrence::Repeated(first)
    }
}

/// Iterator over one Cookie header's value.
///
/// Pairs are separated by `;`. Some servers (Tomcat's legacy parser, Python's `http.cookies`) let a quoted value
/// contain `;`, most do not, so a quoted value with `;` inside is read both ways: first whole, then its pieces as
/// cookies of their own. That way neither a payload is cut in two nor is a cookie hidden inside another's quotes.
#[derive(Clone, Debug)]
pub struct Cookies<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Cookies<'a> {
    /// The cookies of one header value.
    pub fn new(header_value: &'a [u8]) -> Self {
        Self {
            rest: Some(header_value),
        }
    }
}

impl<'a> Iterator for Cookies<'a> {
    type Item = Cookie<'a>;

    fn next(&mut self) -> Option<Cookie<'a>> {
        loop {
            let rest = self.rest?;
            let (piece, after) = match split_once(rest, b';') {
                Some((piece, after)) => (piece, Some(after)),
                None => (rest, None),
            };
            self.rest = after;
            let piece = piece.trim_ascii();
            if piece.is_empty() {
                continue;
            }
            let Param {
                name,
                value: Some(value),
            } = Param::parse(piece)
            else {
                return Some(Cookie {
                    name: b"",
                    value: piece,
                });
            };
            let value = value.trim_ascii_start();
            let quoted = after.filter(|_| value.starts_with(b"\"")).and_then(|_| {
                // From the opening quote to the end of the header.
                let start = rest.iter().position(|byte| *byte == b'=')? + 1;
                quoted_over_separator(rest.get(start..)?.trim_ascii_start())
            });
            return Some(Cookie {
                name: name.trim_ascii_end(),
                value: quoted.unwrap_or_else(|| unquoted(value)),
            });
        }
    }
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        value => value,
    }
}

/// The inside of a quoted value that has a `;` in it and is followed by `;` or the end.
fn quoted_over_separator(value: &[u8]) -> Option<&[u8]> {
    let inner = value.strip_prefix(b"\"")?;
    let mut escaped = false;
    // Stops at the next quote, where the next quoted value would begin: linear over the whole header.
    let end = inner.iter().position(|byte| {
        let closing = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closing
    })?;
    let (inner, after) = inner.split_at_checked(end)?;
    let ended = matches!(
        after.get(1..)?.trim_ascii_start().first(),
        None | Some(b';')
    );
    (ended && inner.contains(&b';')).then_some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_there_once_if_all_agree() {
        for (lines, expected) in [
            (&["a=1; b=2"][..], Occurrence::Once(&b"1"[..])),
            (&["b=2"], Occurrence::Absent),
            (&["a=1", "a=1; b=2"], Occurrence::Once(b"1")),
            (&["a=1", "a=2"], Occurrence::Repeated(b"1")),
            (&["a=\"1; a=2\""], Occurrence::Repeated(b"1; a=2")),
            (&["a="], Occurrence::Once(b"")),
        ] {
            let headers = Headers::from_pairs(lines.iter().map(|line| ("cookie", line)));
            assert_eq!(cookie(&headers, b"a"), expected, "{lines:?}");
        }
    }

    fn pairs(value: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Cookies::new(value.as_bytes())
            .map(|cookie| (text(cookie.name), text(cookie.value)))
            .collect()
    }

    #[test]
    fn splits_headers_into_pairs() {
        let cases: [(&str, &[(&str, &str)]); 14] = [
            ("a=1; b=2", &[("a", "1"), ("b", "2")]),
            ("a=1;b=2;", &[("a", "1"), ("b", "2")]),
            ("a=1;;  ; b = 2 ", &[("a", "1"), ("b", "2")]),
            ("a=", &[("a", "")]),
            ("=v", &[("", "v")]),
            ("lonely", &[("", "lonely")]),
            ("a=b=c==", &[("a", "b=c==")]),
            ("a=\"q\"; b=2", &[("a", "q"), ("b", "2")]),
            ("a=\"x; y\"; b=2", &[("a", "x; y"), ("", "y\""), ("b", "2")]),
            (
                "a=\"; evil=1; b=\"",
                &[("a", "; evil=1; b="), ("evil", "1"), ("b", "\"")],
            ),
            ("a=\"x\\\";y\"", &[("a", "x\\\";y"), ("", "y\"")]),
            ("a=\"open; b=2", &[("a", "\"open"), ("b", "2")]),
            ("a=\"x;y\"z; b=2", &[("a", "\"x"), ("", "y\"z"), ("b", "2")]),
            ("", &[]),
        ];
        for (value, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect();
            assert_eq!(pairs(value), expected, "{value}");
        }
    }

    #[test]
    fn reads_every_cookie_header_and_any_byte() {
        let headers =
            Headers::from_pairs([("cookie", &b"a=\xff"[..]), ("x", b"y"), ("Cookie", b"a=2")]);
        let seen: Vec<_> = cookies(&headers)
            .map(|cookie| (cookie.name, cookie.value))
            .collect();
        assert_eq!(seen, [(&b"a"[..], &b"\xff"[..]), (b"a", b"2")]);
    }
}
