//! One Envoy process: its VMs, plugins and workers.

mod events;
mod filter;
mod lifecycle;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::callouts::{GrpcCall, GrpcReply, GrpcStreamEvent, GrpcStreamReply, HttpCall, HttpReply};
use crate::context::Context;
use crate::outcome::Upstream;
use crate::plugin::Plugin;
use crate::request::Response;
use crate::stream::Direction;
use crate::vm::{AfterCall, Vm};
use crate::world::World;

pub(crate) use lifecycle::{Handle, Rejection};

pub(crate) type OnHttp = Box<dyn FnMut(&HttpCall) -> HttpReply + Send>;
pub(crate) type OnGrpc = Box<dyn FnMut(&GrpcCall) -> GrpcReply + Send>;
pub(crate) type OnGrpcStream = Box<dyn FnMut(u32, &GrpcStreamEvent) -> Vec<GrpcStreamReply> + Send>;
pub(crate) type OnUpstream = Box<dyn FnMut(&Upstream) -> Response + Send>;

/// What the far sides answer.
pub(crate) struct Scripts {
    pub(crate) http: OnHttp,
    pub(crate) grpc: OnGrpc,
    pub(crate) grpc_stream: OnGrpcStream,
    pub(crate) upstream: OnUpstream,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            http: Box::new(|_| HttpReply::status(200)),
            grpc: Box::new(|_| GrpcReply::ok(Vec::new())),
            grpc_stream: Box::new(|_, _| Vec::new()),
            upstream: Box::new(|_| Response::ok()),
        }
    }
}

/// A plugin as it runs: its configuration, and where it lives in each worker.
pub(crate) struct Running {
    pub(crate) spec: Plugin,
    pub(crate) config: Arc<[u8]>,
    /// One per worker; the last is the main thread's, if there is one.
    pub(crate) handles: Vec<Handle>,
}

/// Limits for guests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) fuel_per_callback: u64,
    pub(crate) memory: usize,
}

pub(crate) struct Host {
    pub(crate) world: Option<Box<World>>,
    pub(crate) vms: BTreeMap<u64, Vm>,
    pub(crate) plugins: Vec<Running>,
    pub(crate) workers: usize,
    pub(crate) main_thread: bool,
    pub(crate) limits: Limits,
    pub(crate) scripts: Scripts,
    /// Root contexts of replaced configurations that still have streams: (VM, root).
    pub(crate) draining: Vec<(u64, u32)>,
    pub(crate) next_vm: u64,
    pub(crate) next_stream: u64,
    pub(crate) default_client: String,
}

impl Host {
    pub(crate) fn world(&mut self) -> &mut World {
        self.world
            .as_mut()
            .expect("the world is away only while a guest runs, and the host does not act then")
    }

    /// Does what a guest asked for while it ran, in order (`doAfterVmCallActions`).
    pub(crate) fn run_after_calls(&mut self, vm_id: u64) {
        loop {
            let Some(vm) = self.vms.get_mut(&vm_id) else {
                return;
            };
            let state = vm.state();
            if state.after.is_empty() {
                return;
            }
            let action = state.after.remove(0);
            self.run_after_call(vm_id, action);
        }
    }

    fn run_after_call(&mut self, vm_id: u64, action: AfterCall) {
        let alive = |host: &mut Self, id: u64| {
            host.world()
                .streams
                .get(&id)
                .is_some_and(|stream| !stream.destroyed)
        };
        match action {
            AfterCall::Continue {
                stream,
                context,
                response,
            } => {
                if !alive(self, stream) {
                    return;
                }
                let filters = &self.stream(stream).filters;
                let filter = filters
                    .iter()
                    .position(|slot| slot.vm == vm_id && slot.context == Some(context));
                let direction = if response {
                    Direction::Encode
                } else {
                    Direction::Decode
                };
                if let Some(filter) = filter {
                    self.resume(stream, direction, filter);
                }
            }
            AfterCall::Reset { stream } => {
                if alive(self, stream) {
                    self.reset(stream);
                }
            }
            AfterCall::Reply { stream, reply } => {
                if alive(self, stream) {
                    self.send_local_reply(stream, reply);
                }
            }
            AfterCall::RootDone { root } => self.delete_root(vm_id, root),
            AfterCall::GrpcClosed {
                root,
                token,
                status,
                message,
            } => {
                self.deliver_grpc_close(vm_id, root, token, status, message);
            }
        }
    }

    /// Runs a callback of a root context.
    pub(crate) fn root_call<P: wasmtime::WasmParams>(
        &mut self,
        vm_id: u64,
        root: u32,
        callback: &'static str,
        export: impl Fn(&crate::vm::Exports) -> &Option<wasmtime::TypedFunc<P, ()>>,
        params: P,
    ) {
        let Some(vm) = self.vms.get_mut(&vm_id) else {
            return;
        };
        if !matches!(vm.state().contexts.get(&root), Some(Context::Root(_))) {
            return;
        }
        vm.call(&mut self.world, root, callback, export, params);
        vm.state().stop_next_iteration = false;
        self.run_after_calls(vm_id);
    }
}
