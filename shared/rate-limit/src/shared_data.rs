//! What the tables live in: values that all workers of the proxy see.

pub(crate) use backstop_table::load_or_create;
pub use backstop_table::{SharedData, Stored, Unavailable, Written};
