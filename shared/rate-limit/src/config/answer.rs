//! What a limited client gets to see.

use std::collections::BTreeMap;

use backstop_policy::{Response, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The answer to a limited request. `{requestId}` in the body and in header values becomes the request's id
/// (`x-request-id`). gRPC clients get the status RESOURCE_EXHAUSTED, with the body as its message.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LimitResponse {
    /// The status.
    pub status: Whole<400, 599>,
    /// The body.
    pub body: String,
    /// The body's type.
    pub content_type: String,
    /// More headers.
    pub headers: BTreeMap<String, String>,
}

impl Default for LimitResponse {
    fn default() -> Self {
        Self {
            status: Whole(429),
            body: "Too Many Requests\n".to_owned(),
            content_type: "text/plain; charset=utf-8".to_owned(),
            headers: BTreeMap::new(),
        }
    }
}

impl LimitResponse {
    /// The same for the code that all filters share.
    pub(crate) fn as_response(&self) -> Response {
        Response {
            status: self.status,
            body: self.body.clone(),
            content_type: self.content_type.clone(),
            headers: self.headers.clone(),
        }
    }
}

/// Headers that tell the client about its limits. Shadow limits do not show.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LimitHeaders {
    /// `Retry-After` on limited requests: seconds until there are enough tokens, rounded up.
    pub retry_after: bool,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset` as Envoy writes them (draft-polli-ratelimit-headers-03), of the limit
    /// with the fewest tokens left.
    pub x_rate_limit: bool,
    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-11), of every limit that applies.
    pub rate_limit: bool,
    /// Whether the last two are on responses to requests that pass, too.
    pub on_allowed: bool,
}

impl Default for LimitHeaders {
    fn default() -> Self {
        Self {
            retry_after: true,
            x_rate_limit: true,
            rate_limit: false,
            on_allowed: false,
        }
    }
}
