//! What a request is counted by: its key, hashed.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use backstop_http::cookies::cookies;
use backstop_http::{Headers, NormalizedPath, Occurrence};
use backstop_policy::{ConfigError, PathMatch};

use crate::config::{IfAbsent, KeyPart};
use crate::jwt::{self, Claim};
use backstop_table::KeyHasher;

/// What of a request keys are made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) headers: &'a Headers,
    pub(crate) path: &'a NormalizedPath<'a>,
    pub(crate) client: Option<IpAddr>,
}

/// One part of a key, compiled.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Address {
        v4: u32,
        v6: u32,
    },
    Header {
        name: Vec<u8>,
        if_absent: IfAbsent,
    },
    Cookie {
        name: Vec<u8>,
        if_absent: IfAbsent,
    },
    Claim {
        claim: String,
        header: Vec<u8>,
        if_absent: IfAbsent,
    },
    /// The segment at a position of the path; with `rest`, all from there on.
    Segment {
        at: usize,
        rest: bool,
    },
}

/// A part's value in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Present(Cow<'a, [u8]>),
    Absent,
    /// There more than once, or unreadable.
    Ambiguous,
}

impl<'a> Value<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self::Present(Cow::Borrowed(bytes))
    }
}

impl Part {
    /// Compiles the part at `at` of a limit with this path.
    pub(crate) fn compile(
        at: impl fmt::Display,
        part: &KeyPart,
        path: Option<&PathMatch>,
    ) -> Result<Self, ConfigError> {
        let named = |field: &str, name: &str| {
            let plain =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            if name.is_empty() || !name.bytes().all(plain) {
                return Err(ConfigError::at(
                    format_args!("{at}.{field}"),
                    format_args!("`{name}` is not a name that a header or cookie can have"),
                ));
            }
            Ok(name.as_bytes().to_vec())
        };
        Ok(match part {
            KeyPart::ClientAddress(address) => Self::Address {
                v4: address.ipv4_prefix_length.0,
                v6: address.ipv6_prefix_length.0,
            },
            KeyPart::Header(header) => Self::Header {
                name: named("header.name", &header.name)?.to_ascii_lowercase(),
                if_absent: header.if_absent,
            },
            KeyPart::Cookie(cookie) => Self::Cookie {
                name: named("cookie.name", &cookie.name)?,
                if_absent: cookie.if_absent,
            },
            KeyPart::JwtClaim(jwt) => {
                if jwt.claim.is_empty() {
                    return Err(ConfigError::at(
                        format_args!("{at}.jwtClaim.claim"),
                        "names no claim",
                    ));
                }
                Self::Claim {
                    claim: jwt.claim.clone(),
                    header: named("jwtClaim.header", &jwt.header)?.to_ascii_lowercase(),
                    if_absent: jwt.if_absent,
                }
            }
            KeyPart::PathVariable(variable) => {
                let (at, rest) = position(path, &variable.name).ok_or_else(|| {
                    ConfigError::at(
                        format_args!("{at}.pathVariable.name"),
                        format_args!(
                            "the limit's `match.path` is no template with `{{{}}}`",
                            variable.name
                        ),
                    )
                })?;
                Self::Segment { at, rest }
            }
        })
    }

    /// Whether the client's address has to be known.
    pub(crate) const fn needs_client(&self) -> bool {
        matches!(self, Self::Address { .. })
    }

    pub(crate) fn value<'a>(&self, request: Request<'a>) -> Value<'a> {
        match self {
            Self::Address { v4, v6 } => match request.client {
                Some(address) => Value::Present(Cow::Owned(network(address, *v4, *v6))),
                None => Value::Absent,
            },
            Self::Header { name, .. } => header(request.headers, name),
            Self::Cookie { name, .. } => {
                let mut value = Value::Absent;
                for cookie in cookies(request.headers).filter(|cookie| cookie.name == name) {
                    match &value {
                        Value::Absent => value = Value::of(cookie.value),
                        Value::Present(first) if first.as_ref() == cookie.value => {}
                        _ => return Value::Ambiguous,
                    }
                }
                value
            }
            Self::Claim {
                claim,
                header: name,
                ..
            } => match header(request.headers, name) {
                Value::Present(token) => match jwt::claim(&token, claim) {
                    Claim::Value(bytes) => Value::Present(Cow::Owned(bytes)),
                    Claim::Absent => Value::Absent,
                    Claim::Unreadable => Value::Ambiguous,
                },
                other => other,
            },
            Self::Segment { at, rest } => {
                let mut segments = request.path.segments().skip(*at);
                if !rest {
                    return segments.next().map_or(Value::Absent, |segment| {
                        Value::Present(Cow::Owned(segment.to_vec()))
                    });
                }
                let mut all = Vec::new();
                for segment in segments {
                    all.push(b'/');
                    all.extend_from_slice(segment);
                }
                Value::Present(Cow::Owned(all))
            }
        }
    }

    pub(crate) const fn if_absent(&self) -> IfAbsent {
        match self {
            Self::Header { if_absent, .. }
            | Self::Cookie { if_absent, .. }
            | Self::Claim { if_absent, .. } => *if_absent,
            Self::Address { .. } | Self::Segment { .. } => IfAbsent::Share,
        }
    }
}

/// Adds a request's key to a hash; `None` if the limit does not apply to it.
pub(crate) fn hash(parts: &[Part], request: Request<'_>, mut hasher: KeyHasher) -> Option<u128> {
    for part in parts {
        match part.value(request) {
            Value::Present(bytes) => hasher.field(1, &bytes),
            Value::Absent if part.if_absent() == IfAbsent::Skip => return None,
            Value::Absent => hasher.field(2, b""),
            Value::Ambiguous => hasher.field(3, b""),
        }
    }
    Some(hasher.finish())
}

fn header<'a>(headers: &'a Headers, name: &[u8]) -> Value<'a> {
    match headers.occurrence(name) {
        Occurrence::Absent => Value::Absent,
        Occurrence::Once(value) => Value::of(value.trim_ascii()),
        Occurrence::Repeated(_) => Value::Ambiguous,
    }
}

/// The first bits of an address.
fn network(address: IpAddr, v4: u32, v6: u32) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - v4.min(32)).unwrap_or(0);
            (address.to_bits() & mask).to_be_bytes().to_vec()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - v6.min(128)).unwrap_or(0);
            (address.to_bits() & mask).to_be_bytes().to_vec()
        }
    }
}

/// Which segment of a template the variable is, and whether it stands for all from there on.
fn position(path: Option<&PathMatch>, name: &str) -> Option<(usize, bool)> {
    let Some(PathMatch::Template(template)) = path else {
        return None;
    };
    template
        .split('/')
        .filter(|segment| !segment.is_empty())
        .enumerate()
        .find_map(|(at, segment)| {
            let inner = segment.strip_prefix('{')?.strip_suffix('}')?;
            let inner = inner.split_once(':').map_or(inner, |(name, _)| name);
            match inner.strip_suffix("...") {
                Some(inner) if inner == name => Some((at, true)),
                None if inner == name => Some((at, false)),
                _ => None,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_count_by_their_network() {
        for (address, v4, v6, expected) in [
            ("203.0.113.77", 32, 64, &[203, 0, 113, 77][..]),
            ("203.0.113.77", 24, 64, &[203, 0, 113, 0]),
            ("203.0.113.77", 0, 64, &[0, 0, 0, 0]),
            (
                "2001:db8::1:2",
                32,
                32,
                &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            ),
            ("2001:db8::1", 32, 0, &[0; 16]),
            (
                "::1",
                32,
                128,
                &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            ),
        ] {
            assert_eq!(
                network(address.parse().unwrap(), v4, v6),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn variables_are_found_by_name() {
        let template = PathMatch::Template("/a/{x}/b/{id:int}/{tail...}".to_owned());
        for (name, expected) in [
            ("x", Some((1, false))),
            ("id", Some((3, false))),
            ("tail", Some((4, true))),
            ("b", None),
            ("", None),
        ] {
            assert_eq!(position(Some(&template), name), expected, "{name}");
        }
        assert_eq!(
            position(Some(&PathMatch::Prefix("/a/{x}".to_owned())), "x"),
            None
        );
        assert_eq!(position(None, "x"), None);
    }
}
