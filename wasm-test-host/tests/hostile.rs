//! Guests that try to hurt their host: wild pointers into every host function, allocators that lie, calls that nest.

mod guest;

use backstop_host::{Gateway, Plugin, Request};

/// Host functions and their parameters: `i` is 32 bits, `I` 64.
const FUNCTIONS: &[(&str, &str)] = &[
    ("proxy_log", "iii"),
    ("proxy_get_log_level", "i"),
    ("proxy_get_status", "iii"),
    ("proxy_get_current_time_nanoseconds", "i"),
    ("proxy_set_tick_period_milliseconds", "i"),
    ("proxy_set_effective_context", "i"),
    ("proxy_done", ""),
    ("proxy_call_foreign_function", "iiiiii"),
    ("proxy_get_property", "iiii"),
    ("proxy_set_property", "iiii"),
    ("proxy_get_header_map_value", "iiiii"),
    ("proxy_add_header_map_value", "iiiii"),
    ("proxy_replace_header_map_value", "iiiii"),
    ("proxy_remove_header_map_value", "iii"),
    ("proxy_get_header_map_pairs", "iii"),
    ("proxy_set_header_map_pairs", "iii"),
    ("proxy_get_header_map_size", "ii"),
    ("proxy_get_buffer_bytes", "iiiii"),
    ("proxy_get_buffer_status", "iii"),
    ("proxy_set_buffer_bytes", "iiiii"),
    ("proxy_continue_stream", "i"),
    ("proxy_close_stream", "i"),
    ("proxy_send_local_response", "iiiiiiii"),
    ("proxy_get_shared_data", "iiiii"),
    ("proxy_set_shared_data", "iiiii"),
    ("proxy_register_shared_queue", "iii"),
    ("proxy_resolve_shared_queue", "iiiii"),
    ("proxy_dequeue_shared_queue", "iii"),
    ("proxy_enqueue_shared_queue", "iii"),
    ("proxy_define_metric", "iiii"),
    ("proxy_increment_metric", "iI"),
    ("proxy_record_metric", "iI"),
    ("proxy_get_metric", "ii"),
    ("proxy_http_call", "iiiiiiiiii"),
    ("proxy_grpc_call", "iiiiiiiiiiii"),
    ("proxy_grpc_stream", "iiiiiiiii"),
    ("proxy_grpc_send", "iiii"),
    ("proxy_grpc_close", "i"),
    ("proxy_grpc_cancel", "i"),
];

const WASI: &[(&str, &str)] = &[
    ("fd_write", "iiii"),
    ("fd_fdstat_get", "ii"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_time_get", "iIi"),
    ("random_get", "ii"),
];

/// Values that sit at edges: of the enums, of the one page of memory, of the address space.
const EDGES: &[u32] = &[
    0,
    1,
    2,
    4,
    8,
    9,
    64,
    65_535,
    65_536,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff0,
    u32::MAX,
];

fn params(kinds: &str) -> String {
    kinds
        .chars()
        .map(|kind| if kind == 'i' { " i32" } else { " i64" })
        .collect()
}

/// Calls every function in every stream callback, with arguments that a small generator picks from the edges.
fn hostile(seed: u64, malloc: &str) -> String {
    let mut state = seed;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        EDGES[(state >> 33) as usize % EDGES.len()]
    };
    let (mut imports, mut calls) = (String::new(), String::new());
    let all = FUNCTIONS
        .iter()
        .map(|f| ("env", f))
        .chain(WASI.iter().map(|f| ("wasi_snapshot_preview1", f)));
    for (space, (name, kinds)) in all {
        imports += &format!(
            "(import \"{space}\" \"{name}\" (func ${name} (param{}) (result i32)))\n",
            params(kinds)
        );
        for _ in 0..6 {
            for kind in kinds.chars() {
                let value = next();
                let ty = if kind == 'i' { "i32" } else { "i64" };
                calls += &format!("({ty}.const {}) ", value as i32);
            }
            calls += &format!("(drop (call ${name}))\n");
        }
    }
    format!(
        r#"(module
          {imports}
          (memory (export "memory") 1)
          (global $busy (mut i32) (i32.const 0))
          (func (export "proxy_abi_version_0_2_1"))
          (func $all {calls})
          (func (export "malloc") (param i32) (result i32) {malloc})
          (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $all) (i32.const 0))
          (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) (call $all) (i32.const 1))
          (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (call $all) (i32.const 0))
          (func (export "proxy_on_log") (param i32) (call $all)))"#
    )
}

fn attack(source: &str) {
    let module = guest::text(source).unwrap();
    let mut gateway = Gateway::builder()
        .plugin(Plugin::new(&module))
        .fuel_per_callback(10_000_000)
        .start()
        .unwrap();
    for request in [
        Request::get("/a?b=c").header("x-a", "1"),
        Request::post("/")
            .body("abcdef")
            .chunks([2])
            .trailer("t", "1"),
    ] {
        gateway.send(request);
    }
}

#[test]
fn wild_arguments_to_every_host_function_harm_nobody() {
    for seed in 0..40 {
        attack(&hostile(seed, "(i32.const 1024)"));
    }
}

#[test]
fn an_allocator_that_answers_wild_addresses_harms_nobody() {
    for (seed, address) in [0, 1, 65_535, 65_536, -1, i32::MIN].into_iter().enumerate() {
        attack(&hostile(seed as u64, &format!("(i32.const {address})")));
    }
}

#[test]
fn an_allocator_that_calls_back_into_the_host_harms_nobody() {
    let nested = "(if (i32.eqz (global.get $busy)) (then (global.set $busy (i32.const 1)) (call $all) (global.set $busy (i32.const 0)))) (i32.const 2048)";
    for seed in 0..10 {
        attack(&hostile(seed, nested));
    }
}

#[test]
fn an_allocator_that_calls_itself_through_the_host_for_ever_is_a_trap() {
    let outcome = {
        let module = guest::text(
            r#"(module
              (import "env" "proxy_get_property" (func $get (param i32 i32 i32 i32) (result i32)))
              (memory (export "memory") 1)
              (data (i32.const 0) "plugin_name")
              (func (export "proxy_abi_version_0_2_1"))
              (func $all (drop (call $get (i32.const 0) (i32.const 11) (i32.const 64) (i32.const 68))))
              (func (export "malloc") (param i32) (result i32) (call $all) (i32.const 1024))
              (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $all) (i32.const 0)))"#,
        );
        let mut gateway = Gateway::builder()
            .plugin(Plugin::new(&module.unwrap()))
            .start()
            .unwrap();
        gateway.send(Request::get("/"))
    };
    assert_eq!(outcome.status, 503);
}

#[test]
fn a_guest_that_enqueues_from_its_own_queue_callback_does_not_hold_the_host_for_ever() {
    let script =
        "configure: qreg q\nrequest_headers: qput _ q x\nqueue_ready: qget _ q; qput _ q x";
    let plugin = Plugin::new(&guest::module("probe"))
        .name("p")
        .config(script);
    let mut gateway = Gateway::builder()
        .plugin(plugin)
        .log_level(backstop_host::LogLevel::Critical)
        .start()
        .unwrap();
    assert_eq!(gateway.send(Request::get("/")).status, 200);
}
