//! The request's score.

use backstop_detect::{Finding, Rule};

use crate::report::{Action, Entry};

/// Entries that a request keeps for its reports. Scores count beyond that, too.
const MAX_ENTRIES: usize = 16;

/// What was found so far. Each rule counts once per request: a long document repeats its author's habits, and that
/// must not add up to an attack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Numbers of the rules that matched, at most as many as there are rules.
    seen: Vec<u32>,
    /// Entries of this phase, not yet reported.
    fresh: Vec<Entry>,
    blocking_score: u32,
    score: u32,
}

impl Tally {
    /// Whether `rule` has counted already.
    pub(crate) fn has(&self, rule: &Rule) -> bool {
        self.seen.contains(&rule.id)
    }

    /// Counts a finding.
    pub(crate) fn add(&mut self, finding: &Finding, blocking: bool) {
        let rule = finding.rule;
        if self.has(rule) {
            return;
        }
        self.seen.push(rule.id);
        let points = rule.severity.score();
        self.score = self.score.saturating_add(points);
        if blocking {
            self.blocking_score = self.blocking_score.saturating_add(points);
        }
        if self.fresh.len() >= MAX_ENTRIES {
            // What blocks must not be crowded out of the log by what does not.
            match self
                .fresh
                .iter()
                .rposition(|entry| blocking && !entry.blocking)
            {
                Some(position) => drop(self.fresh.remove(position)),
                None => return,
            }
        }
        self.fresh.push(Entry {
            rule,
            kind: finding.kind,
            name: finding.name.clone(),
            matched: finding.matched.clone(),
            chain: finding.chain,
            blocking,
        });
    }

    /// Whether the score refuses the request.
    pub(crate) fn blocks(&self, threshold: u32) -> bool {
        self.blocking_score >= threshold
    }

    /// What this phase found, gravest first, with the action and score; `None` if it found nothing new.
    pub(crate) fn take_fresh(&mut self, threshold: u32) -> Option<(Action, u32, Vec<Entry>)> {
        if self.fresh.is_empty() {
            return None;
        }
        let (action, score) = if self.blocks(threshold) {
            (Action::Block, self.blocking_score)
        } else if self.score >= threshold {
            (Action::Detect, self.score)
        } else {
            (Action::Pass, self.score)
        };
        let mut entries = std::mem::take(&mut self.fresh);
        // Stable: of equals, the first found leads.
        entries.sort_by_key(|entry| {
            let led_by_blocking = action == Action::Block && !entry.blocking;
            (led_by_blocking, std::cmp::Reverse(entry.rule.severity))
        });
        Some((action, score, entries))
    }
}
