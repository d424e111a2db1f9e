//! The rate-limit service's protocol, `envoy.service.ratelimit.v3`: the bytes of a question and what an answer says.
//!
//! [`message`] describes by hand the part of Envoy's messages that is used here; a test compares it with the official
//! types, byte for byte and both ways (`wasm-test-host/e2e/tests/rls_wire.rs`). [`Answer::read`] turns what a service
//! sends into a domain type: nothing of it is believed that could not go into a header, and its size is bounded.
#![forbid(unsafe_code)]

mod answer;
pub mod message;

pub use answer::{Answer, Malformed, Status};
pub use message::{Descriptor, Entry, RateLimitRequest};

/// The gRPC service.
pub const SERVICE: &str = "envoy.service.ratelimit.v3.RateLimitService";
/// Its method.
pub const METHOD: &str = "ShouldRateLimit";

/// The bytes of a question: may a request with these descriptors pass?
pub fn question(domain: &str, descriptors: Vec<Descriptor>) -> Vec<u8> {
    prost::Message::encode_to_vec(&RateLimitRequest {
        domain: domain.to_owned(),
        descriptors,
        hits_addend: 0,
    })
}
