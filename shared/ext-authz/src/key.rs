//! What verdicts are remembered by.

use std::fmt;
use std::net::IpAddr;

use backstop_http::cookies::cookie;
use backstop_http::{Headers, NormalizedPath, Occurrence};
use backstop_policy::ConfigError;
use backstop_policy::answer::is_field_name;
use backstop_table::KeyHasher;

use crate::config::KeyPart;

/// One part of a key, compiled.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Address,
    Header(Vec<u8>),
    Cookie(Vec<u8>),
    Path,
}

impl Part {
    /// Compiles the part at `at`.
    pub(crate) fn compile(at: impl fmt::Display, part: &KeyPart) -> Result<Self, ConfigError> {
        let named = |field: &str, name: &str| {
            if is_field_name(name) {
                Ok(name.as_bytes().to_vec())
            } else {
                Err(ConfigError::at(
                    format_args!("{at}.{field}.name"),
                    format_args!("`{name}` is not a name that a header or cookie can have"),
                ))
            }
        };
        Ok(match part {
            KeyPart::ClientAddress(_) => Self::Address,
            KeyPart::Header(header) => {
                Self::Header(named("header", &header.name)?.to_ascii_lowercase())
            }
            KeyPart::Cookie(cookie) => Self::Cookie(named("cookie", &cookie.name)?),
            KeyPart::Path(_) => Self::Path,
        })
    }
}

/// Adds a request's key to a hash; `None` if it lacks a part, or has it more than once.
pub(crate) fn hash(
    parts: &[Part],
    headers: &Headers,
    path: &NormalizedPath<'_>,
    client: Option<IpAddr>,
    mut hasher: KeyHasher,
) -> Option<u128> {
    for (index, part) in parts.iter().enumerate() {
        let kind = u8::try_from(index).unwrap_or(u8::MAX);
        match part {
            Part::Address => hasher.field(kind, client?.to_string().as_bytes()),
            Part::Header(name) => hasher.field(kind, said(headers.occurrence(name))?),
            Part::Cookie(name) => hasher.field(kind, said(cookie(headers, name))?),
            Part::Path => hasher.field(kind, path.as_bytes()),
        }
    }
    Some(hasher.finish())
}

/// What is there once and not empty.
fn said(value: Occurrence<'_>) -> Option<&[u8]> {
    value.once().filter(|value| !value.is_empty())
}
