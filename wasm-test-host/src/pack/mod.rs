//! A built filter made ready for a proxy: only the exports that the filter implements, no unreachable code, no names;
//! refused if it asks for what Envoy 1.37 does not provide.
//!
//! The Proxy-Wasm SDK exports every callback of the ABI, and Envoy calls each exported one on each request: pruning
//! the unused took a no-op filter from 4.4 to 3.1 µs per request. Which callbacks a filter implements, only its source
//! knows; it says so in the custom section [`CALLBACKS_SECTION`] (macro `backstop_plugin::callbacks!`).

mod callbacks;
mod check;
pub mod command;
mod prune;
#[cfg(test)]
mod tests;

pub use callbacks::CALLBACKS_SECTION;
pub use check::{CheckError, check};
pub use prune::pack;

/// A packed module and what packing did.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The module.
    pub wasm: Vec<u8>,
    /// Names of the exports that are left.
    pub exports: Vec<String>,
    /// How many exports were removed.
    pub removed_exports: usize,
    /// How many imports were removed, since nothing calls them any more.
    pub removed_imports: usize,
}

/// Why a module cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Not a module.
    #[error("not a WebAssembly module: {0}")]
    Invalid(String),
    /// The filter does not say which callbacks it implements.
    #[error(
        "no `{CALLBACKS_SECTION}` section: the filter declares its callbacks with `backstop_plugin::callbacks!`"
    )]
    NoCallbacks,
    /// The filter names something that is no callback of a stream or a plugin.
    #[error("`{0}` is not a Proxy-Wasm callback")]
    UnknownCallback(String),
    /// The filter names a callback that it does not export.
    #[error("the filter declares `{0}` and does not export it")]
    MissingCallback(String),
    /// The result breaks a rule.
    #[error(transparent)]
    Check(#[from] CheckError),
}
