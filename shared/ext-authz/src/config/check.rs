//! What the service is told about a request.

use std::collections::BTreeMap;

use backstop_policy::Size;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the service is told about a request, beside method, path, host, addresses and the like.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Check {
    /// Request headers that are sent, as names or as prefixes ending in `*` (`x-forwarded-*`). Over gRPC all of them if
    /// there is none; over HTTP `authorization` and these.
    pub allowed_headers: Vec<String>,
    /// Request headers that are not sent, even if allowed.
    pub denied_headers: Vec<String>,
    /// Whether headers go as bytes, each for itself, and not as text with repeated ones joined by a comma (Envoy's
    /// `encode_raw_headers`). gRPC only.
    pub encode_raw_headers: bool,
    /// How much of the body is sent, at most 1 MiB; none by default, and then the body is not waited for.
    pub body_bytes: Size,
    /// Whether the body goes as bytes (`raw_body`) and not as text. gRPC only.
    pub pack_as_bytes: bool,
    /// The header that carries the event type, to the service and to the upstream. What a client sends in it is removed.
    pub event_type_header: String,
    /// Context extensions of every check, beside `event_type`. gRPC only.
    pub context_extensions: BTreeMap<String, String>,
}

impl Default for Check {
    fn default() -> Self {
        Self {
            allowed_headers: Vec::new(),
            denied_headers: Vec::new(),
            encode_raw_headers: false,
            body_bytes: Size(0),
            pack_as_bytes: false,
            event_type_header: "x-ext-authz-event-type".to_owned(),
            context_extensions: BTreeMap::new(),
        }
    }
}
