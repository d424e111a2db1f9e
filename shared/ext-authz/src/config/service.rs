//! Who is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use backstop_policy::Interval;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The authorization service, by one of the two halves of Envoy's protocol.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// `envoy.service.auth.v3.Authorization/Check`.
    Grpc(GrpcService),
    /// The request's method, path and chosen headers over HTTP: 200 lets it pass, 5xx is an error, all else refuses it with
    /// that answer.
    Http(HttpService),
}

const TIMEOUT: Interval = Interval(Duration::from_millis(800));

const fn timeout() -> Interval {
    TIMEOUT
}

/// A gRPC service.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrpcService {
    /// The proxy's cluster, in Istio `outbound|50051||adapter.security.svc.cluster.local`. It has to speak HTTP/2.
    pub cluster: String,
    /// The `:authority` that the service is called by. If it is not given: the host in a name of Istio's form, or else the
    /// cluster's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// How long a verdict may take (default 800 ms).
    #[serde(default = "timeout")]
    pub timeout: Interval,
    /// Metadata that is sent with every call.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub initial_metadata: BTreeMap<String, String>,
}

/// An HTTP service.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpService {
    /// The proxy's cluster.
    pub cluster: String,
    /// How long a verdict may take (default 800 ms).
    #[serde(default = "timeout")]
    pub timeout: Interval,
    /// What the request's path is put behind: `/check`. None by default.
    #[serde(default)]
    pub path_prefix: String,
    /// Headers that every question has, beside those of the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers_to_add: BTreeMap<String, String>,
    /// Headers of a 200 that replace the request's own, as names or as prefixes ending in `*`.
    #[serde(default)]
    pub allowed_upstream_headers: Vec<String>,
    /// Headers of a 200 that are added to the request's own.
    #[serde(default)]
    pub allowed_upstream_headers_to_append: Vec<String>,
    /// Headers of a refusal that the client gets; all of them if there is none. With a list, `location` and
    /// `www-authenticate` are always among them.
    #[serde(default)]
    pub allowed_client_headers: Vec<String>,
    /// Headers of a 200 that the client gets with the upstream's response.
    #[serde(default)]
    pub allowed_client_headers_on_success: Vec<String>,
}
