//! A Proxy-Wasm 0.2.1 host on wasmtime, as strict as Envoy 1.37.
//!
//! Where this host and Envoy 1.37.0 could differ, the rule stands in a doc comment with where it comes from: *verified*
//! means tried on a real Envoy 1.37.0; a file name is one of proxy-wasm-cpp-host or of Envoy's `extensions/common/wasm`.
//!
//! ```no_run
//! use backstop_host::{FailurePolicy, Gateway, GrpcReply, HttpReply, Module, Plugin, Request};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let module = Module::from_file("waf.wasm")?; // compiled once; Send + Sync; cheap to clone
//! let mut gateway = Gateway::builder()
//!     .plugin(
//!         Plugin::new(&module)
//!             .name("waf")
//!             .config(r#"{"mode":"block"}"#)
//!             .failure_policy(FailurePolicy::FailReload)
//!             .allow_on_headers_stop_iteration(true),
//!     )
//!     .workers(2)
//!     .clusters(["outbound|50051||authz.example"])
//!     .start()?; // the error carries what the guest logged when it refused its configuration
//!
//! let outcome = gateway.send(Request::post("/login").header("content-type", "application/json").body("{}").chunks([1]));
//! assert_eq!((outcome.status, outcome.details.as_str()), (200, "via_upstream"));
//! assert!(outcome.passed() && !outcome.stalled);
//! println!("{} fuel, upstream saw {:?}", outcome.fuel(), outcome.upstream);
//!
//! gateway.on_http_call(|call| if call.path() == "/ok" { HttpReply::status(200) } else { HttpReply::timeout() });
//! gateway.on_grpc_call(|_| GrpcReply::status(14, "down"));
//! gateway.advance(std::time::Duration::from_secs(60)); // timers fire; nothing sleeps
//! assert_eq!(gateway.metrics().counter("requests_total"), 1);
//!
//! gateway.reconfigure("waf", r#"{"mode":"detect"}"#)?; // canary first; refused: the old one stays
//!
//! // Step by step, to test phases:
//! let stream = gateway.worker(0).open(Request::get("/"));
//! gateway.stream(stream).request_headers(Request::get("/").header_map(), true);
//! let outcome = gateway.stream(stream).finish();
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod abi;
mod callouts;
pub mod cli;
mod clock;
mod connection_manager;
mod context;
pub mod explain;
mod failure;
mod gateway;
mod headers;
mod host;
mod hostcalls;
mod metrics;
mod module;
pub mod oci;
mod outcome;
pub mod pack;
mod plugin;
pub mod replay;
mod request;
mod shared_data;
mod shared_queue;
mod stream;
pub mod traffic;
mod vm;
mod world;

pub use abi::{AbiVersion, Status};
pub use callouts::{GrpcCall, GrpcReply, GrpcStreamEvent, GrpcStreamReply, HttpCall, HttpReply};
pub use clock::VirtualClock;
pub use failure::{Failure, FailureKind, FailurePolicy};
pub use gateway::{
    ConfigRejected, Gateway, GatewayBuilder, StartError, StreamDriver, StreamId, StreamState,
    Worker,
};
pub use headers::{Header, HeaderMap};
pub use hostcalls::provides;
pub use metrics::{MetricKind, Metrics};
pub use module::{LoadError, Module};
pub use outcome::{CallbackCost, Callout, LogLevel, LogLine, Outcome, Upstream, VmRole};
pub use plugin::Plugin;
pub use request::{EndOfStream, Request, Response};
