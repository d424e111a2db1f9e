//! One HTTP stream: its data, and how it walks through the filter chain.

pub(crate) mod iterate;
pub(crate) mod local_reply;

use std::collections::BTreeMap;

use crate::headers::HeaderMap;
use crate::outcome::Upstream;

/// The two ways through a chain: requests run it in order, responses in reverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Decode,
    Encode,
}

/// Where the bytes that a data callback sees live: arriving, or already held in the stream's buffer. Envoy passes
/// a reference to either (`filter_manager.cc`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DataAt {
    InFlight,
    Buffered,
}

/// `ActiveStreamFilterBase::IterationState` of Envoy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Iteration {
    #[default]
    Continue,
    StopSingle,
    StopAllBuffer,
    StopAllWatermark,
}

/// One direction of a stream.
#[derive(Debug, Default)]
pub(crate) struct Path {
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) in_flight: Vec<u8>,
    pub(crate) buffered: Option<Vec<u8>>,
    /// The last byte, or the trailers, have arrived.
    pub(crate) observed_end: bool,
    /// The buffer is held by a filter that stops with back-pressure: over the limit, reading stops; no error.
    pub(crate) streaming: bool,
    /// Back-pressure holds: nothing more is read.
    pub(crate) over_limit: bool,
    /// A local reply was sent from a callback of this direction: the chain goes no further.
    pub(crate) aborted: bool,
    /// Callbacks of this direction that are running.
    pub(crate) running: u32,
    /// Bytes of body that arrived.
    pub(crate) bytes: u64,
}

/// Iteration state of one filter in one direction.
#[derive(Debug, Default)]
pub(crate) struct FilterIteration {
    pub(crate) state: Iteration,
    pub(crate) headers_continued: bool,
    pub(crate) from_current: bool,
    pub(crate) ended: bool,
}

impl FilterIteration {
    pub(crate) fn stopped_all(&self) -> bool {
        matches!(
            self.state,
            Iteration::StopAllBuffer | Iteration::StopAllWatermark
        )
    }
}

/// A filter's place in a stream.
#[derive(Debug)]
pub(crate) struct FilterSlot {
    pub(crate) vm: u64,
    pub(crate) root: u32,
    /// Stream context in the VM. `None`: the VM had failed before this stream began (an empty `Context`).
    pub(crate) context: Option<u32>,
    pub(crate) decode: FilterIteration,
    pub(crate) encode: FilterIteration,
    /// `stream_failed_` of proxy-wasm-cpp-host: the 503 was already asked for.
    pub(crate) failed: bool,
}

impl FilterSlot {
    pub(crate) fn iteration(&mut self, direction: Direction) -> &mut FilterIteration {
        match direction {
            Direction::Decode => &mut self.decode,
            Direction::Encode => &mut self.encode,
        }
    }
}

/// What went to the client.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) complete: bool,
    pub(crate) reset: bool,
}

/// What Envoy answers itself.
#[derive(Clone, Debug)]
pub(crate) struct LocalReply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) grpc_status: Option<u32>,
    pub(crate) details: String,
}

/// Facts about the connection and the request that properties show.
#[derive(Clone, Debug)]
pub(crate) struct StreamInfo {
    pub(crate) client: String,
    pub(crate) protocol: String,
    pub(crate) tls: bool,
    pub(crate) start_nanos: u64,
    pub(crate) connection_id: u64,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) info: StreamInfo,
    pub(crate) decode: Path,
    pub(crate) encode: Path,
    pub(crate) filters: Vec<FilterSlot>,
    pub(crate) client: Client,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) upstream_contacts: u32,
    pub(crate) filter_state: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) details: Option<String>,
    pub(crate) prepared: Option<LocalReply>,
    pub(crate) head_request: bool,
    pub(crate) grpc_request: bool,
    /// The response is complete (`local_complete_`): the request path takes nothing more.
    pub(crate) local_complete: bool,
    /// Context callbacks log, done and delete have run.
    pub(crate) destroyed: bool,
}

impl Stream {
    pub(crate) fn path(&mut self, direction: Direction) -> &mut Path {
        match direction {
            Direction::Decode => &mut self.decode,
            Direction::Encode => &mut self.encode,
        }
    }

    /// `stopDecoderFilterChain` and `stopEncoderFilterChain` of Envoy.
    pub(crate) fn stopped(&self, direction: Direction) -> bool {
        match direction {
            Direction::Decode => self.decode.aborted || self.local_complete,
            Direction::Encode => self.encode.aborted,
        }
    }

    pub(crate) fn status(&self) -> u16 {
        let headers = self
            .client
            .headers
            .as_ref()
            .or(self.encode.headers.as_ref());
        headers
            .and_then(|headers| headers.text(":status"))
            .and_then(|status| status.parse().ok())
            .unwrap_or(0)
    }

    /// A status is known as soon as there are response headers, those of a local reply included (Envoy 1.37, verified).
    pub(crate) fn response_code_known(&self) -> bool {
        self.client.headers.is_some() || self.encode.headers.is_some()
    }

    pub(crate) fn finished(&self) -> bool {
        self.client.complete || self.client.reset
    }
}
