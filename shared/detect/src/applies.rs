//! Which categories look at which place.

use backstop_http::scan::Set;
use backstop_http::{Kind, Place};

use crate::shape::{BRANDS, HOSTS, LIST, PLAIN_PATH, WORD, is_plain_user_agent, parts_with_blanks};
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
/// What looks at each segment of that part.
pub(crate) const PATH_SEGMENT: CategorySet =
    CategorySet::of(&[Category::SqlInjection, Category::CommandInjection]);
/// What credentials can carry: they are opaque, so only what harms whoever logs them.
pub(crate) const OPAQUE: CategorySet =
    CategorySet::of(&[Category::Log4shell, Category::HeaderInjection]);
/// A document whose texts and attributes are values of their own.
const DOCUMENT: CategorySet = CategorySet::of(&[Category::XxeInjection, Category::Log4shell]);

/// The longest name that is taken for a word: longer ones may be an encoded text.
const MAX_WORD: usize = 24;

/// The categories that look at a value of `place`, which is no header field.
pub(crate) fn categories(place: Place<'_>, value: &[u8]) -> CategorySet {
    match place.kind {
        Kind::XmlDocument => DOCUMENT,
        // A browser's report of blocked code has its first forty characters (CSP 3 section 5.3).
        Kind::Json if is_sample(place.name) => CategorySet::ALL.without(Category::Xss),
        // A reported error has the lines of the program around it, which are code by nature.
        Kind::Json if is_source_line(place.name) => OPAQUE,
        // `page`, `user_id`: no sign that any of them needs. JSON repeats its keys in every object.
        kind if is_plain_name(kind, value) => CategorySet::NONE,
        _ => CategorySet::ALL,
    }
}

/// Whether a JSON pointer is that of a sample of code in a report of a browser.
#[inline]
fn is_sample(pointer: &[u8]) -> bool {
    // Every value of JSON comes here.
    pointer.ends_with(b"e")
        && (pointer.ends_with(b"/script-sample") || pointer.ends_with(b"/body/sample"))
}

/// Whether a JSON pointer is that of a line of source in a stack's frame, as Sentry's clients report it:
/// `/exception/values/0/stacktrace/frames/3/pre_context/1`.
#[inline]
fn is_source_line(pointer: &[u8]) -> bool {
    // Every value of JSON comes here.
    match pointer {
        [.., b'0'..=b'9'] | [.., b'i', b'n', b'e'] => {}
        _ => return false,
    }
    let mut parts = pointer.rsplit(|byte| *byte == b'/');
    let is_index = |part: Option<&[u8]>| {
        part.is_some_and(|part| {
            (1..=4).contains(&part.len()) && part.iter().all(u8::is_ascii_digit)
        })
    };
    let line = match parts.next() {
        Some(b"context_line") => true,
        index => is_index(index) && matches!(parts.next(), Some(b"pre_context" | b"post_context")),
    };
    line && is_index(parts.next())
        && parts.next() == Some(b"frames")
        && parts.next() == Some(b"stacktrace")
}

/// Whether the name is one of those that programs give, so that no category looks at it.
#[inline]
pub(crate) fn is_plain_name(kind: Kind, name: &[u8]) -> bool {
    matches!(
        kind,
        Kind::CookieName | Kind::FormName | Kind::JsonKey | Kind::MultipartName
    ) && is_word(name)
}

/// Whether a name is a plain one: letters, digits, underscores, and no double underscore (`__proto__`).
fn is_word(name: &[u8]) -> bool {
    name.len() <= MAX_WORD && !name.starts_with(b"__") && WORD.holds(name)
}

/// What a header field's name says about its value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    /// Products and comments.
    UserAgent,
    /// A URL, of this site as a rule.
    Referer,
    /// A scheme and opaque credentials.
    Credentials,
    /// Cookies, which are values of their own; a pseudo header.
    Elsewhere,
    /// A grammar whose values can carry none of the ten categories as long as they keep to its signs.
    Grammar(&'static Set),
    /// The same of lists with blanks between members only.
    List,
    /// Anything.
    Free,
}

impl Field {
    /// Every header's name comes here.
    pub(crate) fn of(name: &[u8]) -> Self {
        match name {
            b"user-agent" => Self::UserAgent,
            b"referer" => Self::Referer,
            b"authorization" | b"proxy-authorization" => Self::Credentials,
            b"cookie" | [b':', ..] => Self::Elsewhere,
            [b'a', b'c', b'c', b'e', b'p', b't', ..] => Self::List,
            // Addresses of clients are written into commands and statements by many a log.
            b"host" | b"x-real-ip" => Self::Grammar(&HOSTS),
            [b's', b'e', b'c', b'-', b'c', b'h', b'-', ..] => Self::Grammar(&BRANDS),
            [b's', b'e', b'c', b'-', ..]
            | [b'i', b'f', b'-', ..]
            | b"age"
            | b"alt-used"
            | b"cache-control"
            | b"connection"
            | b"content-encoding"
            | b"content-length"
            | b"content-type"
            | b"date"
            | b"dnt"
            | b"etag"
            | b"expect"
            | b"forwarded"
            | b"keep-alive"
            | b"last-modified"
            | b"max-forwards"
            | b"origin"
            | b"pragma"
            | b"priority"
            | b"range"
            | b"save-data"
            | b"te"
            | b"traceparent"
            | b"tracestate"
            | b"trailer"
            | b"transfer-encoding"
            | b"upgrade"
            | b"via"
            | b"x-request-id" => Self::Grammar(&LIST),
            [b'a', ..] if name.starts_with(b"access-control-") => Self::Grammar(&LIST),
            // Envoy's has certificates in it.
            [b'x', b'-', rest @ ..]
                if rest.starts_with(b"forwarded-") && rest != b"forwarded-client-cert" =>
            {
                Self::Grammar(&HOSTS)
            }
            [b'x', b'-', rest @ ..] if is_proxy_field(rest) => Self::Grammar(&LIST),
            _ => Self::Free,
        }
    }

    /// The categories that look at its value.
    pub(crate) fn categories(self, value: &[u8]) -> CategorySet {
        match self {
            Self::UserAgent if is_plain_user_agent(value) => PLAIN_USER_AGENT,
            Self::UserAgent => USER_AGENT,
            Self::Elsewhere => CategorySet::NONE,
            Self::Grammar(signs) if signs.holds(value) => CategorySet::NONE,
            Self::List if LIST.holds(value) && parts_with_blanks(value) => CategorySet::NONE,
            Self::Credentials if LIST.holds(value) => CategorySet::NONE,
            Self::Grammar(_) | Self::List | Self::Credentials | Self::Referer | Self::Free => {
                HEADERS
            }
        }
    }
}

/// What proxies and tracers add, behind `x-`.
fn is_proxy_field(rest: &[u8]) -> bool {
    let prefixes: [&[u8]; 4] = [b"forwarded-", b"b3-", b"envoy-", b"datadog-"];
    prefixes.iter().any(|prefix| rest.starts_with(prefix))
}

/// The segments of a path's odd part that are odd themselves and not all of it. No application takes many values from its path.
pub(crate) fn odd_segments(tail: &[u8]) -> impl Iterator<Item = &[u8]> {
    const MOST: usize = 4;
    tail.split(|byte| *byte == b'/')
        .filter(move |segment| segment.len() + 1 < tail.len() && !PLAIN_PATH.holds(segment))
        .take(MOST)
}

/// The part of a path from the first segment on that holds anything but plain path characters; `None` if all are plain.
pub(crate) fn odd_tail(path: &[u8]) -> Option<&[u8]> {
    if PLAIN_PATH.holds(path) {
        return None;
    }
    let odd = path.iter().position(|byte| !PLAIN_PATH.has(*byte))?;
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
        Field::of(name.as_bytes()).categories(value.as_bytes())
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
            ("x-forwarded-for", "203.0.113.7, [2001:db8::1]:443"),
            (
                "x-forwarded-client-cert",
                "By=spiffe://a;Hash=0a;Subject=\"\"",
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
            ("x-forwarded-for", "1.1.1.1;cat /hall"),
            ("x-forwarded-for", "1.1.1.1 or 1=1"),
            ("accept-language", "ko;cat /hall"),
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
