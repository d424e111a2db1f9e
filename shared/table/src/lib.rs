//! Tables of bounded size in the proxy's shared data, which all workers see.
//!
//! | module | what it holds |
//! |---|---|
//! | [`shared_data`] | values with versions, by Envoy's rules |
//! | [`seed`] | the process's secret that keys are hashed with |
//! | [`shard`] | a fixed number of records with a time to live, in one value |
//! | [`table`] | shards by hash, changed by compare-and-swap |
//!
//! A table never grows: it has a number of shards, each a value of shared data with a number of places. A key's hash says
//! in which shard it is. A record whose time is over is as good as none; where all places are taken, the caller's ranking
//! says which record gives way, and the caller learns of it.
#![forbid(unsafe_code)]

pub mod seed;
pub mod shard;
pub mod shared_data;
pub mod table;

pub use seed::{KeyHasher, Seed};
pub use shard::Record;
pub use shared_data::{SharedData, Stored, Unavailable, Written, load_or_create};
pub use table::{Change, Changed, Layout, Table};
