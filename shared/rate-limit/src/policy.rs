//! The configuration, compiled.

use backstop_http::CidrSet;
use backstop_policy::{RequestMatch, ResponseTemplate, Rollout};
use serde::Serialize;

use crate::bucket::{Rate, Time};
use crate::config::{
    Config, ConfigError, Interval, KeyPart, Limit, LimitHeaders, Mode, OnFull, OnUnavailable,
    Requests, TableConfig,
};
use crate::global::Global;
use crate::key::Part;
use crate::table::Layout;

/// The most limits of one configuration.
const MAX_LIMITS: usize = 256;
/// From empty to full, at most.
const MAX_WINDOW_SECONDS: u64 = 366 * 24 * 3600;

/// What one configuration says, ready for requests.
#[derive(Debug)]
pub struct Policy {
    pub(crate) limits: Vec<CompiledLimit>,
    pub(crate) exempt: Vec<RequestMatch>,
    pub(crate) trusted: CidrSet,
    /// Limits that a rate-limit service counts.
    pub global: Option<Global>,
    pub(crate) namespace: Option<String>,
    pub(crate) rollout: Rollout,
    pub(crate) on_full: OnFull,
    pub(crate) on_unavailable: OnUnavailable,
    pub(crate) response: ResponseTemplate,
    pub(crate) headers: LimitHeaders,
    /// Whether decisions are logged.
    pub log: bool,
    /// Whether only limited requests are logged.
    pub log_only_limited: bool,
    /// Whether metrics are kept.
    pub metrics: bool,
}

/// One limit, compiled.
#[derive(Debug)]
pub(crate) struct CompiledLimit {
    pub(crate) name: String,
    pub(crate) requests: RequestMatch,
    pub(crate) key: Vec<Part>,
    pub(crate) rate: Rate,
    pub(crate) cost: Time,
    pub(crate) mode: Mode,
    pub(crate) layout: Layout,
    /// All that makes it this limit and no other, as text.
    pub(crate) identity: Vec<u8>,
}

/// What makes a limit the same after a reconfiguration.
#[derive(Serialize)]
struct Identity<'a> {
    name: &'a str,
    requests: &'a Requests,
    key: &'a [KeyPart],
    tokens_per_fill: u32,
    fill_interval: Interval,
    max_tokens: u32,
    shards: u32,
    ways: u32,
}

impl Policy {
    /// Reads and compiles JSON.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        Self::compile(&Config::from_json(json)?)
    }

    /// Compiles a configuration.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed.
    pub fn compile(config: &Config) -> Result<Self, ConfigError> {
        Self::compiled(config).map_err(|error| error.of("rate-limit"))
    }

    fn compiled(config: &Config) -> Result<Self, ConfigError> {
        let count = config.limits.len();
        if count > MAX_LIMITS || (count == 0 && config.global_limits.is_none()) {
            return Err(ConfigError::at(
                "limits",
                format_args!("{count} limits; there are 1 to {MAX_LIMITS}"),
            ));
        }
        if let Some(namespace) = &config.namespace
            && !is_name(namespace)
        {
            return Err(ConfigError::at(
                "namespace",
                format_args!(
                    "`{}` is not a name: 1 to 64 of a-z, 0-9, `-`, `_`, `.`, the first a letter or digit",
                    namespace.escape_debug()
                ),
            ));
        }
        let mut limits: Vec<CompiledLimit> = Vec::with_capacity(config.limits.len());
        for (index, limit) in config.limits.iter().enumerate() {
            let compiled = CompiledLimit::compile(index, limit, &config.table)?;
            if limits.iter().any(|other| other.name == compiled.name) {
                return Err(ConfigError::at(
                    format_args!("limits[{index}].name"),
                    format_args!("there is another limit called `{}`", compiled.name),
                ));
            }
            limits.push(compiled);
        }
        let mut exempt = Vec::with_capacity(config.exempt.len());
        for (index, requests) in config.exempt.iter().enumerate() {
            let at = format!("exempt[{index}]");
            let requests = requests_of(&at, requests)?;
            if requests.is_every_request() {
                return Err(ConfigError::at(
                    at,
                    "exempts every request; give at least one of `path`, `hosts`, `methods`",
                ));
            }
            exempt.push(requests);
        }
        for (index, network) in config.trusted_clients.iter().enumerate() {
            CidrSet::parse([network])
                .map_err(|error| ConfigError::at(format_args!("trustedClients[{index}]"), error))?;
        }
        Ok(Self {
            limits,
            exempt,
            trusted: CidrSet::parse(&config.trusted_clients)
                .map_err(|error| ConfigError::at("trustedClients", error))?,
            global: config
                .global_limits
                .as_ref()
                .map(Global::compile)
                .transpose()?,
            namespace: config.namespace.clone(),
            rollout: Rollout::of(config.enforce_percent),
            on_full: config.table.on_full,
            on_unavailable: config.on_unavailable,
            response: ResponseTemplate::compile(&config.response.as_response())?,
            headers: config.headers.clone(),
            log: config.logging.enabled,
            log_only_limited: config.logging.only_limited,
            metrics: config.metrics.enabled,
        })
    }

    /// The names of the limits, in order.
    pub fn limit_names(&self) -> impl Iterator<Item = &str> {
        self.limits.iter().map(|limit| limit.name.as_str())
    }

    /// Whether responses to requests that pass get headers.
    pub const fn marks_allowed(&self) -> bool {
        self.headers.on_allowed && (self.headers.x_rate_limit || self.headers.rate_limit)
    }

    /// Bytes that all tables take in shared data, at most; for each port that requests come to, without a `namespace`.
    pub fn table_bytes(&self) -> usize {
        self.limits.iter().map(|limit| limit.layout.bytes()).sum()
    }
}

impl CompiledLimit {
    fn compile(index: usize, limit: &Limit, table: &TableConfig) -> Result<Self, ConfigError> {
        let at = |field: &str| format!("limits[{index}].{field}");
        if !is_name(&limit.name) {
            return Err(ConfigError::at(
                at("name"),
                format_args!(
                    "`{}` is not a limit's name: 1 to 64 of a-z, 0-9, `-`, `_`, `.`, the first a letter or digit",
                    limit.name
                ),
            ));
        }
        let max_tokens = limit.max_tokens.unwrap_or(limit.tokens_per_fill).0;
        let fill_nanos = limit.fill_interval.nanos();
        if fill_nanos < 1_000_000 {
            return Err(ConfigError::at(
                at("fillInterval"),
                format_args!("{} is too short; it is at least 1ms", limit.fill_interval),
            ));
        }
        if limit.cost.0 > max_tokens {
            return Err(ConfigError::at(
                at("cost"),
                format_args!(
                    "a request that costs {} never passes a bucket of {max_tokens}",
                    limit.cost.0
                ),
            ));
        }
        let rate = Rate::new(limit.tokens_per_fill.0, fill_nanos, max_tokens);
        if rate.window_seconds() > MAX_WINDOW_SECONDS {
            return Err(ConfigError::at(
                at("maxTokens"),
                format_args!(
                    "{max_tokens} tokens take longer than 366 days to come back at {} in {}",
                    limit.tokens_per_fill.0, limit.fill_interval
                ),
            ));
        }
        let requests = requests_of(&at("match"), &limit.requests)?;
        let path = limit.requests.path.as_ref();
        let mut key = Vec::with_capacity(limit.key.len());
        for (position, part) in limit.key.iter().enumerate() {
            key.push(Part::compile(at(&format!("key[{position}]")), part, path)?);
        }
        let slots = if key.is_empty() {
            1
        } else {
            limit.slots.unwrap_or(table.slots).0
        };
        let layout = Layout::of(slots, table.ways.0);
        let identity = serde_json::to_vec(&Identity {
            name: &limit.name,
            requests: &limit.requests,
            key: &limit.key,
            tokens_per_fill: limit.tokens_per_fill.0,
            fill_interval: limit.fill_interval,
            max_tokens,
            shards: layout.shards,
            ways: layout.ways,
        })
        .map_err(|error| ConfigError::at(format_args!("limits[{index}]"), error))?;
        Ok(Self {
            name: limit.name.clone(),
            requests,
            key,
            rate,
            cost: rate.time_of(limit.cost.0),
            mode: limit.mode,
            layout,
            identity,
        })
    }
}

pub(crate) fn requests_of(at: &str, requests: &Requests) -> Result<RequestMatch, ConfigError> {
    RequestMatch::compile(
        &at,
        requests.path.as_ref(),
        &requests.hosts,
        &requests.methods,
    )
}

/// Whether a name is safe in metric names, headers and logs.
fn is_name(name: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 64
        && name.bytes().next().is_some_and(letter)
        && name
            .bytes()
            .all(|byte| letter(byte) || matches!(byte, b'-' | b'_' | b'.'))
}
