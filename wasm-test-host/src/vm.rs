//! One WebAssembly VM: a store, the exports of the guest, and the contexts that live in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use wasmtime::{Memory, ResourceLimiter, Store, TypedFunc, WasmParams, WasmResults};

use crate::context::{Context, RootContext};
use crate::failure::Failure;
use crate::metrics::MetricIds;
use crate::module::Module;
use crate::outcome::{CallbackCost, LogLevel, LogLine, VmRole};
use crate::stream::LocalReply;
use crate::world::World;

/// Things a guest asked for that Envoy does only after the guest has returned (`addAfterVmCallAction`).
#[derive(Debug)]
pub(crate) enum AfterCall {
    Continue {
        stream: u64,
        context: u32,
        response: bool,
    },
    Reset {
        stream: u64,
    },
    Reply {
        stream: u64,
        reply: LocalReply,
    },
    RootDone {
        root: u32,
    },
    GrpcClosed {
        root: u32,
        token: u32,
        status: u32,
        message: String,
    },
}

/// What host functions see.
pub(crate) struct VmState {
    pub(crate) world: Option<Box<World>>,
    pub(crate) id: u64,
    pub(crate) role: VmRole,
    pub(crate) memory: Option<Memory>,
    pub(crate) malloc: Option<TypedFunc<u32, u32>>,
    pub(crate) contexts: BTreeMap<u32, Context>,
    pub(crate) current: u32,
    pub(crate) effective: u32,
    pub(crate) next_context: u32,
    pub(crate) vm_id: Arc<[u8]>,
    pub(crate) vm_config: Arc<[u8]>,
    pub(crate) env: Arc<[(String, String)]>,
    pub(crate) abi_0_1: bool,
    pub(crate) metrics: MetricIds,
    pub(crate) http_token: u32,
    pub(crate) grpc_call_token: u32,
    pub(crate) grpc_stream_token: u32,
    pub(crate) timers: BTreeMap<u32, Timer>,
    pub(crate) after: Vec<AfterCall>,
    pub(crate) stop_next_iteration: bool,
    pub(crate) random: u64,
    pub(crate) scratch: Vec<u8>,
    pub(crate) limit: MemoryLimit,
}

/// A root context's timer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    pub(crate) period_nanos: u64,
    pub(crate) due_nanos: u64,
}

/// Refuses memory beyond the limit, and remembers that it did.
pub(crate) struct MemoryLimit {
    bytes: usize,
    refused: bool,
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let granted = desired <= self.bytes;
        self.refused |= !granted;
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 10_000_000)
    }
}

impl VmState {
    /// The context host functions act on: the one the guest chose with `proxy_set_effective_context`, if it still
    /// exists, else the one being called (`contextOrEffectiveContext`).
    pub(crate) fn context_id(&self) -> u32 {
        if self.effective != 0 && self.contexts.contains_key(&self.effective) {
            self.effective
        } else {
            self.current
        }
    }

    pub(crate) fn context(&self) -> Option<&Context> {
        self.contexts.get(&self.context_id())
    }

    /// Id of the root context above the acting context; the VM context has none and stands for itself.
    pub(crate) fn root_id(&self) -> u32 {
        match self.context() {
            Some(Context::Stream(stream)) => stream.root,
            _ => self.context_id(),
        }
    }

    pub(crate) fn root(&mut self, id: u32) -> Option<&mut RootContext> {
        match self.contexts.get_mut(&id) {
            Some(Context::Root(root)) => Some(root),
            _ => None,
        }
    }

    pub(crate) fn alloc_context(&mut self, context: Context) -> u32 {
        let id = self.next_context;
        self.next_context = self.next_context.checked_add(1).unwrap_or(1);
        self.contexts.insert(id, context);
        id
    }

    /// The plugin the acting context belongs to: its position and its name.
    pub(crate) fn plugin(&self) -> (usize, Arc<str>) {
        match self.contexts.get(&self.root_id()) {
            Some(Context::Root(root)) => (root.plugin, root.plugin_name.clone()),
            _ => (0, Arc::from("")),
        }
    }

    pub(crate) fn log(&mut self, level: LogLevel, message: &[u8]) {
        let (_, plugin) = self.plugin();
        let line = LogLine {
            level,
            plugin: plugin.to_string(),
            vm: self.role,
            message: String::from_utf8_lossy(message).into_owned(),
        };
        if let Some(world) = &mut self.world
            && level >= world.log_level
        {
            world.sink.logs.push(line);
        }
    }
}

type F1 = Option<TypedFunc<u32, ()>>;
type F2 = Option<TypedFunc<(u32, u32), ()>>;
type F3 = Option<TypedFunc<(u32, u32, u32), ()>>;
type F5 = Option<TypedFunc<(u32, u32, u32, u32, u32), ()>>;
type F1R = Option<TypedFunc<u32, u32>>;
type F2R = Option<TypedFunc<(u32, u32), u32>>;
type F3R = Option<TypedFunc<(u32, u32, u32), u32>>;

/// The guest's callbacks. What a guest does not export is not called, and costs nothing.
#[derive(Default)]
pub(crate) struct Exports {
    pub(crate) on_context_create: F2,
    pub(crate) on_vm_start: F2R,
    pub(crate) on_configure: F2R,
    pub(crate) on_tick: F1,
    pub(crate) on_queue_ready: F2,
    pub(crate) on_request_headers: F3R,
    pub(crate) on_request_headers_0_1: F2R,
    pub(crate) on_request_body: F3R,
    pub(crate) on_request_trailers: F2R,
    pub(crate) on_response_headers: F3R,
    pub(crate) on_response_headers_0_1: F2R,
    pub(crate) on_response_body: F3R,
    pub(crate) on_response_trailers: F2R,
    pub(crate) on_http_call_response: F5,
    pub(crate) on_grpc_receive_initial_metadata: F3,
    pub(crate) on_grpc_receive: F3,
    pub(crate) on_grpc_receive_trailing_metadata: F3,
    pub(crate) on_grpc_close: F3,
    pub(crate) on_done: F1R,
    pub(crate) on_log: F1,
    pub(crate) on_delete: F1,
}

/// What came of calling a guest.
pub(crate) enum Called<R> {
    /// The guest does not export it.
    Missing,
    /// The VM had failed before, or failed now.
    Failed,
    Returned(R),
}

pub(crate) struct Vm {
    pub(crate) store: Store<VmState>,
    pub(crate) exports: Exports,
    pub(crate) failed: bool,
    pub(crate) key: VmKey,
    fuel_per_callback: Option<u64>,
}

/// Plugins share a VM when these agree (`makeVmKey`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VmKey {
    pub(crate) vm_id: Arc<[u8]>,
    pub(crate) vm_config: Arc<[u8]>,
    pub(crate) module: u64,
    pub(crate) worker: Option<usize>,
}

/// What a VM is made from.
pub(crate) struct VmSpec<'a> {
    pub(crate) module: &'a Module,
    pub(crate) id: u64,
    pub(crate) role: VmRole,
    pub(crate) key: VmKey,
    pub(crate) env: Arc<[(String, String)]>,
    pub(crate) fuel_per_callback: u64,
    pub(crate) memory_limit: usize,
}

impl Vm {
    /// Instantiates and runs `_initialize`, else `_start` (`WasmBase::startVm`).
    pub(crate) fn new(
        spec: VmSpec<'_>,
        world: &mut Option<Box<World>>,
        plugin: &str,
    ) -> Result<Self, Failure> {
        let state = VmState {
            world: None,
            id: spec.id,
            role: spec.role,
            memory: None,
            malloc: None,
            contexts: BTreeMap::from([(0, Context::Vm)]),
            current: 0,
            effective: 0,
            next_context: 1,
            vm_id: spec.key.vm_id.clone(),
            vm_config: spec.key.vm_config.clone(),
            env: spec.env,
            abi_0_1: spec.module.abi() == crate::AbiVersion::V0_1_0,
            metrics: MetricIds::default(),
            http_token: 0,
            grpc_call_token: 1,
            grpc_stream_token: 2,
            timers: BTreeMap::new(),
            after: Vec::new(),
            stop_next_iteration: false,
            random: 0x9e37_79b9_7f4a_7c15 ^ spec.id,
            scratch: Vec::new(),
            limit: MemoryLimit {
                bytes: spec.memory_limit,
                refused: false,
            },
        };
        let mut store = Store::new(spec.module.engine(), state);
        store.limiter(|state| &mut state.limit);
        let fuel = spec.module.counts_fuel().then_some(spec.fuel_per_callback);
        let mut vm = Self {
            store,
            exports: Exports::default(),
            failed: false,
            key: spec.key,
            fuel_per_callback: fuel,
        };
        vm.store.data_mut().world = world.take();
        let started = vm.start(spec.module);
        *world = vm.store.data_mut().world.take();
        let refused = vm.store.data().limit.refused;
        started.map_err(|error| Failure::from_trap(plugin, "_initialize", &error, refused))?;
        Ok(vm)
    }

    fn start(&mut self, module: &Module) -> wasmtime::Result<()> {
        if let Some(fuel) = self.fuel_per_callback {
            self.store.set_fuel(fuel)?;
        }
        let instance = module.pre().instantiate(&mut self.store)?;
        let store = &mut self.store;
        let memory = instance.get_memory(&mut *store, "memory");
        store.data_mut().memory = memory;
        let malloc = ["malloc", "proxy_on_memory_allocate"]
            .iter()
            .find_map(|name| instance.get_typed_func::<u32, u32>(&mut *store, name).ok());
        store.data_mut().malloc = malloc;
        macro_rules! export {
            ($($field:ident = $name:literal),* $(,)?) => { Exports {
                $($field: instance.get_typed_func(&mut *store, $name).ok(),)*
                ..Exports::default()
            } };
        }
        self.exports = export! {
            on_context_create = "proxy_on_context_create",
            on_vm_start = "proxy_on_vm_start",
            on_configure = "proxy_on_configure",
            on_tick = "proxy_on_tick",
            on_queue_ready = "proxy_on_queue_ready",
            on_request_body = "proxy_on_request_body",
            on_request_trailers = "proxy_on_request_trailers",
            on_response_body = "proxy_on_response_body",
            on_response_trailers = "proxy_on_response_trailers",
            on_http_call_response = "proxy_on_http_call_response",
            on_grpc_receive_initial_metadata = "proxy_on_grpc_receive_initial_metadata",
            on_grpc_receive = "proxy_on_grpc_receive",
            on_grpc_receive_trailing_metadata = "proxy_on_grpc_receive_trailing_metadata",
            on_grpc_close = "proxy_on_grpc_close",
            on_done = "proxy_on_done",
            on_log = "proxy_on_log",
            on_delete = "proxy_on_delete",
        };
        // ABI 0.1.0 has no end_of_stream argument on headers (`WasmBase::getFunctions`).
        if module.abi() == crate::AbiVersion::V0_1_0 {
            self.exports.on_request_headers_0_1 = instance
                .get_typed_func(&mut *store, "proxy_on_request_headers")
                .ok();
            self.exports.on_response_headers_0_1 = instance
                .get_typed_func(&mut *store, "proxy_on_response_headers")
                .ok();
        } else {
            self.exports.on_request_headers = instance
                .get_typed_func(&mut *store, "proxy_on_request_headers")
                .ok();
            self.exports.on_response_headers = instance
                .get_typed_func(&mut *store, "proxy_on_response_headers")
                .ok();
        }
        for entry in ["_initialize", "_start", "__wasm_call_ctors"] {
            if let Ok(entry) = instance.get_typed_func::<(), ()>(&mut *store, entry) {
                entry.call(&mut *store, ())?;
                break;
            }
        }
        Ok(())
    }

    /// Calls into the guest with `context` as the acting context, and the world lent to its host functions.
    pub(crate) fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        world: &mut Option<Box<World>>,
        context: u32,
        callback: &'static str,
        export: impl Fn(&Exports) -> &Option<TypedFunc<P, R>>,
        params: P,
    ) -> Called<R> {
        if self.failed {
            return Called::Failed;
        }
        let Some(function) = export(&self.exports) else {
            return Called::Missing;
        };
        let state = self.store.data_mut();
        state.world = world.take();
        let before = (
            std::mem::replace(&mut state.current, context),
            std::mem::replace(&mut state.effective, 0),
        );
        if let Some(fuel) = self.fuel_per_callback {
            // Fails only when the engine counts no fuel, and then there is no budget.
            let _ = self.store.set_fuel(fuel);
        }
        let started = Instant::now();
        let result = function.call(&mut self.store, params);
        let time = started.elapsed();
        let left = self
            .fuel_per_callback
            .and_then(|_| self.store.get_fuel().ok())
            .unwrap_or(0);
        let state = self.store.data_mut();
        state.effective = 0;
        let (plugin, plugin_name) = state.plugin();
        (state.current, state.effective) = before;
        let refused = state.limit.refused;
        *world = state.world.take();
        let fuel = self.fuel_per_callback.unwrap_or(0).saturating_sub(left);
        if let Some(world) = world {
            world.sink.costs.push(CallbackCost {
                plugin,
                callback,
                fuel,
                time,
            });
        }
        match result {
            Ok(value) => Called::Returned(value),
            Err(error) => {
                self.failed = true;
                let failure = Failure::from_trap(&plugin_name, callback, &error, refused);
                if let Some(world) = world {
                    world.sink.failures.push(failure);
                }
                Called::Failed
            }
        }
    }

    pub(crate) fn state(&mut self) -> &mut VmState {
        self.store.data_mut()
    }
}
