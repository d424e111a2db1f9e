//! A rule that matched: one of the detectors', or one of the operator's.

use std::rc::Rc;

use backstop_detect::{Category, Rule};

use crate::custom::CustomRule;

/// The category of custom rules that have none.
pub const CUSTOM: &str = "CUSTOM";

/// A rule that matched.
#[derive(Clone, Debug)]
pub enum MatchedRule {
    /// A detector's.
    BuiltIn(&'static Rule),
    /// One of the configuration's.
    Custom(Rc<CustomRule>),
}

impl MatchedRule {
    /// Its number: below 100000 a detector's.
    pub fn id(&self) -> u32 {
        match self {
            Self::BuiltIn(rule) => rule.id,
            Self::Custom(rule) => rule.id,
        }
    }

    /// Its name in logs and metrics.
    pub fn name(&self) -> &str {
        match self {
            Self::BuiltIn(rule) => rule.name,
            Self::Custom(rule) => &rule.name,
        }
    }

    /// What it finds; may be empty for a custom rule.
    pub fn description(&self) -> &str {
        match self {
            Self::BuiltIn(rule) => rule.description,
            Self::Custom(rule) => &rule.description,
        }
    }

    /// Its attack category; `None` for a custom rule without one.
    pub fn category(&self) -> Option<Category> {
        match self {
            Self::BuiltIn(rule) => Some(rule.category),
            Self::Custom(rule) => rule.category,
        }
    }

    /// The category's id in logs and metrics, or [`CUSTOM`].
    pub fn category_id(&self) -> &'static str {
        self.category().map_or(CUSTOM, Category::id)
    }

    /// The points that a match adds.
    pub fn score(&self) -> u32 {
        match self {
            Self::BuiltIn(rule) => rule.severity.score(),
            Self::Custom(rule) => rule.score,
        }
    }

    /// Whether a match refuses the request whatever the score.
    pub fn refuses(&self) -> bool {
        match self {
            Self::BuiltIn(_) => false,
            Self::Custom(rule) => rule.refuses(),
        }
    }
}

impl PartialEq for MatchedRule {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for MatchedRule {}
