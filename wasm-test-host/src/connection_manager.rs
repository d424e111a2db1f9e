//! What Envoy's connection manager takes out of a request before the first filter sees it (`conn_manager_utility.cc`,
//! `mutateRequestHeaders`; the URL rules tried byte by byte on Envoy 1.37.0).

use crate::headers::HeaderMap;

/// Removes the fields of the connection, and a Referer that is repeated or no URL.
pub(crate) fn sanitize(headers: &mut HeaderMap) {
    let upgrade = headers.get("upgrade").is_some()
        && lists_upgrade(headers.get("connection").unwrap_or_default());
    if !upgrade {
        headers.remove(b"connection");
        headers.remove(b"upgrade");
    }
    for name in ["keep-alive", "proxy-connection", "transfer-encoding"] {
        headers.remove(name.as_bytes());
    }
    let referers = headers.all("referer");
    if referers.len() > 1 || referers.first().is_some_and(|value| !is_referer(value)) {
        headers.remove(b"referer");
    }
}

fn lists_upgrade(connection: &[u8]) -> bool {
    connection
        .split(|b| *b == b',')
        .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

/// A path, or `scheme://host[:port]` with anything printable but `#` behind it; no userinfo.
fn is_referer(value: &[u8]) -> bool {
    if !value.iter().all(|b| matches!(b, 0x21..=0x7e) && *b != b'#') {
        return false;
    }
    let scheme = value
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || b"+.-".contains(b))
        .count();
    let (_, rest) = value.split_at(scheme);
    match rest.first() {
        None | Some(b'/') => true,
        Some(b'*') => value == b"*",
        Some(b':') => rest.strip_prefix(b"://").is_some_and(authority_is_valid),
        Some(_) => false,
    }
}

fn authority_is_valid(rest: &[u8]) -> bool {
    let end = rest
        .iter()
        .position(|b| matches!(b, b'/' | b'?'))
        .unwrap_or(rest.len());
    let (authority, _) = rest.split_at(end);
    let (host, port) = match authority.strip_prefix(b"[") {
        Some(inner) => {
            let Some(close) = inner.iter().position(|b| *b == b']') else {
                return false;
            };
            let (address, behind) = inner.split_at(close);
            let hex = address
                .iter()
                .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
            (
                if hex { address } else { b"" },
                behind.strip_prefix(b"]").unwrap_or_default(),
            )
        }
        None => {
            let colon = authority
                .iter()
                .position(|b| *b == b':')
                .unwrap_or(authority.len());
            let (host, port) = authority.split_at(colon);
            let plain = host
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
            (if plain { host } else { b"".as_slice() }, port)
        }
    };
    let port_is_valid = port.is_empty()
        || port
            .strip_prefix(b":")
            .and_then(|p| std::str::from_utf8(p).ok())
            .is_some_and(|p| p.parse::<u16>().is_ok());
    !host.is_empty() && port_is_valid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn referers_that_envoy_keeps_and_removes() {
        let kept = [
            "",
            "x",
            "*",
            "/path",
            "//h/a",
            "http://h",
            "https://h?x",
            "http://h:0/",
            "http://[::1]/a",
            "ftp://h/a",
            "android-app://com.x",
            "HTTP://H/",
            "h2+x://h/",
            "http://h/%",
            "http://h:8080?x",
            "http://h/?q='<b>\"",
        ];
        let removed = [
            "http:",
            "http:/",
            "http://",
            "http:///a",
            "http://h:",
            "http://h:99999/",
            "http://h:80a/",
            "http://[::1/a",
            "http://u:p@h/",
            "about:blank",
            "http://h#f",
            "http://-h_/a",
            "http://h/a b",
            "http://h/\u{e9}",
            "h\"t://h/",
        ];
        for value in kept {
            assert!(is_referer(value.as_bytes()), "{value:?}");
        }
        for value in removed {
            assert!(!is_referer(value.as_bytes()), "{value:?}");
        }
    }

    #[test]
    fn the_connections_own_fields_go_unless_it_is_an_upgrade() {
        let map = |pairs: &[(&str, &str)]| {
            let mut map = HeaderMap::new();
            pairs
                .iter()
                .for_each(|(name, value)| map.add(name.as_bytes(), value.as_bytes()));
            sanitize(&mut map);
            map
        };
        let plain = map(&[
            ("connection", "keep-alive"),
            ("keep-alive", "5"),
            ("transfer-encoding", "chunked"),
            ("a", "b"),
        ]);
        assert_eq!((plain.len(), plain.contains("a")), (1, true));
        let upgrade = map(&[("connection", "Upgrade"), ("upgrade", "websocket")]);
        assert_eq!(upgrade.len(), 2);
    }
}
