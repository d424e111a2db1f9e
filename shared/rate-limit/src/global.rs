//! Limits that a rate-limit service counts, compiled: what it is asked about a request.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use backstop_policy::call::authority;
use backstop_policy::{ConfigError, Interval, RequestMatch};
use backstop_rls as rls;
use sha2::{Digest, Sha256};

use crate::config::{Descriptor, DescriptorEntry, FailureMode, GlobalLimits, IfAbsent, Mode};
use crate::key::{Part, Request, Value};
use crate::policy::requests_of;

/// The most descriptors of one configuration, and entries of one of them.
const MAX_DESCRIPTORS: usize = 64;
const MAX_ENTRIES: usize = 16;
/// The longest wait, in milliseconds.
const MAX_TIMEOUT: u64 = 60_000;
/// The longest text of a client that is sent as it is.
const MAX_PLAIN: usize = 64;

/// The service and what it is asked.
#[derive(Debug)]
pub struct Global {
    /// The service's cluster.
    pub cluster: String,
    /// The authority that it is called by.
    pub authority: String,
    /// The domain of its configuration.
    pub domain: String,
    /// How long a request waits, in milliseconds; never 0.
    pub timeout_millis: u32,
    pub(crate) failure_mode: FailureMode,
    pub(crate) status_on_error: u32,
    pub(crate) mode: Mode,
    descriptors: Vec<CompiledDescriptor>,
}

#[derive(Debug)]
struct CompiledDescriptor {
    requests: RequestMatch,
    entries: Vec<(String, Source)>,
}

/// Where an entry's value comes from.
#[derive(Debug)]
enum Source {
    Fixed(String),
    Request(Part),
}

impl Global {
    pub(crate) fn compile(config: &GlobalLimits) -> Result<Self, ConfigError> {
        let at = |field: &str| format!("globalLimits.{field}");
        if config.cluster.is_empty() || !config.cluster.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let message = format!(
                "`{}` is not a cluster's name",
                config.cluster.escape_debug()
            );
            return Err(ConfigError::at(at("cluster"), message));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        if config.domain.is_empty() || config.domain.len() > 64 || !config.domain.bytes().all(plain)
        {
            let message = format!(
                "`{}` is not a domain: 1 to 64 letters, digits, `-`, `_`, `.`, `/`",
                config.domain.escape_debug()
            );
            return Err(ConfigError::at(at("domain"), message));
        }
        let count = config.descriptors.len();
        if count == 0 || count > MAX_DESCRIPTORS {
            let message = format!("{count} descriptors; there are 1 to {MAX_DESCRIPTORS}");
            return Err(ConfigError::at(at("descriptors"), message));
        }
        let mut descriptors = Vec::with_capacity(count);
        for (position, descriptor) in config.descriptors.iter().enumerate() {
            let at = at(&format!("descriptors[{position}]"));
            descriptors.push(CompiledDescriptor::compile(&at, descriptor)?);
        }
        Ok(Self {
            cluster: config.cluster.clone(),
            authority: authority(
                at("authority"),
                &config.cluster,
                config.authority.as_deref(),
            )?,
            domain: config.domain.clone(),
            timeout_millis: timeout(config.timeout)?,
            failure_mode: config.failure_mode,
            status_on_error: config.status_on_error.0,
            mode: config.mode,
            descriptors,
        })
    }

    /// The name in logs, metrics and response details.
    pub fn name(&self) -> String {
        format!("global:{}", self.domain)
    }

    /// Whether a descriptor is about the request.
    pub(crate) fn applies(&self, request: Request<'_>) -> bool {
        self.covering(request).next().is_some()
    }

    /// Whether the client's address has to be known for the request.
    pub(crate) fn needs_client(&self, request: Request<'_>) -> bool {
        let of_client = |(_, source): &(String, Source)| match source {
            Source::Request(part) => part.needs_client(),
            Source::Fixed(_) => false,
        };
        self.covering(request)
            .any(|descriptor| descriptor.entries.iter().any(of_client))
    }

    /// The question about the request, if there is anything to ask.
    pub(crate) fn question(&self, request: Request<'_>) -> Option<Vec<u8>> {
        let descriptors: Vec<rls::Descriptor> = self
            .covering(request)
            .filter_map(|descriptor| descriptor.of(request))
            .collect();
        (!descriptors.is_empty()).then(|| rls::question(&self.domain, descriptors))
    }

    fn covering<'a>(
        &'a self,
        request: Request<'a>,
    ) -> impl Iterator<Item = &'a CompiledDescriptor> {
        self.descriptors
            .iter()
            .filter(move |descriptor| descriptor.requests.covers(request.headers, request.path))
    }
}

fn timeout(timeout: Interval) -> Result<u32, ConfigError> {
    let millis = timeout.nanos() / 1_000_000;
    // 0 would be for ever.
    if !(1..=MAX_TIMEOUT).contains(&millis) {
        let message = format!("{timeout} is not between 1ms and 60s");
        return Err(ConfigError::at("globalLimits.timeout", message));
    }
    Ok(u32::try_from(millis).unwrap_or(1))
}

impl CompiledDescriptor {
    fn compile(at: &str, config: &Descriptor) -> Result<Self, ConfigError> {
        let count = config.entries.len();
        if count == 0 || count > MAX_ENTRIES {
            let message = format!("{count} entries; there are 1 to {MAX_ENTRIES}");
            return Err(ConfigError::at(format_args!("{at}.entries"), message));
        }
        let mut entries = Vec::with_capacity(count);
        for (position, entry) in config.entries.iter().enumerate() {
            let at = format!("{at}.entries[{position}]");
            if entry.key.is_empty() {
                return Err(ConfigError::at(format_args!("{at}.key"), "is empty"));
            }
            let source = source(&at, entry, config)?;
            entries.push((entry.key.clone(), source));
        }
        Ok(Self {
            requests: requests_of(&format!("{at}.match"), &config.requests)?,
            entries,
        })
    }

    /// The descriptor of a request; `None` if a part that it needs is missing.
    fn of(&self, request: Request<'_>) -> Option<rls::Descriptor> {
        let mut entries = Vec::with_capacity(self.entries.len());
        for (key, source) in &self.entries {
            let value = match source {
                Source::Fixed(value) => value.clone(),
                Source::Request(part) => text_of(part, request)?,
            };
            entries.push(rls::Entry {
                key: key.clone(),
                value,
            });
        }
        Some(rls::Descriptor { entries })
    }
}

fn source(at: &str, entry: &DescriptorEntry, of: &Descriptor) -> Result<Source, ConfigError> {
    match (&entry.value, &entry.from) {
        (Some(value), None) if !value.is_empty() => Ok(Source::Fixed(value.clone())),
        (None, Some(part)) => Part::compile(format!("{at}.from"), part, of.requests.path.as_ref())
            .map(Source::Request),
        _ => Err(ConfigError::at(
            at,
            "needs either `value`, which is not empty, or `from`",
        )),
    }
}

/// A part's value as text of bounded size.
fn text_of(part: &Part, request: Request<'_>) -> Option<String> {
    if let Part::Address { v4, v6 } = part {
        return Some(match request.client {
            Some(client) => network(client, *v4, *v6),
            None => "(absent)".to_owned(),
        });
    }
    Some(match part.value(request) {
        Value::Present(bytes) => text(&bytes),
        Value::Absent if part.if_absent() == IfAbsent::Skip => return None,
        Value::Absent => "(absent)".to_owned(),
        Value::Ambiguous => "(ambiguous)".to_owned(),
    })
}

fn text(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    match std::str::from_utf8(bytes) {
        Ok("") => "(empty)".to_owned(),
        Ok(text) if text.len() <= MAX_PLAIN && bytes.iter().all(plain) => text.to_owned(),
        _ => {
            let mut out = String::from("sha256:");
            for byte in Sha256::digest(bytes).iter().take(16) {
                for digit in [byte >> 4, byte & 15] {
                    out.extend(char::from_digit(u32::from(digit), 16));
                }
            }
            out
        }
    }
}

/// `203.0.113.7`, or with a shorter prefix `203.0.113.0/24`, as Envoy writes `remote_address` and
/// `masked_remote_address`.
fn network(address: IpAddr, v4: u32, v6: u32) -> String {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - v4.min(32)).unwrap_or(0);
            let network = Ipv4Addr::from_bits(address.to_bits() & mask);
            if v4 >= 32 {
                network.to_string()
            } else {
                format!("{network}/{v4}")
            }
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - v6.min(128)).unwrap_or(0);
            let network = Ipv6Addr::from_bits(address.to_bits() & mask);
            if v6 >= 128 {
                network.to_string()
            } else {
                format!("{network}/{v6}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_sends_is_plain_and_short_or_a_hash() {
        for (bytes, expected) in [
            (&b"kim 42"[..], "kim 42"),
            (b"", "(empty)"),
            (b"(absent)", "(absent)"),
            (&[b'a'; 64], "a".repeat(64).as_str()),
            (&[b'a'; 65], "sha256:635361c48bb9eab14198e76ea8ab7f1a"),
            (b"\xff", "sha256:a8100ae6aa1940d0b663bb31cd466142"),
            (
                "\u{ae40}".as_bytes(),
                "sha256:a0d5f241aa6fb544e5d26431e2f40a31",
            ),
        ] {
            assert_eq!(text(bytes), expected);
        }
        assert_ne!(text(b"a\r\n"), text(b"a\r"));
    }

    #[test]
    fn addresses_are_written_as_envoy_writes_them() {
        for (address, v4, v6, expected) in [
            ("203.0.113.77", 32, 64, "203.0.113.77"),
            ("203.0.113.77", 24, 64, "203.0.113.0/24"),
            ("203.0.113.77", 0, 64, "0.0.0.0/0"),
            ("2001:db8:0:1:2::3", 32, 64, "2001:db8:0:1::/64"),
            ("2001:db8::3", 32, 128, "2001:db8::3"),
            ("2001:db8::3", 32, 0, "::/0"),
        ] {
            assert_eq!(network(address.parse().unwrap(), v4, v6), expected);
        }
    }
}
