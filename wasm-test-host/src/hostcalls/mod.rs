//! The host functions, one file per subject. Names and types are those that a real Envoy 1.37.0 links: each name was
//! tried there in a module that imports only it (`missing import` against `import type mismatch`).

mod buffers;
mod callouts;
mod general;
mod headers;
mod metrics;
mod properties;
mod shared;
mod streams;
mod wasi;

use wasmtime::{Caller, Linker};

use crate::abi::AbiVersion;
use crate::abi::memory::answer;
use crate::vm::VmState;

/// Host functions of every ABI version, under `env`.
const ANY_ABI: &[&str] = &[
    "emscripten_notify_memory_growth",
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_enqueue_shared_queue",
    "proxy_get_buffer_bytes",
    "proxy_get_buffer_status",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_size",
    "proxy_get_header_map_value",
    "proxy_get_metric",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_call",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_grpc_stream",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_resolve_shared_queue",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "pthread_equal",
];

/// Only ABI 0.1.0 (Envoy 1.37, verified: a 0.2.1 module that imports one of them does not load).
const ONLY_0_1_0: &[&str] = &[
    "proxy_clear_route_cache",
    "proxy_continue_request",
    "proxy_continue_response",
    "proxy_get_configuration",
];

/// ABI 0.2.0 and 0.2.1.
const FROM_0_2_0: &[&str] = &["proxy_close_stream", "proxy_continue_stream"];

/// Only ABI 0.2.1.
const FROM_0_2_1: &[&str] = &["proxy_get_log_level"];

/// The WASI functions that Envoy 1.37 links (verified), under `wasi_snapshot_preview1` and `wasi_unstable`.
const WASI: &[&str] = &[
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_close",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_prestat_dir_name",
    "fd_prestat_get",
    "fd_read",
    "fd_seek",
    "fd_write",
    "path_open",
    "poll_oneoff",
    "proc_exit",
    "random_get",
    "sched_yield",
];

/// Whether Envoy 1.37 provides this import to a module of that ABI version.
pub fn provides(abi: AbiVersion, module: &str, name: &str) -> bool {
    match module {
        "env" => {
            ANY_ABI.contains(&name)
                || (abi == AbiVersion::V0_1_0 && ONLY_0_1_0.contains(&name))
                || (abi >= AbiVersion::V0_2_0 && FROM_0_2_0.contains(&name))
                || (abi == AbiVersion::V0_2_1 && FROM_0_2_1.contains(&name))
        }
        "wasi_snapshot_preview1" | "wasi_unstable" => WASI.contains(&name),
        _ => false,
    }
}

/// Binds a host function to its import name: every argument is an `i32` unless a type is given.
macro_rules! host {
    ($linker:ident, $name:literal, $function:path, $($arg:ident $(: $ty:ty)?),*) => {
        $linker.func_wrap(
            "env",
            $name,
            |mut caller: Caller<'_, VmState>, $($arg: host!(@ty $($ty)?)),*| answer($function(&mut caller, $($arg),*)),
        )?;
    };
    (@ty) => { u32 };
    (@ty $ty:ty) => { $ty };
}

pub(crate) fn link(linker: &mut Linker<VmState>) -> wasmtime::Result<()> {
    host!(linker, "proxy_log", general::log, level, ptr, len);
    host!(linker, "proxy_get_log_level", general::get_log_level, out);
    host!(
        linker,
        "proxy_get_status",
        general::get_status,
        code_out,
        ptr_out,
        len_out
    );
    host!(
        linker,
        "proxy_get_configuration",
        general::get_configuration,
        ptr_out,
        len_out
    );
    host!(
        linker,
        "proxy_get_current_time_nanoseconds",
        general::get_current_time,
        out
    );
    host!(
        linker,
        "proxy_set_tick_period_milliseconds",
        general::set_tick_period,
        millis
    );
    host!(
        linker,
        "proxy_set_effective_context",
        general::set_effective_context,
        context
    );
    host!(linker, "proxy_done", general::done,);
    host!(
        linker,
        "proxy_call_foreign_function",
        general::call_foreign_function,
        name,
        name_len,
        args,
        args_len,
        results,
        results_len
    );

    host!(
        linker,
        "proxy_get_property",
        properties::get_property,
        path,
        path_len,
        ptr_out,
        len_out
    );
    host!(
        linker,
        "proxy_set_property",
        properties::set_property,
        path,
        path_len,
        value,
        value_len
    );

    host!(
        linker,
        "proxy_get_header_map_value",
        headers::get_value,
        map,
        key,
        key_len,
        ptr_out,
        len_out
    );
    host!(
        linker,
        "proxy_add_header_map_value",
        headers::add_value,
        map,
        key,
        key_len,
        value,
        value_len
    );
    host!(
        linker,
        "proxy_replace_header_map_value",
        headers::replace_value,
        map,
        key,
        key_len,
        value,
        value_len
    );
    host!(
        linker,
        "proxy_remove_header_map_value",
        headers::remove_value,
        map,
        key,
        key_len
    );
    host!(
        linker,
        "proxy_get_header_map_pairs",
        headers::get_pairs,
        map,
        ptr_out,
        len_out
    );
    host!(
        linker,
        "proxy_set_header_map_pairs",
        headers::set_pairs,
        map,
        ptr,
        len
    );
    host!(
        linker,
        "proxy_get_header_map_size",
        headers::get_size,
        map,
        out
    );

    host!(
        linker,
        "proxy_get_buffer_bytes",
        buffers::get_bytes,
        buffer,
        start,
        len,
        ptr_out,
        len_out
    );
    host!(
        linker,
        "proxy_get_buffer_status",
        buffers::get_status,
        buffer,
        len_out,
        flags_out
    );
    host!(
        linker,
        "proxy_set_buffer_bytes",
        buffers::set_bytes,
        buffer,
        start,
        len,
        data,
        data_len
    );

    host!(
        linker,
        "proxy_continue_stream",
        streams::continue_stream,
        kind
    );
    host!(linker, "proxy_close_stream", streams::close_stream, kind);
    host!(linker, "proxy_continue_request", streams::continue_request,);
    host!(
        linker,
        "proxy_continue_response",
        streams::continue_response,
    );
    host!(
        linker,
        "proxy_clear_route_cache",
        streams::clear_route_cache,
    );
    host!(
        linker,
        "proxy_send_local_response",
        streams::send_local_response,
        code,
        details,
        details_len,
        body,
        body_len,
        pairs,
        pairs_len,
        grpc
    );

    host!(
        linker,
        "proxy_get_shared_data",
        shared::get_data,
        key,
        key_len,
        ptr_out,
        len_out,
        cas_out
    );
    host!(
        linker,
        "proxy_set_shared_data",
        shared::set_data,
        key,
        key_len,
        value,
        value_len,
        cas
    );
    host!(
        linker,
        "proxy_register_shared_queue",
        shared::register_queue,
        name,
        name_len,
        token_out
    );
    host!(
        linker,
        "proxy_resolve_shared_queue",
        shared::resolve_queue,
        vm,
        vm_len,
        name,
        name_len,
        token_out
    );
    host!(
        linker,
        "proxy_dequeue_shared_queue",
        shared::dequeue,
        token,
        ptr_out,
        len_out
    );
    host!(
        linker,
        "proxy_enqueue_shared_queue",
        shared::enqueue,
        token,
        data,
        data_len
    );

    host!(
        linker,
        "proxy_define_metric",
        metrics::define,
        kind,
        name,
        name_len,
        id_out
    );
    host!(linker, "proxy_increment_metric", metrics::increment, id, offset: i64);
    host!(linker, "proxy_record_metric", metrics::record, id, value: u64);
    host!(linker, "proxy_get_metric", metrics::get, id, out);

    host!(
        linker,
        "proxy_http_call",
        callouts::http_call,
        uri,
        uri_len,
        headers,
        headers_len,
        body,
        body_len,
        trailers,
        trailers_len,
        timeout,
        token_out
    );
    host!(
        linker,
        "proxy_grpc_call",
        callouts::grpc_call,
        cluster,
        cluster_len,
        service,
        service_len,
        method,
        method_len,
        metadata,
        metadata_len,
        message,
        message_len,
        timeout,
        token_out
    );
    host!(
        linker,
        "proxy_grpc_stream",
        callouts::grpc_stream,
        cluster,
        cluster_len,
        service,
        service_len,
        method,
        method_len,
        metadata,
        metadata_len,
        token_out
    );
    host!(
        linker,
        "proxy_grpc_send",
        callouts::grpc_send,
        token,
        message,
        message_len,
        end
    );
    host!(linker, "proxy_grpc_close", callouts::grpc_close, token);
    host!(linker, "proxy_grpc_cancel", callouts::grpc_cancel, token);

    linker.func_wrap("env", "pthread_equal", |left: u32, right: u32| {
        u32::from(left == right)
    })?;
    linker.func_wrap("env", "emscripten_notify_memory_growth", |_memory: u32| {})?;
    wasi::link(linker, "wasi_snapshot_preview1")?;
    wasi::link(linker, "wasi_unstable")
}
