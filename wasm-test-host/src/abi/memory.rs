//! Guest memory, bounds-checked: a guest that passes a wild pointer gets a status, never a host panic.

use wasmtime::{Caller, Extern};

use crate::abi::Status;
use crate::vm::VmState;

/// Why a host function ends without `Ok`: a status for the guest, or a trap that happened in the guest's own
/// allocator and ends the callback.
pub(crate) enum Fault {
    Status(Status),
    Trap(wasmtime::Error),
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<wasmtime::Error> for Fault {
    fn from(error: wasmtime::Error) -> Self {
        Self::Trap(error)
    }
}

pub(crate) type Hostcall<T> = Result<T, Fault>;

/// Turns a host function's result into what goes back over the boundary.
pub(crate) fn answer(result: Hostcall<()>) -> wasmtime::Result<u32> {
    match result {
        Ok(()) => Ok(Status::Ok as u32),
        Err(Fault::Status(status)) => Ok(status as u32),
        Err(Fault::Trap(trap)) => Err(trap),
    }
}

/// The guest's memory and the VM's state, borrowed together.
pub(crate) fn split<'a>(
    caller: &'a mut Caller<'_, VmState>,
) -> Hostcall<(&'a mut [u8], &'a mut VmState)> {
    let memory = match caller.data().memory {
        Some(memory) => memory,
        // During `_initialize` the exports are not yet recorded.
        None => match caller.get_export("memory") {
            Some(Extern::Memory(memory)) => {
                caller.data_mut().memory = Some(memory);
                memory
            }
            _ => return Err(Status::InvalidMemoryAccess.into()),
        },
    };
    Ok(memory.data_and_store_mut(caller))
}

/// `len` bytes at `ptr`; a range that leaves the memory is refused, even an empty one.
pub(crate) fn slice(memory: &[u8], ptr: u32, len: u32) -> Hostcall<&[u8]> {
    let start = ptr as usize;
    let end = start
        .checked_add(len as usize)
        .ok_or(Status::InvalidMemoryAccess)?;
    memory
        .get(start..end)
        .ok_or(Fault::Status(Status::InvalidMemoryAccess))
}

pub(crate) fn put(memory: &mut [u8], ptr: u32, bytes: &[u8]) -> Hostcall<()> {
    let start = ptr as usize;
    let end = start
        .checked_add(bytes.len())
        .ok_or(Status::InvalidMemoryAccess)?;
    memory
        .get_mut(start..end)
        .ok_or(Status::InvalidMemoryAccess)?
        .copy_from_slice(bytes);
    Ok(())
}

pub(crate) fn put_u32(memory: &mut [u8], ptr: u32, value: u32) -> Hostcall<()> {
    put(memory, ptr, &value.to_le_bytes())
}

pub(crate) fn put_u64(memory: &mut [u8], ptr: u32, value: u64) -> Hostcall<()> {
    put(memory, ptr, &value.to_le_bytes())
}

/// Hands bytes to the guest: allocates in the guest, copies, then writes address and size to the two out
/// pointers. Nothing is allocated for no bytes: address 0 and size 0 (proxy-wasm-cpp-host
/// `WasmBase::copyToPointerSize`).
pub(crate) fn give(
    caller: &mut Caller<'_, VmState>,
    bytes: &[u8],
    ptr_out: u32,
    size_out: u32,
) -> Hostcall<()> {
    let mut address = 0;
    if !bytes.is_empty() {
        let size = u32::try_from(bytes.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        address = allocate(caller, size)?;
        let (memory, _) = split(caller)?;
        put(memory, address, bytes)?;
    }
    let (memory, _) = split(caller)?;
    put_u32(memory, ptr_out, address)?;
    put_u32(memory, size_out, bytes.len() as u32)
}

fn allocate(caller: &mut Caller<'_, VmState>, size: u32) -> Hostcall<u32> {
    let malloc = match caller.data().malloc.clone() {
        Some(malloc) => malloc,
        None => {
            let export = caller
                .get_export("malloc")
                .or_else(|| caller.get_export("proxy_on_memory_allocate"));
            let function = export
                .and_then(Extern::into_func)
                .ok_or(Status::InvalidMemoryAccess)?;
            function.typed::<u32, u32>(&*caller)?
        }
    };
    match malloc.call(&mut *caller, size)? {
        0 => Err(Status::InvalidMemoryAccess.into()),
        address => Ok(address),
    }
}
