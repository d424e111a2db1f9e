//! What a request looks like when it reaches a filter, and which requests never do.

use super::{Case, DEFAULT_AUTHORITY};

/// Envoy's default for `max_request_headers_kb`: 60 KiB, else 431.
pub const MAX_HEADER_BYTES: usize = 60 * 1024;

/// Envoy's default for `max_headers_count`: 100 with Host, else 431.
pub const MAX_HEADERS: usize = 100;

/// Fields that belong to one connection or that a sender computes from the body.
const NOT_RECORDED: [&[u8]; 6] = [
    b"content-length",
    b"connection",
    b"transfer-encoding",
    b"expect",
    b"proxy-connection",
    b"upgrade",
];

/// The parts of a [`Case`] that depend on path and headers together.
pub(super) struct Shaped {
    /// From an absolute-form target, if it was one.
    pub(super) scheme: Option<Vec<u8>>,
    pub(super) authority: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Does to a recorded request what a sender and a proxy's codec do: Host becomes the authority (Envoy joins several
/// with a comma), an absolute-form target wins over it (RFC 9112 3.2.2), names become lower case, values lose the
/// white space around them and a bare CR becomes a space, pseudo-headers and connection headers go.
pub(super) fn shape(target: Vec<u8>, headers: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> Shaped {
    let mut pseudo = None;
    let mut hosts: Vec<Vec<u8>> = Vec::new();
    let mut kept = Vec::new();
    for (mut name, value) in headers {
        name.make_ascii_lowercase();
        let mut value = value.trim_ascii().to_vec();
        value
            .iter_mut()
            .filter(|byte| **byte == b'\r')
            .for_each(|byte| *byte = b' ');
        if name == b":authority" {
            pseudo = Some(value);
        } else if name == b"host" {
            hosts.push(value);
        } else if !name.starts_with(b":") && !NOT_RECORDED.contains(&name.as_slice()) {
            kept.push((name, value));
        }
    }
    let host = if hosts.is_empty() {
        pseudo
    } else {
        Some(hosts.join(&b','))
    };
    let (scheme, authority, path) = match split_absolute(&target) {
        Some((scheme, authority, path)) => (
            Some(scheme.to_ascii_lowercase()),
            Some(authority.to_vec()),
            path,
        ),
        None => (None, None, target),
    };
    Shaped {
        scheme,
        authority: authority
            .or(host)
            .unwrap_or_else(|| DEFAULT_AUTHORITY.as_bytes().to_vec()),
        path,
        headers: kept,
    }
}

/// `http(s)://authority[/path][?query]` taken apart, the fragment dropped; `None` for any other target.
pub(super) fn split_absolute(url: &[u8]) -> Option<(&[u8], &[u8], Vec<u8>)> {
    let colon = url.iter().position(|byte| *byte == b':')?;
    let (scheme, rest) = url.split_at(colon);
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return None;
    }
    let rest = rest.strip_prefix(b"://")?;
    let rest = rest.split(|byte| *byte == b'#').next().unwrap_or_default();
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let authority = authority
        .rsplit(|byte| *byte == b'@')
        .next()
        .unwrap_or_default();
    let mut path = target.to_vec();
    if path.first() != Some(&b'/') {
        path.insert(0, b'/');
    }
    Some((scheme, authority, path))
}

/// Why Envoy 1.37 answers 400 or 431 to this request over HTTP/1.1 before any filter sees it; `None` if it does not.
///
/// The rules are those of its parser (`source/common/http/http1/balsa_parser.cc`) and of the connection manager; each
/// was tried on Envoy 1.37.0.
pub fn refusal(case: &Case) -> Option<&'static str> {
    if !METHODS.contains(&case.method.as_slice()) {
        return Some("Envoy answers 400 to an unknown method");
    }
    let any_target = case.method == b"CONNECT" || (case.method == b"OPTIONS" && case.path == b"*");
    if !any_target && case.path.first() != Some(&b'/') {
        return Some("Envoy answers 400 to a target that starts with neither / nor http://");
    }
    if !case.path.iter().all(|byte| matches!(byte, 0x21..=0x7e)) {
        return Some("Envoy answers 400 to white space, control and non-ASCII bytes in the target");
    }
    if case.path.contains(&b'#') {
        return Some("Envoy answers 400 to a fragment in the target");
    }
    if !authority_is_valid(&case.authority) {
        return Some("Envoy answers 400 to a bad Host");
    }
    for (name, value) in &case.headers {
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
            return Some("Envoy answers 400 to a header name that is no token");
        }
        if !value
            .iter()
            .all(|byte| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..))
        {
            return Some("Envoy answers 400 to a control byte in a header value");
        }
    }
    let sent = 1 + case.headers.len() + usize::from(case.content_length().is_some());
    if sent > MAX_HEADERS || head_bytes(case) > MAX_HEADER_BYTES {
        return Some("Envoy answers 431 to more than 100 headers or 60 KiB of them");
    }
    None
}

/// The bytes of the request line and the header fields in HTTP/1.1, which is what Envoy's limit is on.
fn head_bytes(case: &Case) -> usize {
    let line = case.method.len() + case.path.len() + " HTTP/1.1\r\n".len() + 1;
    let host = "host: \r\n".len() + case.authority.len();
    let fields: usize = case
        .headers
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    line + host + fields + 2
}

fn authority_is_valid(authority: &[u8]) -> bool {
    authority
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!$%&'()*+,-.:;=@_~[]".contains(byte))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The methods that Envoy's HTTP/1.1 parser takes.
const METHODS: [&[u8]; 34] = [
    b"ACL",
    b"BIND",
    b"CHECKOUT",
    b"CONNECT",
    b"COPY",
    b"DELETE",
    b"GET",
    b"HEAD",
    b"LINK",
    b"LOCK",
    b"MERGE",
    b"MKACTIVITY",
    b"MKCALENDAR",
    b"MKCOL",
    b"MOVE",
    b"MSEARCH",
    b"NOTIFY",
    b"OPTIONS",
    b"PATCH",
    b"POST",
    b"PROPFIND",
    b"PROPPATCH",
    b"PURGE",
    b"PUT",
    b"REBIND",
    b"REPORT",
    b"SEARCH",
    b"SOURCE",
    b"SUBSCRIBE",
    b"TRACE",
    b"UNBIND",
    b"UNLINK",
    b"UNLOCK",
    b"UNSUBSCRIBE",
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::traffic::Origin;

    fn case(method: &str, path: &[u8], headers: &[(&str, &[u8])]) -> Case {
        let origin = Origin {
            file: Arc::from("t"),
            line: 1,
        };
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()));
        let mut case = Case::new(origin, path.to_vec(), headers);
        case.method = method.as_bytes().to_vec();
        case
    }

    #[test]
    fn absolute_targets_are_taken_apart() {
        for (url, expected) in [
            (
                "http://a.example/x?y#z",
                Some(("http", "a.example", "/x?y")),
            ),
            (
                "HTTPS://u:p@a.example:8443",
                Some(("HTTPS", "a.example:8443", "/")),
            ),
            (
                "https://a.example?q=1",
                Some(("https", "a.example", "/?q=1")),
            ),
            ("https://[::1]:80/", Some(("https", "[::1]:80", "/"))),
            ("/x?u=http://b.example", None),
            ("data:text/plain,x", None),
            ("ws://a.example/", None),
        ] {
            let split = split_absolute(url.as_bytes());
            let expected = expected.map(|(s, a, p): (&str, &str, &str)| {
                (s.as_bytes(), a.as_bytes(), p.as_bytes().to_vec())
            });
            assert_eq!(split, expected, "{url}");
        }
    }

    #[test]
    fn an_absolute_target_wins_over_host() {
        let case = case("GET", b"http://b.example/x", &[("Host", b"a.example")]);
        assert_eq!(
            (case.authority, case.path),
            (b"b.example".to_vec(), b"/x".to_vec())
        );
    }

    #[test]
    fn two_hosts_are_joined_as_envoy_does() {
        assert_eq!(
            case("GET", b"/", &[("Host", b"a"), ("hOST", b"b")]).authority,
            b"a,b"
        );
    }

    #[test]
    fn what_belongs_to_the_connection_goes() {
        let case = case(
            "GET",
            b"/",
            &[
                (":method", b"GET"),
                (":authority", b"a"),
                ("Upgrade", b"x"),
                ("TE", b"trailers"),
                ("Connection", b"te"),
            ],
        );
        assert_eq!(case.authority, b"a");
        assert_eq!(case.headers, [(b"te".to_vec(), b"trailers".to_vec())]);
    }

    #[test]
    fn what_envoy_refuses_is_told() {
        let mut many = vec![("x", &b"1"[..]); 99];
        assert_eq!(refusal(&case("GET", b"/", &many)), None);
        many.push(("x", b"1"));
        let long = vec![b'a'; 62_000];
        for (refused, word) in [
            (case("BREW", b"/", &[]), "method"),
            (case("get", b"/", &[]), "method"),
            (case("GET", b"", &[]), "neither"),
            (case("GET", b"a/b", &[]), "neither"),
            (case("GET", b"/a b", &[]), "white space"),
            (case("GET", b"/\xed\x95\x9c", &[]), "non-ASCII"),
            (case("GET", b"/a\x7f", &[]), "control"),
            (case("GET", b"/a\tb", &[]), "control"),
            (case("GET", b"*", &[]), "neither"),
            (case("GET", b"/a#b", &[]), "fragment"),
            (case("GET", b"/", &[("Host", b"a b")]), "Host"),
            (case("GET", b"/", &[("a b", b"1")]), "token"),
            (case("GET", b"/", &[("", b"1")]), "token"),
            (case("GET", b"/", &[("a", b"1\nb: 2")]), "control"),
            (case("GET", b"/", &[("a", b"\0")]), "control"),
            (case("GET", b"/", &many), "431"),
            (case("GET", b"/", &[("a", &long)]), "431"),
        ] {
            let reason = refusal(&refused);
            assert!(
                reason.is_some_and(|reason| reason.contains(word)),
                "{word}: {reason:?}"
            );
        }
        for passed in [
            case("GET", b"/a?b=c'\"<>|{}\\^`[]", &[("x-a", b"\xff\xfe\t ok")]),
            case("OPTIONS", b"*", &[]),
            case("GET", b"/", &[("Host", b"")]),
            case("PROPFIND", b"/", &[("a_b", b"")]),
        ] {
            assert_eq!(refusal(&passed), None);
        }
    }
}
