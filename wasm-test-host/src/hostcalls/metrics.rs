//! Metrics.

use wasmtime::Caller;

use crate::abi::Status;
use crate::abi::memory::{Hostcall, put_u32, put_u64, slice, split};
use crate::metrics::{MetricIds, Metrics};
use crate::vm::VmState;

type Call<'a, 'b> = &'a mut Caller<'b, VmState>;

fn tables(state: &mut VmState) -> Hostcall<(&mut MetricIds, &mut Metrics)> {
    let world = state.world.as_deref_mut().ok_or(Status::InternalFailure)?;
    Ok((&mut state.metrics, &mut world.metrics))
}

pub(super) fn define(
    caller: Call<'_, '_>,
    kind: u32,
    name: u32,
    name_len: u32,
    id_out: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let name = slice(memory, name, name_len)?;
    let (ids, metrics) = tables(state)?;
    let id = ids.define(metrics, kind, name)?;
    put_u32(memory, id_out, id)
}

pub(super) fn increment(caller: Call<'_, '_>, id: u32, offset: i64) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    let (ids, metrics) = tables(state)?;
    Ok(ids.increment(metrics, id, offset)?)
}

pub(super) fn record(caller: Call<'_, '_>, id: u32, value: u64) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    let (ids, metrics) = tables(state)?;
    Ok(ids.record(metrics, id, value)?)
}

pub(super) fn get(caller: Call<'_, '_>, id: u32, out: u32) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let (ids, metrics) = tables(state)?;
    let value = ids.get(metrics, id)?;
    put_u64(memory, out, value)
}
