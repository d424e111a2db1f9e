//! The host imports that the filters use, as functions on bytes that answer domain errors.

#[allow(
    unsafe_code,
    reason = "the only place where host imports are declared and called"
)]
mod raw;

pub mod call;

use std::fmt;

use crate::serialise;

/// What the host answers in place of a value (the ABI's status codes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// There is no such thing: property, buffer, key.
    NotFound,
    /// The call is not allowed in this phase, or its arguments are wrong.
    BadArgument,
    /// There is nothing to hand out.
    Empty,
    /// A value of shared data was written by somebody else meanwhile.
    CasMismatch,
    /// The host does not implement the call.
    Unimplemented,
    /// Another status.
    Status(u32),
}

impl HostError {
    pub(crate) const fn from_status(status: u32) -> Result<(), Self> {
        match status {
            0 => Ok(()),
            1 => Err(Self::NotFound),
            2 => Err(Self::BadArgument),
            7 => Err(Self::Empty),
            8 => Err(Self::CasMismatch),
            12 => Err(Self::Unimplemented),
            other => Err(Self::Status(other)),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("not found"),
            Self::BadArgument => f.write_str("bad argument, or not in this phase"),
            Self::Empty => f.write_str("nothing to hand out"),
            Self::CasMismatch => f.write_str("written by somebody else meanwhile"),
            Self::Unimplemented => f.write_str("not implemented by this host"),
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

impl std::error::Error for HostError {}

/// A buffer that the host hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Buffer {
    /// The request's body, as far as it is buffered (body and trailers phase).
    RequestBody = 0,
    /// The message that answered a gRPC call-out (while its end is told).
    GrpcMessage = 5,
    /// The plugin's configuration (configure phase).
    PluginConfiguration = 7,
}

/// A log level of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum LogLevel {
    /// `trace`.
    Trace = 0,
    /// `debug`.
    Debug = 1,
    /// `info`.
    Info = 2,
    /// `warning`.
    Warn = 3,
    /// `error`.
    Error = 4,
    /// `critical`.
    Critical = 5,
}

/// What a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum MetricKind {
    /// Only grows.
    Counter = 0,
    /// Goes both ways.
    Gauge = 1,
    /// A distribution.
    Histogram = 2,
}

/// A reply in place of the upstream's.
#[derive(Clone, Copy, Debug)]
pub struct LocalReply<'a> {
    /// HTTP status.
    pub status: u32,
    /// `%RESPONSE_CODE_DETAILS%` of access logs.
    pub details: &'a str,
    /// Header names and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// The gRPC status for gRPC clients; `None` leaves the mapping to the proxy.
    pub grpc_status: Option<u32>,
}

/// The request's header list as the proxy serialises it. Headers phase only.
///
/// # Errors
/// Outside its phase.
pub fn request_headers() -> Result<Vec<u8>, HostError> {
    raw::header_map_pairs(0)
}

/// Adds a field to the request. Headers phase only, which lasts as long as the request's headers are held back.
///
/// # Errors
/// Outside its phase.
pub fn add_request_header(name: &str, value: &str) -> Result<(), HostError> {
    raw::add_header_map_value(0, name.as_bytes(), value.as_bytes())
}

/// Removes every field called `name` (lower case) from the request. Headers phase only.
///
/// # Errors
/// Outside its phase. A name that is not there is none.
pub fn remove_request_header(name: &str) -> Result<(), HostError> {
    raw::remove_header_map_value(0, name.as_bytes())
}

/// Adds a field to the response. Response headers phase only.
///
/// # Errors
/// Outside its phase.
pub fn add_response_header(name: &str, value: &str) -> Result<(), HostError> {
    raw::add_header_map_value(2, name.as_bytes(), value.as_bytes())
}

/// The value of shared data at `key`, and its version (CAS). All workers, and all plugins of one `vm_id`, see the same.
///
/// # Errors
/// [`HostError::NotFound`] if nobody ever wrote it.
pub fn shared_data(key: &[u8]) -> Result<(Vec<u8>, u32), HostError> {
    raw::shared_data(key)
}

/// Writes shared data if `key` is still at version `cas`. On Envoy, version 0 writes always, and so does any version
/// where the key does not exist.
///
/// # Errors
/// [`HostError::CasMismatch`] if somebody else wrote meanwhile.
pub fn set_shared_data(key: &[u8], value: &[u8], cas: u32) -> Result<(), HostError> {
    raw::set_shared_data(key, value, cas)
}

/// Up to `len` bytes of a buffer from `start` on; none where it ends before `start`.
///
/// # Errors
/// When there is no such buffer in this phase.
pub fn buffer(buffer: Buffer, start: usize, len: usize) -> Result<Vec<u8>, HostError> {
    raw::buffer_bytes(buffer as u32, start, len)
}

/// A property, such as `["source", "address"]`.
///
/// # Errors
/// When there is no such property on this request.
pub fn property(path: &[&str]) -> Result<Vec<u8>, HostError> {
    raw::property(serialise::property_path(path).as_bytes())
}

/// Sets a property; Envoy keeps it as filter state `wasm.<name>`.
///
/// # Errors
/// When the host refuses.
pub fn set_property(path: &[&str], value: &[u8]) -> Result<(), HostError> {
    raw::set_property(serialise::property_path(path).as_bytes(), value)
}

/// Answers the request here. The first reply of a request counts.
///
/// # Errors
/// Where the phase does not allow it.
pub fn send_local_reply(reply: &LocalReply<'_>) -> Result<(), HostError> {
    let headers = serialise::header_map(reply.headers);
    let grpc_status = reply
        .grpc_status
        .and_then(|status| i32::try_from(status).ok())
        .unwrap_or(-1);
    raw::send_local_response(
        reply.status,
        reply.details.as_bytes(),
        reply.body,
        &headers,
        grpc_status,
    )
}

/// Lets a request go on that was held back.
///
/// # Errors
/// When it is not held back, or gone.
pub fn continue_request() -> Result<(), HostError> {
    raw::continue_stream(0)
}

/// Defines a metric and answers its id. Every call makes a new id on Envoy: define once, keep the id.
///
/// # Errors
/// When the host refuses.
pub fn define_metric(kind: MetricKind, name: &str) -> Result<u32, HostError> {
    raw::define_metric(kind as u32, name.as_bytes())
}

/// Adds to a counter (more than 0) or a gauge.
///
/// # Errors
/// For an unknown id.
pub fn increment_metric(id: u32, offset: i64) -> Result<(), HostError> {
    raw::increment_metric(id, offset)
}

/// Records a histogram's sample, or sets a gauge.
///
/// # Errors
/// For an unknown id.
pub fn record_metric(id: u32, value: u64) -> Result<(), HostError> {
    raw::record_metric(id, value)
}

/// Whether the proxy writes log lines of `level`: asked before a line is made, since most are not wanted.
pub fn logs(level: LogLevel) -> bool {
    raw::log_level().is_ok_and(|threshold| level as u32 >= threshold)
}

/// Writes a log line. A line that cannot be written is lost: there is nowhere to say so.
pub fn log(level: LogLevel, line: &[u8]) {
    let _ = raw::log(level as u32, line);
}

/// Nanoseconds since 1970 by the proxy's clock; 0 if it has none.
pub fn unix_nanos() -> u64 {
    raw::current_time().unwrap_or(0)
}

/// Nanoseconds of a clock that only goes forward and that all workers share (WASI's `CLOCK_MONOTONIC`); `None` if the host
/// has none.
pub fn monotonic_nanos() -> Option<u64> {
    raw::monotonic_time()
}
