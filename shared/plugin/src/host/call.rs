//! Call-outs, what comes back from them, and the clock that wakes a worker.
//!
//! Calls go through the SDK, which notes whose each token is. The answer comes to the context that made the call, also
//! when nothing came in time; if that context is gone by then, to nobody.

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::Status;

use super::{HostError, raw};
use crate::serialise;

/// The body of an HTTP call's response.
const HTTP_BODY: u32 = 4;
/// The message of a gRPC call's response.
const GRPC_MESSAGE: u32 = 5;
/// The headers of an HTTP call's response.
const HTTP_HEADERS: u32 = 6;
/// The headers of a response on its way to the client.
const RESPONSE_HEADERS: u32 = 2;

/// Calls a gRPC method of a cluster by an authority, and answers the call's token.
///
/// # Errors
/// [`HostError::NotFound`] if the proxy does not know the cluster; another one if nobody is in it.
pub fn grpc(
    cluster: &str,
    authority: &str,
    service: &str,
    method: &str,
    metadata: &[(&str, &[u8])],
    message: &[u8],
    timeout: Duration,
) -> Result<u32, HostError> {
    // Envoy 1.37 answers these statuses and no others.
    hostcalls::dispatch_grpc_call(
        &serialise::grpc_service(cluster, authority),
        service,
        method,
        metadata.to_vec(),
        Some(message),
        timeout,
    )
    .map_err(|status| match status {
        Status::ParseFailure => HostError::NotFound,
        status => HostError::Status(status as u32),
    })
}

/// Makes an HTTP request, and answers the call's token. Header values are text: the SDK takes nothing else.
///
/// # Errors
/// [`HostError::BadArgument`] if the proxy does not know the cluster, or a pseudo header is missing; another one if nobody
/// is in the cluster.
pub fn http(
    cluster: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    timeout: Duration,
) -> Result<u32, HostError> {
    hostcalls::dispatch_http_call(cluster, headers.to_vec(), Some(body), Vec::new(), timeout)
        .map_err(|status| match status {
            Status::BadArgument => HostError::BadArgument,
            status => HostError::Status(status as u32),
        })
}

/// The message that a gRPC call was answered with, of so many bytes. While its end is told only.
///
/// # Errors
/// At any other time.
pub fn grpc_message(len: usize) -> Result<Vec<u8>, HostError> {
    raw::buffer_bytes(GRPC_MESSAGE, 0, len)
}

/// What the status says that a gRPC call ended with. While its end is told only.
///
/// # Errors
/// At any other time.
pub fn grpc_status_message() -> Result<Vec<u8>, HostError> {
    raw::status_message()
}

/// The headers of an HTTP call's response, as the proxy serialises them. While its end is told only.
///
/// # Errors
/// At any other time.
pub fn http_response_headers() -> Result<Vec<u8>, HostError> {
    raw::header_map_pairs(HTTP_HEADERS)
}

/// The body of an HTTP call's response, of so many bytes. While its end is told only.
///
/// # Errors
/// At any other time.
pub fn http_response_body(len: usize) -> Result<Vec<u8>, HostError> {
    raw::buffer_bytes(HTTP_BODY, 0, len)
}

/// Gives the request another path with its query. Headers phase only, which lasts as long as the request's headers are held
/// back.
///
/// # Errors
/// When the proxy refuses.
pub fn replace_request_path(path: &[u8]) -> Result<(), HostError> {
    raw::replace_header_map_value(0, b":path", path)
}

/// The headers of a response on its way to the client, as the proxy serialises them. Response headers phase only.
///
/// # Errors
/// Outside its phase.
pub fn response_headers() -> Result<Vec<u8>, HostError> {
    raw::header_map_pairs(RESPONSE_HEADERS)
}

/// Removes every field called `name` (lower case) from the response. Response headers phase only.
///
/// # Errors
/// Outside its phase. A name that is not there is none.
pub fn remove_response_header(name: &str) -> Result<(), HostError> {
    raw::remove_header_map_value(RESPONSE_HEADERS, name.as_bytes())
}

/// Makes the calls that follow in this callback about another context: a request that waits.
///
/// # Errors
/// If there is no such context.
pub fn set_effective_context(context: u32) -> Result<(), HostError> {
    raw::set_effective_context(context)
}

/// Wakes this worker's root context every so many milliseconds; 0 never.
///
/// # Errors
/// When the host refuses.
pub fn set_tick_period(millis: u32) -> Result<(), HostError> {
    raw::set_tick_period(millis)
}
