//! Addresses that begin as a command does: of data (RFC 2397), of e-mail.

use super::super::ascii::{at, from};
use super::operand;
use super::word::{self, Word};

/// Whether `word`, right behind the `;` at `at_join`, says that what follows its comma is in base64. A shell takes the comma for
/// a part of the name; where braces make a list of it, they stand before the name.
pub fn is_data(bytes: &[u8], word: &Word, at_join: usize) -> bool {
    word.name() == b"base64"
        && word.broken == 0
        && word.end == at_join + b";base64".len()
        && at(bytes, word.end) == b','
}

/// Whether an address of e-mail follows a word that ends at `end`, and no sign of a shell up to the end of its line.
pub fn is_mail(bytes: &[u8], end: usize) -> bool {
    const LINE: usize = 256;
    let rest = from(bytes, word::skip_blanks(bytes, end));
    let address = operand::token(rest, 0);
    let line = rest.get(..LINE).unwrap_or(rest);
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+');
    let mut halves = address.split(|byte| *byte == b'@');
    let (local, host) = (
        halves.next().unwrap_or_default(),
        halves.next().unwrap_or_default(),
    );
    halves.next().is_none()
        && !local.is_empty()
        && host.contains(&b'.')
        && local.iter().chain(host).all(plain)
        && !line
            .iter()
            .any(|byte| matches!(byte, b'<' | b'>' | b'|' | b'&' | b'`' | b'$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_mail() {
        assert!(is_mail(b"mail box@hall.example", 4));
        assert!(is_mail(b"mail box@hall.example\nx < y", 4));
        for other in [
            &b"mail box@hall.example < /etc/hosts"[..],
            b"mail -s x box@hall.example",
            b"mail `id`@hall.example",
            b"mail box@hall.example`id`",
            b"mail box",
            b"mail",
        ] {
            assert!(!is_mail(other, 4), "{}", other.escape_ascii());
        }
    }
}
