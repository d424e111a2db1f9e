//! Secrets as their digests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config;

/// SHA-256.
pub type Digest = [u8; 32];

/// The digest of a header's value.
pub fn digest(value: &[u8]) -> Digest {
    Sha256::digest(value).into()
}

/// An accepted secret.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    digest: Digest,
    /// Seconds since 1970: from the first on, up to but not at the second.
    valid: (i64, i64),
}

/// Why a secret of the configuration cannot be used: the field, and the message.
pub(crate) type Fault = (&'static str, String);

impl Entry {
    pub(crate) fn compile(secret: &config::Secret) -> Result<Self, Fault> {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if secret.name.is_empty() || secret.name.len() > 64 || !secret.name.bytes().all(word) {
            let message = format!(
                "`{}` is not a name: letters, digits, `-` and `_`, at most 64",
                secret.name.escape_debug()
            );
            return Err(("name", message));
        }
        // The text is not repeated in the message: somebody may have put the secret itself there.
        let digest = STANDARD
            .decode(&secret.sha256)
            .ok()
            .and_then(|bytes| Digest::try_from(bytes).ok())
            .ok_or_else(|| {
                let message =
                    "not a SHA-256 in base64 (44 characters); `backstop hash-secret` makes it";
                ("sha256", message.to_owned())
            })?;
        if digest == self::digest(b"") {
            return Err(("sha256", "the digest of nothing at all".to_owned()));
        }
        let from = moment("notBefore", secret.not_before.as_deref())?.unwrap_or(i64::MIN);
        let until = moment("notAfter", secret.not_after.as_deref())?.unwrap_or(i64::MAX);
        if from >= until {
            let message = "not later than notBefore, so that the secret is never accepted";
            return Err(("notAfter", message.to_owned()));
        }
        Ok(Self {
            name: secret.name.clone(),
            digest,
            valid: (from, until),
        })
    }

    /// Whether it is accepted at some times only.
    pub(crate) const fn is_dated(&self) -> bool {
        self.valid.0 != i64::MIN || self.valid.1 != i64::MAX
    }

    /// Whether it is too early, or too late, for it.
    pub(crate) const fn untimely(&self, unix_seconds: i64) -> Option<Untimely> {
        if unix_seconds < self.valid.0 {
            Some(Untimely::Early)
        } else if unix_seconds >= self.valid.1 {
            Some(Untimely::Late)
        } else {
            None
        }
    }
}

/// How a moment misses a secret's validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untimely {
    Early,
    Late,
}

fn moment(field: &'static str, text: Option<&str>) -> Result<Option<i64>, Fault> {
    let Some(text) = text else { return Ok(None) };
    match OffsetDateTime::parse(text, &Rfc3339) {
        Ok(moment) => Ok(Some(moment.unix_timestamp())),
        Err(_) => Err((
            field,
            format!(
                "`{}` is not a moment in RFC 3339, as in `2026-11-22T00:00:00Z`",
                text.escape_debug()
            ),
        )),
    }
}

/// The position of the entry that `value` is the secret of. Every entry is compared in full, whichever one it is.
pub(crate) fn find(entries: &[Entry], value: &[u8]) -> Option<usize> {
    let sought = digest(value);
    let mut found = u32::MAX;
    for (position, entry) in (0_u32..).zip(entries) {
        let same: Choice = entry.digest.ct_eq(&sought);
        found.conditional_assign(&position, same);
    }
    usize::try_from(found).ok().filter(|at| *at < entries.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha_256() {
        // FIPS 180-4's example.
        assert_eq!(
            STANDARD.encode(digest(b"abc")),
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
    }

    #[test]
    fn each_entry_is_found_by_its_own_value_only() {
        let entries: Vec<Entry> = ["one", "two", "three"]
            .iter()
            .map(|value| Entry {
                name: (*value).to_owned(),
                digest: digest(value.as_bytes()),
                valid: (i64::MIN, i64::MAX),
            })
            .collect();
        for (position, value) in ["one", "two", "three"].iter().enumerate() {
            assert_eq!(find(&entries, value.as_bytes()), Some(position));
        }
        for value in [&b""[..], b"One", b"one ", b"\xff"] {
            assert_eq!(find(&entries, value), None);
        }
        assert_eq!(find(&[], b"one"), None);
    }
}
