//! The configuration as an operator writes it (JSON, camelCase), and the error that says what is wrong with it.
//!
//! An unknown field is an error, because a misspelled match or key would otherwise be a limit that nobody has.

mod answer;
mod global;
mod key;
mod limit;

use backstop_policy::Whole;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use answer::{LimitHeaders, LimitResponse};
pub use backstop_policy::{ConfigError, Interval, PathMatch};
pub use global::{Descriptor, DescriptorEntry, FailureMode, GlobalLimits};
pub use key::{ClientAddress, Cookie, Header, IfAbsent, JwtClaim, KeyPart, PathVariable};
pub use limit::{Limit, Mode, Requests};

/// Configuration of the rate-limit filter.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The limits. All that match a request apply, and it takes its tokens only when every one that enforces allows it.
    pub limits: Vec<Limit>,
    /// Requests that no limit applies to, each by every one of `path`, `hosts` and `methods` that is given; never for a
    /// request whose path servers may read in different ways.
    pub exempt: Vec<Requests>,
    /// Clients that no limit applies to, as addresses or networks (CIDR). Compared with the address that Envoy vouches for
    /// (`source.address`: the connection, or X-Forwarded-For as far as `xff_num_trusted_hops` trusts it), never with a
    /// header.
    pub trusted_clients: Vec<String>,
    /// The share of the clients, in percent (default 100), that limits are enforced for; for all others every limit is in
    /// shadow mode. A client is in or out by a hash of its address, the same in every filter and gateway, and who is in stays
    /// in as the number grows.
    pub enforce_percent: Whole<0, 100>,
    /// Limits that a rate-limit service counts, for all proxies together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub global_limits: Option<GlobalLimits>,
    /// Whose the buckets are. Without a name (default) they belong to the plugin and to the listener's port: two plugins, and
    /// two listeners with the same configuration, never share buckets. With one, all that have this name, the same plugin
    /// name and root id, and the same limit share them, on whatever port: say it when a client may choose between ports (80
    /// and 443) but shall not get the limit twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The tables that the buckets live in.
    pub table: TableConfig,
    /// What happens when the proxy has no shared data to keep buckets in: `allow` (default) or `deny` every request.
    pub on_unavailable: OnUnavailable,
    /// The answer to a limited request.
    pub response: LimitResponse,
    /// Headers that tell the client about its limits.
    pub headers: LimitHeaders,
    /// The decision log.
    pub logging: Logging,
    /// Metrics.
    pub metrics: Metrics,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Vec::new(),
            exempt: Vec::new(),
            trusted_clients: Vec::new(),
            enforce_percent: Whole(100),
            global_limits: None,
            namespace: None,
            table: TableConfig::default(),
            on_unavailable: OnUnavailable::Allow,
            response: LimitResponse::default(),
            headers: LimitHeaders::default(),
            logging: Logging::default(),
            metrics: Metrics::default(),
        }
    }
}

impl Config {
    /// Reads JSON. No bytes at all (a plugin without `pluginConfig`) are the defaults.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        backstop_policy::read(json).map_err(|error| error.of("rate-limit"))
    }
}

/// Where buckets are kept: one table for each limit (and for each port, without a `namespace`), in the proxy's shared data, so that all workers take from the same
/// buckets. A table is made of shards, each of `ways` buckets; a key's hash says in which shard its bucket is. It takes
/// `slots * 24 + slots / ways * 40` bytes (16384 slots: 394 KiB) however many clients there are, and 64 bytes for a limit
/// whose `key` is empty. The proxy needs about 100 bytes more for each shard.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TableConfig {
    /// Buckets of a limit: keys that are *not* full at the same time. A bucket that is full again is as good as none and
    /// gives its place away. A limit can set its own `slots`.
    pub slots: Whole<1, 4_194_304>,
    /// Buckets of a shard. More of them make it rarer that one shard is full while others have room; each request reads and
    /// writes one shard (64 ways: 1576 bytes).
    pub ways: Whole<1, 512>,
    /// What happens to a key that finds its shard full of buckets none of which is full.
    pub on_full: OnFull,
}

impl Default for TableConfig {
    fn default() -> Self {
        Self {
            slots: Whole(16_384),
            ways: Whole(64),
            on_full: OnFull::ShareBucket,
        }
    }
}

/// What happens to a key without a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnFull {
    /// It shares one bucket with all other keys of its shard that have no place: a flood of new keys is limited as if it
    /// were one client for each shard, and quiet clients among them with it.
    ShareBucket,
    /// It passes uncounted: a flood of new keys is not limited, and nobody is limited falsely.
    Allow,
    /// It is refused: nothing of a flood passes, nor do quiet clients that come new.
    Deny,
}

/// What happens when the proxy has no shared data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnUnavailable {
    /// Requests pass uncounted.
    Allow,
    /// Requests are refused.
    Deny,
}

/// The decision log: one JSON line per request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Logging {
    /// Whether decisions are logged.
    pub enabled: bool,
    /// Whether only limited requests are logged, those of shadow limits included (default), or every request that a limit
    /// applies to.
    pub only_limited: bool,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            enabled: true,
            only_limited: true,
        }
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
