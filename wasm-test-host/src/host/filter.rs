//! A Wasm filter's place in the chain: Envoy's `Context::decodeHeaders` and its siblings, with the failure checks and
//! status conversions of proxy-wasm-cpp-host around each callback.

use wasmtime::{TypedFunc, WasmParams};

use crate::context::{Context, StreamContext};
use crate::host::Host;
use crate::stream::iterate::{DataStatus, HeadersStatus};
use crate::stream::{DataAt, Direction};
use crate::vm::{Called, Exports};

/// What came of one callback of a stream.
enum Phase {
    /// The guest answered; `stopped` when it sent a local reply meanwhile.
    Answer { status: u32, stopped: bool },
    /// Not exported.
    Pass,
    /// The VM failed and the 503 is on its way.
    Closed,
}

impl Host {
    fn stream_context(&mut self, id: u64, filter: usize) -> Option<&mut StreamContext> {
        let slot = &self.stream(id).filters[filter];
        let (vm, context) = (slot.vm, slot.context?);
        match self.vms.get_mut(&vm)?.state().contexts.get_mut(&context) {
            Some(Context::Stream(context)) => Some(context),
            _ => None,
        }
    }

    /// `CHECK_FAIL`: nothing while the VM is sound; else 503, once. This holds under FAIL_OPEN too: only streams that
    /// begin after the failure pass unfiltered (Envoy 1.37, verified).
    fn check_failed(&mut self, id: u64, filter: usize) -> Option<Phase> {
        let slot = &self.stream(id).filters[filter];
        let (vm, empty) = (slot.vm, slot.context.is_none());
        if !empty && self.vms.get(&vm).is_some_and(|vm| !vm.failed) {
            return None;
        }
        let slot = &mut self.stream(id).filters[filter];
        if !slot.failed {
            slot.failed = true;
            self.reply_failed(id);
        }
        Some(Phase::Closed)
    }

    fn phase<P: WasmParams>(
        &mut self,
        id: u64,
        filter: usize,
        callback: &'static str,
        export: impl Fn(&Exports) -> &Option<TypedFunc<P, u32>>,
        params: impl FnOnce(u32) -> P,
    ) -> Phase {
        if let Some(phase) = self.check_failed(id, filter) {
            return phase;
        }
        let slot = &self.stream(id).filters[filter];
        let (vm_id, Some(context)) = (slot.vm, slot.context) else {
            return Phase::Pass;
        };
        let Some(vm) = self.vms.get_mut(&vm_id) else {
            return Phase::Pass;
        };
        let called = vm.call(&mut self.world, context, callback, export, params(context));
        let stopped = std::mem::take(&mut vm.state().stop_next_iteration);
        let phase = match called {
            Called::Missing => return Phase::Pass,
            Called::Returned(status) => Phase::Answer { status, stopped },
            Called::Failed => self.check_failed(id, filter).unwrap_or(Phase::Pass),
        };
        self.run_after_calls(vm_id);
        phase
    }

    pub(crate) fn create_context(&mut self, id: u64, filter: usize) {
        let Some(context) = self.stream_context(id, filter) else {
            return;
        };
        if std::mem::replace(&mut context.created, true) {
            return;
        }
        let root = context.root;
        let slot = &self.stream(id).filters[filter];
        let (vm_id, Some(context)) = (slot.vm, slot.context) else {
            return;
        };
        if let Some(vm) = self.vms.get_mut(&vm_id) {
            vm.call(
                &mut self.world,
                context,
                "on_context_create",
                |e| &e.on_context_create,
                (context, root),
            );
            vm.state().stop_next_iteration = false;
            self.run_after_calls(vm_id);
        }
    }

    /// Whether the response callbacks of this filter run at all.
    fn encodes(&mut self, id: u64, filter: usize) -> bool {
        if self.stream(id).filters[filter].failed {
            return false;
        }
        let empty = self.stream(id).filters[filter].context.is_none();
        empty
            || self
                .stream_context(id, filter)
                .is_some_and(|context| context.created)
    }

    pub(crate) fn filter_headers(
        &mut self,
        id: u64,
        direction: Direction,
        filter: usize,
        end: bool,
    ) -> HeadersStatus {
        match direction {
            Direction::Decode => self.create_context(id, filter),
            Direction::Encode if !self.encodes(id, filter) => return HeadersStatus::Continue,
            Direction::Encode => {}
        }
        let count = self
            .stream(id)
            .path(direction)
            .headers
            .as_ref()
            .map_or(0, |headers| headers.len() as u32);
        let mut allowed = false;
        if let Some(context) = self.stream_context(id, filter) {
            match direction {
                Direction::Decode => context.request_headers = true,
                Direction::Encode => context.response_headers = true,
            }
            context.end_of_stream = end;
            allowed = context.allow_stop_iteration;
        }
        let vm = self.stream(id).filters[filter].vm;
        let old_abi = self.vms.get(&vm).is_some_and(|vm| vm.store.data().abi_0_1);
        let end = u32::from(end);
        let phase = match (direction, old_abi) {
            (Direction::Decode, false) => self.phase(
                id,
                filter,
                "on_request_headers",
                |e| &e.on_request_headers,
                |c| (c, count, end),
            ),
            (Direction::Decode, true) => self.phase(
                id,
                filter,
                "on_request_headers",
                |e| &e.on_request_headers_0_1,
                |c| (c, count),
            ),
            (Direction::Encode, false) => self.phase(
                id,
                filter,
                "on_response_headers",
                |e| &e.on_response_headers,
                |c| (c, count, end),
            ),
            (Direction::Encode, true) => self.phase(
                id,
                filter,
                "on_response_headers",
                |e| &e.on_response_headers_0_1,
                |c| (c, count),
            ),
        };
        // 2 names nothing and passes (Envoy 1.37, verified); 3 and 4 are the stops of Envoy's own enum.
        // Pause means "stop everything" unless the plugin is allowed to stop the headers alone: facts 1.1, verified.
        let status = match phase {
            Phase::Pass
            | Phase::Answer {
                status: 0 | 2,
                stopped: false,
            } => HeadersStatus::Continue,
            Phase::Answer {
                status: 1,
                stopped: false,
            } if allowed => HeadersStatus::StopIteration,
            Phase::Answer {
                status: 3,
                stopped: false,
            } => HeadersStatus::StopAllBuffer,
            Phase::Answer { .. } | Phase::Closed => HeadersStatus::StopAllWatermark,
        };
        // Once the headers are let go, the guest cannot reach them any more: facts 1.4, verified.
        if status == HeadersStatus::Continue
            && let Some(context) = self.stream_context(id, filter)
        {
            match direction {
                Direction::Decode => context.request_headers = false,
                Direction::Encode => context.response_headers = false,
            }
        }
        status
    }

    pub(crate) fn filter_data(
        &mut self,
        id: u64,
        direction: Direction,
        filter: usize,
        at: DataAt,
        end: bool,
    ) -> DataStatus {
        if direction == Direction::Encode && !self.encodes(id, filter) {
            return DataStatus::Continue;
        }
        let buffering = self
            .stream_context(id, filter)
            .is_some_and(|context| match direction {
                Direction::Decode => context.buffering_request,
                Direction::Encode => context.buffering_response,
            });
        let mut at = at;
        if buffering {
            // While buffering, what arrives joins the buffer first, and the guest sees all of it (`addDecodedData`):
            // sizes are cumulative, and one look beyond the limit is possible before the 413. Facts 2.4, verified.
            self.stream(id).path(direction).streaming = false;
            self.keep_data(id, direction, at);
            at = DataAt::Buffered;
            // A response whose headers are sent is cut when it grows too large; the guest sees no more of it (verified).
            if self.stream(id).finished() {
                return DataStatus::StopNoBuffer;
            }
        }
        let path = self.stream(id).path(direction);
        let size = match at {
            DataAt::InFlight => path.in_flight.len(),
            DataAt::Buffered => path.buffered.as_ref().map_or(0, Vec::len),
        } as u32;
        if let Some(context) = self.stream_context(id, filter) {
            match direction {
                Direction::Decode => context.request_body = Some(at),
                Direction::Encode => context.response_body = Some(at),
            }
            context.end_of_stream = end;
        }
        let end = u32::from(end);
        let phase = match direction {
            Direction::Decode => self.phase(
                id,
                filter,
                "on_request_body",
                |e| &e.on_request_body,
                |c| (c, size, end),
            ),
            Direction::Encode => self.phase(
                id,
                filter,
                "on_response_body",
                |e| &e.on_response_body,
                |c| (c, size, end),
            ),
        };
        let status = match phase {
            Phase::Pass
            | Phase::Answer {
                status: 0,
                stopped: false,
            } => DataStatus::Continue,
            Phase::Answer {
                status: 1,
                stopped: false,
            } => DataStatus::StopAndBuffer,
            Phase::Answer {
                status: 2,
                stopped: false,
            } => DataStatus::StopAndWatermark,
            Phase::Answer { .. } | Phase::Closed => DataStatus::StopNoBuffer,
        };
        if let Some(context) = self.stream_context(id, filter) {
            let buffering = status == DataStatus::StopAndBuffer;
            let gone = status == DataStatus::Continue;
            let (held, body) = match direction {
                Direction::Decode => (&mut context.buffering_request, &mut context.request_body),
                Direction::Encode => (&mut context.buffering_response, &mut context.response_body),
            };
            *held = buffering;
            if gone {
                *body = None;
            }
        }
        status
    }

    /// Says whether the walk goes on.
    pub(crate) fn filter_trailers(&mut self, id: u64, direction: Direction, filter: usize) -> bool {
        if direction == Direction::Encode && !self.encodes(id, filter) {
            return true;
        }
        let count = self
            .stream(id)
            .path(direction)
            .trailers
            .as_ref()
            .map_or(0, |trailers| trailers.len() as u32);
        if let Some(context) = self.stream_context(id, filter) {
            match direction {
                Direction::Decode => context.request_trailers = true,
                Direction::Encode => context.response_trailers = true,
            }
        }
        let phase = match direction {
            Direction::Decode => self.phase(
                id,
                filter,
                "on_request_trailers",
                |e| &e.on_request_trailers,
                |c| (c, count),
            ),
            Direction::Encode => self.phase(
                id,
                filter,
                "on_response_trailers",
                |e| &e.on_response_trailers,
                |c| (c, count),
            ),
        };
        let go_on = matches!(
            phase,
            Phase::Pass
                | Phase::Answer {
                    status: 0,
                    stopped: false
                }
        );
        if go_on && let Some(context) = self.stream_context(id, filter) {
            match direction {
                Direction::Decode => context.request_trailers = false,
                Direction::Encode => context.response_trailers = false,
            }
        }
        go_on
    }

    /// Log, done, delete: in this order, as Envoy runs its access loggers before it destroys the filters.
    pub(crate) fn destroy(&mut self, id: u64) {
        if std::mem::replace(&mut self.stream(id).destroyed, true) {
            return;
        }
        for filter in 0..self.stream(id).filters.len() {
            // A filter that no request callback reached is created for the log (`Context::log`).
            self.create_context(id, filter);
            if let Some(context) = self.stream_context(id, filter) {
                context.logging = true;
            }
            self.notify(id, filter, "on_log", |e| &e.on_log);
            if let Some(context) = self.stream_context(id, filter) {
                context.logging = false;
            }
        }
        for filter in 0..self.stream(id).filters.len() {
            let slot = &self.stream(id).filters[filter];
            let (vm_id, Some(context)) = (slot.vm, slot.context) else {
                continue;
            };
            if let Some(vm) = self.vms.get_mut(&vm_id) {
                // A stream context is deleted whatever on_done answers (`Context::onDestroy`).
                vm.call(&mut self.world, context, "on_done", |e| &e.on_done, context);
                self.run_after_calls(vm_id);
            }
            self.notify(id, filter, "on_delete", |e| &e.on_delete);
            if let Some(vm) = self.vms.get_mut(&vm_id) {
                vm.state().contexts.remove(&context);
            }
        }
    }

    fn notify(
        &mut self,
        id: u64,
        filter: usize,
        callback: &'static str,
        export: impl Fn(&Exports) -> &Option<TypedFunc<u32, ()>>,
    ) {
        let slot = &self.stream(id).filters[filter];
        let (vm_id, Some(context)) = (slot.vm, slot.context) else {
            return;
        };
        if let Some(vm) = self.vms.get_mut(&vm_id) {
            vm.call(&mut self.world, context, callback, export, context);
            vm.state().stop_next_iteration = false;
            self.run_after_calls(vm_id);
        }
    }
}
