//! The configuration as an operator writes it (JSON, camelCase).

use backstop_policy::ConfigError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::section::section;

/// Configuration of the edge filter: every filter in one module, each switched on by its section, in this order. A request
/// that one of them refuses is not seen by those after it. At least one section is there.
///
/// The block list is one for all: `blockList` stands in `waf` or in `extAuthz` and is for both, or stands in both alike.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Config {
    /// The secret that the CDN sends with every request: what the origin-verify filter takes as its configuration.
    #[serde(
        default,
        deserialize_with = "section",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "backstop_origin_verify::config::Config")]
    pub origin_verify: Option<backstop_origin_verify::config::Config>,
    /// Rate limits: what the rate-limit filter takes as its configuration.
    #[serde(
        default,
        deserialize_with = "section",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "backstop_rate_limit::config::Config")]
    pub rate_limit: Option<backstop_rate_limit::config::Config>,
    /// The WAF: what the waf filter takes as its configuration; `{}` inspects everything and blocks.
    #[serde(
        default,
        deserialize_with = "section",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "backstop_waf::Config")]
    pub waf: Option<backstop_waf::Config>,
    /// The bot verdict on critical APIs: what the ext-authz filter takes as its configuration.
    #[serde(
        default,
        deserialize_with = "section",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "backstop_ext_authz::Config")]
    pub ext_authz: Option<backstop_ext_authz::Config>,
}

impl Config {
    /// Reads JSON.
    ///
    /// # Errors
    /// In one line: the JSON path, what is wrong there, and what is allowed.
    pub fn from_json(json: &[u8]) -> Result<Self, ConfigError> {
        backstop_policy::read(json).map_err(|error| error.of("edge"))
    }
}
