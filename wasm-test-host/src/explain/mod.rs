//! How one request comes to its verdict: every value, every form it takes, what is found in it, and what a
//! configuration would have to leave out to let it pass.

mod curl;
mod exclusion;
mod shell_words;
mod trace;

pub use curl::parse as parse_curl;
pub use exclusion::{Exclusion, find as find_exclusion};
pub use trace::{Form, Match, Trace, Value, trace};
