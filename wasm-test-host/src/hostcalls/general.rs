//! Log, time, timers, contexts, status, foreign functions.

use wasmtime::Caller;

use crate::abi::Status;
use crate::abi::memory::{Hostcall, give, put_u32, put_u64, slice, split};
use crate::context::Context;
use crate::outcome::LogLevel;
use crate::vm::{AfterCall, Timer, VmState};

type Call<'a, 'b> = &'a mut Caller<'b, VmState>;

/// A level above critical is a bad argument.
pub(super) fn log(caller: Call<'_, '_>, level: u32, ptr: u32, len: u32) -> Hostcall<()> {
    let level = LogLevel::from_abi(level).ok_or(Status::BadArgument)?;
    let (memory, state) = split(caller)?;
    let message = slice(memory, ptr, len)?;
    state.log(level, message);
    Ok(())
}

pub(super) fn get_log_level(caller: Call<'_, '_>, out: u32) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let level = state
        .world
        .as_ref()
        .map_or(LogLevel::Info, |world| world.log_level);
    put_u32(memory, out, level as u32)
}

/// What the last failed call-out left behind (`Context::getStatus`).
pub(super) fn get_status(
    caller: Call<'_, '_>,
    code_out: u32,
    ptr_out: u32,
    len_out: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let acting = state.context_id();
    let (code, message) = state
        .root(acting)
        .map(|root| root.status.clone())
        .unwrap_or_default();
    put_u32(memory, code_out, code)?;
    give(caller, message.as_bytes(), ptr_out, len_out)
}

/// ABI 0.1.0: the plugin configuration while configuring, else the VM configuration.
pub(super) fn get_configuration(caller: Call<'_, '_>, ptr_out: u32, len_out: u32) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    let root = state.root_id();
    let plugin = state
        .root(root)
        .filter(|root| root.configuring)
        .map(|root| root.config.clone());
    let config = plugin.unwrap_or_else(|| state.vm_config.clone());
    give(caller, &config, ptr_out, len_out)
}

pub(super) fn get_current_time(caller: Call<'_, '_>, out: u32) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let now = state
        .world
        .as_ref()
        .map_or(0, |world| world.clock.now_nanos());
    put_u64(memory, out, now)
}

/// A period of 0 stops the timer; a new period starts over. The timer is the root context's, whoever asks.
pub(super) fn set_tick_period(caller: Call<'_, '_>, millis: u32) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    let now = state
        .world
        .as_ref()
        .map_or(0, |world| world.clock.now_nanos());
    let root = state.root_id();
    if millis == 0 {
        state.timers.remove(&root);
    } else {
        let period_nanos = u64::from(millis) * 1_000_000;
        state.timers.insert(
            root,
            Timer {
                period_nanos,
                due_nanos: now.saturating_add(period_nanos),
            },
        );
    }
    Ok(())
}

pub(super) fn set_effective_context(caller: Call<'_, '_>, context: u32) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    if !state.contexts.contains_key(&context) {
        return Err(Status::BadArgument.into());
    }
    state.effective = context;
    Ok(())
}

/// Only a root context whose `proxy_on_done` returned false has something to finish (`WasmBase::done`).
pub(super) fn done(caller: Call<'_, '_>) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    let acting = state.context_id();
    match state.contexts.get_mut(&acting) {
        Some(Context::Root(root)) if root.pending_done => {
            root.pending_done = false;
            state.after.push(AfterCall::RootDone { root: acting });
            Ok(())
        }
        _ => Err(Status::NotFound.into()),
    }
}

/// This host registers no foreign function: each is answered as Envoy answers one that it does not know.
pub(super) fn call_foreign_function(
    caller: Call<'_, '_>,
    name: u32,
    name_len: u32,
    args: u32,
    args_len: u32,
    _results: u32,
    _results_len: u32,
) -> Hostcall<()> {
    let (memory, _) = split(caller)?;
    slice(memory, name, name_len)?;
    slice(memory, args, args_len)?;
    Err(Status::NotFound.into())
}
