//! The public face: a gateway with Wasm filters in it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::callouts::{GrpcCall, GrpcReply, GrpcStreamEvent, GrpcStreamReply, HttpCall, HttpReply};
use crate::clock::{VirtualClock, nanos};
use crate::failure::Failure;
use crate::headers::HeaderMap;
use crate::host::{Host, Limits, Rejection, Running, Scripts};
use crate::metrics::Metrics;
use crate::outcome::{LogLevel, LogLine, Outcome, Upstream};
use crate::plugin::Plugin;
use crate::request::{Request, Response};
use crate::world::{Clusters, Sink, World};

/// Lines kept for [`Gateway::logs`]; older ones are dropped.
const LOG_CAPACITY: usize = 10_000;

/// A plugin that did not start, or a configuration that was refused.
#[derive(Debug, thiserror::Error)]
#[error("plugin {plugin}: {step} failed{}{}", shown(.failure), lines(.logs))]
pub struct StartError {
    /// Name of the plugin.
    pub plugin: String,
    /// What failed: `load`, `start`, `on_vm_start` (returned false) or `on_configure` (returned false).
    pub step: &'static str,
    /// The trap, if it was one.
    pub failure: Option<Failure>,
    /// What the guest logged meanwhile: usually why it refused.
    pub logs: Vec<LogLine>,
}

/// A configuration that was refused; the old one stays in force.
pub type ConfigRejected = StartError;

fn shown(failure: &Option<Failure>) -> String {
    failure
        .as_ref()
        .map(|failure| format!(": {failure}"))
        .unwrap_or_default()
}

fn lines(logs: &[LogLine]) -> String {
    logs.iter()
        .map(|line| format!("\n  {:?}: {}", line.level, line.message))
        .collect()
}

/// Builds a [`Gateway`].
pub struct GatewayBuilder {
    plugins: Vec<Plugin>,
    workers: usize,
    main_thread: bool,
    buffer_limit: usize,
    limits: Limits,
    clock: VirtualClock,
    client: String,
    clusters: Clusters,
    properties: BTreeMap<String, Vec<u8>>,
    log_level: LogLevel,
    scripts: Scripts,
}

impl Default for GatewayBuilder {
    fn default() -> Self {
        let fixed = [
            ("xds.route_name", "default"),
            ("xds.cluster_name", "outbound|8080||shop.example"),
            ("xds.virtual_host_name", "shop.example:80"),
            ("xds.filter_chain_name", ""),
        ];
        Self {
            plugins: Vec::new(),
            workers: 1,
            main_thread: true,
            buffer_limit: 1 << 20,
            limits: Limits {
                fuel_per_callback: 20_000_000_000,
                memory: 1 << 30,
            },
            clock: VirtualClock::default(),
            client: "203.0.113.7:0".to_owned(),
            clusters: Clusters::default(),
            properties: fixed
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
            log_level: LogLevel::Trace,
            scripts: Scripts::default(),
        }
    }
}

impl GatewayBuilder {
    /// One more filter, behind those already there. Responses run the chain in reverse.
    #[must_use]
    pub fn plugin(mut self, plugin: Plugin) -> Self {
        self.plugins.push(plugin);
        self
    }

    /// Number of workers, each with a VM of its own. Default 1.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Whether the main thread has a VM too, as in Envoy: it runs `on_configure`, timers and queues, but no requests.
    /// Default true.
    #[must_use]
    pub fn main_thread_vm(mut self, there: bool) -> Self {
        self.main_thread = there;
        self
    }

    /// The connection manager's `per_connection_buffer_limit_bytes`. Default 1 MiB, as in Envoy.
    #[must_use]
    pub fn buffer_limit(mut self, bytes: usize) -> Self {
        self.buffer_limit = bytes;
        self
    }

    /// Fuel a single callback may use before it is stopped. Envoy has no such limit; the default only ends what would
    /// run for seconds.
    #[must_use]
    pub fn fuel_per_callback(mut self, fuel: u64) -> Self {
        self.limits.fuel_per_callback = fuel;
        self
    }

    /// Bytes of memory a VM may have. Default 1 GiB (`PROXY_WASM_HOST_MAX_WASM_MEMORY_SIZE_BYTES`).
    #[must_use]
    pub fn memory_limit(mut self, bytes: usize) -> Self {
        self.limits.memory = bytes;
        self
    }

    /// The clock. Default: stands at 2026-01-01T00:00:00Z.
    #[must_use]
    pub fn clock(mut self, clock: VirtualClock) -> Self {
        self.clock = clock;
        self
    }

    /// `source.address` of requests that name none. Default `203.0.113.7:0`.
    #[must_use]
    pub fn client(mut self, address: impl Into<String>) -> Self {
        self.client = address.into();
        self
    }

    /// Clusters that call-outs may name; any other is answered as Envoy answers an unknown one.
    #[must_use]
    pub fn clusters<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.clusters
            .known
            .extend(names.into_iter().map(Into::into));
        self
    }

    /// Known clusters that have no endpoint: a call-out to one fails at once.
    #[must_use]
    pub fn clusters_without_endpoints<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        for name in names {
            let name = name.into();
            self.clusters.known.insert(name.clone());
            self.clusters.without_endpoints.insert(name);
        }
        self
    }

    /// A property with a fixed value, by its dotted path (`xds.route_name`). Overrides what the host would answer.
    #[must_use]
    pub fn property(mut self, path: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.properties.insert(path.into(), value.as_ref().to_vec());
        self
    }

    /// The log level of the component `wasm`: less important lines are dropped, and guests that ask can see it.
    /// Default trace.
    #[must_use]
    pub fn log_level(mut self, level: LogLevel) -> Self {
        self.log_level = level;
        self
    }

    /// Answers HTTP call-outs. Default: 200 without a body. The script must be in place before the start when a
    /// filter calls out while it starts.
    #[must_use]
    pub fn on_http_call(
        mut self,
        script: impl FnMut(&HttpCall) -> HttpReply + Send + 'static,
    ) -> Self {
        self.scripts.http = Box::new(script);
        self
    }

    /// Answers unary gRPC call-outs. Default: an empty message.
    #[must_use]
    pub fn on_grpc_call(
        mut self,
        script: impl FnMut(&GrpcCall) -> GrpcReply + Send + 'static,
    ) -> Self {
        self.scripts.grpc = Box::new(script);
        self
    }

    /// Answers requests that reach the upstream. Default: [`Response::ok`].
    #[must_use]
    pub fn on_upstream(
        mut self,
        script: impl FnMut(&Upstream) -> Response + Send + 'static,
    ) -> Self {
        self.scripts.upstream = Box::new(script);
        self
    }

    /// Starts every plugin: a canary VM first, then one VM per worker.
    pub fn start(self) -> Result<Gateway, StartError> {
        let world = World {
            clock: self.clock,
            shared_data: Default::default(),
            queues: Default::default(),
            metrics: Metrics::default(),
            sink: Sink::default(),
            streams: HashMap::new(),
            clusters: self.clusters,
            asked: VecDeque::new(),
            properties: self.properties,
            log_level: self.log_level,
            buffer_limit: self.buffer_limit,
            grpc_streams: HashMap::new(),
            pending: Vec::new(),
        };
        let plugins = self.plugins.into_iter().map(|spec| {
            let config = spec.config.clone();
            Running {
                spec,
                config,
                handles: Vec::new(),
            }
        });
        let host = Host {
            world: Some(Box::new(world)),
            vms: HashMap::new(),
            plugins: plugins.collect(),
            workers: self.workers,
            main_thread: self.main_thread,
            limits: self.limits,
            scripts: self.scripts,
            draining: Vec::new(),
            next_vm: 1,
            next_stream: 1,
            default_client: self.client,
        };
        let mut gateway = Gateway {
            host,
            logs: VecDeque::new(),
            failures: Vec::new(),
            next_worker: 0,
        };
        for plugin in 0..gateway.host.plugins.len() {
            let started = gateway.host.start_plugin(plugin);
            gateway.keep();
            started.map_err(|rejection| gateway.error(plugin, rejection))?;
        }
        gateway.host.settle();
        gateway.keep();
        Ok(gateway)
    }
}

/// An Envoy with Wasm filters: one or more workers, one upstream, one clock. Everything in it is deterministic, and
/// nothing sleeps.
pub struct Gateway {
    host: Host,
    logs: VecDeque<LogLine>,
    failures: Vec<Failure>,
    next_worker: usize,
}

/// A stream that a test drives step by step; see [`Gateway::stream`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamId(u64);

impl Gateway {
    /// A builder with one worker and no plugin.
    pub fn builder() -> GatewayBuilder {
        GatewayBuilder::default()
    }

    /// Sends a request through the chain and waits for what comes of it: call-outs are answered by their scripts,
    /// and where only time can help, the virtual clock moves on. Workers take turns.
    pub fn send(&mut self, request: impl std::borrow::Borrow<Request>) -> Outcome {
        let worker = self.next_worker;
        self.next_worker = (worker + 1) % self.host.workers;
        self.keep();
        self.host.send(worker, request.borrow())
    }

    /// One of the workers, from 0.
    ///
    /// # Panics
    /// When there is no such worker.
    pub fn worker(&mut self, worker: usize) -> Worker<'_> {
        assert!(
            worker < self.host.workers,
            "the gateway has {} workers",
            self.host.workers
        );
        Worker {
            gateway: self,
            worker,
        }
    }

    /// A stream that [`Worker::open`] began.
    pub fn stream(&mut self, id: StreamId) -> StreamDriver<'_> {
        StreamDriver {
            gateway: self,
            id: id.0,
        }
    }

    /// Answers HTTP call-outs from now on.
    pub fn on_http_call(&mut self, script: impl FnMut(&HttpCall) -> HttpReply + Send + 'static) {
        self.host.scripts.http = Box::new(script);
    }

    /// Answers unary gRPC call-outs from now on.
    pub fn on_grpc_call(&mut self, script: impl FnMut(&GrpcCall) -> GrpcReply + Send + 'static) {
        self.host.scripts.grpc = Box::new(script);
    }

    /// Plays the far side of gRPC streams from now on: called with the stream's token for each thing the guest does.
    pub fn on_grpc_stream(
        &mut self,
        script: impl FnMut(u32, &GrpcStreamEvent) -> Vec<GrpcStreamReply> + Send + 'static,
    ) {
        self.host.scripts.grpc_stream = Box::new(script);
    }

    /// Answers requests that reach the upstream from now on.
    pub fn on_upstream(&mut self, script: impl FnMut(&Upstream) -> Response + Send + 'static) {
        self.host.scripts.upstream = Box::new(script);
    }

    /// The clock.
    pub fn clock(&mut self) -> VirtualClock {
        self.host.world().clock.clone()
    }

    /// Fires what is due: timers, ends of call-outs, time-outs, queues. A timer that fell due several times since
    /// fires as often.
    pub fn tick(&mut self) {
        self.host.settle();
        self.keep();
    }

    /// Lets time pass event by event: each timer and time-out fires at its own instant.
    pub fn advance(&mut self, by: Duration) {
        let clock = self.clock();
        let until = clock.now_nanos().saturating_add(nanos(by));
        self.host.settle();
        while let Some((at, _)) = self.host.next_event().filter(|(at, _)| *at <= until) {
            clock.advance_to(at);
            if !self.host.settle() {
                break;
            }
        }
        clock.advance_to(until);
        self.keep();
    }

    /// All metrics of the process.
    pub fn metrics(&mut self) -> &Metrics {
        &self.host.world().metrics
    }

    /// What guests logged outside of requests: starting, configuring, ticking. At most the last 10,000 lines. Lines
    /// logged during a request are in its [`Outcome`].
    pub fn logs(&mut self) -> &[LogLine] {
        self.keep();
        self.logs.make_contiguous()
    }

    /// Guests that failed outside of requests, for example in a timer.
    pub fn failures(&mut self) -> &[Failure] {
        self.keep();
        &self.failures
    }

    /// Shared data of that `vm_id`.
    pub fn shared_data(&mut self, vm_id: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.host.world().shared_data.snapshot(vm_id.as_bytes())
    }

    /// Gives the plugin of that name a new configuration, as an update from the control plane: a canary VM tries it
    /// first; if it is refused there, nothing changes. New streams use it; streams under way keep the old one.
    ///
    /// # Panics
    /// When there is no plugin of that name.
    pub fn reconfigure(
        &mut self,
        plugin: &str,
        config: impl AsRef<[u8]>,
    ) -> Result<(), ConfigRejected> {
        let index = self
            .host
            .plugins
            .iter()
            .position(|running| running.spec.name == plugin);
        let index = index.unwrap_or_else(|| panic!("no plugin is named {plugin}"));
        let done = self.host.reconfigure(index, Arc::from(config.as_ref()));
        self.keep();
        done.map_err(|rejection| self.error(index, rejection))
    }

    /// Number of VMs that live now: one per worker (and the main thread) and VM key.
    pub fn vms(&self) -> usize {
        self.host.vms.len()
    }

    fn error(&self, plugin: usize, rejection: Rejection) -> StartError {
        let plugin = self.host.plugins[plugin].spec.name.clone();
        StartError {
            plugin,
            step: rejection.step,
            failure: rejection.failure,
            logs: rejection.logs,
        }
    }

    /// Moves what was logged outside of requests to its own place, unless a stream is being driven: then it is the
    /// stream's.
    fn keep(&mut self) {
        if !self.host.world().streams.is_empty() {
            return;
        }
        let sink = std::mem::take(&mut self.host.world().sink);
        self.logs.extend(sink.logs);
        let excess = self.logs.len().saturating_sub(LOG_CAPACITY);
        self.logs.drain(..excess);
        self.failures.extend(sink.failures);
    }
}

/// One worker of a [`Gateway`].
pub struct Worker<'g> {
    gateway: &'g mut Gateway,
    worker: usize,
}

impl Worker<'_> {
    /// Sends a request to this worker; see [`Gateway::send`].
    pub fn send(&mut self, request: impl std::borrow::Borrow<Request>) -> Outcome {
        self.gateway.keep();
        self.gateway.host.send(self.worker, request.borrow())
    }

    /// Begins a stream on this worker and sends nothing yet. Only the connection's side of `request` counts: client,
    /// scheme, protocol.
    pub fn open(&mut self, request: impl std::borrow::Borrow<Request>) -> StreamId {
        self.gateway.keep();
        StreamId(self.gateway.host.open(self.worker, request.borrow()))
    }
}

/// What a step of a stream led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamState {
    /// Everything given so far has passed the chain.
    Flowing,
    /// A filter holds something back.
    Paused,
    /// The client has its whole answer.
    Answered,
    /// The stream was reset.
    Reset,
}

/// Drives one stream step by step. Nothing happens between steps: call-outs end, and the upstream answers, only when
/// told to.
pub struct StreamDriver<'g> {
    gateway: &'g mut Gateway,
    id: u64,
}

impl StreamDriver<'_> {
    /// The request's headers arrive.
    pub fn request_headers(
        &mut self,
        headers: impl Into<HeaderMap>,
        end_of_stream: bool,
    ) -> StreamState {
        self.gateway
            .host
            .request_headers(self.id, headers.into(), end_of_stream);
        self.state()
    }

    /// A piece of the body arrives.
    pub fn request_body(&mut self, bytes: impl AsRef<[u8]>, end_of_stream: bool) -> StreamState {
        self.gateway
            .host
            .request_body(self.id, bytes.as_ref(), end_of_stream);
        self.state()
    }

    /// The request's trailers arrive.
    pub fn request_trailers(&mut self, trailers: impl Into<HeaderMap>) -> StreamState {
        self.gateway.host.request_trailers(self.id, trailers.into());
        self.state()
    }

    /// The upstream answers.
    pub fn respond(&mut self, response: Response) -> StreamState {
        self.gateway.host.respond(self.id, response);
        self.state()
    }

    /// Fires what is due now: ends of call-outs, timers, queues.
    pub fn settle(&mut self) -> StreamState {
        self.gateway.host.settle();
        self.state()
    }

    /// The client goes away.
    pub fn disconnect(&mut self) -> StreamState {
        self.gateway.host.reset(self.id);
        self.state()
    }

    /// What the upstream has seen so far.
    pub fn upstream(&mut self) -> Option<&Upstream> {
        self.gateway.host.stream(self.id).upstream.as_ref()
    }

    /// Where the stream stands.
    pub fn state(&mut self) -> StreamState {
        let stream = self.gateway.host.stream(self.id);
        let holds = |iteration: &crate::stream::FilterIteration| {
            iteration.state != crate::stream::Iteration::Continue
        };
        if stream.client.reset {
            StreamState::Reset
        } else if stream.client.complete {
            StreamState::Answered
        } else if stream
            .filters
            .iter()
            .any(|filter| holds(&filter.decode) || holds(&filter.encode))
        {
            StreamState::Paused
        } else {
            StreamState::Flowing
        }
    }

    /// Lets everything run to its end, as [`Gateway::send`] does, and hands out what came of it.
    pub fn finish(self) -> Outcome {
        let stalled = !self
            .gateway
            .host
            .wait(self.id, crate::stream::Stream::finished);
        self.gateway.host.finish(self.id, stalled)
    }

    /// Ends the stream where it stands.
    pub fn close(self) -> Outcome {
        self.gateway.host.finish(self.id, false)
    }
}
