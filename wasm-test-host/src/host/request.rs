//! A request from its first byte to its outcome.

use crate::clock::nanos;
use crate::context::{Context, StreamContext};
use crate::failure::FailurePolicy;
use crate::headers::HeaderMap;
use crate::host::Host;
use crate::outcome::Outcome;
use crate::request::{Request, Response};
use crate::stream::iterate::Start;
use crate::stream::{
    Client, DataAt, Direction, FilterIteration, FilterSlot, Path, Stream, StreamInfo,
};

/// How long a request that only timers could resume is waited for: Envoy's default stream idle time-out.
const IDLE_NANOS: u64 = 300_000_000_000;

impl Host {
    /// A new stream with a context in each plugin's VM. A failed VM gives an empty context, or under FAIL_OPEN no
    /// filter at all (`PluginConfig::createContext`).
    pub(crate) fn open(&mut self, worker: usize, request: &Request) -> u64 {
        let id = self.next_stream;
        self.next_stream += 1;
        let mut filters = Vec::with_capacity(self.plugins.len());
        for plugin in 0..self.plugins.len() {
            let handle = self.handle(plugin, worker);
            let spec = &self.plugins[plugin].spec;
            let (policy, allow) = (spec.failure_policy, spec.allow_on_headers_stop_iteration);
            let context = match self.vms.get_mut(&handle.vm).filter(|vm| !vm.failed) {
                Some(vm) => {
                    let context = StreamContext::new(handle.root, id, allow);
                    Some(vm.state().alloc_context(Context::Stream(context)))
                }
                None if policy == FailurePolicy::FailOpen => continue,
                None => None,
            };
            filters.push(FilterSlot {
                vm: handle.vm,
                root: handle.root,
                context,
                decode: FilterIteration::default(),
                encode: FilterIteration::default(),
                failed: false,
            });
        }
        let client = request
            .client
            .clone()
            .unwrap_or_else(|| self.default_client.clone());
        let info = StreamInfo {
            client,
            protocol: request.protocol.clone(),
            tls: request.scheme == "https",
            start_nanos: self.world().clock.now_nanos(),
            connection_id: id,
        };
        let stream = Stream {
            info,
            decode: Path::default(),
            encode: Path::default(),
            filters,
            client: Client::default(),
            upstream: None,
            upstream_contacts: 0,
            filter_state: Default::default(),
            details: None,
            prepared: None,
            head_request: false,
            grpc_request: false,
            local_complete: false,
            destroyed: false,
        };
        self.world().streams.insert(id, Box::new(stream));
        id
    }

    pub(crate) fn request_headers(&mut self, id: u64, headers: HeaderMap, end: bool) {
        let stream = self.stream(id);
        let fragment = headers
            .get(":path")
            .is_some_and(|path| path.contains(&b'#'));
        stream.head_request = headers.get(":method") == Some(b"HEAD");
        let grpc = headers.get("content-type").is_some_and(|value| {
            value
                .strip_prefix(b"application/grpc")
                .is_some_and(|rest| rest.is_empty() || rest[0] == b'+')
        });
        stream.grpc_request = grpc;
        stream.decode.headers = Some(headers);
        stream.decode.observed_end = end;
        if fragment {
            self.reply_bad_path(id);
            return;
        }
        self.walk_headers(id, Direction::Decode, Start::Begin, end);
    }

    pub(crate) fn request_body(&mut self, id: u64, bytes: &[u8], end: bool) {
        let stream = self.stream(id);
        stream.decode.bytes += bytes.len() as u64;
        stream.decode.observed_end |= end;
        stream.decode.in_flight.clear();
        stream.decode.in_flight.extend_from_slice(bytes);
        self.walk_data(id, Direction::Decode, Start::Begin, DataAt::InFlight, end);
    }

    pub(crate) fn request_trailers(&mut self, id: u64, trailers: HeaderMap) {
        let stream = self.stream(id);
        stream.decode.observed_end = true;
        stream.decode.trailers = Some(trailers);
        self.walk_trailers(id, Direction::Decode, Start::Begin);
    }

    /// Sends the upstream's answer back through the chain.
    pub(crate) fn respond(&mut self, id: u64, response: Response) {
        let stream = self.stream(id);
        if stream.finished() || stream.encode.headers.is_some() || stream.client.headers.is_some() {
            return;
        }
        stream
            .details
            .get_or_insert_with(|| "via_upstream".to_owned());
        let pieces = response.pieces();
        let headers_end = pieces.is_empty() && response.trailers.is_none();
        stream.encode.headers = Some(response.headers);
        stream.encode.observed_end = headers_end;
        self.walk_headers(id, Direction::Encode, Start::Begin, headers_end);
        let last = pieces.len();
        for (index, piece) in pieces.iter().enumerate() {
            if self.stream(id).finished() {
                return;
            }
            let end = index + 1 == last && response.trailers.is_none();
            let stream = self.stream(id);
            stream.encode.observed_end |= end;
            stream.encode.in_flight = piece.to_vec();
            self.walk_data(id, Direction::Encode, Start::Begin, DataAt::InFlight, end);
        }
        if let Some(trailers) = response.trailers.filter(|_| !self.stream(id).finished()) {
            let stream = self.stream(id);
            stream.encode.observed_end = true;
            stream.encode.trailers = Some(trailers);
            self.walk_trailers(id, Direction::Encode, Start::Begin);
        }
    }

    pub(crate) fn send(&mut self, worker: usize, request: &Request) -> Outcome {
        self.settle();
        let id = self.open(worker, request);
        let pieces = request.pieces();
        let headers_end = pieces.is_empty() && request.trailers.is_none();
        self.request_headers(id, request.header_map(), headers_end);
        let last = pieces.len();
        let mut cut = false;
        for (index, piece) in pieces.iter().enumerate() {
            // Back-pressure: wait until a call-out lets the held bytes go, or give up.
            if self.stream(id).decode.over_limit
                && !self.wait(id, |stream| !stream.decode.over_limit)
            {
                cut = true;
                break;
            }
            if self.stream(id).finished() {
                cut = true;
                break;
            }
            self.request_body(id, piece, index + 1 == last && request.trailers.is_none());
        }
        if let Some(trailers) = request
            .trailers
            .clone()
            .filter(|_| !cut && !self.stream(id).finished())
        {
            self.request_trailers(id, trailers);
        }
        let stalled = !self.wait(id, Stream::finished);
        self.finish(id, stalled)
    }

    /// Lets events happen, and virtual time pass where nothing else is left, until the stream is so; false when nothing
    /// is left that could bring that about.
    pub(crate) fn wait(&mut self, id: u64, reached: impl Fn(&Stream) -> bool) -> bool {
        let idle_until = self.world().clock.now_nanos().saturating_add(IDLE_NANOS);
        loop {
            // What is due now comes before the upstream's answer, which takes a round trip.
            self.settle();
            self.answer_upstream(id);
            if reached(self.stream(id)) {
                return true;
            }
            if self.settle() {
                continue;
            }
            match self.next_event() {
                Some((at, true)) => self.world().clock.advance_to(at),
                Some((at, false)) if at <= idle_until => self.world().clock.advance_to(at),
                _ => return false,
            }
        }
    }

    /// Once the request has reached the upstream whole, the upstream answers.
    fn answer_upstream(&mut self, id: u64) {
        let stream = self.stream(id);
        let begun = stream.encode.headers.is_some() || stream.client.headers.is_some();
        if begun
            || stream.finished()
            || !stream
                .upstream
                .as_ref()
                .is_some_and(|upstream| upstream.complete)
        {
            return;
        }
        let Some(upstream) = stream.upstream.take() else {
            return;
        };
        let response = (self.scripts.upstream)(&upstream);
        self.stream(id).upstream = Some(upstream);
        if !response.after.is_zero() {
            let at = self
                .world()
                .clock
                .now_nanos()
                .saturating_add(nanos(response.after));
            self.world().clock.advance_to(at);
        }
        self.respond(id, response);
    }

    /// Ends the stream, if need be by resetting it, and hands out what came of it.
    pub(crate) fn finish(&mut self, id: u64, stalled: bool) -> Outcome {
        if !self.stream(id).finished() {
            self.reset(id);
        }
        self.destroy(id);
        self.settle();
        let stream = self.world().streams.remove(&id);
        self.drain();
        let sink = std::mem::take(&mut self.world().sink);
        let Some(mut stream) = stream else {
            return Outcome::default();
        };
        let status = if stream.client.headers.is_some() {
            stream.status()
        } else {
            0
        };
        Outcome {
            status,
            details: stream.details.take().unwrap_or_default(),
            response_headers: stream.client.headers.take().unwrap_or_default(),
            response_body: std::mem::take(&mut stream.client.body),
            response_trailers: stream.client.trailers.take(),
            upstream: stream.upstream.take(),
            upstream_contacts: stream.upstream_contacts,
            logs: sink.logs,
            filter_state: stream
                .filter_state
                .iter()
                .map(|(key, value)| (String::from_utf8_lossy(key).into_owned(), value.clone()))
                .collect(),
            callouts: sink.callouts,
            costs: sink.costs,
            failures: sink.failures,
            stalled,
            reset: stream.client.reset,
        }
    }
}
