//! The WAF's policy: configuration, exclusions, what is inspected, and the verdict. No host.
//!
//! [`Config`] is what an operator writes, [`Policy`] what it compiles to. A [`Transaction`] takes one request through
//! its phases; each answers an [`Outcome`]: let it go on, hold it, or reply, and what is to be reported. What the
//! request's surroundings have to say is asked through [`Host`].
#![forbid(unsafe_code)]

pub mod config;
pub mod custom;
mod exclusion;
mod inspect;
pub mod log_line;
mod matched_rule;
mod policy;
pub mod report;
mod tally;
mod target;
pub mod transaction;
pub mod values;

pub use backstop_detect::Scanner;
pub use backstop_policy::Answer;
pub use config::{Config, ConfigError, Mode};
pub use log_line::log_line;
pub use matched_rule::{CUSTOM, MatchedRule};
pub use policy::Policy;
pub use report::{Action, Entry, Refusal, Report};
pub use transaction::{Host, Next, Outcome, Transaction, Unreadable};
