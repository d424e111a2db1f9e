//! A request as bytes: header list, path and query, cookies; path normalisation and matching; client address.
//!
//! Nothing here assumes UTF-8 and nothing here panics: every input is a client's.
//!
//! | module | what it answers |
//! |---|---|
//! | [`headers`] | the header list as the proxy hands it over, kept for the whole transaction |
//! | [`target`] | `:path` split into path, query parameters and fragment |
//! | [`path`] | the spelling of a path that decisions are made on, and whether it is ambiguous |
//! | [`pattern`], [`host`] | the path and host patterns of a configuration |
//! | [`client`] | the client's address as Envoy vouches for it, and CIDR sets |
//! | [`cookies`] | cookie pairs of all Cookie headers |
//! | [`media_type`] | Content-Type and Content-Encoding |
//! | [`protocol`] | gRPC, WebSocket, CONNECT, event stream: which bodies must not be held |
//! | [`scan`] | finding separators in short byte strings |
//! | [`place`] | how a value's origin is named in configuration, logs and detectors |
#![forbid(unsafe_code)]

pub mod client;
pub mod cookies;
pub mod headers;
pub mod host;
pub mod media_type;
pub mod path;
pub mod pattern;
pub mod place;
pub mod protocol;
pub mod scan;
pub mod target;

pub use client::{CidrSet, client_address, network};
pub use cookies::{Cookie, Cookies};
pub use headers::{Headers, MalformedHeaders, Occurrence};
pub use host::HostPattern;
pub use media_type::{Coding, ContentType, MediaType};
pub use path::NormalizedPath;
pub use pattern::{PathPattern, PatternError};
pub use place::{Kind, Place};
pub use protocol::Exchange;
pub use target::{Param, Target};
