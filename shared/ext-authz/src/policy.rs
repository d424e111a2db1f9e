//! The configuration, compiled.

use std::time::Duration;

use backstop_policy::Rollout;
use backstop_policy::answer::is_field_name;

use crate::api::{Apis, CriticalApi, MAX_TIMEOUT, TIMEOUT_MESSAGE};
use crate::block_list::BlockList;
use crate::bot_token::BotToken;
use crate::breaker::Settings;
use crate::cache::Cache;
use crate::check::Question;
use crate::config::{Config, ConfigError, Mode, Notify, Service};
use crate::http_service::HttpProtocol;
use crate::notify::Patience;
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
    pub(crate) block_list: Option<BlockList>,
    /// How many requests a worker holds at once.
    pub max_held: usize,
    /// Where new entries of the block list are told.
    pub notify: Option<Endpoint>,
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
    Grpc { metadata: Vec<(String, String)> },
    Http(Box<HttpProtocol>),
}

/// The endpoint of the block list.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The proxy's cluster.
    pub cluster: String,
    /// `:authority`.
    pub authority: String,
    /// `:path`.
    pub path: String,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// How patient the queue is.
    pub patience: Patience,
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
        let block_list = config.block_list.as_ref();
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
            block_list: block_list.map(BlockList::compile).transpose()?,
            max_held: config.throttle.max_held.0 as usize,
            notify: block_list
                .and_then(|list| list.notify.as_ref())
                .map(compile_notify)
                .transpose()?,
            log: config.logging.enabled,
            log_only_unusual: config.logging.only_unusual,
            metrics: config.metrics.enabled,
        })
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
    is_cluster(&format!("service.{kind}.cluster"), cluster)?;
    if timeout.is_zero() || timeout > MAX_TIMEOUT {
        return Err(ConfigError::at(
            format_args!("service.{kind}.timeout"),
            TIMEOUT_MESSAGE,
        ));
    }
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
            Protocol::Grpc { metadata }
        }
        Service::Http(http) => Protocol::Http(Box::new(HttpProtocol::compile(http)?)),
    };
    let target = Target {
        cluster: cluster.clone(),
        protocol,
    };
    Ok((target, timeout))
}

fn compile_notify(notify: &Notify) -> Result<Endpoint, ConfigError> {
    is_cluster("blockList.notify.cluster", &notify.cluster)?;
    let plain = notify.path.bytes().all(|byte| byte.is_ascii_graphic());
    if !notify.path.starts_with('/') || !plain {
        return Err(ConfigError::at(
            "blockList.notify.path",
            "a path begins with `/`",
        ));
    }
    if notify.timeout.0.is_zero() || notify.timeout.0 > MAX_TIMEOUT {
        return Err(ConfigError::at("blockList.notify.timeout", TIMEOUT_MESSAGE));
    }
    if notify.backoff.nanos() == 0 || notify.backoff.nanos() > notify.max_backoff.nanos() {
        return Err(ConfigError::at(
            "blockList.notify.backoff",
            "more than 0, and no more than `maxBackoff`",
        ));
    }
    Ok(Endpoint {
        cluster: notify.cluster.clone(),
        authority: notify
            .authority
            .clone()
            .unwrap_or_else(|| notify.cluster.clone()),
        path: notify.path.clone(),
        timeout: notify.timeout.0,
        patience: Patience {
            queue: notify.queue.0 as usize,
            in_flight: notify.in_flight.0 as usize,
            attempts: notify.attempts.0,
            backoff: notify.backoff.nanos(),
            max_backoff: notify.max_backoff.nanos(),
        },
    })
}

fn is_cluster(at: &str, cluster: &str) -> Result<(), ConfigError> {
    if cluster.is_empty() || !cluster.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError::at(
            at,
            "names no cluster; in Istio it is `outbound|<port>||<host>`",
        ));
    }
    Ok(())
}
