//! What a rule is: the name an operator switches off, and the reason a finding gives.

use crate::Category;

/// How bad a finding is, with the score that OWASP CRS gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Severity {
    /// 2 points.
    Notice = 2,
    /// 3 points.
    Warning = 3,
    /// 4 points.
    Error = 4,
    /// 5 points: blocks alone at the default threshold.
    Critical = 5,
}

impl Severity {
    /// The anomaly score of one finding.
    pub const fn score(self) -> u32 {
        self as u32
    }

    /// The word in logs.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Error => "error",
            Severity::Critical => "critical",
        }
    }
}

/// The lowest sensitivity at which a rule is active (like a CRS paranoia level).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// Always: no honest request is expected to match.
    One = 1,
    /// Stricter: some honest requests with code-like text match.
    Two = 2,
    /// Strictest: for routes that take plain identifiers only.
    Three = 3,
}

/// One rule of a detector. Rules are data: the code that finds is the detector's.
#[derive(Debug)]
pub struct Rule {
    /// Stable number, thousands by category (1000 SQL_INJECTION … 10000 BOT_SCANNER).
    pub id: u32,
    /// Stable name, the legacy layer's where the meaning is the same (`sql-union`).
    pub name: &'static str,
    /// The category it belongs to.
    pub category: Category,
    /// Its severity.
    pub severity: Severity,
    /// From which sensitivity on it is active.
    pub level: Level,
    /// What it finds, in one sentence.
    pub description: &'static str,
    /// A value that matches (decoded form).
    pub example: &'static str,
    /// A look-alike that does not match.
    pub lookalike: &'static str,
    /// CWE, CAPEC, CVE or CRS rule that describes the attack.
    pub reference: &'static str,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}
