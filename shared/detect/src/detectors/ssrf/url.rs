//! Where a URL at the start of a value would lead, by the rules of the readers that are taken in, not of RFC 3986 alone.

use std::ops::Range;

use super::super::ascii::{at, from, has};

/// Longest authority looked at.
const AUTHORITY: usize = 300;

/// A URL at the start of a value.
#[derive(Clone, Debug)]
pub struct Url {
    /// The scheme without its colon; empty for `//host`.
    pub scheme: Range<usize>,
    /// From behind the slashes to where the path starts.
    pub authority: Range<usize>,
    /// Whether it is written as a URL is: two slashes after the scheme.
    pub regular: bool,
}

/// A URL that starts at `start`.
pub fn parse(bytes: &[u8], start: usize) -> Option<Url> {
    let rest = from(bytes, start);
    let name = rest
        .iter()
        .take(32)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-'))
        .count();
    let scheme = name > 1 && at(rest, name) == b':' && at(rest, 0).is_ascii_alphabetic();
    let mut i = if scheme { start + name + 1 } else { start };
    let slashes = from(bytes, i)
        .iter()
        .take(6)
        .take_while(|byte| matches!(byte, b'/' | b'\\'))
        .count();
    let web = scheme && (has(bytes, start, b"http:") || has(bytes, start, b"https:"));
    let regular = scheme && slashes >= 2;
    // `http:host` and `http:/host` lead to the host as well; other schemes and relative paths do not.
    if !regular && !web && (scheme || slashes < 2) {
        return None;
    }
    i += slashes;
    let authority = from(bytes, i)
        .iter()
        .take(AUTHORITY)
        .position(|byte| matches!(byte, b'/' | b'"' | b'\'' | b'<' | b'\n' | b'\r' | 0))
        .unwrap_or_else(|| from(bytes, i).len().min(AUTHORITY));
    Some(Url {
        scheme: start..start + if scheme { name } else { 0 },
        authority: i..i + authority,
        regular,
    })
}

/// Calls `found` with every range of `authority` that some reader takes for the host: before and behind each `@`, cut at
/// signs that end an authority for one reader and not for another (`\`, `#`, `?`, `&`, a blank).
pub fn hosts(bytes: &[u8], authority: Range<usize>, mut found: impl FnMut(Range<usize>)) {
    let text = bytes.get(authority.clone()).unwrap_or_default();
    let tricky = text.contains(&b'@') || text.contains(&b'\\');
    let mut start = 0;
    for piece in text.split(|byte| {
        matches!(
            byte,
            b'@' | b'\\' | b'#' | b'?' | b'&' | b' ' | b'+' | b',' | b';'
        )
    }) {
        let host = port_off(piece);
        if !host.is_empty() {
            let begin = authority.start + start;
            found(begin..begin + host.len());
        }
        start += piece.len() + 1;
        // What stands behind a plain `?` or `#` is a query or a fragment.
        if !tricky {
            break;
        }
    }
}

/// A host without its port.
fn port_off(piece: &[u8]) -> &[u8] {
    if at(piece, 0) == b'[' {
        let end = piece
            .iter()
            .position(|byte| *byte == b']')
            .map_or(piece.len(), |close| close + 1);
        return piece.get(..end).unwrap_or_default();
    }
    piece.split(|byte| *byte == b':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let bytes = text.as_bytes();
        let mut list = Vec::new();
        if let Some(url) = parse(bytes, 0) {
            hosts(bytes, url.authority, |range| {
                list.push(String::from_utf8_lossy(&bytes[range]).into_owned());
            });
        }
        list
    }

    #[test]
    fn every_reader_s_host_is_seen() {
        for (text, expected) in [
            ("http://a.example/x", &["a.example"][..]),
            ("http://a:80?x", &["a"]),
            ("http:a/x", &["a"]),
            ("http:/a/x", &["a"]),
            ("//a/x", &["a"]),
            ("http://good@bad/x", &["good", "bad"]),
            ("http://bad\\@good/x", &["bad", "good"]),
            ("http://good:80#@bad/", &["good", "bad"]),
            ("http://[::1]:80/", &["[::1]"]),
            ("gopher://a:70/_x", &["a"]),
        ] {
            assert_eq!(all(text), expected, "{text}");
        }
        for text in ["/a/b", "a:b", "mailto:x@y", "text http://a", "", "a.b:80/x"] {
            assert!(all(text).is_empty(), "{text}");
        }
    }
}
