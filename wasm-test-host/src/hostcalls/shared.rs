//! Shared data and queues.

use wasmtime::Caller;

use crate::abi::Status;
use crate::abi::memory::{Hostcall, give, put_u32, slice, split};
use crate::shared_queue::Listener;
use crate::vm::VmState;
use crate::world::World;

type Call<'a, 'b> = &'a mut Caller<'b, VmState>;

fn world(state: &mut VmState) -> Hostcall<&mut World> {
    state
        .world
        .as_deref_mut()
        .ok_or(Status::InternalFailure.into())
}

pub(super) fn get_data(
    caller: Call<'_, '_>,
    key: u32,
    key_len: u32,
    ptr_out: u32,
    len_out: u32,
    cas_out: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let key = slice(memory, key, key_len)?;
    let vm_id = state.vm_id.clone();
    let (value, cas) = world(state)?.shared_data.get(&vm_id, key)?;
    let value = value.to_vec();
    give(caller, &value, ptr_out, len_out)?;
    let (memory, _) = split(caller)?;
    put_u32(memory, cas_out, cas)
}

pub(super) fn set_data(
    caller: Call<'_, '_>,
    key: u32,
    key_len: u32,
    value: u32,
    value_len: u32,
    cas: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let key = slice(memory, key, key_len)?;
    let value = slice(memory, value, value_len)?;
    let vm_id = state.vm_id.clone();
    Ok(world(state)?.shared_data.set(&vm_id, key, value, cas)?)
}

/// The listener is the root context, whoever registers.
pub(super) fn register_queue(
    caller: Call<'_, '_>,
    name: u32,
    name_len: u32,
    token_out: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let name = slice(memory, name, name_len)?;
    let listener = Listener {
        vm: state.id,
        context: state.root_id(),
    };
    let vm_id = state.vm_id.clone();
    let token = world(state)?.queues.register(&vm_id, name, listener);
    put_u32(memory, token_out, token)
}

/// An empty `vm_id` means the caller's own.
pub(super) fn resolve_queue(
    caller: Call<'_, '_>,
    vm: u32,
    vm_len: u32,
    name: u32,
    name_len: u32,
    token_out: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let vm_id = slice(memory, vm, vm_len)?;
    let name = slice(memory, name, name_len)?;
    let own = state.vm_id.clone();
    let token = world(state)?
        .queues
        .resolve(if vm_id.is_empty() { &own } else { vm_id }, name)?;
    put_u32(memory, token_out, token)
}

pub(super) fn dequeue(
    caller: Call<'_, '_>,
    token: u32,
    ptr_out: u32,
    len_out: u32,
) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    let value = world(state)?.queues.dequeue(token)?;
    give(caller, &value, ptr_out, len_out)
}

pub(super) fn enqueue(caller: Call<'_, '_>, token: u32, data: u32, data_len: u32) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let data = slice(memory, data, data_len)?;
    Ok(world(state)?.queues.enqueue(token, data)?)
}
