//! Call-outs: what a guest asked for, and how a test answers.

use std::time::Duration;

use crate::headers::HeaderMap;

/// An HTTP call-out (`proxy_http_call`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCall {
    /// The cluster it goes to.
    pub cluster: String,
    /// Request headers; `:method`, `:path` and `:authority` are there, or the call had been refused. With a body,
    /// `content-length` is set as Envoy sets it.
    pub headers: HeaderMap,
    /// Request body.
    pub body: Vec<u8>,
    /// Request trailers.
    pub trailers: HeaderMap,
    /// `None` waits for ever: a time-out of 0 in the ABI.
    pub timeout: Option<Duration>,
    /// The token the guest got.
    pub token: u32,
}

impl HttpCall {
    /// `:path` as text.
    pub fn path(&self) -> String {
        self.headers.text(":path").unwrap_or_default()
    }

    /// Body as text, invalid UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// How an HTTP call-out ends.
#[derive(Clone, Debug)]
pub struct HttpReply {
    pub(crate) after: Duration,
    pub(crate) end: HttpEnd,
}

#[derive(Clone, Debug)]
pub(crate) enum HttpEnd {
    Answer {
        headers: HeaderMap,
        body: Vec<u8>,
        trailers: Option<HeaderMap>,
    },
    Never,
    Reset,
}

impl HttpReply {
    /// An answer with this status, headers and body, at once.
    pub fn ok(status: u16, headers: impl Into<HeaderMap>, body: impl Into<Vec<u8>>) -> Self {
        let mut all = HeaderMap::new();
        all.add(b":status", status.to_string().as_bytes());
        for (name, value) in headers.into().iter() {
            all.add(name, value);
        }
        Self {
            after: Duration::ZERO,
            end: HttpEnd::Answer {
                headers: all,
                body: body.into(),
                trailers: None,
            },
        }
    }

    /// An answer with only a status.
    pub fn status(status: u16) -> Self {
        Self::ok(status, HeaderMap::new(), Vec::new())
    }

    /// No answer: when the call's time-out passes, Envoy hands the guest its own 504 `upstream request timeout`.
    pub fn timeout() -> Self {
        Self {
            after: Duration::ZERO,
            end: HttpEnd::Never,
        }
    }

    /// The connection breaks: the guest's callback runs with no headers, no body and no trailers.
    pub fn reset() -> Self {
        Self {
            after: Duration::ZERO,
            end: HttpEnd::Reset,
        }
    }

    /// Nobody listens there: Envoy hands the guest its own 503.
    pub fn unreachable() -> Self {
        let text = "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, \
                    transport failure reason: delayed connect error: Connection refused";
        Self::local(503, text)
    }

    pub(crate) fn local(status: u16, text: &str) -> Self {
        let length = text.len().to_string();
        Self::ok(
            status,
            [
                ("content-length", length.as_str()),
                ("content-type", "text/plain"),
            ],
            text,
        )
    }

    /// Adds trailers to an answer.
    #[must_use]
    pub fn with_trailers(mut self, added: impl Into<HeaderMap>) -> Self {
        if let HttpEnd::Answer { trailers, .. } = &mut self.end {
            *trailers = Some(added.into());
        }
        self
    }

    /// The same, later. Later than the call's time-out, the time-out wins.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }
}

/// A unary gRPC call-out (`proxy_grpc_call`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrpcCall {
    /// The cluster it goes to, or the raw `GrpcService` the guest passed when that is not a known cluster's name.
    pub cluster: String,
    /// Full service name.
    pub service: String,
    /// Method name.
    pub method: String,
    /// Initial metadata.
    pub metadata: HeaderMap,
    /// The request message.
    pub message: Vec<u8>,
    /// `None` waits for ever: a time-out of 0 in the ABI.
    pub timeout: Option<Duration>,
    /// The token the guest got.
    pub token: u32,
}

/// How a unary gRPC call-out ends.
#[derive(Clone, Debug)]
pub struct GrpcReply {
    pub(crate) after: Duration,
    pub(crate) end: GrpcEnd,
}

#[derive(Clone, Debug)]
pub(crate) enum GrpcEnd {
    Message(Vec<u8>),
    Close { status: u32, message: String },
    Never,
}

impl GrpcReply {
    /// Status 0 with this message: the guest's `on_grpc_receive` runs.
    pub fn ok(message: impl Into<Vec<u8>>) -> Self {
        Self {
            after: Duration::ZERO,
            end: GrpcEnd::Message(message.into()),
        }
    }

    /// Another status: the guest's `on_grpc_close` runs.
    pub fn status(status: u32, message: impl Into<String>) -> Self {
        Self {
            after: Duration::ZERO,
            end: GrpcEnd::Close {
                status,
                message: message.into(),
            },
        }
    }

    /// No answer: when the call's time-out passes, `on_grpc_close` runs with status 14, not 4, and the text
    /// `upstream request timeout{response_timeout}` (Envoy 1.37, verified).
    pub fn timeout() -> Self {
        Self {
            after: Duration::ZERO,
            end: GrpcEnd::Never,
        }
    }

    /// Nobody listens there: status 14 (Envoy 1.37, verified).
    pub fn unreachable() -> Self {
        Self::status(
            14,
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, \
             transport failure reason: delayed connect error: Connection refused",
        )
    }

    /// The same, later. Later than the call's time-out, the time-out wins.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }
}

/// What happens on a gRPC stream that a guest holds (`proxy_grpc_stream`), as the far side sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcStreamEvent {
    /// It was opened.
    Open {
        /// The cluster.
        cluster: String,
        /// Full service name.
        service: String,
        /// Method name.
        method: String,
        /// Initial metadata.
        metadata: HeaderMap,
    },
    /// The guest sent a message; with `end_stream`, its last.
    Message {
        /// The message.
        bytes: Vec<u8>,
        /// Whether the guest closed its side with it.
        end_stream: bool,
    },
    /// The guest closed its side.
    Close,
    /// The guest cancelled the stream: nothing more is delivered.
    Cancel,
}

/// What the far side of a gRPC stream does; delivered to the guest in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcStreamReply {
    /// Initial metadata.
    InitialMetadata(HeaderMap),
    /// A message.
    Message(Vec<u8>),
    /// Trailing metadata.
    TrailingMetadata(HeaderMap),
    /// The end, with a gRPC status and its text.
    Close(u32, String),
}
