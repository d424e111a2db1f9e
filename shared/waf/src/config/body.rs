//! How request bodies are inspected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Size;

/// Inspection of request bodies. gRPC, WebSocket and CONNECT streams are never held and their bodies not inspected.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestBody {
    /// Whether bodies are inspected.
    pub enabled: bool,
    /// How much of a body is inspected, before and after decompression (default `"128KiB"`). In block mode that much is
    /// held back, so it has to stay below the listener's buffer limit (`per_connection_buffer_limit_bytes`), where Envoy
    /// itself answers 413.
    pub limit: Size,
    /// What happens to a longer body: `inspectPrefix` (default) inspects what is within the limit and lets the rest
    /// pass uninspected, `reject` answers 413.
    pub on_limit: OnLimit,
    /// What happens to a body with a Content-Encoding.
    pub compressed: Compressed,
    /// Whether the headers, too, are held back until the body's verdict, so that a refused request never reaches the
    /// upstream. **Only** for a proxy whose Wasm configuration sets `allow_on_headers_stop_iteration: true`: Istio's
    /// WasmPlugin cannot set it, and without it every request with a body hangs until a time-out. Without this, Envoy may
    /// have sent the request line and headers upstream (never the body) when a body is refused; Envoy's own buffer
    /// filter placed behind this one closes that gap, too.
    pub hold_headers: bool,
}

impl Default for RequestBody {
    fn default() -> Self {
        Self {
            enabled: true,
            limit: Size(128 << 10),
            on_limit: OnLimit::InspectPrefix,
            compressed: Compressed::Decode,
            hold_headers: false,
        }
    }
}

/// What happens to a body beyond the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OnLimit {
    /// What is within the limit is inspected, the rest passes.
    InspectPrefix,
    /// 413.
    Reject,
}

/// What happens to a body with a Content-Encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Compressed {
    /// gzip, deflate and br are decoded up to the limit; another coding is refused with 415, and data that is not what
    /// its coding says with 400.
    Decode,
    /// Every coding is refused with 415.
    Reject,
    /// Passes without inspection.
    Pass,
}
