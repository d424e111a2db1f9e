//! What one phase of a request has to report.

use backstop_detect::{Category, Chain};
use backstop_http::{Kind, Place};

use crate::matched_rule::{CUSTOM, MatchedRule};

/// What became of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Refused.
    Block,
    /// Would be refused, but the mode is `detect`.
    Detect,
    /// Something was found, too little to be refused.
    Pass,
}

impl Action {
    /// The word in logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Detect => "detect",
            Self::Pass => "pass",
        }
    }
}

/// Why a request is refused that nothing was found in: it could not be inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The body is longer than the limit, and `onLimit` is `reject`.
    BodyTooLarge,
    /// The body has a coding that is not decoded, or any coding where `compressed` is `reject`.
    BodyCoding,
    /// The body is not what its Content-Encoding says.
    BodyMalformed,
    /// The host did not hand out the body.
    BodyUnreadable,
    /// The host did not hand out the headers.
    HeadersUnreadable,
    /// Inspecting the request to its end would be more work than the limit allows.
    WorkLimit,
    /// There is more for custom rules to read than their limit, and `onLimit` is `reject`.
    CustomRuleLimit,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Refusal; 7] = [
        Self::BodyTooLarge,
        Self::BodyCoding,
        Self::BodyMalformed,
        Self::BodyUnreadable,
        Self::HeadersUnreadable,
        Self::WorkLimit,
        Self::CustomRuleLimit,
    ];

    /// The status of the answer.
    pub const fn status(self) -> u32 {
        match self {
            Self::BodyTooLarge | Self::WorkLimit | Self::CustomRuleLimit => 413,
            Self::BodyCoding => 415,
            Self::BodyMalformed => 400,
            Self::BodyUnreadable | Self::HeadersUnreadable => 500,
        }
    }

    /// The name in logs (`rule`), metrics and response-code details.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body-too-large",
            Self::BodyCoding => "body-coding",
            Self::BodyMalformed => "body-malformed",
            Self::BodyUnreadable => "body-unreadable",
            Self::HeadersUnreadable => "headers-unreadable",
            Self::WorkLimit => "work-limit",
            Self::CustomRuleLimit => "custom-rule-limit",
        }
    }

    /// One sentence for the log.
    pub const fn description(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "The body is longer than requestBody.limit",
            Self::BodyCoding => "The body has a Content-Encoding that is not inspected",
            Self::BodyMalformed => "The body is not what its Content-Encoding says",
            Self::BodyUnreadable => "The proxy did not hand out the body",
            Self::HeadersUnreadable => "The proxy did not hand out the headers",
            Self::WorkLimit => "Inspecting the request is more work than workLimit.steps",
            Self::CustomRuleLimit => {
                "There is more for custom rules to read than customRuleLimit.bytes"
            }
        }
    }
}

/// One rule that matched in this request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The rule.
    pub rule: MatchedRule,
    /// The kind of place it matched in first.
    pub kind: Kind,
    /// The place's name.
    pub name: Vec<u8>,
    /// What matched; at most 100 bytes.
    pub matched: Vec<u8>,
    /// The decodings after which it matched.
    pub chain: Chain,
    /// Whether it counts towards a refusal: its category, or the rule itself, blocks.
    pub blocking: bool,
}

impl Entry {
    /// Where the value came from.
    pub fn place(&self) -> Place<'_> {
        Place::new(self.kind, &self.name)
    }
}

/// Why there is a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Rules matched. The first entry is the gravest; never empty.
    Found(Vec<Entry>),
    /// The request could not be inspected.
    Refused(Refusal),
}

/// What one phase of a request found, and what becomes of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What becomes of the request.
    pub action: Action,
    /// Why.
    pub cause: Cause,
    /// The request's score so far: of its blocking categories when it is refused, else of all.
    pub score: u32,
    /// The client's address as Envoy vouches for it, without port; empty if unknown.
    pub client: String,
}

impl Report {
    /// The matched rules that this report is about, gravest first.
    pub fn entries(&self) -> &[Entry] {
        match &self.cause {
            Cause::Found(entries) => entries,
            Cause::Refused(_) => &[],
        }
    }

    /// The category id for logs and details: the gravest entry's, or what could not be inspected:
    /// `REQUEST_BODY`, `REQUEST_HEADERS`, `REQUEST`, `CUSTOM`.
    pub fn category(&self) -> &'static str {
        match (&self.cause, self.entries().first()) {
            (_, Some(lead)) => lead.rule.category_id(),
            (Cause::Refused(Refusal::HeadersUnreadable), _) => "REQUEST_HEADERS",
            (Cause::Refused(Refusal::WorkLimit), _) => "REQUEST",
            (Cause::Refused(Refusal::CustomRuleLimit), _) => CUSTOM,
            _ => "REQUEST_BODY",
        }
    }

    /// The name of the gravest rule, or the refusal's.
    pub fn rule(&self) -> &str {
        match (&self.cause, self.entries().first()) {
            (_, Some(lead)) => lead.rule.name(),
            (Cause::Refused(refusal), _) => refusal.word(),
            (Cause::Found(_), None) => "",
        }
    }

    /// The attack categories in this report.
    pub fn categories(&self) -> impl Iterator<Item = Category> {
        self.entries()
            .iter()
            .filter_map(|entry| entry.rule.category())
    }

    /// `backstop_waf{SQL_INJECTION:sql-union}`: the response-code details of a refusal.
    pub fn details(&self) -> String {
        format!("backstop_waf{{{}:{}}}", self.category(), self.rule())
    }

    /// `block:SQL_INJECTION:sql-union`: the verdict in filter state, for access logs.
    pub fn verdict(&self) -> String {
        format!("{}:{}:{}", self.action.word(), self.category(), self.rule())
    }
}
