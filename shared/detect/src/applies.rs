//! Which categories look at which place.

use backstop_http::{Kind, Place};

use crate::{Category, CategorySet};

/// Free header fields carry URLs of their own site: a loopback host there is a developer, not a forged request.
const HEADERS: CategorySet = CategorySet::ALL.without(Category::Ssrf);
/// What a user agent can carry.
const USER_AGENT: CategorySet = CategorySet::of(&[
    Category::BotScanner,
    Category::Log4shell,
    Category::Xss,
    Category::SqlInjection,
    Category::CommandInjection,
    Category::HeaderInjection,
]);
/// What a user agent can carry that keeps to its grammar: words.
const PLAIN_USER_AGENT: CategorySet =
    CategorySet::of(&[Category::BotScanner, Category::SqlInjection]);
/// What looks at the path as a whole.
pub(crate) const PATH: CategorySet = CategorySet::of(&[
    Category::PathTraversal,
    Category::BotScanner,
    Category::Log4shell,
    Category::HeaderInjection,
]);
/// What looks at the part of a path that is not made of plain segments.
pub(crate) const PATH_TAIL: CategorySet = CategorySet::of(&[
    Category::SqlInjection,
    Category::Xss,
    Category::CommandInjection,
    Category::LdapInjection,
    Category::XxeInjection,
    Category::Ssrf,
]);
/// What credentials can carry: they are opaque, so only what harms whoever logs them.
pub(crate) const OPAQUE: CategorySet =
    CategorySet::of(&[Category::Log4shell, Category::HeaderInjection]);
/// A document whose texts and attributes are values of their own.
const DOCUMENT: CategorySet = CategorySet::of(&[Category::XxeInjection, Category::Log4shell]);

/// The longest name that is taken for a word: longer ones may be an encoded text.
const MAX_WORD: usize = 24;

/// The categories that look at a value of `place`.
pub(crate) fn categories(place: Place<'_>, value: &[u8]) -> CategorySet {
    match place.kind {
        Kind::Header => header(place.name, value),
        Kind::XmlDocument => DOCUMENT,
        // `page`, `user_id`: no sign that any of them needs. JSON repeats its keys in every object.
        Kind::CookieName | Kind::FormName | Kind::JsonKey | Kind::MultipartName
            if is_word(value) =>
        {
            CategorySet::NONE
        }
        _ => CategorySet::ALL,
    }
}

/// Whether a name is a plain one: letters, digits, underscores, and no double underscore (`__proto__`).
fn is_word(name: &[u8]) -> bool {
    name.len() <= MAX_WORD
        && !name.starts_with(b"__")
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn header(name: &[u8], value: &[u8]) -> CategorySet {
    match name {
        b"user-agent" if is_plain_user_agent(value) => PLAIN_USER_AGENT,
        b"user-agent" => USER_AGENT,
        // Its cookies are values of their own.
        b"cookie" => CategorySet::NONE,
        _ if name.starts_with(b":") => CategorySet::NONE,
        _ => match grammar(name) {
            Some(signs) if follows(signs, value) => CategorySet::NONE,
            _ => HEADERS,
        },
    }
}

/// The signs that a header field of known grammar has besides letters and digits (RFC 9110, RFC 8941, RFC 9112; W3C Trace
/// Context; Client Hints). A value that keeps to them can carry none of the ten categories.
fn grammar(name: &[u8]) -> Option<&'static Signs> {
    static LIST: Signs = signs(b" \t-_.,;:=/*+\"~!?@[]");
    // Greased brands hold any sign that a token may not: `"Not(A:Brand";v="8"`, `" Not;A Brand"`.
    static BRANDS: Signs = signs(b" \t-_.,;:=/*+\"~!?@()\\");
    if name.starts_with(b"sec-ch-") {
        return Some(&BRANDS);
    }
    known(name).then_some(&LIST)
}

/// Whether a header field of this name has such a grammar. Every header's name comes here, so its first letter leaves few
/// to compare it with.
fn known(name: &[u8]) -> bool {
    type Names = &'static [&'static [u8]];
    let (prefixes, names): (Names, Names) = match name.first() {
        Some(b'a') => (
            &[b"accept", b"access-control-"],
            &[b"age", b"alt-used", b"authorization"],
        ),
        Some(b'c') => (
            &[],
            &[
                b"cache-control",
                b"connection",
                b"content-encoding",
                b"content-length",
                b"content-type",
            ],
        ),
        Some(b'd') => (&[], &[b"date", b"dnt"]),
        Some(b'e') => (&[], &[b"etag", b"expect"]),
        Some(b'f') => (&[], &[b"forwarded"]),
        Some(b'h') => (&[], &[b"host"]),
        Some(b'i') => (&[b"if-"], &[]),
        Some(b'k') => (&[], &[b"keep-alive"]),
        Some(b'l') => (&[], &[b"last-modified"]),
        Some(b'm') => (&[], &[b"max-forwards"]),
        Some(b'o') => (&[], &[b"origin"]),
        Some(b'p') => (&[], &[b"pragma", b"priority", b"proxy-authorization"]),
        Some(b'r') => (&[], &[b"range"]),
        Some(b's') => (&[b"sec-"], &[b"save-data"]),
        Some(b't') => (
            &[],
            &[
                b"te",
                b"traceparent",
                b"tracestate",
                b"trailer",
                b"transfer-encoding",
            ],
        ),
        Some(b'u') => (&[], &[b"upgrade"]),
        Some(b'v') => (&[], &[b"via"]),
        Some(b'x') => (
            &[b"x-forwarded-", b"x-b3-", b"x-envoy-", b"x-datadog-"],
            &[b"x-real-ip", b"x-request-id"],
        ),
        _ => (&[], &[]),
    };
    names.contains(&name) || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// For each byte, whether a value may hold it.
type Signs = [bool; 256];

/// Letters, digits, and these.
const fn signs(more: &[u8]) -> Signs {
    let mut table = [false; 256];
    let mut rest = more;
    while let [first, tail @ ..] = rest {
        set(&mut table, *first);
        rest = tail;
    }
    let mut byte = 0;
    while byte < 128_u8 {
        if byte.is_ascii_alphanumeric() {
            set(&mut table, byte);
        }
        byte += 1;
    }
    table
}

const fn set(table: &mut Signs, byte: u8) {
    if let Some((_, [cell, ..])) = table.split_at_mut_checked(byte as usize) {
        *cell = true;
    }
}

/// Every header's every byte comes here: one look-up each.
fn follows(signs: &Signs, value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| signs.get(usize::from(*byte)) == Some(&true))
}

/// Whether a user agent is products and comments (RFC 9110 section 10.1.5) of plain characters: semicolons in comments
/// only, a comment after white space, every comment closed. No quote, no sign of a shell, a tag or a look-up.
fn is_plain_user_agent(value: &[u8]) -> bool {
    let mut depth = 0usize;
    let mut previous = b' ';
    for byte in value {
        match byte {
            b'(' if matches!(previous, b' ' | b'(') => depth += 1,
            b')' if depth > 0 => depth -= 1,
            b';' if depth > 0 => {}
            b' ' | b'.' | b'/' | b',' | b':' | b'+' | b'-' | b'_' => {}
            _ if byte.is_ascii_alphanumeric() => {}
            _ => return false,
        }
        previous = *byte;
    }
    depth == 0
}

/// The part of a path from the first segment on that holds anything but plain path characters; `None` if all are plain.
pub(crate) fn odd_tail(path: &[u8]) -> Option<&[u8]> {
    let odd = path.iter().position(|byte| {
        !byte.is_ascii_alphanumeric()
            && !matches!(byte, b'/' | b'-' | b'.' | b'_' | b'~' | b'@' | b':' | b',')
    })?;
    let start = path
        .get(..odd)?
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    path.get(start..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_at(name: &str, value: &str) -> CategorySet {
        categories(Place::new(Kind::Header, name.as_bytes()), value.as_bytes())
    }

    #[test]
    fn a_header_that_keeps_to_its_grammar_needs_no_look() {
        for (name, value) in [
            ("accept", "text/html,application/xhtml+xml,*/*;q=0.8"),
            ("accept-language", "ko-KR,ko;q=0.9"),
            (
                "sec-ch-ua",
                "\"Chromium\";v=\"124\", \"Not(A:Brand\";v=\"8\"",
            ),
            ("if-none-match", "W/\"5f3--a\""),
            ("authorization", "Bearer a.b-c_d--e=="),
            (
                "content-type",
                "multipart/form-data; boundary=----WebKitFormBoundary7",
            ),
            (
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
        ] {
            assert_eq!(looked_at(name, value), CategorySet::NONE, "{name}");
        }
        for (name, value) in [
            ("accept", "${jndi:ldap://x/}"),
            ("content-type", "%{(#_='multipart/form-data')}"),
            ("x-forwarded-for", "1.1.1.1' or '1'='1"),
            ("x-anything", "plain"),
        ] {
            assert_eq!(looked_at(name, value), HEADERS, "{name}");
        }
    }

    #[test]
    fn a_plain_user_agent_is_words_and_comments() {
        for plain in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0",
            "Mozilla/5.0 (compatible; Yeti/1.1; +https://naver.me/spd)",
            "okhttp/4.12.0",
            "",
        ] {
            assert_eq!(looked_at("user-agent", plain), PLAIN_USER_AGENT, "{plain}");
        }
        for odd in [
            "() { :; }; /bin/id",
            "Mozilla/5.0 (X11); cat /etc/passwd",
            "Mozilla/5.0 sleep(5)",
            "Mozilla/5.0 (X11",
            "<script>",
            "a' or 'a",
        ] {
            assert_eq!(looked_at("user-agent", odd), USER_AGENT, "{odd}");
        }
    }

    #[test]
    fn the_odd_tail_starts_at_a_segment() {
        assert_eq!(odd_tail(b"/a/b-c/d.js"), None);
        assert_eq!(odd_tail(b"/a/1'--/b"), Some(&b"1'--/b"[..]));
        assert_eq!(odd_tail(b"%41"), Some(&b"%41"[..]));
    }
}
