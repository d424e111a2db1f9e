//! One limit.

use backstop_policy::{Interval, PathMatch, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::KeyPart;

/// One limit: for each key a token bucket that holds `maxTokens` and gets `tokensPerFill` more every `fillInterval`, evenly
/// spread over it. A reconfiguration that leaves `name`, `match`, `key`, the three numbers and `slots` as they were keeps
/// the buckets; with any of them changed, the limit starts with full ones.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Limit {
    /// The name in metrics, logs and headers: lower-case letters, digits, `-`, `_`, `.`; at most 64, unique.
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$"))]
    pub name: String,
    /// Which requests it applies to, however their path is spelled; all of them if not given.
    #[serde(default, rename = "match")]
    pub requests: Requests,
    /// What a bucket is for: one for each combination of these parts. None (default): one bucket for all requests.
    #[serde(default)]
    pub key: Vec<KeyPart>,
    /// Tokens that come back in each `fillInterval`.
    pub tokens_per_fill: Whole<1, 1_000_000_000>,
    /// The time in which they come back, from `"1ms"` on.
    pub fill_interval: Interval,
    /// Tokens that a bucket holds, and so the burst that it allows; `tokensPerFill` if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<Whole<1, 1_000_000_000>>,
    /// Tokens that a request takes.
    #[serde(default = "one")]
    pub cost: Whole<1, 1_000_000_000>,
    /// Whether it limits, or only reports what it would limit.
    #[serde(default)]
    pub mode: Mode,
    /// Buckets of this limit's table, if not `table.slots`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slots: Option<Whole<1, 4_194_304>>,
}

const fn one() -> Whole<1, 1_000_000_000> {
    Whole(1)
}

/// Requests by every one of the fields that is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Requests {
    /// The path, in its normalised form and without the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathMatch>,
    /// Hosts: `shop.example.com`, or `*.example.com` for every name below; the port does not matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Methods, upper case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
}

/// Whether a limit limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Requests beyond it are refused.
    #[default]
    Enforce,
    /// Requests beyond it are reported and pass.
    Shadow,
}

impl Mode {
    /// The word in logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }
}
