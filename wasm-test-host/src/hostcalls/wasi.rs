//! The WASI functions that Envoy links, with what they answer there (Envoy 1.37, verified, but for `poll_oneoff`). Anything about
//! files is refused; stdout and stderr go to the log; time and random bytes are the gateway's own, so that runs repeat.

use wasmtime::{Caller, Linker};

use crate::abi::memory::{Fault, Hostcall, put, put_u32, put_u64, slice, split};
use crate::failure::Exited;
use crate::outcome::LogLevel;
use crate::vm::VmState;

type Call<'a, 'b> = &'a mut Caller<'b, VmState>;

const BADF: u32 = 8;
const FAULT: u32 = 21;
const INVAL: u32 = 28;
const NOENT: u32 = 44;
const NOSYS: u32 = 52;
const NOTSUP: u32 = 58;

/// `PROXY_WASM_HOST_WASI_RANDOM_GET_MAX_SIZE_BYTES`
const RANDOM_MAX: u32 = 64 * 1024;

pub(super) fn link(linker: &mut Linker<VmState>, module: &str) -> wasmtime::Result<()> {
    type C<'a> = Caller<'a, VmState>;
    linker.func_wrap(
        module,
        "fd_write",
        |mut c: C<'_>, fd: u32, iovs: u32, len: u32, out: u32| {
            errno(fd_write(&mut c, fd, iovs, len, out))
        },
    )?;
    linker.func_wrap(module, "fd_read", |_: u32, _: u32, _: u32, _: u32| NOSYS)?;
    linker.func_wrap(module, "fd_seek", |_: u32, _: u64, _: u32, _: u32| 0u32)?;
    linker.func_wrap(module, "fd_close", |_: u32| 0u32)?;
    linker.func_wrap(
        module,
        "fd_fdstat_get",
        |mut c: C<'_>, fd: u32, out: u32| errno(fd_fdstat_get(&mut c, fd, out)),
    )?;
    linker.func_wrap(module, "fd_fdstat_set_flags", |_: u32, _: u32| NOSYS)?;
    linker.func_wrap(module, "fd_prestat_get", |_: u32, _: u32| BADF)?;
    linker.func_wrap(module, "fd_prestat_dir_name", |_: u32, _: u32, _: u32| {
        NOSYS
    })?;
    linker.func_wrap(
        module,
        "path_open",
        |_: u32, _: u32, _: u32, _: u32, _: u32, _: u64, _: u64, _: u32, _: u32| NOENT,
    )?;
    linker.func_wrap(
        module,
        "environ_get",
        |mut c: C<'_>, array: u32, buffer: u32| errno(environ_get(&mut c, array, buffer)),
    )?;
    linker.func_wrap(
        module,
        "environ_sizes_get",
        |mut c: C<'_>, count: u32, size: u32| errno(environ_sizes_get(&mut c, count, size)),
    )?;
    linker.func_wrap(module, "args_get", |_: u32, _: u32| 0u32)?;
    linker.func_wrap(
        module,
        "args_sizes_get",
        |mut c: C<'_>, count: u32, size: u32| errno(args_sizes_get(&mut c, count, size)),
    )?;
    linker.func_wrap(
        module,
        "clock_time_get",
        |mut c: C<'_>, clock: u32, _: u64, out: u32| errno(clock_time_get(&mut c, clock, out)),
    )?;
    linker.func_wrap(module, "random_get", |mut c: C<'_>, ptr: u32, len: u32| {
        errno(random_get(&mut c, ptr, len))
    })?;
    linker.func_wrap(module, "poll_oneoff", |_: u32, _: u32, _: u32, _: u32| {
        NOSYS
    })?;
    linker.func_wrap(module, "sched_yield", || 0u32)?;
    linker.func_wrap(module, "proc_exit", |code: u32| -> wasmtime::Result<()> {
        Err(Exited(code).into())
    })?;
    Ok(())
}

fn errno(result: Hostcall<u32>) -> wasmtime::Result<u32> {
    match result {
        Ok(errno) => Ok(errno),
        Err(Fault::Status(_)) => Ok(FAULT),
        Err(Fault::Trap(trap)) => Err(trap),
    }
}

/// stdout is logged as info, stderr as error; one trailing newline goes.
fn fd_write(caller: Call<'_, '_>, fd: u32, iovs: u32, len: u32, out: u32) -> Hostcall<u32> {
    let level = match fd {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return Ok(BADF),
    };
    let (memory, state) = split(caller)?;
    let mut text = Vec::new();
    for index in 0..len {
        let at = iovs
            .checked_add(index.wrapping_mul(8))
            .ok_or(crate::Status::InvalidMemoryAccess)?;
        let iov = slice(memory, at, 8)?;
        let word = |range: std::ops::Range<usize>| {
            u32::from_le_bytes(iov[range].try_into().unwrap_or_default())
        };
        text.extend_from_slice(slice(memory, word(0..4), word(4..8))?);
        if text.len() > memory.len() {
            return Ok(FAULT);
        }
    }
    let written = text.len() as u32;
    put_u32(memory, out, written)?;
    if written > 0 {
        let line = text.strip_suffix(b"\n").unwrap_or(&text);
        state.log(level, line);
    }
    Ok(0)
}

/// Only stdout and stderr; they may be written to.
fn fd_fdstat_get(caller: Call<'_, '_>, fd: u32, out: u32) -> Hostcall<u32> {
    if fd != 1 && fd != 2 {
        return Ok(BADF);
    }
    let (memory, _) = split(caller)?;
    let mut stat = [0; 24];
    stat[8] = 64;
    put(memory, out, &stat)?;
    Ok(0)
}

fn environ_get(caller: Call<'_, '_>, array: u32, buffer: u32) -> Hostcall<u32> {
    let (memory, state) = split(caller)?;
    let (mut array, mut buffer) = (array, buffer);
    for (name, value) in state.env.iter() {
        put_u32(memory, array, buffer)?;
        let entry = format!("{name}={value}\0");
        put(memory, buffer, entry.as_bytes())?;
        buffer = buffer.wrapping_add(entry.len() as u32);
        array = array.wrapping_add(4);
    }
    Ok(0)
}

fn environ_sizes_get(caller: Call<'_, '_>, count: u32, size: u32) -> Hostcall<u32> {
    let (memory, state) = split(caller)?;
    put_u32(memory, count, state.env.len() as u32)?;
    let bytes: usize = state
        .env
        .iter()
        .map(|(name, value)| name.len() + value.len() + 2)
        .sum();
    put_u32(memory, size, bytes as u32)?;
    Ok(0)
}

fn args_sizes_get(caller: Call<'_, '_>, count: u32, size: u32) -> Hostcall<u32> {
    let (memory, _) = split(caller)?;
    put_u32(memory, count, 0)?;
    put_u32(memory, size, 0)?;
    Ok(0)
}

/// Realtime and monotonic clock: both are the gateway's virtual clock.
fn clock_time_get(caller: Call<'_, '_>, clock: u32, out: u32) -> Hostcall<u32> {
    if clock > 1 {
        return Ok(NOTSUP);
    }
    let (memory, state) = split(caller)?;
    let now = state
        .world
        .as_ref()
        .map_or(0, |world| world.clock.now_nanos());
    put_u64(memory, out, now)?;
    Ok(0)
}

/// A fixed sequence per VM (splitmix64), at most 64 KiB at once.
fn random_get(caller: Call<'_, '_>, ptr: u32, len: u32) -> Hostcall<u32> {
    if len > RANDOM_MAX {
        return Ok(INVAL);
    }
    let (memory, state) = split(caller)?;
    let mut bytes = Vec::with_capacity(len as usize + 8);
    while bytes.len() < len as usize {
        state.random = state.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    put(memory, ptr, &bytes[..len as usize])?;
    Ok(0)
}
