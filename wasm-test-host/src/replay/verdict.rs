//! What became of one request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a filter named as its reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Finding {
    /// The category's id, such as `SQL_INJECTION`.
    pub category: String,
    /// The rule's name.
    pub rule: String,
    /// The rule's number, 0 if it has none.
    pub rule_id: u32,
    /// The place of the value that matched: `query:id`.
    pub target: String,
    /// The decodings after which it matched: `percent>percent`.
    pub decodings: String,
    /// The decoded text that matched, secrets masked, at most 100 bytes.
    pub matched: String,
    /// What the rule finds.
    pub description: String,
    /// The request's score.
    pub score: u32,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It went on. The finding, if any, was too little to refuse it.
    Passed(Option<Finding>),
    /// The filter refused it.
    Blocked(Finding),
    /// The filter would have refused it, but only reports (mode `detect`).
    WouldBlock(Finding),
    /// Envoy refuses it before any filter sees it.
    Invalid(&'static str),
    /// The filter crashed, hung or ran out of fuel.
    Failed(String),
}

impl Decision {
    /// The finding behind the decision.
    pub fn finding(&self) -> Option<&Finding> {
        match self {
            Decision::Passed(finding) => finding.as_ref(),
            Decision::Blocked(finding) | Decision::WouldBlock(finding) => Some(finding),
            Decision::Invalid(_) | Decision::Failed(_) => None,
        }
    }

    /// Whether the filter refused the request or, in mode `detect`, would have.
    pub const fn is_caught(&self) -> bool {
        matches!(self, Decision::Blocked(_) | Decision::WouldBlock(_))
    }

    /// Why there is no verdict on the request itself.
    pub fn error(&self) -> Option<String> {
        match self {
            Decision::Invalid(reason) => Some(format!("invalid: {reason}")),
            Decision::Failed(reason) => Some(format!("filter failure: {reason}")),
            _ => None,
        }
    }
}

/// A decision with its cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What became of the request.
    pub decision: Decision,
    /// The status the client got; 0 if it got none, or if the filter never saw the request.
    pub status: u16,
    /// Time in the filter: all callbacks together with the host calls that they make, without this host's own work on the
    /// request.
    pub time: Duration,
    /// WebAssembly operators executed: the same on every machine. 0 when none are counted.
    pub fuel: u64,
}

/// One line of `--verdicts`.
#[derive(Serialize)]
struct Line<'a> {
    id: &'a str,
    blocked: bool,
    would_block: bool,
    category: Option<&'a str>,
    rule: Option<&'a str>,
    target: Option<&'a str>,
    matched: Option<&'a str>,
    status: Option<u16>,
    error: Option<String>,
    us: f64,
    fuel: u64,
}

impl Verdict {
    /// One JSON object without a line end: `{"id","blocked","would_block","category","rule","target","matched",
    /// "status","error","us","fuel"}`. `error` is set where the filter gave no verdict, and then `blocked` is false.
    pub fn json_line(&self, id: &str) -> serde_json::Result<String> {
        let finding = self
            .decision
            .finding()
            .filter(|_| self.decision.is_caught());
        serde_json::to_string(&Line {
            id,
            blocked: matches!(self.decision, Decision::Blocked(_)),
            would_block: matches!(self.decision, Decision::WouldBlock(_)),
            category: finding.map(|f| f.category.as_str()),
            rule: finding.map(|f| f.rule.as_str()),
            target: finding.map(|f| f.target.as_str()).filter(|t| !t.is_empty()),
            matched: finding
                .map(|f| f.matched.as_str())
                .filter(|t| !t.is_empty()),
            status: Some(self.status).filter(|status| *status != 0),
            error: self.decision.error(),
            us: (self.time.as_nanos() as f64 / 100.0).round() / 10.0,
            fuel: self.fuel,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_per_kind_of_decision() {
        let found = Finding {
            category: "XSS".to_string(),
            rule: "xss-script-tag".to_string(),
            target: "query:q".to_string(),
            matched: "<script>".to_string(),
            ..Finding::default()
        };
        let line = |decision, status| {
            let verdict = Verdict {
                decision,
                status,
                time: Duration::from_nanos(12_340),
                fuel: 7,
            };
            verdict.json_line("a").unwrap()
        };
        assert_eq!(
            line(Decision::Blocked(found.clone()), 403),
            r#"{"id":"a","blocked":true,"would_block":false,"category":"XSS","rule":"xss-script-tag","target":"query:q","matched":"<script>","status":403,"error":null,"us":12.3,"fuel":7}"#
        );
        assert!(
            line(Decision::WouldBlock(found.clone()), 200)
                .contains(r#""blocked":false,"would_block":true,"category":"XSS""#)
        );
        assert!(
            line(Decision::Passed(Some(found)), 200)
                .contains(r#""blocked":false,"would_block":false,"category":null"#)
        );
        assert!(
            line(Decision::Invalid("no"), 0).contains(r#""status":null,"error":"invalid: no""#)
        );
    }
}
