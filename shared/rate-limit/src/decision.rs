//! What was decided about a request, for the answer, the log and the metrics.

use std::net::IpAddr;

use crate::bucket::Time;
use crate::config::Mode;
use crate::ruling::Ruling;

/// What the limits say to a request.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// Every limit that applies, in the order of the configuration; none for an exempt request or a trusted client.
    pub checks: Vec<Check>,
    /// The client's address, if the limits had to know it.
    pub client: Option<IpAddr>,
    /// Whether limits are not enforced for this client yet (`enforcePercent`).
    pub shadow: bool,
    /// What to ask a rate-limit service, if it is to be asked: the bytes of a `RateLimitRequest`. The decision is complete
    /// when [`Limiter::rule`](crate::Limiter::rule) has heard what came of it.
    pub question: Option<Vec<u8>>,
    /// What came of asking.
    pub ruling: Option<Ruling>,
}

impl Decision {
    /// Whether the request is refused.
    pub fn is_limited(&self) -> bool {
        self.refusing().is_some() || self.ruled(Outcome::Limited)
    }

    /// Whether a limit, be it in shadow mode, has not enough tokens.
    pub fn is_over(&self) -> bool {
        self.checks
            .iter()
            .any(|check| matches!(check.outcome, Outcome::Limited | Outcome::WouldLimit))
            || self.ruled(Outcome::Limited)
            || self.ruled(Outcome::WouldLimit)
    }

    /// Whether there is something to warn of: a limit without tokens, or a rate-limit service that did not say.
    pub fn is_notable(&self) -> bool {
        self.is_over()
            || self
                .ruling
                .as_ref()
                .is_some_and(|ruling| ruling.failure.is_some())
    }

    /// Whether nothing limits the request and nobody is to be asked.
    pub const fn is_empty(&self) -> bool {
        self.checks.is_empty() && self.question.is_none() && self.ruling.is_none()
    }

    /// The mode that a limit of this mode has for this client.
    pub(crate) const fn mode(&self, limit: Mode) -> Mode {
        if self.shadow { Mode::Shadow } else { limit }
    }

    fn ruled(&self, outcome: Outcome) -> bool {
        self.ruling
            .as_ref()
            .is_some_and(|ruling| ruling.outcome == outcome)
    }

    /// The limit of this proxy that refuses; of several, the one to wait for the longest.
    pub fn refusing(&self) -> Option<&Check> {
        self.longest(Outcome::Limited)
    }

    /// The limit to report: the one that refuses, else the one that would, else the first that applies.
    pub fn lead(&self) -> Option<&Check> {
        self.refusing()
            .or_else(|| self.longest(Outcome::WouldLimit))
            .or_else(|| self.checks.first())
    }

    fn longest(&self, outcome: Outcome) -> Option<&Check> {
        let mut found: Option<&Check> = None;
        for check in self.checks.iter().filter(|check| check.outcome == outcome) {
            if found.is_none_or(|found| check.wait_nanos > found.wait_nanos) {
                found = Some(check);
            }
        }
        found
    }
}

/// What one limit says.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its position in the configuration.
    pub limit: usize,
    /// What it says.
    pub outcome: Outcome,
    /// What happened on the way, if anything did.
    pub event: Option<Event>,
    /// For a limit without enough tokens: nanoseconds until there are.
    pub wait_nanos: u64,
    /// The bucket as it is now, and the time by its shard's clock.
    pub(crate) bucket: Option<(Time, u64)>,
}

/// What a limit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The request passes and has taken its tokens.
    Allowed,
    /// The request is refused.
    Limited,
    /// The request would be refused, but the limit is in shadow mode.
    WouldLimit,
    /// There were enough tokens, but another limit refuses: none were taken.
    NotTaken,
}

impl Outcome {
    /// The word in metrics and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Limited => "limited",
            Self::WouldLimit => "shadow",
            Self::NotTaken => "not-taken",
        }
    }
}

/// What happened to a limit's table that an operator should know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The shard is full: the key took from the bucket that all without a place share.
    SharedBucket,
    /// The shard is full: the request passes uncounted.
    FullAllowed,
    /// The shard is full: the request is refused.
    FullDenied,
    /// Every attempt to write met another worker's write: the request passes uncounted.
    Contended,
    /// The proxy has no shared data.
    Unavailable,
    /// Tokens of a refused request could not be given back: the client waits a little longer.
    NotGivenBack,
}

impl Event {
    /// The word in metrics and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SharedBucket => "full-share-bucket",
            Self::FullAllowed => "full-allow",
            Self::FullDenied => "full-deny",
            Self::Contended => "contended",
            Self::Unavailable => "unavailable",
            Self::NotGivenBack => "not-given-back",
        }
    }
}
