//! A request as bytes: header list, path and query, cookies; path normalisation and matching; client address.
//!
//! Nothing here assumes UTF-8 and nothing here panics: every input is a client's.
#![forbid(unsafe_code)]

pub mod place;

pub use place::{Kind, Place};
