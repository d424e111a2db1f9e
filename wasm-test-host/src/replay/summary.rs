//! All verdicts of a replay, counted.

use std::collections::BTreeMap;

use hdrhistogram::CreationError;
use serde::Serialize;

use super::{Cost, Decision, Replayed};
use crate::traffic::{Broken, Label};

/// How many broken records are kept to be shown; all are counted.
const SHOWN: usize = 1000;

/// How an attack category, as labelled, was recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CategoryScore {
    /// Attacks with this label that got a verdict.
    pub attacks: u64,
    /// Of these, how many were caught (blocked, or would be).
    pub caught: u64,
    /// Of the caught, how many under this very category.
    pub named_right: u64,
    /// Honest requests that were taken for this category.
    pub false_positives: u64,
}

/// How requests of one data source fared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SourceScore {
    /// Honest requests that got a verdict.
    pub benign: u64,
    /// Of these, how many were caught: false positives.
    pub false_positives: u64,
    /// Attacks that got a verdict.
    pub attacks: u64,
    /// Of these, how many were caught.
    pub caught: u64,
}

/// Everything a replay counts.
#[derive(Debug)]
pub struct Summary {
    /// Requests read.
    pub requests: u64,
    /// Requests that went on.
    pub passed: u64,
    /// Requests that were refused.
    pub blocked: u64,
    /// Requests that a category or configuration in mode `detect` reported only.
    pub would_block: u64,
    /// Requests that Envoy refuses before any filter sees them, by reason.
    pub invalid: BTreeMap<&'static str, u64>,
    /// Requests during which the filter failed.
    pub failed: u64,
    /// The first failure.
    pub first_failure: Option<String>,
    /// Caught requests by category and rule.
    pub by_rule: BTreeMap<(String, String), u64>,
    /// Records that could not be read; the first 1000 are kept.
    pub broken: Vec<Broken>,
    /// How many records could not be read.
    pub broken_count: u64,
    /// Records that are no HTTP request to a gateway.
    pub skipped: u64,
    /// Per labelled category.
    pub categories: BTreeMap<String, CategoryScore>,
    /// Per data source of labelled requests.
    pub sources: BTreeMap<String, SourceScore>,
    /// Ids of the first attacks of each category that passed.
    pub missed: Vec<String>,
    /// Ids of the first honest requests of each source that were caught, with the rule.
    pub false_positives: Vec<(String, String)>,
    /// What requests cost.
    pub cost: Cost,
}

/// How many ids of misses per category, and of false positives per source, are listed.
const LISTED: u64 = 3;

impl Summary {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// None in practice: see [`Cost::new`].
    pub fn new() -> Result<Self, CreationError> {
        Ok(Self {
            requests: 0,
            passed: 0,
            blocked: 0,
            would_block: 0,
            invalid: BTreeMap::new(),
            failed: 0,
            first_failure: None,
            by_rule: BTreeMap::new(),
            broken: Vec::new(),
            broken_count: 0,
            skipped: 0,
            categories: BTreeMap::new(),
            sources: BTreeMap::new(),
            missed: Vec::new(),
            false_positives: Vec::new(),
            cost: Cost::new()?,
        })
    }

    /// Counts one result.
    pub fn add(&mut self, replayed: &Replayed) {
        let (case, verdict) = match replayed {
            Replayed::Case(case, verdict) => (case, verdict),
            Replayed::Broken(broken) => {
                self.broken_count += 1;
                if self.broken.len() < SHOWN {
                    self.broken.push(broken.clone());
                }
                return;
            }
            Replayed::Skipped(_) => {
                self.skipped += 1;
                return;
            }
        };
        self.requests += 1;
        match &verdict.decision {
            Decision::Passed(_) => self.passed += 1,
            Decision::Blocked(_) => self.blocked += 1,
            Decision::WouldBlock(_) => self.would_block += 1,
            Decision::Invalid(reason) => {
                *self.invalid.entry(reason).or_default() += 1;
                return;
            }
            Decision::Failed(reason) => {
                self.failed += 1;
                self.first_failure
                    .get_or_insert_with(|| format!("{} ({}): {reason}", case.id, case.origin));
            }
        }
        self.cost.add(verdict, &case.id, || case.request_line());
        if matches!(verdict.decision, Decision::Failed(_)) {
            return;
        }
        let found = verdict
            .decision
            .finding()
            .filter(|_| verdict.decision.is_caught());
        if let Some(finding) = found {
            *self
                .by_rule
                .entry((finding.category.clone(), finding.rule.clone()))
                .or_default() += 1;
        }
        let Some(label) = case.label else { return };
        let source = self
            .sources
            .entry(case.source.clone().unwrap_or_else(|| "-".to_string()))
            .or_default();
        match (label, found) {
            (Label::Benign, None) => source.benign += 1,
            (Label::Benign, Some(finding)) => {
                source.benign += 1;
                source.false_positives += 1;
                self.categories
                    .entry(finding.category.clone())
                    .or_default()
                    .false_positives += 1;
                if source.false_positives <= LISTED {
                    self.false_positives
                        .push((case.id.clone(), finding.rule.clone()));
                }
            }
            (Label::Attack, found) => {
                source.attacks += 1;
                let labelled = case.category.as_deref().unwrap_or("-");
                let score = self.categories.entry(labelled.to_string()).or_default();
                score.attacks += 1;
                if let Some(finding) = found {
                    source.caught += 1;
                    score.caught += 1;
                    score.named_right += u64::from(finding.category == labelled);
                } else if score.attacks - score.caught <= LISTED {
                    self.missed.push(case.id.clone());
                }
            }
        }
    }

    /// Attacks and honest requests that got a verdict: `(attacks, caught, benign, false positives)`.
    pub fn labelled(&self) -> SourceScore {
        self.sources
            .values()
            .fold(SourceScore::default(), |sum, source| SourceScore {
                benign: sum.benign + source.benign,
                false_positives: sum.false_positives + source.false_positives,
                attacks: sum.attacks + source.attacks,
                caught: sum.caught + source.caught,
            })
    }

    /// Attacks, as labelled, that passed.
    pub fn missed_count(&self) -> u64 {
        let all = self.labelled();
        all.attacks - all.caught
    }

    /// Caught requests that are not labelled as attacks.
    pub fn caught_without_label(&self) -> u64 {
        self.blocked + self.would_block - self.labelled().caught
    }

    /// Requests that Envoy refuses before any filter sees them.
    pub fn invalid_count(&self) -> u64 {
        self.invalid.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::replay::{Finding, Verdict};
    use crate::traffic::{Origin, parse_line};

    fn replayed(id: &str, label: &str, decision: Decision) -> Replayed {
        let line = format!(r#"{{"id":"{id}","method":"GET","path":"/","source":"s"{label}}}"#);
        let case = parse_line(
            line.as_bytes(),
            Origin {
                file: Arc::from("t"),
                line: 1,
            },
        )
        .unwrap();
        Replayed::Case(
            Box::new(case),
            Verdict {
                decision,
                status: 200,
                time: Duration::from_micros(1),
                fuel: 1,
            },
        )
    }

    fn found(category: &str) -> Finding {
        Finding {
            category: category.to_string(),
            rule: "r".to_string(),
            ..Finding::default()
        }
    }

    #[test]
    fn every_kind_of_result_is_counted_once() {
        let attack = r#","label":"attack","category":"XSS""#;
        let benign = r#","label":"benign""#;
        let mut summary = Summary::new().unwrap();
        for result in [
            replayed("1", attack, Decision::Blocked(found("XSS"))),
            replayed("2", attack, Decision::Blocked(found("SSRF"))),
            replayed("3", attack, Decision::Passed(Some(found("XSS")))),
            replayed("4", attack, Decision::Invalid("why")),
            replayed("5", benign, Decision::Passed(None)),
            replayed("6", benign, Decision::WouldBlock(found("SSRF"))),
            replayed("7", "", Decision::Blocked(found("XSS"))),
            replayed("8", benign, Decision::Failed("boom".to_string())),
            Replayed::Broken(Broken {
                origin: Origin {
                    file: Arc::from("t"),
                    line: 9,
                },
                reason: "x".to_string(),
            }),
            Replayed::Skipped(Broken {
                origin: Origin {
                    file: Arc::from("t"),
                    line: 9,
                },
                reason: "x".to_string(),
            }),
        ] {
            summary.add(&result);
        }
        assert_eq!(
            (
                summary.requests,
                summary.passed,
                summary.blocked,
                summary.would_block,
                summary.invalid_count(),
                summary.failed
            ),
            (8, 2, 3, 1, 1, 1)
        );
        assert_eq!((summary.broken_count, summary.skipped), (1, 1));
        assert_eq!(
            summary.labelled(),
            SourceScore {
                benign: 2,
                false_positives: 1,
                attacks: 3,
                caught: 2
            }
        );
        assert_eq!(
            summary.categories["XSS"],
            CategoryScore {
                attacks: 3,
                caught: 2,
                named_right: 1,
                false_positives: 0
            }
        );
        assert_eq!(summary.categories["SSRF"].false_positives, 1);
        assert_eq!(
            (summary.missed_count(), summary.caught_without_label()),
            (1, 2)
        );
        assert_eq!(summary.missed, ["3"]);
        assert_eq!(summary.by_rule[&("XSS".to_string(), "r".to_string())], 2);
        assert_eq!(summary.cost.count(), 7);
        assert_eq!(summary.first_failure.as_deref(), Some("8 (t:1): boom"));
    }
}
