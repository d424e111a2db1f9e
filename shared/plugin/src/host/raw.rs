//! Proxy-Wasm ABI 0.2.1: the imports themselves. Statuses are read as plain integers, because a host may answer one that
//! no enumeration lists.
//!
//! Nothing outside this file is unsafe. The rules that make its calls sound:
//!
//! * What goes in is a pointer and a length of a slice that lives for the call; the host only reads it.
//! * What comes out is a pointer and a length written to two local variables. The host obtained that memory by calling
//!   this module's `proxy_on_memory_allocate` (the SDK's: a boxed slice of exactly that length from the global
//!   allocator), filled all of it and gave it away, so it becomes a `Vec` of that length and capacity.

use super::HostError;

#[cfg(target_family = "wasm")]
unsafe extern "C" {
    fn proxy_log(level: u32, message: *const u8, size: usize) -> u32;
    fn proxy_get_log_level(level: *mut u32) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_remove_header_map_value(map: u32, key: *const u8, key_size: usize) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        cas: u32,
    ) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        len: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_property(
        path: *const u8,
        path_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_status(code: *mut u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}

#[cfg(target_family = "wasm")]
#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> u32;
}

/// Natively there is no host: every call answers Unimplemented, so that the crate's own tests link.
#[allow(clippy::too_many_arguments, reason = "the ABI's")]
#[cfg(not(target_family = "wasm"))]
mod no_host {
    const UNIMPLEMENTED: u32 = 12;

    macro_rules! unimplemented_imports {
        ($($name:ident($($argument:ty),*);)*) => {
            $(pub(super) unsafe fn $name($(_: $argument),*) -> u32 { UNIMPLEMENTED })*
        };
    }

    unimplemented_imports! {
        proxy_log(u32, *const u8, usize);
        proxy_get_log_level(*mut u32);
        proxy_get_current_time_nanoseconds(*mut u64);
        proxy_get_header_map_pairs(u32, *mut *mut u8, *mut usize);
        proxy_remove_header_map_value(u32, *const u8, usize);
        proxy_add_header_map_value(u32, *const u8, usize, *const u8, usize);
        proxy_replace_header_map_value(u32, *const u8, usize, *const u8, usize);
        proxy_get_shared_data(*const u8, usize, *mut *mut u8, *mut usize, *mut u32);
        proxy_set_shared_data(*const u8, usize, *const u8, usize, u32);
        proxy_get_buffer_bytes(u32, usize, usize, *mut *mut u8, *mut usize);
        proxy_get_property(*const u8, usize, *mut *mut u8, *mut usize);
        proxy_set_property(*const u8, usize, *const u8, usize);
        proxy_send_local_response(u32, *const u8, usize, *const u8, usize, *const u8, usize, i32);
        proxy_continue_stream(u32);
        proxy_set_effective_context(u32);
        proxy_set_tick_period_milliseconds(u32);
        proxy_get_status(*mut u32, *mut *mut u8, *mut usize);
        proxy_define_metric(u32, *const u8, usize, *mut u32);
        proxy_increment_metric(u32, i64);
        proxy_record_metric(u32, u64);
        clock_time_get(u32, u64, *mut u64);
    }
}

#[cfg(not(target_family = "wasm"))]
use no_host::*;

/// Takes over memory that the host filled.
///
/// # Safety
/// `data` is null, or was allocated by `proxy_on_memory_allocate(size)`, filled, and given away.
unsafe fn take(data: *mut u8, size: usize) -> Vec<u8> {
    if data.is_null() || size == 0 {
        return Vec::new();
    }
    // SAFETY: the caller's promise; the allocation is a boxed slice of `size` bytes.
    unsafe { Vec::from_raw_parts(data, size, size) }
}

pub(super) fn header_map_pairs(map: u32) -> Result<Vec<u8>, HostError> {
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: two out-pointers to locals.
    HostError::from_status(unsafe {
        proxy_get_header_map_pairs(map, &raw mut data, &raw mut size)
    })?;
    // SAFETY: the host answered Ok, so it set both to memory it gave away.
    Ok(unsafe { take(data, size) })
}

pub(super) fn remove_header_map_value(map: u32, name: &[u8]) -> Result<(), HostError> {
    // SAFETY: a slice that outlives the call.
    HostError::from_status(unsafe { proxy_remove_header_map_value(map, name.as_ptr(), name.len()) })
}

pub(super) fn add_header_map_value(map: u32, name: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: slices that outlive the call.
    HostError::from_status(unsafe {
        proxy_add_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

pub(super) fn replace_header_map_value(
    map: u32,
    name: &[u8],
    value: &[u8],
) -> Result<(), HostError> {
    // SAFETY: slices that outlive the call.
    HostError::from_status(unsafe {
        proxy_replace_header_map_value(map, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    })
}

pub(super) fn shared_data(key: &[u8]) -> Result<(Vec<u8>, u32), HostError> {
    let (mut data, mut size, mut cas) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: a slice that outlives the call, three out-pointers to locals.
    HostError::from_status(unsafe {
        proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut data,
            &raw mut size,
            &raw mut cas,
        )
    })?;
    // SAFETY: the host answered Ok, so it set both to memory it gave away.
    Ok((unsafe { take(data, size) }, cas))
}

pub(super) fn set_shared_data(key: &[u8], value: &[u8], cas: u32) -> Result<(), HostError> {
    // SAFETY: slices that outlive the call.
    HostError::from_status(unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), cas)
    })
}

/// WASI's `CLOCK_MONOTONIC`.
pub(super) fn monotonic_time() -> Option<u64> {
    let mut nanos = 0;
    // SAFETY: an integer and an out-pointer to a local.
    let errno = unsafe { clock_time_get(1, 1, &raw mut nanos) };
    (errno == 0 && nanos != 0).then_some(nanos)
}

pub(super) fn buffer_bytes(buffer: u32, start: usize, len: usize) -> Result<Vec<u8>, HostError> {
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: two out-pointers to locals.
    HostError::from_status(unsafe {
        proxy_get_buffer_bytes(buffer, start, len, &raw mut data, &raw mut size)
    })?;
    // SAFETY: the host answered Ok, so it set both to memory it gave away.
    Ok(unsafe { take(data, size) })
}

pub(super) fn property(path: &[u8]) -> Result<Vec<u8>, HostError> {
    let (mut data, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: a slice that outlives the call, two out-pointers to locals.
    HostError::from_status(unsafe {
        proxy_get_property(path.as_ptr(), path.len(), &raw mut data, &raw mut size)
    })?;
    // SAFETY: the host answered Ok, so it set both to memory it gave away.
    Ok(unsafe { take(data, size) })
}

pub(super) fn set_property(path: &[u8], value: &[u8]) -> Result<(), HostError> {
    // SAFETY: slices that outlive the call.
    HostError::from_status(unsafe {
        proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len())
    })
}

pub(super) fn send_local_response(
    status: u32,
    details: &[u8],
    body: &[u8],
    headers: &[u8],
    grpc_status: i32,
) -> Result<(), HostError> {
    // SAFETY: slices that outlive the call.
    HostError::from_status(unsafe {
        proxy_send_local_response(
            status,
            details.as_ptr(),
            details.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            grpc_status,
        )
    })
}

pub(super) fn continue_stream(stream: u32) -> Result<(), HostError> {
    // SAFETY: integers only.
    HostError::from_status(unsafe { proxy_continue_stream(stream) })
}

pub(super) fn set_effective_context(context: u32) -> Result<(), HostError> {
    // SAFETY: integers only.
    HostError::from_status(unsafe { proxy_set_effective_context(context) })
}

pub(super) fn set_tick_period(millis: u32) -> Result<(), HostError> {
    // SAFETY: integers only.
    HostError::from_status(unsafe { proxy_set_tick_period_milliseconds(millis) })
}

/// The message of the status that ended a gRPC call.
pub(super) fn status_message() -> Result<Vec<u8>, HostError> {
    let (mut code, mut data, mut size) = (0, std::ptr::null_mut(), 0);
    // SAFETY: three out-pointers to locals.
    HostError::from_status(unsafe {
        proxy_get_status(&raw mut code, &raw mut data, &raw mut size)
    })?;
    // SAFETY: the host answered Ok, so it set both to memory it gave away.
    Ok(unsafe { take(data, size) })
}

pub(super) fn define_metric(kind: u32, name: &[u8]) -> Result<u32, HostError> {
    let mut id = 0;
    // SAFETY: a slice that outlives the call, an out-pointer to a local.
    HostError::from_status(unsafe {
        proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id)
    })?;
    Ok(id)
}

pub(super) fn increment_metric(id: u32, offset: i64) -> Result<(), HostError> {
    // SAFETY: integers only.
    HostError::from_status(unsafe { proxy_increment_metric(id, offset) })
}

pub(super) fn record_metric(id: u32, value: u64) -> Result<(), HostError> {
    // SAFETY: integers only.
    HostError::from_status(unsafe { proxy_record_metric(id, value) })
}

pub(super) fn log_level() -> Result<u32, HostError> {
    let mut level = 0;
    // SAFETY: an out-pointer to a local.
    HostError::from_status(unsafe { proxy_get_log_level(&raw mut level) })?;
    Ok(level)
}

pub(super) fn log(level: u32, line: &[u8]) -> Result<(), HostError> {
    // SAFETY: a slice that outlives the call.
    HostError::from_status(unsafe { proxy_log(level, line.as_ptr(), line.len()) })
}

pub(super) fn current_time() -> Result<u64, HostError> {
    let mut nanos = 0;
    // SAFETY: an out-pointer to a local.
    HostError::from_status(unsafe { proxy_get_current_time_nanoseconds(&raw mut nanos) })?;
    Ok(nanos)
}
