//! The bot verdict on critical APIs: an authorization service is asked over `envoy.service.auth.v3` before a request goes
//! on. No host.
//!
//! [`Config`] is what an operator writes, [`Policy`] what it compiles to; a [`Gate`] puts it to its tables in shared data. A
//! request goes through [`Gate::begin`]; where that says so, the caller makes a [`Call`] and hands what comes back to
//! [`Gate::finish`], which says what becomes of the request. What the gate needs from its surroundings it asks through
//! [`Host`].
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`], [`policy`] | what an operator writes, and compiled |
//! | [`api`] | which critical API a request is for, however its path is spelled |
//! | [`bot_token`] | the token that some APIs demand, as far as its form goes |
//! | [`message`], [`check`], [`http_service`] | the question, by both halves of Envoy's protocol |
//! | [`query`] | what an answer changes of the query |
//! | [`answer`], [`verdict`] | the answer, and the platform's verdicts in it |
//! | [`breaker`] | the circuit breaker, one for all workers |
//! | [`cache`] | remembered verdicts |
//! | [`hold`] | requests that are held by THROTTLE |
//! | [`gate`], [`call`], [`outcome`] | one request's way through all of them |
#![forbid(unsafe_code)]

pub mod accept;
pub mod answer;
pub mod api;
pub mod bot_token;
pub mod breaker;
pub mod cache;
pub mod call;
pub mod check;
pub mod config;
pub mod gate;
pub mod header_names;
pub mod hold;
pub mod http_service;
mod key;
mod log_line;
pub mod message;
pub mod outcome;
pub mod policy;
pub mod query;
mod spelling;
pub mod verdict;

pub use backstop_policy::Answer;
pub use backstop_table::{SharedData, Stored, Unavailable, Written};
pub use call::{Call, Content, Reply};
pub use config::{Config, ConfigError};
pub use gate::{Effect, Ending, Gate, Host, Pending, Step};
pub use outcome::{Event, Failure, Outcome};
pub use policy::Policy;
pub use verdict::Verdict;
