//! What a gateway is made from.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::callouts::{GrpcCall, GrpcReply, HttpCall, HttpReply};
use crate::clock::VirtualClock;
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::host::{Host, Limits, Running, Scripts};
use crate::metrics::Metrics;
use crate::outcome::{LogLevel, LogLine, Upstream};
use crate::plugin::Plugin;
use crate::request::Response;
use crate::world::{Clusters, Sink, World};

/// A plugin that did not start, or a configuration that was refused.
#[derive(Debug, thiserror::Error)]
#[error("plugin {plugin}: {step} failed{}{}", shown(.failure), lines(.logs))]
pub struct StartError {
    /// Name of the plugin.
    pub plugin: String,
    /// What failed: `load`, `start`, `on_vm_start` (returned false) or `on_configure` (returned false).
    pub step: &'static str,
    /// The trap, if it was one.
    pub failure: Option<Box<Failure>>,
    /// What the guest logged meanwhile: usually why it refused.
    pub logs: Vec<LogLine>,
}

/// A configuration that was refused; the old one stays in force.
pub type ConfigRejected = StartError;

fn shown(failure: &Option<Box<Failure>>) -> String {
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
            streams: BTreeMap::new(),
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
            vms: BTreeMap::new(),
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
