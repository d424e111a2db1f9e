//! What Envoy 1.37 would not load does not load here.

mod guest;

use backstop_host::{AbiVersion, LoadError, provides};

fn module(abi: &str, import: &str) -> String {
    format!(
        r#"(module
          {import}
          (func (export "{abi}"))
          (func (export "malloc") (param i32) (result i32) i32.const 0)
          (memory (export "memory") 1))"#
    )
}

const ABI: &str = "proxy_abi_version_0_2_1";

#[test]
fn an_import_that_envoy_does_not_provide() {
    let refused = [
        ("env", "abort"),
        ("env", "proxy_get_shared_data_keys"),
        ("env", "proxy_clear_route_cache"),
        ("wasi_snapshot_preview1", "clock_res_get"),
        ("wasi_snapshot_preview1", "fd_filestat_get"),
        ("wasi_snapshot_preview1", "sock_send"),
        ("other", "proxy_log"),
    ];
    for (space, name) in refused {
        let import = format!(r#"(import "{space}" "{name}" (func))"#);
        let error = guest::text(&module(ABI, &import)).unwrap_err();
        assert!(
            matches!(&error, LoadError::MissingImport { name: missing, .. } if missing == name),
            "{error}"
        );
    }
}

#[test]
fn an_import_of_another_type() {
    let error = guest::text(&module(
        ABI,
        r#"(import "env" "proxy_log" (func (param i32)))"#,
    ))
    .unwrap_err();
    assert!(matches!(error, LoadError::ImportType(_)), "{error}");
}

#[test]
fn each_wasi_function_that_envoy_links_loads_from_both_name_spaces() {
    for space in ["wasi_snapshot_preview1", "wasi_unstable"] {
        let import = format!(
            r#"(import "{space}" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
               (import "{space}" "clock_time_get" (func (param i32 i64 i32) (result i32)))
               (import "{space}" "path_open" (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
               (import "{space}" "proc_exit" (func (param i32)))
               (import "{space}" "sched_yield" (func (result i32)))"#
        );
        guest::text(&module(ABI, &import)).unwrap();
    }
}

#[test]
fn abi_versions() {
    for (name, abi) in [
        ("proxy_abi_version_0_1_0", AbiVersion::V0_1_0),
        ("proxy_abi_version_0_2_0", AbiVersion::V0_2_0),
        (ABI, AbiVersion::V0_2_1),
    ] {
        assert_eq!(guest::text(&module(name, "")).unwrap().abi(), abi);
    }
    for unknown in ["proxy_abi_version_0_3_0", "proxy_abi_version_1_0_0", "none"] {
        assert!(
            matches!(
                guest::text(&module(unknown, "")),
                Err(LoadError::AbiVersion)
            ),
            "{unknown}"
        );
    }
}

#[test]
fn host_functions_belong_to_abi_versions() {
    assert!(provides(
        AbiVersion::V0_1_0,
        "env",
        "proxy_get_configuration"
    ));
    assert!(!provides(
        AbiVersion::V0_2_0,
        "env",
        "proxy_get_configuration"
    ));
    assert!(!provides(AbiVersion::V0_2_0, "env", "proxy_get_log_level"));
    assert!(provides(AbiVersion::V0_2_1, "env", "proxy_get_log_level"));
    assert!(!provides(
        AbiVersion::V0_1_0,
        "env",
        "proxy_continue_stream"
    ));
}

#[test]
fn what_is_no_filter() {
    assert!(matches!(
        backstop_host::Module::from_bytes(b"not wasm"),
        Err(LoadError::Invalid(_))
    ));
    let no_memory = format!(
        r#"(module (func (export "{ABI}")) (func (export "malloc") (param i32) (result i32) i32.const 0))"#
    );
    assert!(matches!(guest::text(&no_memory), Err(LoadError::NoMemory)));
    let no_malloc = format!(r#"(module (func (export "{ABI}")) (memory (export "memory") 1))"#);
    assert!(matches!(
        guest::text(&no_malloc),
        Err(LoadError::NoAllocator)
    ));
    assert!(matches!(
        backstop_host::Module::from_file("no/such.wasm"),
        Err(LoadError::Read { .. })
    ));
}

#[test]
fn abi_0_1_0_gets_headers_without_end_of_stream() {
    let module = guest::text(
        r#"(module
          (import "env" "proxy_continue_request" (func (result i32)))
          (func (export "proxy_abi_version_0_1_0"))
          (func (export "malloc") (param i32) (result i32) i32.const 0)
          (func (export "proxy_on_request_headers") (param i32 i32) (result i32) i32.const 0)
          (memory (export "memory") 1))"#,
    );
    let plugin = backstop_host::Plugin::new(&module.unwrap());
    let mut gateway = backstop_host::Gateway::builder()
        .plugin(plugin)
        .start()
        .unwrap();
    let outcome = gateway.send(backstop_host::Request::get("/"));
    assert_eq!(
        (outcome.status, outcome.calls("on_request_headers")),
        (200, 1)
    );
}
