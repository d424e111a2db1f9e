//! The configuration, compiled.

use std::time::Duration;

use backstop_block_list::{BlockList, Mode as ListMode};
use backstop_policy::answer::is_field_name;
use backstop_policy::call::{MAX_TIMEOUT, authority, check_cluster, check_timeout};
use backstop_policy::{ResponseTemplate, Rollout};

use crate::api::{Apis, CriticalApi};
use crate::bot_token::BotToken;
use crate::breaker::Settings;
use crate::cache::Cache;
use crate::check::Question;
use crate::config::{Config, ConfigError, Mode, Service};
use crate::http_service::HttpProtocol;
use crate::verdict::Translation;

/// What one configuration says, ready for requests.
#[derive(Debug)]
pub struct Policy {
    pub(crate) mode: Mode,
    pub(crate) rollout: Rollout,
    pub(crate) apis: Apis,
    pub(crate) service: Option<Target>,
    pub(crate) question: Question,
    pub(crate) breaker: Option<Settings>,
    pub(crate) translation: Translation,
    pub(crate) bot_token: BotToken,
    pub(crate) cache: Option<Cache>,
    /// The block list.
    pub block_list: Option<BlockList>,
    /// How many requests a worker holds at once.
    pub max_held: usize,
    /// Whether decisions are logged.
    pub log: bool,
    /// Whether verdicts of NONE are left out of the log.
    pub log_only_unusual: bool,
    /// Whether metrics are kept.
    pub metrics: bool,
}

/// The service, compiled.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) cluster: String,
    pub(crate) protocol: Protocol,
}

/// The halves of the protocol.
#[derive(Debug)]
pub(crate) enum Protocol {
    Grpc {
        authority: String,
        metadata: Vec<(String, String)>,
    },
    Http(Box<HttpProtocol>),
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
        Self::compiled(config).map_err(|error| error.of("ext-authz"))
    }

    fn compiled(config: &Config) -> Result<Self, ConfigError> {
        let (service, timeout) = match &config.service {
            Some(service) => {
                let (target, timeout) = compile_service(service)?;
                (Some(target), timeout)
            }
            None if config.apis.is_empty() => (None, MAX_TIMEOUT),
            None => {
                return Err(ConfigError::at(
                    "service",
                    "there are APIs and nobody to ask; give `grpc` or `http`",
                ));
            }
        };
        let apis = Apis::compile(config, timeout)?;
        if config.breaker.open_for.nanos() == 0 {
            return Err(ConfigError::at("breaker.openFor", "more than 0"));
        }
        let longest = apis.iter().map(|api| api.timeout).max().unwrap_or(timeout);
        let list_mode = match config.mode {
            Mode::Enforce => ListMode::Enforce,
            Mode::Report => ListMode::Report,
        };
        Ok(Self {
            mode: config.mode,
            rollout: Rollout::of(config.enforce_percent),
            apis,
            service,
            question: Question::compile(&config.check)?,
            breaker: config.breaker.enabled.then_some(Settings {
                failures: u64::from(config.breaker.consecutive_failures.0),
                open_for: config.breaker.open_for.0,
                // The proxy ends the call when its time is over; the rest is for a worker that has much to do.
                probe_for: longest.saturating_add(Duration::from_secs(1)),
            }),
            translation: Translation::compile(
                &config.throttle,
                &config.challenge,
                &config.response,
            )?,
            bot_token: BotToken::compile(&config.bot_token)?,
            cache: config.cache.as_ref().map(Cache::compile).transpose()?,
            block_list: config
                .block_list
                .as_ref()
                .map(|list| BlockList::compile(list, list_mode))
                .transpose()?,
            max_held: config.throttle.max_held.0 as usize,
            log: config.logging.enabled,
            log_only_unusual: config.logging.only_unusual,
            metrics: config.metrics.enabled,
        })
    }

    /// The clients that refusals are enforced for.
    pub const fn rollout(&self) -> Rollout {
        self.rollout
    }

    /// The answer to requests that the gateway itself refuses.
    pub const fn refusal(&self) -> &ResponseTemplate {
        self.translation.own()
    }

    /// The critical APIs.
    pub fn apis(&self) -> impl Iterator<Item = &CriticalApi> {
        self.apis.iter()
    }

    /// Bytes of shared data that the block list and the cache take at most.
    pub fn table_bytes(&self) -> usize {
        self.block_list.as_ref().map_or(0, BlockList::bytes)
            + self.cache.as_ref().map_or(0, Cache::bytes)
    }
}

fn compile_service(service: &Service) -> Result<(Target, Duration), ConfigError> {
    let (kind, cluster, timeout) = match service {
        Service::Grpc(grpc) => ("grpc", &grpc.cluster, grpc.timeout.0),
        Service::Http(http) => ("http", &http.cluster, http.timeout.0),
    };
    check_cluster(format_args!("service.{kind}.cluster"), cluster)?;
    check_timeout(format_args!("service.{kind}.timeout"), timeout)?;
    let protocol = match service {
        Service::Grpc(grpc) => {
            let mut metadata = Vec::new();
            for (name, value) in &grpc.initial_metadata {
                let plain = value.bytes().all(|byte| (0x20..0x7f).contains(&byte));
                if !is_field_name(name) || name.starts_with("grpc-") || !plain {
                    return Err(ConfigError::at(
                        format_args!("service.grpc.initialMetadata.{name}"),
                        "not metadata that can be set here",
                    ));
                }
                metadata.push((name.to_ascii_lowercase(), value.clone()));
            }
            let given = grpc.authority.as_deref();
            Protocol::Grpc {
                authority: authority("service.grpc.authority", &grpc.cluster, given)?,
                metadata,
            }
        }
        Service::Http(http) => Protocol::Http(Box::new(HttpProtocol::compile(http)?)),
    };
    let target = Target {
        cluster: cluster.clone(),
        protocol,
    };
    Ok((target, timeout))
}
