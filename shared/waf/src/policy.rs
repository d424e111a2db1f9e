//! The configuration, compiled.

use std::rc::Rc;

use backstop_block_list::BlockList;
use backstop_detect::{Category, CategorySet, Level, ScanOptions, Scanner, Work};
use backstop_http::{CidrSet, HostPattern, client_address};
use backstop_policy::{ResponseTemplate, Rollout};

use crate::config::{Compressed, Config, ConfigError, Mode, OnLimit};
use crate::custom::CustomRules;
use crate::exclusion::{Exclusion, rule_id};

/// What one configuration says, ready for requests. Shared by all transactions of a worker.
#[derive(Debug)]
pub struct Policy {
    pub(crate) mode: Mode,
    rollout: Rollout,
    /// For clients that the roll-out has not come to; none once it has come to all.
    in_detect_mode: Option<Rc<Policy>>,
    pub(crate) threshold: u32,
    /// Categories that are on.
    pub(crate) enabled: CategorySet,
    /// Categories that are on and block.
    pub(crate) blocking: CategorySet,
    level: Level,
    http_libraries: bool,
    allowed_hosts: Vec<HostPattern>,
    disabled_rules: Vec<u32>,
    pub(crate) exclusions: Vec<Exclusion>,
    pub(crate) custom: CustomRules,
    pub(crate) trusted: CidrSet,
    pub(crate) body: BodyPolicy,
    /// What a request may cost.
    pub(crate) work: Work,
    pub(crate) on_work_limit: OnLimit,
    pub(crate) response: ResponseTemplate,
    /// Clients that are refused before they are inspected.
    pub block_list: Option<BlockList>,
    /// Whether decisions are logged.
    pub log: bool,
    /// Whether matched text is logged.
    pub(crate) log_matched: bool,
    /// Whether metrics are kept.
    pub metrics: bool,
    /// One request in this many has its inspection timed; 0 for none.
    pub time_one_in: u32,
}

/// How bodies are inspected.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyPolicy {
    pub(crate) enabled: bool,
    pub(crate) limit: usize,
    pub(crate) on_limit: OnLimit,
    pub(crate) compressed: Compressed,
    pub(crate) hold_headers: bool,
}

impl Policy {
    /// Reads and compiles JSON; empty text is the default configuration.
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
        Self::compiled(config).map_err(|error| error.of("waf"))
    }

    fn compiled(config: &Config) -> Result<Self, ConfigError> {
        let mut enabled = CategorySet::NONE;
        let mut blocking = CategorySet::NONE;
        for category in Category::ALL {
            let (on, mode) = config.categories.of(category);
            if on {
                enabled = enabled.with(category);
                if mode.unwrap_or(config.mode) == Mode::Block {
                    blocking = blocking.with(category);
                }
            }
        }
        let custom = CustomRules::compile(config, |category| {
            category.is_none_or(|category| enabled.contains(category))
        })?;
        let mut disabled_rules = Vec::new();
        for (index, name) in config.rules.disabled.iter().enumerate() {
            let id = rule_id(name, &config.custom_rules).map_err(|message| {
                ConfigError::at(format_args!("rules.disabled[{index}]"), message)
            })?;
            disabled_rules.push(id);
        }
        let mut allowed_hosts = Vec::new();
        for (index, host) in config.categories.ssrf.allowed_hosts.iter().enumerate() {
            let pattern = HostPattern::parse(host).map_err(|error| {
                ConfigError::at(format_args!("categories.ssrf.allowedHosts[{index}]"), error)
            })?;
            allowed_hosts.push(pattern);
        }
        let exclusions = config
            .exclusions
            .iter()
            .enumerate()
            .map(|(index, exclusion)| Exclusion::compile(index, exclusion, &config.custom_rules))
            .collect::<Result<_, _>>()?;
        for (index, network) in config.trusted_clients.iter().enumerate() {
            CidrSet::parse([network])
                .map_err(|error| ConfigError::at(format_args!("trustedClients[{index}]"), error))?;
        }
        let trusted = CidrSet::parse(&config.trusted_clients)
            .map_err(|error| ConfigError::at("trustedClients", error))?;
        let body = &config.request_body;
        if body.enabled && body.limit.0 == 0 {
            return Err(ConfigError::at(
                "requestBody.limit",
                "0 inspects nothing; set `requestBody.enabled` to false for that",
            ));
        }
        Ok(Self {
            mode: config.mode,
            rollout: Rollout::of(config.enforce_percent),
            in_detect_mode: if config.enforce_percent.0 < 100 {
                Some(Rc::new(Self::compiled(&config.in_detect_mode())?))
            } else {
                None
            },
            threshold: config.score_threshold.0,
            enabled,
            blocking,
            level: match config.sensitivity.0 {
                1 => Level::One,
                2 => Level::Two,
                _ => Level::Three,
            },
            http_libraries: config.categories.bot_scanner.http_libraries,
            allowed_hosts,
            disabled_rules,
            exclusions,
            custom,
            trusted,
            body: BodyPolicy {
                enabled: body.enabled,
                limit: body.limit.0,
                on_limit: body.on_limit,
                compressed: body.compressed,
                hold_headers: body.hold_headers,
            },
            work: Work::of(u64::from(config.work_limit.steps.0)),
            on_work_limit: config.work_limit.on_limit,
            response: ResponseTemplate::compile(&config.response)?,
            block_list: config
                .block_list
                .as_ref()
                .map(|list| BlockList::compile(list, list_mode(config.mode)))
                .transpose()?,
            log: config.logging.enabled,
            log_matched: config.logging.matched,
            metrics: config.metrics.enabled,
            time_one_in: config.metrics.time_one_in.0,
        })
    }

    /// The answer to a refused request.
    pub const fn refusal(&self) -> &ResponseTemplate {
        &self.response
    }

    /// The clients that refusals are enforced for.
    pub const fn rollout(&self) -> Rollout {
        self.rollout
    }

    /// What of this policy is for the client that `address` tells; asked for only while the policy is rolled out.
    pub(crate) fn of_client(
        self: &Rc<Self>,
        address: impl FnOnce() -> Option<Vec<u8>>,
    ) -> &Rc<Self> {
        let Some(in_detect_mode) = &self.in_detect_mode else {
            return self;
        };
        let client = if self.rollout.asks() {
            address().and_then(|address| client_address(&address))
        } else {
            None
        };
        if self.rollout.enforces(client) {
            self
        } else {
            in_detect_mode
        }
    }

    /// A scanner for this policy. It keeps buffers, so one is shared by a worker's transactions.
    pub fn scanner(&self) -> Scanner {
        Scanner::new(ScanOptions {
            level: self.level,
            categories: self.enabled,
            http_libraries: self.http_libraries,
            allowed_hosts: self.allowed_hosts.clone(),
        })
    }

    pub(crate) fn is_disabled(&self, rule: u32) -> bool {
        self.disabled_rules.contains(&rule)
    }

    /// Whether what is found in `category` (`None`: by a custom rule without one) counts towards a refusal.
    pub(crate) fn is_blocking(&self, category: Option<Category>) -> bool {
        match category {
            Some(category) => self.blocking.contains(category),
            None => self.mode == Mode::Block,
        }
    }

    /// Whether a body can be refused, so that it has to be held until its verdict.
    pub(crate) fn holds_bodies(&self) -> bool {
        !self.blocking.is_empty()
            || (self.mode == Mode::Block && self.body.on_limit == OnLimit::Reject)
            || self
                .custom
                .refuse_bodies(|category| self.is_blocking(category))
    }
}

/// A WAF that refuses nobody has no list that does.
const fn list_mode(mode: Mode) -> backstop_block_list::Mode {
    match mode {
        Mode::Block => backstop_block_list::Mode::Enforce,
        Mode::Detect => backstop_block_list::Mode::Report,
    }
}
