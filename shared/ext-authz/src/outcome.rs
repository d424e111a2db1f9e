//! What came of a request, for metrics, logs and response-code details.

use backstop_block_list::Why;

use crate::answer::Malformed;
use crate::bot_token::TokenError;
use crate::breaker::Transition;
use crate::verdict::Verdict;

/// Why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The time for an answer was over.
    Timeout,
    /// The service was not reached, or the connection broke.
    Unreachable,
    /// The proxy has no such cluster, or no endpoint for it.
    NoCluster,
    /// The answer says nothing.
    Malformed(Malformed),
    /// The service says that it could not tell, or failed.
    Service,
    /// The breaker is open, or another request is the probe.
    BreakerOpen,
}

impl Failure {
    /// The word in logs, metrics and response-code details.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::NoCluster => "no-cluster",
            Self::Malformed(_) => "malformed",
            Self::Service => "service-error",
            Self::BreakerOpen => "breaker-open",
        }
    }

    /// What a failed gRPC call means. Envoy reports its own time-out as UNAVAILABLE (14) with `response_timeout` in the
    /// text, not as DEADLINE_EXCEEDED (4).
    pub fn of_grpc(status: u32, message: &[u8]) -> Self {
        let says = |word: &[u8]| message.windows(word.len()).any(|window| window == word);
        match status {
            4 => Self::Timeout,
            14 if says(b"response_timeout") || says(b"request timeout") => Self::Timeout,
            14 => Self::Unreachable,
            _ => Self::Service,
        }
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service's verdict.
    Verdict {
        /// Which.
        verdict: Verdict,
        /// Whether it is a remembered one.
        cached: bool,
    },
    /// There is none.
    Failed {
        /// Why.
        failure: Failure,
        /// Whether the request passes all the same.
        open: bool,
    },
    /// The client is on the block list.
    Listed(Why),
    /// The bot token is missing or malformed.
    Token(TokenError),
    /// Servers may read the path in different ways.
    AmbiguousPath,
}

impl Outcome {
    /// The word in logs, metrics and response-code details.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Verdict { verdict, .. } => verdict.word(),
            Self::Failed { failure, .. } => failure.word(),
            Self::Listed(_) => "block-list",
            Self::Token(error) => error.word(),
            Self::AmbiguousPath => "ambiguous-path",
        }
    }
}

/// Something else that is worth counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The breaker changed its phase.
    Breaker(Transition),
    /// A listed client's request went on, since the list only reports.
    ListedOnly(Why),
    /// An answer was too long to be remembered.
    NotRemembered,
    /// The proxy has no shared data, or refused it: no block list, no cache, no breaker for this request.
    SharedDataUnavailable,
}

impl Event {
    /// The word in metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Breaker(Transition::Opened) => "breaker-opened",
            Self::Breaker(Transition::Closed) => "breaker-closed",
            Self::ListedOnly(_) => "block-list-report-only",
            Self::NotRemembered => "cache-too-long",
            Self::SharedDataUnavailable => "shared-data-unavailable",
        }
    }
}
