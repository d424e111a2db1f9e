//! The request's score.

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
    /// Whether a rule matched that refuses by itself.
    refused: bool,
}

impl Tally {
    /// Whether the rule of this number has counted already.
    pub(crate) fn has(&self, rule: u32) -> bool {
        self.seen.contains(&rule)
    }

    /// Counts an entry whose rule has not counted yet.
    pub(crate) fn add(&mut self, entry: Entry) {
        if self.has(entry.rule.id()) {
            return;
        }
        self.seen.push(entry.rule.id());
        let points = entry.rule.score();
        self.refused |= entry.rule.refuses();
        self.score = self.score.saturating_add(points);
        if entry.blocking {
            self.blocking_score = self.blocking_score.saturating_add(points);
        }
        if self.fresh.len() >= MAX_ENTRIES {
            // What refuses or blocks must not be crowded out of the log by what does not.
            let weight = |entry: &Entry| (entry.rule.refuses(), entry.blocking);
            match self
                .fresh
                .iter()
                .rposition(|kept| weight(kept) < weight(&entry))
            {
                Some(position) => drop(self.fresh.remove(position)),
                None => return,
            }
        }
        self.fresh.push(entry);
    }

    /// Whether the score refuses the request.
    pub(crate) fn blocks(&self, threshold: u32) -> bool {
        self.refused || self.blocking_score >= threshold
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
            let grave = (entry.rule.refuses(), entry.rule.score());
            (led_by_blocking, std::cmp::Reverse(grave))
        });
        Some((action, score, entries))
    }
}
