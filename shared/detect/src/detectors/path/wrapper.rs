//! Schemes that make an application open a file or a stream instead of a page.

use super::super::ascii::{at, from, has};

/// Stream wrappers of PHP and file schemes of PHP, Python and Java, as they start.
const WRAPPERS: &[&[u8]] = &[
    b"php://",
    b"php:filter",
    b"phar://",
    b"phar:",
    b"zip://",
    b"zlib://",
    b"zlib:/",
    b"rar://",
    b"ogg://",
    b"expect://",
    b"glob://",
    b"compress.zlib://",
    b"compress.bzip2://",
    b"ssh2.sftp://",
    b"ssh2.exec://",
    b"data://",
    b"data:text/plain;base64,",
    b"data:text/plain,<",
    b"data:;base64,",
    b"data:,<",
    b"file://",
    b"file:/",
    b"file:\\",
    b"file:%2f",
    b"netdoc:",
    b"local_file:",
    b"url:file:",
    b"jar:file:",
    b"jar:http",
    b"view-source:file",
];

/// Whether any of [`WRAPPERS`] starts with these two bytes: most words stop here.
fn may_start(first: u8, second: u8) -> bool {
    match first {
        b'c' => second == b'o',
        b'd' => second == b'a',
        b'e' => second == b'x',
        b'f' => second == b'i',
        b'g' => second == b'l',
        b'j' => second == b'a',
        b'l' => second == b'o',
        b'n' => second == b'e',
        b'o' => second == b'g',
        b'p' => second == b'h',
        b'r' => second == b'a',
        b's' => second == b's',
        b'u' => second == b'r',
        b'v' => second == b'i',
        b'z' => matches!(second, b'i' | b'l'),
        _ => false,
    }
}

/// A wrapper at the word that starts at `i`, behind `previous`: its end.
pub fn at_word(bytes: &[u8], i: usize, previous: u8) -> Option<usize> {
    let first = at(bytes, i).to_ascii_lowercase();
    let second = at(bytes, i + 1).to_ascii_lowercase();
    if !may_start(first, second) {
        return None;
    }
    let found = WRAPPERS
        .iter()
        .filter(|name| name.first() == Some(&first))
        .find(|name| has(bytes, i, name))?;
    let end = i + found.len();
    // `--policy file://policy.json`: a name with no root, among the words of a command, opens nothing of the system.
    if *found == b"file://"
        && matches!(previous, b' ' | b'\n')
        && i > 0
        && is_a_plain_name(from(bytes, end))
    {
        return None;
    }
    // A scheme alone is a word about schemes.
    (end < bytes.len()
        && !from(bytes, end)
            .first()
            .is_some_and(u8::is_ascii_whitespace))
    .then_some(end)
}

/// Whether `rest` begins with a file's name that has no folder: `seats.json`.
fn is_a_plain_name(rest: &[u8]) -> bool {
    let length = rest
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        .count();
    let name = rest.get(..length).unwrap_or_default();
    name.contains(&b'.') && !matches!(at(rest, length), b'/' | b'\\' | b':' | b'%' | b'|')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrapper_passes_its_first_two_bytes() {
        assert!(WRAPPERS.iter().all(|name| may_start(name[0], name[1])));
    }
}
