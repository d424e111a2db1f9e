//! What of a request appears in a log: cut to a length, secrets masked.

use backstop_http::{Kind, Place, Target};

/// The most bytes of the path that are logged.
const MAX_PATH: usize = 512;

/// The most bytes of host, method and request id that are logged.
pub const MAX_FIELD: usize = 128;

/// What a log shows instead.
pub const MASK: &str = "***";

/// Words that make a name a secret's wherever they occur in it, without case, `-`, `_` and `.`.
const WORDS: [&[u8]; 17] = [
    b"password",
    b"passwd",
    b"passphrase",
    b"pwd",
    b"secret",
    b"token",
    b"apikey",
    b"accesskey",
    b"privatekey",
    b"authorization",
    b"credential",
    b"session",
    b"jwt",
    b"signature",
    b"cardnumber",
    b"originverify",
    b"accountnumber",
];

/// Names that are a secret's only as a whole.
const NAMES: [&[u8]; 10] = [
    b"pass", b"pin", b"otp", b"cvv", b"cvc", b"ssn", b"sid", b"auth", b"code", b"sig",
];

/// Whether values of `place` are masked: credentials, cookies, and fields called like a password.
pub fn is_secret(place: Place<'_>) -> bool {
    match place.kind {
        Kind::Cookie => true,
        Kind::Header
        | Kind::Query
        | Kind::Form
        | Kind::Multipart
        | Kind::XmlAttribute
        | Kind::XmlText => place.name == b"cookie" || is_secret_name(place.name),
        // Any key on the way, so that `/password/0` is one, too.
        Kind::Json => place.name.split(|byte| *byte == b'/').any(is_secret_name),
        _ => false,
    }
}

/// Whether a field of this name holds a secret.
pub fn is_secret_name(name: &[u8]) -> bool {
    let mut buffer = [0; 64];
    let mut len = 0;
    let plain = name
        .iter()
        .filter(|byte| !matches!(byte, b'-' | b'_' | b'.'));
    for (place, byte) in buffer.iter_mut().zip(plain) {
        *place = byte.to_ascii_lowercase();
        len += 1;
    }
    let letters = buffer.get(..len).unwrap_or_default();
    NAMES.contains(&letters) || (0..len).any(|at| letters.get(at..).is_some_and(begins_with_word))
}

/// Whether a secret's word stands at the start.
fn begins_with_word(letters: &[u8]) -> bool {
    // What the words begin with: most letters of a name are none of these.
    matches!(
        letters.first(),
        Some(b'a' | b'c' | b'j' | b'o' | b'p' | b's' | b't')
    ) && WORDS.iter().any(|word| letters.starts_with(word))
}

/// The path with its query, the values of secret-looking parameters masked, cut to 512 bytes.
pub fn masked_path(wire: &[u8]) -> Vec<u8> {
    let target = Target::parse(wire);
    if target.query.is_none() {
        return cut(wire, MAX_PATH).to_vec();
    }
    let mut path = target.path.to_vec();
    let mut separator = b'?';
    for param in target.params() {
        if path.len() > MAX_PATH {
            break;
        }
        path.push(separator);
        separator = b'&';
        path.extend_from_slice(param.name);
        if let Some(value) = param.value {
            path.push(b'=');
            path.extend_from_slice(if is_secret_name(param.name) {
                MASK.as_bytes()
            } else {
                value
            });
        }
    }
    cut(&path, MAX_PATH).to_vec()
}

/// At most `limit` bytes, not ending inside a UTF-8 character.
pub fn cut(bytes: &[u8], limit: usize) -> &[u8] {
    let Some((kept, rest)) = bytes.split_at_checked(limit) else {
        return bytes;
    };
    if rest.first().is_none_or(|byte| byte & 0xc0 != 0x80) {
        return kept;
    }
    // The character that the cut goes through began at most three bytes before it.
    let back = kept
        .iter()
        .rev()
        .take(3)
        .position(|byte| byte & 0xc0 == 0xc0);
    match back {
        Some(back) => kept.get(..limit - back - 1).unwrap_or(kept),
        None => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_wherever_it_stands() {
        for word in WORDS {
            let word = std::str::from_utf8(word).unwrap();
            for name in [
                word.to_owned(),
                format!("x{word}"),
                format!("my-{word}_2"),
                word.to_uppercase(),
            ] {
                assert!(is_secret_name(name.as_bytes()), "{name}");
            }
        }
        let beyond = format!("{}token", "a".repeat(60));
        assert!(!is_secret_name(beyond.as_bytes()), "64 letters are read");
    }

    #[test]
    fn secrets_are_told_by_their_place() {
        for (kind, name) in [
            (Kind::Cookie, "theme"),
            (Kind::Header, "authorization"),
            (Kind::Header, "proxy-authorization"),
            (Kind::Header, "x-api-key"),
            (Kind::Header, "x-origin-verify"),
            (Kind::Form, "New_Password"),
            (Kind::Query, "access_token"),
            (Kind::Json, "/user/passwd"),
            (Kind::Json, "/password/0"),
            (Kind::Multipart, "pin"),
        ] {
            assert!(is_secret(Place::new(kind, name.as_bytes())), "{name}");
        }
        for (kind, name) in [
            (Kind::Header, "user-agent"),
            (Kind::Query, "q"),
            (Kind::Query, "shipping"),
            (Kind::Json, "/comment"),
            (Kind::Path, ""),
        ] {
            assert!(!is_secret(Place::new(kind, name.as_bytes())), "{name}");
        }
    }
}
