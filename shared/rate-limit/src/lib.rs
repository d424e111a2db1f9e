//! Rate limits: configuration, keys, token buckets in tables of bounded size, the decision. No host.
//!
//! [`Config`] is what an operator writes, [`Policy`] what it compiles to; a [`Limiter`] puts it to the tables that the
//! buckets are in, and [`Limiter::decide`] judges one request. What that needs from its surroundings it asks through
//! [`Host`].
//!
//! A request that its limits let pass may come with a question for a rate-limit service ([`Decision::question`]): whoever
//! calls the service completes the decision with its [`Reply`] ([`Limiter::rule`]).
//!
//! Buckets are in the proxy's [`SharedData`], which all workers see: a limit is one for the whole process. There are
//! neither counters per worker nor tables that grow with the number of clients: each limit has a table of fixed size, a
//! bucket that is full again is as good as none and gives its place away, and keys are 96 bits of a hash under a secret of
//! the process. See `bucket.rs` for the arithmetic, `shard.rs` for the layout and the clock, `table.rs` for how workers
//! change a bucket together.
#![forbid(unsafe_code)]

mod bucket;
pub mod config;
pub mod decision;
mod global;
mod jwt;
mod key;
mod limiter;
mod listeners;
mod log_line;
mod policy;
mod registry;
mod response;
mod ruling;
mod shard;
pub mod shared_data;
mod table;

pub use backstop_policy::Answer;
pub use config::{Config, ConfigError};
pub use decision::{Check, Decision, Event, Outcome};
pub use global::Global;
pub use limiter::{Host, Limiter};
pub use policy::Policy;
pub use ruling::{Failure, Reply, Ruling};
pub use shared_data::{SharedData, Stored, Unavailable, Written};
