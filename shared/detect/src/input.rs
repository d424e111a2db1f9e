//! What a detector reads and what it writes.

use std::ops::Range;

use backstop_http::Place;

use crate::{Level, Rule, Work};

/// One form of one value, decoded, with its origin.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The bytes in this form (after zero or more decodings), never assumed to be UTF-8.
    pub bytes: &'a [u8],
    /// Where the value came from.
    pub place: Place<'a>,
    /// The sensitivity in force: a detector may skip work that only higher levels need.
    pub level: Level,
    /// What the prefilter saw on behalf of the detector's category: it may skip what needs a bit that is not set.
    pub features: u8,
}

impl Input<'_> {
    /// Every bit of a category: nothing is known, so everything is looked for.
    pub const ALL_FEATURES: u8 = 0x3f;
}

/// One match of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule that matched.
    pub rule: &'static Rule,
    /// What matched, as a range of `Input::bytes`.
    pub span: Range<usize>,
}

/// The most hits that one form of one value keeps: enough to judge it, bounded whatever the input.
pub const MAX_HITS: usize = 8;

/// Collects hits: each rule once per form, levels above the one in force dropped, at most [`MAX_HITS`]. Keeps account of the
/// work that looking for them is.
#[derive(Debug)]
pub struct Hits {
    level: Level,
    hits: Vec<Hit>,
    work: Work,
}

impl Hits {
    /// An empty collection for sensitivity `level`.
    pub fn new(level: Level) -> Self {
        Self {
            level,
            hits: Vec::new(),
            work: Work::unbounded(),
        }
    }

    /// Takes `steps` of the request's work; answers whether the detector is to go on.
    #[inline]
    pub fn spend(&mut self, steps: usize) -> bool {
        self.work.spend(steps)
    }

    /// The work that is left.
    pub const fn work(&self) -> Work {
        self.work
    }

    /// Allows this much work from now on.
    pub const fn allow(&mut self, work: Work) {
        self.work = work;
    }

    /// Records that `rule` matched `span`.
    pub fn push(&mut self, rule: &'static Rule, span: Range<usize>) {
        if rule.level > self.level || self.hits.len() >= MAX_HITS || self.has(rule) {
            return;
        }
        self.hits.push(Hit { rule, span });
    }

    /// Whether `rule` has matched already.
    pub fn has(&self, rule: &'static Rule) -> bool {
        self.hits.iter().any(|hit| hit.rule == rule)
    }

    /// What was found, in the order it was found.
    pub fn as_slice(&self) -> &[Hit] {
        &self.hits
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.hits.clear();
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.hits.is_empty()
    }
}
