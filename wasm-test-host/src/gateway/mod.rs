//! The public face: a gateway with Wasm filters in it.

mod builder;
mod driver;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::callouts::{GrpcCall, GrpcReply, GrpcStreamEvent, GrpcStreamReply, HttpCall, HttpReply};
use crate::clock::{VirtualClock, nanos};
use crate::failure::Failure;
use crate::host::{Host, Rejection};
use crate::metrics::Metrics;
use crate::outcome::{LogLine, Outcome, Upstream};
use crate::request::{Request, Response};

pub use builder::{ConfigRejected, GatewayBuilder, StartError};
pub use driver::{StreamDriver, StreamState};

/// Lines kept for [`Gateway::logs`]; older ones are dropped.
const LOG_CAPACITY: usize = 10_000;

/// An Envoy with Wasm filters: one or more workers, one upstream, one clock. Everything in it is deterministic, and
/// nothing sleeps.
pub struct Gateway {
    pub(crate) host: Host,
    pub(super) logs: VecDeque<LogLine>,
    pub(super) failures: Vec<Failure>,
    pub(super) next_worker: usize,
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

    pub(super) fn error(&self, plugin: usize, rejection: Rejection) -> StartError {
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
    pub(super) fn keep(&mut self) {
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
