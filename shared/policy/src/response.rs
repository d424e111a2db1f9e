//! The answer to a refused request.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Whole;

/// The answer to a refused request. `{requestId}` in the body and in header values becomes the request's id
/// (`x-request-id`), for the visitor to quote and for support to find the decision by.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Response {
    /// The status of a refused request. gRPC clients get the status Envoy maps it to
    /// (403: PERMISSION_DENIED).
    pub status: Whole<400, 599>,
    /// The body.
    pub body: String,
    /// The body's type.
    pub content_type: String,
    /// More headers.
    pub headers: BTreeMap<String, String>,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            status: Whole(403),
            body: "Forbidden (request {requestId})\n".to_owned(),
            content_type: "text/plain; charset=utf-8".to_owned(),
            headers: BTreeMap::new(),
        }
    }
}
