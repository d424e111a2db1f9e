//! What every configuration of a call-out is checked for.

use std::fmt;
use std::time::Duration;

use crate::ConfigError;

/// The longest that an answer is waited for.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(60);

/// Checks the name of a cluster at `at`.
///
/// # Errors
/// When no cluster can be called so.
pub fn check_cluster(at: impl fmt::Display, cluster: &str) -> Result<(), ConfigError> {
    if cluster.is_empty() || !cluster.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError::at(
            at,
            "names no cluster; in Istio it is `outbound|<port>||<host>`",
        ));
    }
    Ok(())
}

/// Checks how long an answer is waited for, at `at`.
///
/// # Errors
/// When that is not at all, or too long.
pub fn check_timeout(at: impl fmt::Display, timeout: Duration) -> Result<(), ConfigError> {
    if timeout.is_zero() || timeout > MAX_TIMEOUT {
        return Err(ConfigError::at(
            at,
            "a timeout is more than 0 and at most 60s",
        ));
    }
    Ok(())
}

/// The `:authority` that a service is called by: what is `given` at `at`, or the host in a cluster's name of Istio's form
/// (`outbound|8081||ratelimit.infra.svc.cluster.local`), or else the cluster's name.
///
/// # Errors
/// When no host can be called so.
pub fn authority(
    at: impl fmt::Display,
    cluster: &str,
    given: Option<&str>,
) -> Result<String, ConfigError> {
    let Some(authority) = given else {
        let host = cluster.rsplit('|').next();
        return Ok(host.unwrap_or_default().to_owned());
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(plain) {
        let message = format!("`{}` is not a host", authority.escape_debug());
        return Err(ConfigError::at(at, message));
    }
    Ok(authority.to_owned())
}
