//! Limits that a rate-limit service counts, for all proxies together.

use backstop_policy::{Interval, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KeyPart, Mode, Requests};

/// Limits that a rate-limit service counts (RLS v3: `envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit`). It is
/// asked about a request that the limits above let pass, one call for each; the request waits. What it says is over the limit
/// is answered as a limited request is. A request that a service refuses has taken its tokens of the limits above: a flood
/// empties them first, and then does not reach the service.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GlobalLimits {
    /// The service's cluster as the proxy calls it; in Istio `outbound|8081||ratelimit.infra.svc.cluster.local`.
    pub cluster: String,
    /// The `:authority` that the service is called by. If it is not given: the host in a name of Istio's form, or else the
    /// cluster's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The domain of the service's configuration.
    pub domain: String,
    /// What the service is asked with: one descriptor of each element that applies to the request. It is not asked about a
    /// request that none applies to.
    pub descriptors: Vec<Descriptor>,
    /// How long the request waits at most.
    #[serde(default = "default_timeout")]
    pub timeout: Interval,
    /// What happens when the service does not answer in time, or with an error, or with nothing that makes sense.
    #[serde(default)]
    pub failure_mode: FailureMode,
    /// The status of the answer when `failureMode` is `deny`; gRPC clients get UNAVAILABLE.
    #[serde(default = "default_status")]
    pub status_on_error: Whole<400, 599>,
    /// Whether the service's word counts, or is only reported: then neither OVER_LIMIT nor an error refuses a request.
    #[serde(default)]
    pub mode: Mode,
}

const fn default_timeout() -> Interval {
    Interval(std::time::Duration::from_millis(250))
}

const fn default_status() -> Whole<400, 599> {
    Whole(503)
}

/// What one limit of the service counts by.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Descriptor {
    /// Which requests it applies to, however their path is spelled; all of them if not given.
    #[serde(default, rename = "match")]
    pub requests: Requests,
    /// Its entries, in order.
    pub entries: Vec<DescriptorEntry>,
}

/// One entry: a key with either a `value` of its own or one that comes `from` the request. What comes from it is sent as it
/// is when it is text of at most 64 printable ASCII characters; anything else as `sha256:` and half of its hash in
/// hexadecimal. Addresses are written as `203.0.113.7` or, cut, as `2001:db8:0:1::/64`. A part that is missing is
/// `(absent)`, or, with `ifAbsent: skip`, leaves the whole descriptor out; one that is there more than once is
/// `(ambiguous)`, an empty one `(empty)`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DescriptorEntry {
    /// The key, as the service's configuration calls it.
    pub key: String,
    /// The same value for every request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The value of the request, as in a limit's `key`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<KeyPart>,
}

/// What becomes of a request that the service could not be asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FailureMode {
    /// It passes.
    #[default]
    Allow,
    /// It is refused.
    Deny,
}
