//! The configuration as an operator writes it (JSON, camelCase).

use backstop_policy::{ConfigError, PathMatch, Response, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of the origin-verify filter.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// The header that carries the secret; removed from every request before it goes on.
    #[serde(default = "default_header")]
    pub header_name: String,
    /// What happens to a request without a valid secret. `enforce` (default) refuses it, `report` only counts and logs it.
    #[serde(default)]
    pub mode: Mode,
    /// The share of the clients, in percent (default 100), that `enforce` is for; all others' requests are only counted and
    /// logged. A client is in or out by a hash of its address, the same in every filter and gateway, and who is in stays
    /// in as the number grows.
    #[serde(default = "all")]
    pub enforce_percent: Whole<0, 100>,
    /// The secrets that are accepted: one, and during a rotation the old and the new one.
    pub secrets: Vec<Secret>,
    /// Requests that need no secret. The header is removed from these, too.
    #[serde(default)]
    pub exempt: Exempt,
    /// The answer to a refused request.
    #[serde(default)]
    pub response: Response,
    /// The decision log.
    #[serde(default)]
    pub logging: Logging,
    /// Metrics.
    #[serde(default)]
    pub metrics: Metrics,
}

const fn all() -> Whole<0, 100> {
    Whole(100)
}

fn default_header() -> String {
    "x-origin-verify".to_owned()
}

impl Config {
    /// Reads JSON.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        backstop_policy::read(json).map_err(|error| error.of("origin-verify"))
    }
}

/// What happens to a request without a valid secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Refuse the request.
    #[default]
    Enforce,
    /// Report, let pass.
    Report,
}

impl Mode {
    /// The word in logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Report => "report",
        }
    }
}

/// A secret that is accepted, by its digest. `backstop hash-secret` makes the entry.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Secret {
    /// The name in metrics and logs: letters, digits, `-`, `_`, at most 64. Shows which secret is still in use.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{1,64}$"))]
    pub name: String,
    /// SHA-256 of the header's value, in base64 (44 characters). The secret itself is nowhere in the configuration: it must
    /// be random, at least 128 bits, since a digest of a guessable one can be reversed.
    #[schemars(regex(pattern = "^[A-Za-z0-9+/]{43}=$"))]
    pub sha256: String,
    /// From when on it is accepted (RFC 3339, `2026-11-22T00:00:00Z`). Absent: always was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    /// Until when it is accepted (RFC 3339), that moment excluded. Absent: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<String>,
}

/// Requests that need no secret.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Exempt {
    /// Paths; never for a request whose path servers may read in different ways.
    pub paths: Vec<PathMatch>,
    /// Clients, as addresses or networks (CIDR), such as the load balancer's health checkers. Compared with the address
    /// that Envoy vouches for (`source.address`), never with a header.
    pub clients: Vec<String>,
}

/// The decision log: one JSON line for each request without a valid secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Logging {
    /// Whether decisions are logged.
    pub enabled: bool,
}

impl Default for Logging {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Metrics.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Metrics {
    /// Whether metrics are kept.
    pub enabled: bool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { enabled: true }
    }
}
