//! The configuration as an operator writes it (JSON, camelCase), and the error that says what is wrong with it.
//!
//! An unknown field is an error, because a misspelled API or header list would otherwise be a check that nobody makes.

mod api;
mod cache;
mod check;
mod service;
mod verdict;

use backstop_policy::{Response, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use api::{Api, BotToken, Requests};
pub use backstop_block_list::config::{BlockList, Scope};
pub use backstop_policy::{ConfigError, Interval, PathMatch};
pub use cache::{Cache, CacheTtl, ClientAddress, Cookie, Header, KeyPart, WholePath};
pub use check::Check;
pub use service::{GrpcService, HttpService, Service};
pub use verdict::{Breaker, Challenge, Throttle};

/// Configuration of the ext_authz call-out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// Whether verdicts are enforced (default), or only reported: then every request passes. One that the gateway itself
    /// would refuse for its token or its path is not asked about.
    pub mode: Mode,
    /// The share of the clients, in percent (default 100), that verdicts are enforced for; all others' are only reported. A
    /// client is in or out by a hash of its address, the same in every filter and gateway, and who is in stays in as the number
    /// grows.
    pub enforce_percent: Whole<0, 100>,
    /// The critical APIs. The first that matches a request counts.
    pub apis: Vec<Api>,
    /// Requests that are no critical API's, each by every one of `path`, `hosts` and `methods` that is given; never for a
    /// request whose path servers may read in different ways.
    pub exclude: Vec<Requests>,
    /// What happens to a critical API's request whose path servers may read in different ways (`//`, `..`, `;a=b`, `%2f`):
    /// `normalize` (default) checks it as the API that it may reach, `reject` answers 400.
    pub on_ambiguous_path: OnAmbiguousPath,
    /// Whether paths match without regard to ASCII capitals, for services that route so.
    pub case_insensitive_paths: bool,
    /// Who is asked. Needed as soon as there is an API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// What the service is told about a request.
    pub check: Check,
    /// What happens to a request that the service gave no verdict on (time-out, unreachable, malformed answer, error,
    /// breaker open): `allow` (default) or `deny`.
    pub failure_mode: FailureMode,
    /// The status of the answer when `failureMode` is `deny` (default 403, as Envoy's own).
    pub status_on_error: Whole<400, 599>,
    /// The circuit breaker.
    pub breaker: Breaker,
    /// THROTTLE verdicts.
    pub throttle: Throttle,
    /// CHALLENGE verdicts.
    pub challenge: Challenge,
    /// The header that carries the bot token, where an API demands one.
    pub bot_token: BotToken,
    /// Remembered verdicts; none if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Cache>,
    /// The block list; none if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_list: Option<BlockList>,
    /// The answer to a refused request: BLOCK without a body of the service's, block list, bot token. Its status is for
    /// these refusals of the gateway's own; a verdict has the service's.
    pub response: Response,
    /// The decision log.
    pub logging: Logging,
    /// Metrics.
    pub metrics: Metrics,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            enforce_percent: Whole(100),
            apis: Vec::new(),
            exclude: Vec::new(),
            on_ambiguous_path: OnAmbiguousPath::Normalize,
            case_insensitive_paths: false,
            service: None,
            check: Check::default(),
            failure_mode: FailureMode::Allow,
            status_on_error: Whole(403),
            breaker: Breaker::default(),
            throttle: Throttle::default(),
            challenge: Challenge::default(),
            bot_token: BotToken::default(),
            cache: None,
            block_list: None,
            response: Response::default(),
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
        backstop_policy::read(json).map_err(|error| error.of("ext-authz"))
    }
}

/// Whether verdicts are enforced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// They are logged and counted, and requests pass.
    Report,
}

/// What happens to a request whose path servers may read in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnAmbiguousPath {
    /// It is checked as the API that it may reach.
    Normalize,
    /// It is answered with 400.
    Reject,
}

/// What happens to a request without a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FailureMode {
    /// It passes.
    Allow,
    /// It is refused with `statusOnError`.
    Deny,
}

/// The decision log: one JSON line per request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Logging {
    /// Whether decisions are logged.
    pub enabled: bool,
    /// Whether verdicts of NONE are left out (default).
    pub only_unusual: bool,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            enabled: true,
            only_unusual: true,
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
