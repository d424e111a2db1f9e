//! Which values must not appear in a log.

use backstop_http::{Kind, Place};

/// What a log shows instead.
pub(crate) const MASK: &str = "***";

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
pub(crate) fn is_secret(place: Place<'_>) -> bool {
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
pub(crate) fn is_secret_name(name: &[u8]) -> bool {
    let letters: Vec<u8> = name
        .iter()
        .filter(|byte| !matches!(byte, b'-' | b'_' | b'.'))
        .map(u8::to_ascii_lowercase)
        .take(64)
        .collect();
    NAMES.contains(&letters.as_slice())
        || WORDS
            .iter()
            .any(|word| letters.windows(word.len()).any(|window| window == *word))
}

#[cfg(test)]
mod tests {
    use super::*;

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
