//! Content-Type and Content-Encoding.

use std::borrow::Cow;

use crate::headers::{Headers, Occurrence};
use crate::target::split_once;

/// What a request says about its body's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentType<'a> {
    /// No Content-Type, or an empty one.
    Absent,
    /// One that is of the form `type/subtype; parameters`.
    Declared(MediaType<'a>),
    /// One that is not.
    Malformed(&'a [u8]),
    /// Several fields, and the proxy and the server may pick different ones; the first as far as it parses.
    Repeated(Option<MediaType<'a>>),
}

impl<'a> ContentType<'a> {
    /// The request's content type.
    pub fn of(headers: &'a Headers) -> Self {
        match headers.occurrence(b"content-type") {
            Occurrence::Absent => Self::Absent,
            Occurrence::Repeated(first) => Self::Repeated(MediaType::parse(first)),
            Occurrence::Once(value) => Self::parse(value),
        }
    }

    /// One header value.
    pub fn parse(value: &'a [u8]) -> Self {
        match MediaType::parse(value) {
            Some(media_type) => Self::Declared(media_type),
            None if value.trim_ascii().is_empty() => Self::Absent,
            None => Self::Malformed(value),
        }
    }

    /// The media type, if one could be read.
    pub fn media_type(&self) -> Option<MediaType<'a>> {
        match self {
            Self::Declared(media_type) => Some(*media_type),
            Self::Repeated(first) => *first,
            Self::Absent | Self::Malformed(_) => None,
        }
    }
}

/// A media type (RFC 9110 section 8.3) as slices of the header; comparisons ignore case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType<'a> {
    /// `application` in `application/json`.
    pub type_: &'a [u8],
    /// `vnd.api+json` in `application/vnd.api+json`.
    pub subtype: &'a [u8],
    parameters: &'a [u8],
}

impl<'a> MediaType<'a> {
    /// Reads `type/subtype; name=value; …`. `None` unless type and subtype are tokens.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (essence, parameters) = split_once(value, b';').unwrap_or((value, b""));
        let (type_, subtype) = split_once(essence.trim_ascii(), b'/')?;
        (is_token(type_) && is_token(subtype)).then_some(Self {
            type_,
            subtype,
            parameters,
        })
    }

    /// Whether this is `type_/subtype`, whatever its parameters.
    pub fn is(&self, type_: &str, subtype: &str) -> bool {
        self.is_type(type_) && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    /// Whether the part before the slash is `type_`.
    pub fn is_type(&self, type_: &str) -> bool {
        self.type_.eq_ignore_ascii_case(type_.as_bytes())
    }

    /// Whether the subtype ends with `+suffix` (RFC 6839), as in `+json`.
    pub fn has_suffix(&self, suffix: &str) -> bool {
        let plus = self.subtype.iter().rposition(|byte| *byte == b'+');
        plus.and_then(|at| self.subtype.get(at + 1..))
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
    }

    /// The first parameter of that name, unquoted.
    pub fn parameter(&self, name: &str) -> Option<Cow<'a, [u8]>> {
        Parameters {
            rest: self.parameters,
        }
        .find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| value)
    }

    /// The `charset` parameter.
    pub fn charset(&self) -> Option<Cow<'a, [u8]>> {
        self.parameter("charset")
    }

    /// The `boundary` parameter of a multipart type.
    pub fn boundary(&self) -> Option<Cow<'a, [u8]>> {
        self.parameter("boundary")
    }
}

/// Iterator over `; name=value; name="quoted \" value"` (RFC 9110 section 5.6.6), tolerant: spaces around `=`, an
/// unclosed quote runs to the end, pieces without `=` are skipped.
#[derive(Clone, Debug)]
pub struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Parameters<'a> {
    /// Reads what follows the first `;` of a header value such as Content-Type or Content-Disposition.
    pub fn new(after_semicolon: &'a [u8]) -> Self {
        Self {
            rest: after_semicolon,
        }
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], Cow<'a, [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let end = self
                .rest
                .iter()
                .position(|byte| matches!(byte, b'=' | b';'))
                .unwrap_or(self.rest.len());
            let (name, after) = self.rest.split_at_checked(end)?;
            match after.split_first() {
                Some((b'=', value)) => {
                    let (value, rest) = parameter_value(value.trim_ascii_start());
                    self.rest = rest;
                    return Some((name.trim_ascii(), value));
                }
                Some((_, rest)) => self.rest = rest,
                None => self.rest = b"",
            }
        }
    }
}

/// A token or quoted string, and what follows the next `;`.
fn parameter_value(bytes: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    let Some(quoted) = bytes.strip_prefix(b"\"") else {
        let (value, rest) = split_once(bytes, b';').unwrap_or((bytes, b""));
        return (Cow::Borrowed(value.trim_ascii()), rest);
    };
    let mut escapes = false;
    let mut escaped = false;
    let end = quoted.iter().position(|byte| {
        let closing = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        escapes |= escaped;
        closing
    });
    let (inner, after) = quoted
        .split_at_checked(end.unwrap_or(quoted.len()))
        .unwrap_or((quoted, b""));
    let rest = split_once(after, b';').map_or(&b""[..], |(_, rest)| rest);
    (
        if escapes {
            Cow::Owned(unescaped(inner))
        } else {
            Cow::Borrowed(inner)
        },
        rest,
    )
}

fn unescaped(quoted: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.as_slice().first()) {
            // Browsers send `filename="C:\dir"` unescaped: only what must be escaped is taken as an escape.
            (b'\\', Some(next @ (b'"' | b'\\'))) => {
                out.push(*next);
                bytes.next();
            }
            _ => out.push(*byte),
        }
    }
    out
}

fn is_token(bytes: &[u8]) -> bool {
    let tchar = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(tchar)
}

/// A content coding (RFC 9110 section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// `gzip` or `x-gzip`.
    Gzip,
    /// `deflate`: zlib, and in practice also raw deflate.
    Deflate,
    /// `br`.
    Brotli,
    /// Anything else: `zstd`, `compress`, nonsense.
    Other,
}

impl Coding {
    /// The coding of that name; `None` for `identity` and the empty name.
    pub fn parse(name: &[u8]) -> Option<Self> {
        let name = name.trim_ascii();
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match () {
            () if name.is_empty() || is("identity") => None,
            () if is("gzip") || is("x-gzip") => Some(Self::Gzip),
            () if is("deflate") => Some(Self::Deflate),
            () if is("br") => Some(Self::Brotli),
            () => Some(Self::Other),
        }
    }
}

/// The codings of a request's body in the order they were applied, over all Content-Encoding fields; `identity` is
/// left out, so an empty iterator means a body that is not encoded.
pub fn content_codings(headers: &Headers) -> impl Iterator<Item = Coding> + '_ {
    headers
        .get_all(b"content-encoding")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .filter_map(Coding::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_type_and_parameters() {
        let media_type =
            MediaType::parse(b" Application/Vnd.Api+JSON ; Charset = UTF-8 ; x ; y=1").unwrap();
        assert!(media_type.is("application", "vnd.api+json"));
        assert!(media_type.has_suffix("json") && !media_type.has_suffix("api+json"));
        assert_eq!(media_type.charset().as_deref(), Some(&b"UTF-8"[..]));
        assert_eq!(media_type.parameter("y").as_deref(), Some(&b"1"[..]));
        assert_eq!(media_type.boundary(), None);
    }

    #[test]
    fn boundaries_as_clients_spell_them() {
        let cases: [(&[u8], Option<&[u8]>); 8] = [
            (
                b"multipart/form-data; boundary=----WebKit7",
                Some(b"----WebKit7"),
            ),
            (
                b"multipart/form-data; boundary=\"a b;c\"; charset=x",
                Some(b"a b;c"),
            ),
            (
                b"multipart/form-data; BOUNDARY=\"a\\\"b\\\\\"",
                Some(b"a\"b\\"),
            ),
            (b"multipart/form-data; boundary=\"open", Some(b"open")),
            (b"multipart/form-data; boundary=a; boundary=b", Some(b"a")),
            (b"multipart/form-data;boundary=", Some(b"")),
            (b"multipart/form-data; notboundary=a", None),
            (b"multipart/form-data", None),
        ];
        for (value, expected) in cases {
            let boundary = MediaType::parse(value).unwrap().boundary();
            assert_eq!(boundary.as_deref(), expected, "{}", value.escape_ascii());
        }
        let disposition = MediaType::parse(b"a/b; filename=\"C:\\dir\\f.txt\"").unwrap();
        assert_eq!(
            disposition.parameter("filename").as_deref(),
            Some(&b"C:\\dir\\f.txt"[..])
        );
    }

    #[test]
    fn absence_malformation_and_repetition_are_told_apart() {
        let of = |values: &[&str]| {
            let headers = Headers::from_pairs(values.iter().map(|value| ("content-type", value)));
            match ContentType::of(&headers) {
                ContentType::Absent => "absent",
                ContentType::Declared(_) => "declared",
                ContentType::Malformed(_) => "malformed",
                ContentType::Repeated(Some(_)) => "repeated",
                ContentType::Repeated(None) => "repeated malformed",
            }
        };
        assert_eq!(of(&[]), "absent");
        assert_eq!(of(&["  "]), "absent");
        assert_eq!(of(&["text/plain"]), "declared");
        for malformed in [
            "json",
            "/json",
            "text/",
            "text/pl ain",
            "text /plain",
            "a/b/c",
            ";charset=x",
            "a/b, c/d",
        ] {
            assert_eq!(of(&[malformed]), "malformed", "{malformed}");
        }
        assert_eq!(of(&["text/plain", "application/json"]), "repeated");
        assert_eq!(of(&["x", "application/json"]), "repeated malformed");
    }

    #[test]
    fn codings_over_all_fields() {
        let headers = Headers::from_pairs([
            ("content-encoding", "gzip, identity"),
            ("content-encoding", "BR,,zstd , deflate"),
        ]);
        let codings: Vec<_> = content_codings(&headers).collect();
        assert_eq!(
            codings,
            [Coding::Gzip, Coding::Brotli, Coding::Other, Coding::Deflate]
        );
        assert_eq!(content_codings(&Headers::default()).next(), None);
    }
}
