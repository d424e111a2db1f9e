//! Critical APIs, and the token that they may demand.

use backstop_policy::{Interval, PathMatch, Size, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FailureMode, OnAmbiguousPath};

/// A critical API: requests that the service is asked about.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Api {
    /// What the service knows it by (`QUEUE_ENTER`): capital letters, digits and `_`, at most 64. Several APIs may have the
    /// same.
    #[schemars(regex(pattern = "^[A-Z][A-Z0-9_]{0,63}$"))]
    pub event_type: String,
    /// Methods, upper case; every method if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The path, in its normalised form and without the query.
    pub path: PathMatch,
    /// Hosts: `shop.example.com`, or `*.example.com` for every name below; the port does not matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Whether requests without a well-formed bot token are refused before anybody is asked.
    #[serde(default)]
    pub require_bot_token: bool,
    /// In place of the filter's `onAmbiguousPath`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_ambiguous_path: Option<OnAmbiguousPath>,
    /// In place of the filter's `failureMode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<FailureMode>,
    /// In place of the filter's `statusOnError`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_on_error: Option<Whole<400, 599>>,
    /// In place of the service's `timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Interval>,
    /// In place of `check.bodyBytes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_bytes: Option<Size>,
    /// Whether the verdict cache is used, if there is one.
    #[serde(default = "yes")]
    pub cache: bool,
}

const fn yes() -> bool {
    true
}

/// Requests by every one of the fields that is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Requests {
    /// The path, in its normalised form and without the query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathMatch>,
    /// Hosts: `shop.example.com`, or `*.example.com` for every name below; the port does not matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Methods, upper case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
}

/// What a well-formed bot token is: the header is there once, and its value has a length and letters that tokens have
/// (letters, digits, `-`, `.`, `_`, `~`, `+`, `/`, `=`). Whether it is genuine is the service's question.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BotToken {
    /// The header.
    pub header: String,
    /// The fewest bytes.
    pub min_length: Whole<1, 8192>,
    /// The most bytes (2048 is the longest token of Cloudflare Turnstile).
    pub max_length: Whole<1, 8192>,
}

impl Default for BotToken {
    fn default() -> Self {
        Self {
            header: "x-bot-token".to_owned(),
            min_length: Whole(1),
            max_length: Whole(2048),
        }
    }
}
