//! The block list: clients that are refused for a while, in a table of shared data that all workers and all plugins of the
//! proxy see. No host.
//!
//! [`config::BlockList`] is what an operator writes, [`BlockList`] what it compiles to; a [`Listing`] puts it to its table.
//! It is fed by what a WAF finds and by verdicts on clients; whoever feeds it tells the endpoint of new entries
//! ([`notify`]).
//!
//! | module | what it holds |
//! |---|---|
//! | [`config`] | what an operator writes |
//! | [`list`] | who is listed, who is counted, who gives way |
//! | [`listing`] | what a request's filters ask the list, and tell it |
//! | [`notify`] | what the endpoint is told, and the queue of what it has not yet taken |
//! | [`endpoint`] | where it is told |
//! | [`event`] | what is counted |
//! | [`log_line`] | what is logged |
#![forbid(unsafe_code)]

pub mod config;
pub mod endpoint;
pub mod event;
pub mod list;
pub mod listing;
pub mod log_line;
pub mod notify;

pub use backstop_table::{SharedData, Stored, Unavailable, Written};
pub use config::{Category, Mode, Scope};
pub use endpoint::Endpoint;
pub use event::Event;
pub use list::{BlockList, Displaced, Fed, Report, Subject, Why};
pub use listing::{Feeding, Finding, Listing};
