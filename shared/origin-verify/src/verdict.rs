//! What becomes of a request.

use backstop_policy::Answer;

/// Why a request has no valid secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The header is not there.
    Missing,
    /// The header is there, without a value.
    Empty,
    /// The header is there more than once: which one a server behind would believe is anybody's guess.
    Repeated,
    /// The value is not UTF-8, so no secret of ours.
    NotUtf8,
    /// The value is no secret on the list.
    Mismatch,
    /// The secret's time has not come.
    NotYetValid,
    /// The secret's time is over.
    Expired,
    /// The proxy did not hand out the headers.
    HeadersUnreadable,
    /// The proxy did not take the header off, so that the secret would go on with the request.
    HeaderNotRemoved,
}

impl Refusal {
    /// The name in logs (`rule`), metrics and response-code details.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Empty => "empty",
            Self::Repeated => "repeated",
            Self::NotUtf8 => "not-utf8",
            Self::Mismatch => "mismatch",
            Self::NotYetValid => "not-yet-valid",
            Self::Expired => "expired",
            Self::HeadersUnreadable => "headers-unreadable",
            Self::HeaderNotRemoved => "header-not-removed",
        }
    }

    /// One sentence for the log.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Missing => "The origin header is not there",
            Self::Empty => "The origin header has no value",
            Self::Repeated => "The origin header is there more than once",
            Self::NotUtf8 => "The origin header's value is not UTF-8",
            Self::Mismatch => "The origin header's value is no secret on the list",
            Self::NotYetValid => "The secret in the origin header is not valid yet",
            Self::Expired => "The secret in the origin header is no longer valid",
            Self::HeadersUnreadable => "The proxy did not hand out the headers",
            Self::HeaderNotRemoved => "The proxy did not take the origin header off",
        }
    }
}

/// What a request's origin header comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The request needs no secret.
    Exempt,
    /// The secret at this position of the configuration's list is in it.
    Accepted(usize),
    /// There is no valid secret in it; the secret's position if it is on the list, but not valid now.
    Refused(Refusal, Option<usize>),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The verdict, to be counted.
    pub verdict: Verdict,
    /// Whether the header is there, and must be removed before the request goes on.
    pub remove_header: bool,
    /// The answer that ends the request; `None` where it goes on.
    pub reply: Option<Answer>,
    /// The client's address as the proxy vouches for it, for the log; asked for only where there is something to log.
    pub client: String,
}
