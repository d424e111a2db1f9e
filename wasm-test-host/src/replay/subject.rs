//! What a replay sends requests through.

use super::Verdict;
use crate::traffic::Case;

/// The filter does not start, or cannot be started again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SubjectError(pub String);

/// Something that starts filters; shared by the workers of a replay.
pub trait Subject: Sync {
    /// One started filter, which stays on the worker's thread.
    type Judge: Judge;

    /// Starts a filter.
    ///
    /// # Errors
    /// Why it does not start, in one line.
    fn start(&self) -> Result<Self::Judge, SubjectError>;
}

/// A started filter.
pub trait Judge {
    /// Sends one request through the filter.
    ///
    /// # Errors
    /// The filter is gone and cannot be started again.
    fn judge(&mut self, case: &Case) -> Result<Verdict, SubjectError>;
}
