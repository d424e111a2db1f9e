//! Rules of an operator's own.

use backstop_policy::PathMatch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CategoryKey, OnLimit, Size, Whole};

/// The most custom rules.
pub const MAX_CUSTOM_RULES: usize = 64;

/// A rule of one's own, as a virtual patch for a hole that is known before it is mended: a regular expression for some
/// values of some requests. Exclusions, trusted clients and `rules.disabled` apply to it like to any rule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomRule {
    /// A number that no other rule has, from 100000 on.
    pub id: Whole<100_000, 999_999>,
    /// A name that no other rule has, for logs, metrics and exclusions: at most 64 lower-case letters, digits and `-`.
    pub name: String,
    /// One sentence for the decision log.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What matches: the syntax of the regex-lite crate (that of RE2 without Unicode classes; `(?i)` is ASCII's), found
    /// anywhere in the value unless `^` or `$` says otherwise. At most 1024 bytes, and at most 8 KiB when it is compiled.
    ///
    /// It is tried on the value as it came, and again after each decoding (percent, HTML references, escapes, base64 and
    /// so on) until nothing changes: write the plain text, not its encodings. Bytes that are no UTF-8 stand as U+FFFD.
    pub pattern: String,
    /// Where: as in exclusions (`query:id`, `header:x-*`, `json:/items/*`, `path`), at least one.
    pub targets: Vec<String>,
    /// Only requests of this path, however it is spelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathMatch>,
    /// Only these hosts: `shop.example.com`, or `*.example.com` for every name below; the port does not matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Only these methods, upper case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The category that it belongs to and is switched off with; without one it is reported as `CUSTOM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryKey>,
    /// Its score (default 5: critical; error 4, warning 3, notice 2).
    #[serde(default = "critical")]
    pub score: Whole<1, 1000>,
    /// What a match does (default `score`).
    #[serde(default)]
    pub action: CustomAction,
}

const fn critical() -> Whole<1, 1000> {
    Whole(5)
}

/// What a match of a custom rule does. To let something pass, write an exclusion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CustomAction {
    /// Its score counts towards the threshold, in the mode of its category (without one: the overall mode).
    #[default]
    Score,
    /// The request is refused, whatever the score and the mode.
    Block,
    /// It is reported, and never a reason to refuse.
    Detect,
}

/// How much custom rules may read: a regular expression costs many times what all other rules do.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CustomRuleLimit {
    /// Bytes per request (default `"16KiB"`: at worst about 20 ms). Each rule and each form of a value counts by itself; a byte counts once for a
    /// pattern of up to 1 KiB when it is compiled, twice up to 2 KiB, four times up to 4 KiB, eight times up to 8 KiB.
    pub bytes: Size,
    /// What happens beyond: `inspectPrefix` (default) lets the rest pass these rules, and counts it in the metric
    /// `custom_rule_limit_hits_total`; `reject` answers 413, so that nobody gets past a rule by length.
    pub on_limit: OnLimit,
}

impl Default for CustomRuleLimit {
    fn default() -> Self {
        Self {
            bytes: Size(16 << 10),
            on_limit: OnLimit::InspectPrefix,
        }
    }
}
