//! What is not to be inspected where.

use backstop_detect::Category;
use backstop_policy::PathMatch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One exclusion: requests that match every one of `path`, `hosts` and `methods` that is given are not inspected for
/// `categories` and `rules` in `targets`. With none of those three, they are not inspected at all. At least one
/// field besides `reason` is needed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Exclusion {
    /// Why: for the next operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The path; never for a request whose path servers may read in different ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathMatch>,
    /// Hosts: `shop.example.com`, or `*.example.com` for every name below; the port does not matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Methods, upper case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Only these categories are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryKey>,
    /// Only these rules are left out, by name (`sql-union`) or number (`"1001"`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Only there: `query:expr`, `header:referer`, `cookie:x`, `form:comment`, `json:/a/b`; `json:/queries/*` and
    /// `cookie:_ga*` match by what precedes the star, `query:*` matches every one. `path` is the path itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

/// A category, by its key in configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "the names are those of backstop_detect::Category"
)]
pub enum CategoryKey {
    SqlInjection,
    Xss,
    PathTraversal,
    CommandInjection,
    LdapInjection,
    XxeInjection,
    Ssrf,
    Log4shell,
    HeaderInjection,
    BotScanner,
}

impl From<CategoryKey> for Category {
    fn from(key: CategoryKey) -> Self {
        match key {
            CategoryKey::SqlInjection => Self::SqlInjection,
            CategoryKey::Xss => Self::Xss,
            CategoryKey::PathTraversal => Self::PathTraversal,
            CategoryKey::CommandInjection => Self::CommandInjection,
            CategoryKey::LdapInjection => Self::LdapInjection,
            CategoryKey::XxeInjection => Self::XxeInjection,
            CategoryKey::Ssrf => Self::Ssrf,
            CategoryKey::Log4shell => Self::Log4shell,
            CategoryKey::HeaderInjection => Self::HeaderInjection,
            CategoryKey::BotScanner => Self::BotScanner,
        }
    }
}
