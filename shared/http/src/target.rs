//! `:path` taken apart: path, query parameters, fragment.

use crate::scan;

/// A request target (`:path`) split into its parts, all as on the wire.
///
/// The path ends at the first `?` or `#`. A fragment has no place on the wire (RFC 9112 section 3.2), and servers
/// that are not aware of that read on, so nothing is dropped here: after a `?` all bytes belong to the query, and
/// after a `#` they are [`fragment`](Self::fragment) up to a `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Everything before the first `?` or `#`.
    pub path: &'a [u8],
    /// What follows the first `?`; `None` without one.
    pub query: Option<&'a [u8]>,
    /// What follows a `#` that comes before any `?`, up to that `?`.
    pub fragment: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// Splits `target`; total.
    pub fn parse(target: &'a [u8]) -> Self {
        let (before_query, query) = match split_once(target, b'?') {
            Some((before, query)) => (before, Some(query)),
            None => (target, None),
        };
        let (path, fragment) = match split_once(before_query, b'#') {
            Some((path, fragment)) => (path, Some(fragment)),
            None => (before_query, None),
        };
        Self {
            path,
            query,
            fragment,
        }
    }

    /// The query's parameters in order, undecoded.
    pub fn params(&self) -> Params<'a> {
        Params { rest: self.query }
    }

    /// The path's segments, undecoded and unresolved: `/a//b/` has `a`, an empty one, `b` and an empty one.
    pub fn segments(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let path = self.path.strip_prefix(b"/").unwrap_or(self.path);
        path.split(|byte| *byte == b'/')
            .filter(move |segment| !(segment.is_empty() && path.is_empty()))
    }
}

/// One query parameter, undecoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// What comes before the first `=`, or the whole piece without one.
    pub name: &'a [u8],
    /// What comes after the first `=`; `None` without one (`?debug`), which is not the same as an empty value.
    pub value: Option<&'a [u8]>,
}

impl<'a> Param<'a> {
    /// Splits one `name=value` piece.
    pub fn parse(piece: &'a [u8]) -> Self {
        match split_once(piece, b'=') {
            Some((name, value)) => Self {
                name,
                value: Some(value),
            },
            None => Self {
                name: piece,
                value: None,
            },
        }
    }
}

/// Iterator over `name=value` pieces separated by `&`; empty pieces are skipped.
///
/// Only `&` separates (WHATWG URL standard; Spring, Go since 1.17, Node, Python since 3.9.2). `;` stays part of the
/// value: splitting there would cut `a=1;drop table x` in two for servers that do not split, while for the few that
/// do, the unsplit value still holds every byte.
#[derive(Clone, Debug)]
pub struct Params<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Params<'a> {
    /// The parameters of a query or of a form body.
    pub fn new(query: &'a [u8]) -> Self {
        Self { rest: Some(query) }
    }
}

impl<'a> Iterator for Params<'a> {
    type Item = Param<'a>;

    fn next(&mut self) -> Option<Param<'a>> {
        loop {
            let rest = self.rest?;
            let piece = match split_once(rest, b'&') {
                Some((piece, after)) => {
                    self.rest = Some(after);
                    piece
                }
                None => {
                    self.rest = None;
                    rest
                }
            };
            if !piece.is_empty() {
                return Some(Param::parse(piece));
            }
        }
    }
}

/// Splits at the first `separator`, which is left out.
pub(crate) fn split_once(bytes: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = scan::find(separator, bytes)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_question_mark_or_hash() {
        let cases: [(&str, &str, Option<&str>, Option<&str>); 8] = [
            ("/a/b", "/a/b", None, None),
            ("/a?", "/a", Some(""), None),
            ("/a?b?c", "/a", Some("b?c"), None),
            ("/a?b=c#d", "/a", Some("b=c#d"), None),
            ("/a#d", "/a", None, Some("d")),
            ("/a#d?b=c", "/a", Some("b=c"), Some("d")),
            ("", "", None, None),
            ("*", "*", None, None),
        ];
        for (target, path, query, fragment) in cases {
            let expected = Target {
                path: path.as_bytes(),
                query: query.map(str::as_bytes),
                fragment: fragment.map(str::as_bytes),
            };
            assert_eq!(Target::parse(target.as_bytes()), expected, "{target}");
        }
    }

    #[test]
    fn parameters_keep_order_duplicates_and_missing_values() {
        let target = Target::parse(b"/?a=1&a=2&&b&c=&=d&e=f=g;h=i&%41=+");
        let seen: Vec<_> = target
            .params()
            .map(|param| (param.name, param.value))
            .collect();
        let expected: [(&[u8], Option<&[u8]>); 8] = [
            (b"a", Some(b"1")),
            (b"a", Some(b"2")),
            (b"b", None),
            (b"c", Some(b"")),
            (b"", Some(b"d")),
            (b"e", Some(b"f=g;h=i")),
            (b"%41", Some(b"+")),
            (b"", None),
        ];
        assert_eq!(seen, expected[..7]);
        assert_eq!(Target::parse(b"/").params().next(), None);
        assert_eq!(Target::parse(b"/?").params().next(), None);
    }

    #[test]
    fn segments_are_as_spelled() {
        let segments = |path: &'static [u8]| Target::parse(path).segments().collect::<Vec<_>>();
        assert_eq!(segments(b"/a//b/?c/d"), [&b"a"[..], b"", b"b", b""]);
        assert_eq!(segments(b"/"), [b""; 0]);
        assert_eq!(segments(b""), [b""; 0]);
    }
}
