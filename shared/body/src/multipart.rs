//! Multipart bodies (RFC 7578, RFC 2046) cut into parts.
//!
//! Readers of multipart bodies disagree on line ends, on boundaries that are a prefix of a line, on repeated
//! parameters and on parts without headers. Here every line that begins with the delimiter separates, with CRLF or
//! LF, and every name and file name of a part is given. What lies outside of parts is given as text.

use std::borrow::Cow;

use backstop_http::MediaType;
use memchr::memchr;

use crate::part::Part;

/// Longest boundary taken from a body's first line (RFC 2046 allows 70).
const MAX_SNIFFED_BOUNDARY: usize = 256;

/// A stretch of a multipart body.
#[derive(Clone, Debug)]
pub(crate) enum Piece<'a> {
    /// A part with headers.
    Part(Part<'a>),
    /// Text before the first delimiter, after the last, or after a delimiter but without the headers of a part.
    Stray(&'a [u8]),
}

/// Iterator over the pieces of a body.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<'a> {
    body: &'a [u8],
    /// Where the next piece begins.
    at: usize,
    delimiter: Vec<u8>,
    /// Whether a delimiter has been read and the closing one has not.
    inside: bool,
    /// Where the text after an inexact delimiter begins: a strict reader takes delimiter and headers for content.
    inexact: Option<usize>,
    /// That text, to be given after the part that a lenient reader sees in it.
    again: Option<&'a [u8]>,
    /// Whether the closing delimiter has been read.
    pub(crate) closed: bool,
    done: bool,
}

impl<'a> Pieces<'a> {
    /// Cuts `body` at `--boundary`.
    pub(crate) fn new(body: &'a [u8], boundary: &[u8]) -> Self {
        let delimiter = [b"--", boundary].concat();
        Self {
            body,
            at: 0,
            delimiter,
            inside: false,
            inexact: None,
            again: None,
            closed: false,
            done: false,
        }
    }

    /// Length of the text before the next line that begins with the delimiter, and whether there is such a line.
    fn next_delimiter(&self, text: &[u8]) -> (usize, bool) {
        let mut line = 0;
        while let Some(rest) = text.get(line..).filter(|rest| !rest.is_empty()) {
            if rest.starts_with(&self.delimiter) {
                return (line, true);
            }
            match memchr(b'\n', rest) {
                Some(end) => line += end + 1,
                None => break,
            }
        }
        (text.len(), false)
    }

    /// Takes the delimiter that `rest` begins with, up to the end of its line.
    fn take_delimiter(&mut self, before: &[u8], rest: &[u8]) {
        let start = self.at + before.len() + self.delimiter.len();
        let after = rest.get(self.delimiter.len()..).unwrap_or_default();
        self.closed = after.starts_with(b"--");
        self.inside = !self.closed;
        if self.closed {
            // What follows on the line is part of the epilogue.
            self.at = start + 2;
            return;
        }
        let line_end = memchr(b'\n', after).unwrap_or(after.len());
        let line = after.get(..line_end).unwrap_or_default();
        let exact =
            line == b"\r" && (self.at == 0 || before.ends_with(b"\r\n") || before.is_empty());
        self.inexact = (!exact).then_some(start);
        self.at = start + (line_end + 1).min(after.len());
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if let Some(text) = self.again.take() {
            return Some(Piece::Stray(text));
        }
        while !self.done {
            let text = self.body.get(self.at..)?;
            let (length, found) = self.next_delimiter(text);
            let (mut piece, rest) = text.split_at_checked(length)?;
            let was_inside = self.inside;
            let inexact = self.inexact.take();
            let end = self.at + length;
            if found {
                self.take_delimiter(piece, rest);
                piece = without_line_end(piece);
            } else {
                self.done = true;
            }
            if was_inside {
                self.again = inexact
                    .and_then(|start| self.body.get(start..end))
                    .map(<[u8]>::trim_ascii)
                    .filter(|text| !text.is_empty());
                return Some(match split_headers(piece) {
                    Some((headers, content)) => Piece::Part(Part { headers, content }),
                    None => Piece::Stray(piece),
                });
            }
            if !piece.trim_ascii().is_empty() {
                return Some(Piece::Stray(piece));
            }
        }
        None
    }
}

fn without_line_end(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

/// Splits at the first empty line; `None` without one, or when the first line is no header.
fn split_headers(part: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut line = 0;
    while let Some(rest) = part.get(line..) {
        let end = memchr(b'\n', rest)?;
        if matches!(rest.get(..end), Some(b"" | b"\r")) {
            return part
                .split_at_checked(line)
                .map(|(headers, _)| (headers, rest.get(end + 1..).unwrap_or_default()));
        }
        line += end + 1;
    }
    None
}

/// The boundary that Content-Type gives: the parameter, or its pieces after RFC 2231 put together.
pub(crate) fn declared_boundary<'a>(media_type: &MediaType<'a>) -> Option<Cow<'a, [u8]>> {
    if let Some(boundary) = media_type
        .boundary()
        .filter(|boundary| !boundary.is_empty())
    {
        return Some(boundary);
    }
    let mut joined = Vec::new();
    for index in 0..10 {
        match media_type.parameter(&format!("boundary*{index}")) {
            Some(piece) => joined.extend_from_slice(&piece),
            None => break,
        }
    }
    (!joined.is_empty()).then_some(Cow::Owned(joined))
}

/// The boundary that the first line which begins with `--` shows.
pub(crate) fn sniffed_boundary(body: &[u8]) -> Option<&[u8]> {
    let line = body
        .split(|byte| *byte == b'\n')
        .take(16)
        .find(|line| line.starts_with(b"--"))?;
    let boundary = line.get(2..)?.trim_ascii_end();
    (!boundary.is_empty() && boundary.len() <= MAX_SNIFFED_BOUNDARY).then_some(boundary)
}

/// Whether a line of `body` begins with `--boundary`.
pub(crate) fn has_boundary(body: &[u8], boundary: &[u8]) -> bool {
    Pieces::new(body, boundary).next_delimiter(body).1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(body: &str, boundary: &str) -> Vec<String> {
        Pieces::new(body.as_bytes(), boundary.as_bytes())
            .map(|piece| match piece {
                Piece::Stray(text) => format!("stray {}", text.escape_ascii()),
                Piece::Part(part) => {
                    let disposition = part.disposition();
                    let names = disposition
                        .names
                        .iter()
                        .map(|name| format!("name {}", name.escape_ascii()));
                    let filenames = disposition
                        .filenames
                        .iter()
                        .map(|name| format!("filename {}", name.escape_ascii()));
                    let labels: Vec<_> = names.chain(filenames).collect();
                    format!(
                        "part [{}] {}",
                        labels.join(", "),
                        part.content.escape_ascii()
                    )
                }
            })
            .collect()
    }

    #[test]
    fn parts_with_their_labels() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\ntwo\r\n\
                    --b\r\ncontent-disposition: form-data; name=f; filename=\"x.txt\"; filename*=UTF-8''%ec%95%88\r\n\
                    Content-Type: text/plain\r\n\r\nbody\r\n--b--\r\n";
        assert_eq!(
            cut(body, "b"),
            [
                "part [name a] one\\r\\ntwo",
                "part [name f, filename x.txt, filename \\xec\\x95\\x88] body"
            ]
        );
    }

    #[test]
    fn odd_spellings_lose_nothing() {
        let cases: &[(&str, &[&str])] = &[
            // Line feeds only; no closing delimiter.
            (
                "--b\nContent-Disposition: form-data; name=a\n\nv\n",
                &[
                    "part [name a] v\\n",
                    "stray Content-Disposition: form-data; name=a\\n\\nv",
                ],
            ),
            // Folded header; repeated name.
            (
                "--b\r\nContent-Disposition: form-data;\r\n name=a; name=c\r\n\r\nv\r\n--b--",
                &["part [name a, name c] v"],
            ),
            // A delimiter that is the beginning of a line: content to a strict reader.
            (
                "--b\r\nX: y\r\n\r\nv\r\n--b' or 1=1\r\nX: y\r\n\r\nw\r\n--b--",
                &[
                    "part [] v",
                    "part [] w",
                    "stray \\' or 1=1\\r\\nX: y\\r\\n\\r\\nw",
                ],
            ),
            // Text outside of parts.
            (
                "pre\r\n--b\r\nX: y\r\n\r\nv\r\n--b--epi\r\nlogue",
                &["stray pre", "part [] v", "stray epi\\r\\nlogue"],
            ),
            // A part without headers, one without content.
            (
                "--b\r\nno headers\r\n--b\r\nX: y\r\n\r\n\r\n--b--",
                &["stray no headers", "part [] "],
            ),
            ("--b\r\n\r\nv\r\n--b--", &["part [] v"]),
            // A part after the closing delimiter.
            ("--b--\r\n--b\r\nX: y\r\n\r\nv\r\n--b--", &["part [] v"]),
            ("nothing", &["stray nothing"]),
            ("--b", &["stray "]),
            ("", &[]),
        ];
        for (body, expected) in cases {
            assert_eq!(cut(body, "b"), *expected, "{}", body.escape_debug());
        }
    }

    #[test]
    fn boundaries_declared_and_sniffed() {
        let declared = |value: &'static [u8]| {
            declared_boundary(&MediaType::parse(value).unwrap())
                .map(|boundary| boundary.into_owned())
        };
        assert_eq!(
            declared(b"multipart/form-data; boundary=\"a b\"").unwrap(),
            b"a b"
        );
        assert_eq!(
            declared(b"multipart/form-data; boundary*0=ab; boundary*1=\"cd\"").unwrap(),
            b"abcd"
        );
        assert_eq!(declared(b"multipart/form-data"), None);
        assert_eq!(declared(b"multipart/form-data; boundary="), None);
        assert_eq!(sniffed_boundary(b"\r\n--x-y \r\nA: b"), Some(&b"x-y"[..]));
        assert_eq!(sniffed_boundary(b"--\r\n"), None);
        assert_eq!(sniffed_boundary(b"a=b"), None);
    }
}
