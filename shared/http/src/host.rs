//! The host patterns of a configuration.

use crate::pattern::PatternError;

/// A pattern for `:authority`: case-insensitive, port and trailing dot ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    /// Lower case; with a leading dot when this is a wildcard.
    name: Vec<u8>,
    wildcard: bool,
}

impl HostPattern {
    /// `example.com`, `*.example.com` (any name below, at any depth, but not `example.com` itself; as in Istio), `*`
    /// (every host), or an IP address (`[2001:db8::1]` for IPv6).
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(host: &str) -> Result<Self, PatternError> {
        let refused = || PatternError::Host(host.to_owned());
        if host == "*" {
            return Ok(Self {
                name: Vec::new(),
                wildcard: true,
            });
        }
        let (name, wildcard) = match host.strip_prefix('*') {
            Some(below) if below.starts_with('.') && below.len() > 1 => (below, true),
            Some(_) => return Err(refused()),
            None => (host, false),
        };
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let address = name
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let good = match address {
            Some(v6) => !wildcard && v6.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !name.is_empty() && name.bytes().all(allowed) && !name.contains(".."),
        };
        if !good {
            return Err(refused());
        }
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        Ok(Self {
            name: name.into_bytes(),
            wildcard,
        })
    }

    /// Whether `authority` (Host header, with or without port) is this host or, for a wildcard, below it.
    pub fn matches(&self, authority: &[u8]) -> bool {
        let host = host_of(authority);
        if !self.wildcard {
            return host.eq_ignore_ascii_case(&self.name);
        }
        host.len()
            .checked_sub(self.name.len())
            .and_then(|at| host.split_at_checked(at))
            .is_some_and(|(sub, tail)| {
                (!sub.is_empty() || self.name.is_empty()) && tail.eq_ignore_ascii_case(&self.name)
            })
    }
}

/// The host of an authority: without user information, port and trailing dot.
fn host_of(authority: &[u8]) -> &[u8] {
    let host = authority
        .rsplit(|byte| *byte == b'@')
        .next()
        .unwrap_or_default();
    let host = if host.first() == Some(&b'[') {
        let end = host
            .iter()
            .position(|byte| *byte == b']')
            .map_or(host.len(), |at| at + 1);
        host.get(..end).unwrap_or_default()
    } else {
        host.split(|byte| *byte == b':').next().unwrap_or_default()
    };
    host.strip_suffix(b".").unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_ignore_case_port_and_trailing_dot() {
        let cases = [
            ("example.com", "example.com", true),
            ("Example.com", "EXAMPLE.COM:8443", true),
            ("example.com", "example.com.", true),
            ("example.com", "user@example.com:1", true),
            ("example.com", "example.com.evil.org", false),
            ("example.com", "example.com:1@evil.org", false),
            ("example.com", "a.example.com", false),
            ("*.example.com", "a.example.com:80", true),
            ("*.example.com", "a.b.EXAMPLE.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*", "anything", true),
            ("*", "", true),
            ("[2001:db8::1]", "[2001:DB8::1]:443", true),
            ("10.0.0.1", "10.0.0.1:80", true),
            ("example.com", "", false),
        ];
        for (pattern, authority, expected) in cases {
            let matched = HostPattern::parse(pattern)
                .unwrap()
                .matches(authority.as_bytes());
            assert_eq!(matched, expected, "{pattern} {authority}");
        }
        for refused in [
            "", "*.", "*x.com", "a.*.com", "http://a", "a/b", "a:80", "a b", "a..b", "[::x]",
            "*.[::1]",
        ] {
            assert!(HostPattern::parse(refused).is_err(), "{refused}");
        }
    }
}
