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

/// Whether any of [`WRAPPERS`] starts with these three bytes (lower case): most words stop here.
const fn may_start(head: [u8; 3]) -> bool {
    matches!(
        &head,
        b"com"
            | b"dat"
            | b"exp"
            | b"fil"
            | b"glo"
            | b"jar"
            | b"loc"
            | b"net"
            | b"ogg"
            | b"pha"
            | b"php"
            | b"rar"
            | b"ssh"
            | b"url"
            | b"vie"
            | b"zip"
            | b"zli"
    )
}

/// A wrapper at the word that starts at `i`, behind `previous`: its end.
pub fn at_word(bytes: &[u8], i: usize, previous: u8) -> Option<usize> {
    let lower = |k| at(bytes, i + k).to_ascii_lowercase();
    let head = [lower(0), lower(1), lower(2)];
    if !may_start(head) {
        return None;
    }
    let [first, ..] = head;
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
    fn every_wrapper_passes_its_first_three_bytes() {
        assert!(
            WRAPPERS
                .iter()
                .all(|name| may_start([name[0], name[1], name[2]]))
        );
    }
}
