//! The configuration as an operator writes it (JSON, camelCase), and the error that says what is wrong with it.
//!
//! Everything has a default: an empty configuration inspects everything and blocks. An unknown field is an error, because
//! a misspelled exclusion or mode would otherwise be a hole that nobody sees.

mod body;
mod categories;
mod custom;
mod exclusion;
mod work;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use backstop_block_list::config::BlockList;
pub use backstop_policy::{ConfigError, MAX_SIZE, PathMatch, Response, Size, Whole};
pub use body::{Compressed, OnLimit, RequestBody};
pub use categories::{BotScanner, Categories, CategoryConfig, Ssrf};
pub use custom::{CustomAction, CustomRule, CustomRuleLimit, MAX_CUSTOM_RULES};
pub use exclusion::{CategoryKey, Exclusion};
pub use work::{DEFAULT_STEPS, WorkLimit};

/// Configuration of the WAF filter.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// What happens to a request that reaches the score threshold. `block` (default) refuses it, `detect` only reports
    /// it and never holds anything back. A first roll-out in front of unknown traffic starts with `detect`.
    pub mode: Mode,
    /// The share of the clients, in percent (default 100), that `block` is for; all others' requests are treated as in
    /// `detect`, whatever categories and custom rules say. A client is in or out by a hash of its address, the same in every
    /// filter and gateway, and who is in stays in as the number grows.
    pub enforce_percent: Whole<0, 100>,
    /// How strict the rules are: 1 (default) is for every site, 2 also reports code-like text, 3 is for routes that take
    /// plain identifiers only.
    pub sensitivity: Whole<1, 3>,
    /// The score from which on a request is refused. Each rule counts once per request: critical 5, error 4, warning 3,
    /// notice 2.
    pub score_threshold: Whole<1, 1000>,
    /// Switches per category.
    pub categories: Categories,
    /// Switches per rule.
    pub rules: Rules,
    /// What is not to be inspected where.
    pub exclusions: Vec<Exclusion>,
    /// Rules of your own, as virtual patches: at most 64.
    #[schemars(length(max = MAX_CUSTOM_RULES))]
    pub custom_rules: Vec<CustomRule>,
    /// How much of a request custom rules may read.
    pub custom_rule_limit: CustomRuleLimit,
    /// Clients that are not inspected, as addresses or networks (CIDR). Compared with the address that Envoy vouches for
    /// (`source.address`: the connection, or X-Forwarded-For as far as `xff_num_trusted_hops` trusts it), never with a
    /// header.
    pub trusted_clients: Vec<String>,
    /// Inspection of request bodies.
    pub request_body: RequestBody,
    /// How much work inspecting one request may be.
    pub work_limit: WorkLimit,
    /// Clients that are refused before they are inspected, and that what is found lists; none if not given. They are answered
    /// as other refused requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_list: Option<BlockList>,
    /// The answer to a refused request.
    pub response: Response,
    /// The decision log.
    pub logging: Logging,
    /// Metrics.
    pub metrics: Metrics,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Block,
            enforce_percent: Whole(100),
            sensitivity: Whole(1),
            score_threshold: Whole(5),
            categories: Categories::default(),
            rules: Rules::default(),
            exclusions: Vec::new(),
            custom_rules: Vec::new(),
            custom_rule_limit: CustomRuleLimit::default(),
            trusted_clients: Vec::new(),
            request_body: RequestBody::default(),
            work_limit: WorkLimit::default(),
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
        backstop_policy::read(json).map_err(|error| error.of("waf"))
    }

    /// The same for clients that nothing is enforced for: what would be refused is reported as such.
    pub(crate) fn in_detect_mode(&self) -> Self {
        let mut config = self.clone();
        config.mode = Mode::Detect;
        config.enforce_percent = Whole(100);
        config.categories.reset_modes();
        config.block_list = None;
        for rule in &mut config.custom_rules {
            if rule.action == CustomAction::Block {
                rule.action = CustomAction::Score;
                rule.score = Whole(rule.score.0.max(config.score_threshold.0));
            }
        }
        config
    }
}

/// Whether what is found is refused or only reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Refuse the request.
    Block,
    /// Report, let pass.
    Detect,
}

impl Mode {
    /// The word in logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Detect => "detect",
        }
    }
}

/// Switches per rule.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rules {
    /// Rules that are off, by name (`sql-union`) or number (`"1001"`).
    pub disabled: Vec<String>,
}

/// The decision log: one JSON line per phase of a request (headers, body) that found something.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Logging {
    /// Whether decisions are logged.
    pub enabled: bool,
    /// Whether the text that matched is logged (at most 100 bytes; secrets are masked in any case).
    pub matched: bool,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            enabled: true,
            matched: true,
        }
    }
}

/// Metrics.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Metrics {
    /// Whether metrics are kept.
    pub enabled: bool,
    /// Inspection time is measured for one request in this many (0: never), since the clock costs about as much as a
    /// quarter of an inspection.
    pub time_one_in: Whole<0, 1_000_000>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            enabled: true,
            time_one_in: Whole(64),
        }
    }
}
