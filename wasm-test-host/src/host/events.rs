//! What happens between guest calls: call-outs end, timers fire, queues call. Time is the virtual clock's.

use crate::callouts::{GrpcEnd, GrpcStreamEvent, GrpcStreamReply, HttpEnd, HttpReply};
use crate::clock::nanos;
use crate::context::Context;
use crate::headers::HeaderMap;
use crate::host::Host;
use crate::world::{Ask, Asked, Pending, PendingEnd};

impl Host {
    /// Does everything that is due now; says whether anything was done.
    pub(crate) fn settle(&mut self) -> bool {
        let mut acted = false;
        // A guest that enqueues in its own on_queue_ready, or calls out from each call-out's end, would keep this going
        // for ever; a real Envoy would at least serve others in between. Cut it there.
        for _ in 0..100_000 {
            if !self.settle_one() {
                return acted;
            }
            acted = true;
        }
        acted
    }

    fn settle_one(&mut self) -> bool {
        if let Some(asked) = self.world().asked.pop_front() {
            self.script(asked);
            return true;
        }
        if let Some((listener, token)) = self.world().queues.next_ready() {
            let context = listener.context;
            self.root_call(
                listener.vm,
                context,
                "on_queue_ready",
                |e| &e.on_queue_ready,
                (context, token),
            );
            return true;
        }
        let now = self.world().clock.now_nanos();
        let due = self.world().pending.iter().enumerate();
        let due = due
            .filter_map(|(index, pending)| Some((pending.due_nanos?, index)))
            .filter(|(due, _)| *due <= now)
            .min();
        let timer = self.next_timer().filter(|(timer, ..)| *timer <= now);
        match (due, timer) {
            (Some((at, index)), timer) if timer.is_none_or(|(timer, ..)| at <= timer) => {
                let pending = self.world().pending.remove(index);
                self.deliver(pending);
                true
            }
            (_, Some((_, vm, root))) => {
                self.tick(vm, root);
                true
            }
            _ => false,
        }
    }

    /// The next instant at which something happens by itself: a call-out's end, else a timer.
    pub(crate) fn next_event(&mut self) -> Option<(u64, bool)> {
        let callout = self
            .world()
            .pending
            .iter()
            .filter_map(|pending| pending.due_nanos)
            .min();
        let timer = self.next_timer().map(|(due, ..)| due);
        match (callout, timer) {
            (Some(callout), timer) => {
                Some((timer.map_or(callout, |timer| timer.min(callout)), true))
            }
            (None, Some(timer)) => Some((timer, false)),
            (None, None) => None,
        }
    }

    fn next_timer(&mut self) -> Option<(u64, u64, u32)> {
        let timers = self.vms.iter().filter(|(_, vm)| !vm.failed);
        let timers = timers.flat_map(|(id, vm)| {
            vm.store
                .data()
                .timers
                .iter()
                .map(|(root, timer)| (timer.due_nanos, *id, *root))
        });
        timers.min()
    }

    /// The timer is armed again before the callback, which may change or stop it.
    fn tick(&mut self, vm_id: u64, root: u32) {
        if let Some(timer) = self
            .vms
            .get_mut(&vm_id)
            .and_then(|vm| vm.state().timers.get_mut(&root))
        {
            timer.due_nanos = timer.due_nanos.saturating_add(timer.period_nanos);
        }
        self.root_call(vm_id, root, "on_tick", |e| &e.on_tick, root);
    }

    /// Gives a call-out to its script, and notes when and how it ends.
    fn script(&mut self, asked: Asked) {
        let now = self.world().clock.now_nanos();
        let (vm, root) = (asked.vm, asked.root);
        let at = |after| Some(now.saturating_add(nanos(after)));
        match asked.what {
            Ask::Http(call) => {
                let reply = (self.scripts.http)(&call);
                let limit = call.timeout.and_then(at);
                let ends = (!matches!(reply.end, HttpEnd::Never))
                    .then(|| at(reply.after))
                    .flatten();
                let (due_nanos, end) = match (ends, limit) {
                    (Some(ends), limit) if limit.is_none_or(|limit| ends <= limit) => {
                        (Some(ends), reply.end)
                    }
                    // Envoy's async client answers a time-out itself.
                    (_, Some(limit)) => (
                        Some(limit),
                        HttpReply::local(504, "upstream request timeout").end,
                    ),
                    (_, None) => return,
                };
                self.world().pending.push(Pending {
                    vm,
                    root,
                    token: call.token,
                    due_nanos,
                    end: PendingEnd::Http(end),
                });
            }
            Ask::Grpc(call) => {
                let reply = (self.scripts.grpc)(&call);
                let limit = call.timeout.and_then(at);
                let ends = (!matches!(reply.end, GrpcEnd::Never))
                    .then(|| at(reply.after))
                    .flatten();
                let (due_nanos, end) = match (ends, limit) {
                    (Some(ends), limit) if limit.is_none_or(|limit| ends <= limit) => {
                        (Some(ends), reply.end)
                    }
                    (_, Some(limit)) => {
                        let message = "upstream request timeout{response_timeout}".to_owned();
                        (
                            Some(limit),
                            GrpcEnd::Close {
                                status: 14,
                                message,
                            },
                        )
                    }
                    (_, None) => (None, reply.end),
                };
                self.world().pending.push(Pending {
                    vm,
                    root,
                    token: call.token,
                    due_nanos,
                    end: PendingEnd::Grpc(end),
                });
            }
            Ask::Stream { token, event } => {
                let replies = (self.scripts.grpc_stream)(token, &event);
                if event == GrpcStreamEvent::Cancel {
                    self.world()
                        .pending
                        .retain(|pending| !(pending.vm == vm && pending.token == token));
                    return;
                }
                for reply in replies {
                    let end = PendingEnd::Stream(reply);
                    self.world().pending.push(Pending {
                        vm,
                        root,
                        token,
                        due_nanos: Some(now),
                        end,
                    });
                }
            }
        }
    }

    fn deliver(&mut self, pending: Pending) {
        let Pending {
            vm,
            root,
            token,
            end,
            ..
        } = pending;
        match end {
            PendingEnd::Http(end) => self.deliver_http(vm, root, token, end),
            // A unary call that succeeds ends with its message; `on_grpc_close` does not run.
            PendingEnd::Grpc(GrpcEnd::Message(message)) => {
                self.deliver_grpc_message(vm, root, token, message)
            }
            PendingEnd::Grpc(GrpcEnd::Close { status, message }) => {
                self.deliver_grpc_close(vm, root, token, status, message)
            }
            PendingEnd::Grpc(GrpcEnd::Never) => {}
            PendingEnd::Stream(reply) => self.deliver_stream(vm, root, token, reply),
        }
    }

    fn with_root(
        &mut self,
        vm: u64,
        root: u32,
        change: impl FnOnce(&mut crate::context::RootContext),
    ) -> bool {
        match self
            .vms
            .get_mut(&vm)
            .and_then(|vm| vm.state().contexts.get_mut(&root))
        {
            Some(Context::Root(root)) => {
                change(root);
                true
            }
            _ => false,
        }
    }

    /// A reset is told with no headers, body and trailers; `proxy_get_status` then answers 11, `reset`
    /// (`onHttpCallFailure`).
    fn deliver_http(&mut self, vm: u64, root: u32, token: u32, end: HttpEnd) {
        let sizes = match &end {
            HttpEnd::Answer {
                headers,
                body,
                trailers,
            } => (
                headers.len() as u32,
                body.len() as u32,
                trailers.as_ref().map_or(0, HeaderMap::len) as u32,
            ),
            HttpEnd::Reset | HttpEnd::Never => (0, 0, 0),
        };
        let reset = !matches!(end, HttpEnd::Answer { .. });
        let known = self.with_root(vm, root, |context| {
            if reset {
                context.status = (crate::Status::BrokenConnection as u32, "reset".to_owned());
            } else {
                context.http_response = Some(end);
            }
        });
        if !known {
            return;
        }
        let params = (root, token, sizes.0, sizes.1, sizes.2);
        self.root_call(
            vm,
            root,
            "on_http_call_response",
            |e| &e.on_http_call_response,
            params,
        );
        self.with_root(vm, root, |context| {
            context.http_response = None;
            context.status.1.clear();
        });
    }

    fn deliver_grpc_message(&mut self, vm: u64, root: u32, token: u32, message: Vec<u8>) {
        let size = message.len() as u32;
        if self.with_root(vm, root, |context| context.grpc_message = Some(message)) {
            self.root_call(
                vm,
                root,
                "on_grpc_receive",
                |e| &e.on_grpc_receive,
                (root, token, size),
            );
            self.with_root(vm, root, |context| context.grpc_message = None);
        }
    }

    pub(crate) fn deliver_grpc_close(
        &mut self,
        vm: u64,
        root: u32,
        token: u32,
        status: u32,
        message: String,
    ) {
        if self.with_root(vm, root, |context| context.status = (status, message)) {
            self.root_call(
                vm,
                root,
                "on_grpc_close",
                |e| &e.on_grpc_close,
                (root, token, status),
            );
            self.with_root(vm, root, |context| context.status.1.clear());
        }
    }

    fn deliver_stream(&mut self, vm: u64, root: u32, token: u32, reply: GrpcStreamReply) {
        if !self.world().grpc_streams.contains_key(&(vm, token)) {
            return;
        }
        match reply {
            GrpcStreamReply::InitialMetadata(metadata) => {
                let size = metadata.len() as u32;
                self.with_root(vm, root, |context| {
                    context.grpc_initial_metadata = Some(metadata)
                });
                let params = (root, token, size);
                self.root_call(
                    vm,
                    root,
                    "on_grpc_receive_initial_metadata",
                    |e| &e.on_grpc_receive_initial_metadata,
                    params,
                );
                self.with_root(vm, root, |context| context.grpc_initial_metadata = None);
            }
            GrpcStreamReply::Message(message) => {
                self.deliver_grpc_message(vm, root, token, message)
            }
            GrpcStreamReply::TrailingMetadata(metadata) => {
                let size = metadata.len() as u32;
                self.with_root(vm, root, |context| {
                    context.grpc_trailing_metadata = Some(metadata)
                });
                let params = (root, token, size);
                self.root_call(
                    vm,
                    root,
                    "on_grpc_receive_trailing_metadata",
                    |e| &e.on_grpc_receive_trailing_metadata,
                    params,
                );
                self.with_root(vm, root, |context| context.grpc_trailing_metadata = None);
            }
            GrpcStreamReply::Close(status, message) => {
                if let Some(half) = self.world().grpc_streams.get_mut(&(vm, token)) {
                    half.remote = true;
                }
                self.deliver_grpc_close(vm, root, token, status, message);
                let world = self.world();
                if world
                    .grpc_streams
                    .get(&(vm, token))
                    .is_some_and(|half| half.local)
                {
                    world.grpc_streams.remove(&(vm, token));
                }
            }
        }
    }
}
