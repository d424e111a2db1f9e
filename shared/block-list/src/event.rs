//! What is counted.

use crate::list::{Displaced, Fed};

/// Something about the list that is worth counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A client was reported to the list.
    Fed(Fed),
    /// A client gave way before its time was over.
    Displaced(Displaced),
    /// The proxy has no shared data, or refused it: nobody is listed for this request.
    SharedDataUnavailable,
}

impl Event {
    /// The word in metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fed(Fed::NotFed) => "not-fed",
            Self::Fed(Fed::TrustedProxy) => "trusted-proxy",
            Self::Fed(Fed::Counted(_)) => "counted",
            Self::Fed(Fed::Listed(_)) => "listed",
            Self::Fed(Fed::AlreadyListed) => "already-listed",
            Self::Fed(Fed::Contended) => "contended",
            Self::Displaced(Displaced::Counted) => "counted-displaced",
            Self::Displaced(Displaced::Blocked) => "listed-displaced",
            Self::SharedDataUnavailable => "shared-data-unavailable",
        }
    }
}
