//! The endpoint that learns of new entries.

use std::time::Duration;

use backstop_policy::ConfigError;
use backstop_policy::call::{authority, check_cluster, check_timeout};

use crate::config::Notify;
use crate::notify::Patience;

/// Where new entries are told.
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

impl Endpoint {
    /// Compiles `blockList.notify`.
    ///
    /// # Errors
    /// What is wrong, at its JSON path.
    pub fn compile(config: &Notify) -> Result<Self, ConfigError> {
        check_cluster("blockList.notify.cluster", &config.cluster)?;
        let plain = config.path.bytes().all(|byte| byte.is_ascii_graphic());
        if !config.path.starts_with('/') || !plain {
            return Err(ConfigError::at(
                "blockList.notify.path",
                "a path begins with `/`",
            ));
        }
        check_timeout("blockList.notify.timeout", config.timeout.0)?;
        if config.backoff.nanos() == 0 || config.backoff.nanos() > config.max_backoff.nanos() {
            return Err(ConfigError::at(
                "blockList.notify.backoff",
                "more than 0, and no more than `maxBackoff`",
            ));
        }
        let given = config.authority.as_deref();
        Ok(Self {
            cluster: config.cluster.clone(),
            authority: authority("blockList.notify.authority", &config.cluster, given)?,
            path: config.path.clone(),
            timeout: config.timeout.0,
            patience: Patience {
                queue: config.queue.0 as usize,
                in_flight: config.in_flight.0 as usize,
                attempts: config.attempts.0,
                backoff: config.backoff.nanos(),
                max_backoff: config.max_backoff.nanos(),
            },
        })
    }
}
