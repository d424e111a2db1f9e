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
