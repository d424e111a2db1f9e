//! VMs and root contexts: start, configure, canary, reload, drain (`createWasm`, `getOrCreateThreadLocalPlugin` of
//! proxy-wasm-cpp-host, `PluginConfig` of Envoy).

use std::sync::Arc;

use crate::context::{Context, RootContext};
use crate::failure::{Failure, FailurePolicy};
use crate::host::Host;
use crate::outcome::{LogLine, VmRole};
use crate::vm::{Called, Vm, VmKey, VmSpec};

/// Where a plugin lives in one worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handle {
    pub(crate) vm: u64,
    pub(crate) root: u32,
    pub(crate) loaded_nanos: u64,
}

/// Why a plugin could not be started.
#[derive(Debug)]
pub(crate) struct Rejection {
    pub(crate) step: &'static str,
    pub(crate) failure: Option<Box<Failure>>,
    pub(crate) logs: Vec<LogLine>,
}

/// `reload_config.backoff` by default. Envoy adds up to half of it at random; here it is always the lower bound.
const RELOAD_BACKOFF_NANOS: u64 = 1_000_000_000;

impl Host {
    /// Tries the plugin in a VM of its own, which is then thrown away; then starts it on the main thread and in each
    /// worker. With 2 workers `on_configure` runs 4 times (Envoy 1.37, verified).
    pub(crate) fn start_plugin(&mut self, plugin: usize) -> Result<(), Rejection> {
        let config = self.plugins[plugin].config.clone();
        self.canary(plugin, &config)?;
        let handles = self.load_everywhere(plugin, &config)?;
        self.plugins[plugin].handles = handles;
        Ok(())
    }

    /// A handle per worker, and behind them the main thread's, which Envoy starts first: what registers last, for
    /// example for a queue, is the last worker (verified).
    fn load_everywhere(
        &mut self,
        plugin: usize,
        config: &Arc<[u8]>,
    ) -> Result<Vec<Handle>, Rejection> {
        let main = match self.main_thread {
            true => Some(self.load(plugin, VmRole::Main, config)?),
            false => None,
        };
        let mut handles = Vec::with_capacity(self.workers + 1);
        for worker in 0..self.workers {
            handles.push(self.load(plugin, VmRole::Worker(worker), config)?);
        }
        handles.extend(main);
        Ok(handles)
    }

    /// A new configuration, canary first. Refused: everything stays as it was. Accepted: a new root context in each VM;
    /// the old one lives until its last stream has ended.
    pub(crate) fn reconfigure(
        &mut self,
        plugin: usize,
        config: Arc<[u8]>,
    ) -> Result<(), Rejection> {
        self.canary(plugin, &config)?;
        let handles = self.load_everywhere(plugin, &config)?;
        let running = &mut self.plugins[plugin];
        running.config = config;
        let old = std::mem::replace(&mut running.handles, handles);
        self.draining
            .extend(old.iter().map(|handle| (handle.vm, handle.root)));
        self.drain();
        Ok(())
    }

    fn canary(&mut self, plugin: usize, config: &Arc<[u8]>) -> Result<(), Rejection> {
        let logged = self.world().sink.logs.len();
        let vm = self
            .new_vm(plugin, VmRole::Canary)
            .map_err(|failure| self.rejection("load", Some(Box::new(failure)), logged))?;
        let tried = self.start_root(plugin, vm, config, true);
        self.drop_vm(vm);
        tried
            .map(drop)
            .map_err(|(step, failure)| self.rejection(step, failure, logged))
    }

    fn rejection(
        &mut self,
        step: &'static str,
        failure: Option<Box<Failure>>,
        logged: usize,
    ) -> Rejection {
        let logs = self
            .world()
            .sink
            .logs
            .get(logged..)
            .map(<[LogLine]>::to_vec)
            .unwrap_or_default();
        Rejection {
            step,
            failure,
            logs,
        }
    }

    fn load(
        &mut self,
        plugin: usize,
        place: VmRole,
        config: &Arc<[u8]>,
    ) -> Result<Handle, Rejection> {
        let logged = self.world().sink.logs.len();
        let key = self.key(plugin, place);
        let shared = self
            .vms
            .iter()
            .find(|(_, vm)| vm.key == key && !vm.failed && is_at(vm, place))
            .map(|(id, _)| *id);
        let (vm, new) = match shared {
            Some(vm) => (vm, false),
            None => {
                let vm = self
                    .new_vm(plugin, place)
                    .map_err(|failure| self.rejection("load", Some(Box::new(failure)), logged))?;
                (vm, true)
            }
        };
        match self.start_root(plugin, vm, config, new) {
            Ok(root) => Ok(Handle {
                vm,
                root,
                loaded_nanos: self.world().clock.now_nanos(),
            }),
            Err((step, failure)) => Err(self.rejection(step, failure, logged)),
        }
    }

    fn key(&self, plugin: usize, place: VmRole) -> VmKey {
        let spec = &self.plugins[plugin].spec;
        let worker = match place {
            VmRole::Worker(worker) => Some(worker),
            VmRole::Canary | VmRole::Main => None,
        };
        VmKey {
            vm_id: spec.vm_id.clone(),
            vm_config: spec.vm_config.clone(),
            module: spec.module.id(),
            worker,
        }
    }

    fn new_vm(&mut self, plugin: usize, role: VmRole) -> Result<u64, Failure> {
        let key = self.key(plugin, role);
        let spec = &self.plugins[plugin].spec;
        let id = self.next_vm;
        self.next_vm += 1;
        let vm_spec = VmSpec {
            module: &spec.module,
            id,
            role,
            key,
            env: spec.env.clone(),
            fuel_per_callback: self.limits.fuel_per_callback,
            memory_limit: self.limits.memory,
        };
        let vm = Vm::new(vm_spec, &mut self.world, &spec.name)?;
        self.vms.insert(id, vm);
        Ok(id)
    }

    /// Creates a root context and configures it; in a new VM `on_vm_start` runs in between.
    fn start_root(
        &mut self,
        plugin: usize,
        vm_id: u64,
        config: &Arc<[u8]>,
        new_vm: bool,
    ) -> Result<u32, (&'static str, Option<Box<Failure>>)> {
        let spec = &self.plugins[plugin].spec;
        let mut root = RootContext::new(
            plugin,
            spec.name.as_str().into(),
            spec.root_id.as_str().into(),
            config.clone(),
        );
        let vm_config_len = spec.vm_config.len() as u32;
        root.configuring = true;
        let Some(vm) = self.vms.get_mut(&vm_id) else {
            return Err(("load", None));
        };
        let id = vm.state().alloc_context(Context::Root(Box::new(root)));
        vm.call(
            &mut self.world,
            id,
            "on_context_create",
            |e| &e.on_context_create,
            (id, 0),
        );
        if let Some(root) = vm.state().root(id) {
            root.created = true;
            root.configuring = false;
        }
        let mut refused = None;
        if new_vm
            && let Called::Returned(0) = vm.call(
                &mut self.world,
                id,
                "on_vm_start",
                |e| &e.on_vm_start,
                (id, vm_config_len),
            )
        {
            refused = Some("on_vm_start");
        }
        if refused.is_none() {
            if let Some(root) = vm.state().root(id) {
                root.configuring = true;
            }
            let configured = vm.call(
                &mut self.world,
                id,
                "on_configure",
                |e| &e.on_configure,
                (id, config.len() as u32),
            );
            if let Some(root) = vm.state().root(id) {
                root.configuring = false;
            }
            if let Called::Returned(0) = configured {
                refused = Some("on_configure");
            }
        }
        vm.state().stop_next_iteration = false;
        let failed = vm.failed;
        self.run_after_calls(vm_id);
        if failed {
            let failure = self.world().sink.failures.last().cloned().map(Box::new);
            return Err((refused.unwrap_or("start"), failure));
        }
        match refused {
            Some(step) => {
                if let Some(vm) = self.vms.get_mut(&vm_id) {
                    vm.state().contexts.remove(&id);
                    vm.state().timers.remove(&id);
                }
                Err((step, None))
            }
            None => Ok(id),
        }
    }

    /// The plugin's place in that worker; under FAIL_RELOAD a failed VM is replaced, at most once per back-off
    /// (`maybeReloadHandleIfNeeded`). The statistic `vm_reload` itself stays 0 in Envoy 1.37 (verified); its
    /// siblings count.
    pub(crate) fn handle(&mut self, plugin: usize, worker: usize) -> Handle {
        let handle = self.plugins[plugin].handles[worker];
        let failed = self.vms.get(&handle.vm).is_none_or(|vm| vm.failed);
        let spec = &self.plugins[plugin].spec;
        if !failed || spec.failure_policy != FailurePolicy::FailReload {
            return handle;
        }
        let stat = format!("wasm.{}.vm_reload", spec.name);
        let now = self.world().clock.now_nanos();
        if now.saturating_sub(handle.loaded_nanos) < RELOAD_BACKOFF_NANOS {
            self.world().metrics.count(&format!("{stat}_backoff"), 1);
            return handle;
        }
        self.plugins[plugin].handles[worker].loaded_nanos = now;
        let config = self.plugins[plugin].config.clone();
        match self.load(plugin, VmRole::Worker(worker), &config) {
            Ok(new) => {
                self.world().metrics.count(&format!("{stat}_success"), 1);
                self.plugins[plugin].handles[worker] = new;
                self.drop_unused_vms();
                new
            }
            Err(_) => {
                self.world().metrics.count(&format!("{stat}_failure"), 1);
                handle
            }
        }
    }

    fn drop_unused_vms(&mut self) {
        let handles: Vec<u64> = self
            .plugins
            .iter()
            .flat_map(|plugin| &plugin.handles)
            .map(|handle| handle.vm)
            .collect();
        let streams: Vec<u64> = self
            .world()
            .streams
            .values()
            .flat_map(|stream| &stream.filters)
            .map(|slot| slot.vm)
            .collect();
        let unused: Vec<u64> = self
            .vms
            .keys()
            .filter(|id| !handles.contains(id) && !streams.contains(id))
            .copied()
            .collect();
        for id in unused {
            self.drop_vm(id);
        }
    }

    fn drop_vm(&mut self, vm: u64) {
        self.vms.remove(&vm);
        let world = self.world();
        world.asked.retain(|asked| asked.vm != vm);
        world.pending.retain(|pending| pending.vm != vm);
        world.grpc_streams.retain(|(of, _), _| *of != vm);
    }

    /// Ends root contexts of old configurations that no stream uses any more.
    pub(crate) fn drain(&mut self) {
        if self.draining.is_empty() {
            return;
        }
        let draining = std::mem::take(&mut self.draining);
        for (vm, root) in draining {
            let used = |slot: &crate::stream::FilterSlot| slot.vm == vm && slot.root == root;
            if self
                .world()
                .streams
                .values()
                .any(|stream| stream.filters.iter().any(used))
            {
                self.draining.push((vm, root));
            } else {
                self.shut_down_root(vm, root);
            }
        }
        self.drop_unused_vms();
    }

    /// `on_done`; true deletes at once, false waits for `proxy_done` (`WasmBase::startShutdown`).
    fn shut_down_root(&mut self, vm_id: u64, root: u32) {
        let Some(vm) = self.vms.get_mut(&vm_id) else {
            return;
        };
        if let Called::Returned(0) = vm.call(&mut self.world, root, "on_done", |e| &e.on_done, root)
        {
            if let Some(root) = vm.state().root(root) {
                root.pending_done = true;
            }
            self.run_after_calls(vm_id);
        } else {
            self.run_after_calls(vm_id);
            self.delete_root(vm_id, root);
        }
    }

    pub(crate) fn delete_root(&mut self, vm_id: u64, root: u32) {
        self.root_call(vm_id, root, "on_delete", |e| &e.on_delete, root);
        if let Some(vm) = self.vms.get_mut(&vm_id) {
            vm.state().contexts.remove(&root);
            vm.state().timers.remove(&root);
        }
    }
}

fn is_at(vm: &Vm, place: VmRole) -> bool {
    vm.store.data().role == place
}
