//! Packing, on modules small enough to read.

use super::*;

/// A filter with these exports besides the life cycle's; every export but `proxy_on_log` calls `proxy_done`, which
/// calls an import. `callbacks` is its section, if any.
fn module(exports: &[&str], import: (&str, &str), callbacks: Option<&str>) -> Vec<u8> {
    let functions: String = exports
        .iter()
        .enumerate()
        .map(|(index, name)| match *name {
            "proxy_on_log" => format!("(func $f{index} (export \"{name}\") call $only_for_log)\n"),
            _ => format!("(func $f{index} (export \"{name}\") i32.const 0 call $import drop)\n"),
        })
        .collect();
    let section = callbacks.map_or(String::new(), |names| {
        format!("(@custom \"{CALLBACKS_SECTION}\" \"{names}\")")
    });
    let (from, name) = import;
    wat::parse_str(format!(
        "(module
            {section}
            (import \"{from}\" \"{name}\" (func $import (param i32) (result i32)))
            (import \"env\" \"proxy_done\" (func $done (result i32)))
            (memory (export \"memory\") 1)
            (func $only_for_log call $done drop)
            (func (export \"proxy_abi_version_0_2_1\"))
            (func (export \"proxy_on_memory_allocate\") (param i32) (result i32) i32.const 0)
            {functions})"
    ))
    .unwrap()
}

const TICK: (&str, &str) = ("env", "proxy_set_tick_period_milliseconds");

#[test]
fn only_what_the_filter_implements_is_kept() {
    let wasm = module(
        &[
            "proxy_on_request_headers",
            "proxy_on_request_trailers",
            "proxy_on_log",
        ],
        TICK,
        Some("proxy_on_request_headers proxy_on_request_trailers"),
    );
    let packed = pack(&wasm).unwrap();
    assert_eq!(
        check(&packed.wasm).unwrap().into_iter().collect::<Vec<_>>(),
        [
            "memory",
            "proxy_abi_version_0_2_1",
            "proxy_on_memory_allocate",
            "proxy_on_request_headers",
            "proxy_on_request_trailers",
        ]
    );
    assert_eq!(
        (packed.removed_exports, packed.removed_imports),
        (1, 1),
        "proxy_on_log and proxy_done"
    );
    assert!(packed.wasm.len() < wasm.len());
}

#[test]
fn packing_twice_is_refused_since_the_declaration_is_gone() {
    let packed = pack(&module(
        &["proxy_on_request_headers"],
        TICK,
        Some("proxy_on_request_headers"),
    ))
    .unwrap();
    assert!(matches!(pack(&packed.wasm), Err(PackError::NoCallbacks)));
}

#[test]
fn a_declaration_has_to_fit_the_module() {
    let exports = ["proxy_on_request_headers"];
    let error = |callbacks| {
        pack(&module(&exports, TICK, callbacks))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(None),
        "no `backstop.callbacks` section: the filter declares its callbacks with `backstop_plugin::callbacks!`"
    );
    assert_eq!(
        error(Some("proxy_on_request_body")),
        "the filter declares `proxy_on_request_body` and does not export it"
    );
    assert_eq!(
        error(Some("on_request_body")),
        "`on_request_body` is not a Proxy-Wasm callback"
    );
    assert_eq!(error(Some("")), "the module exports no stream callback");
    assert!(matches!(pack(b"\0asm"), Err(PackError::Invalid(_))));
}

#[test]
fn what_envoy_does_not_provide_is_refused() {
    for (from, name) in [
        ("env", "proxy_get_metric_value"),
        ("env", "proxy_clear_route_cache"),
        ("wasi_snapshot_preview1", "sock_accept"),
        ("wasi_snapshot_preview2", "random_get"),
        ("wbg", "now"),
    ] {
        let wasm = module(
            &["proxy_on_request_headers"],
            (from, name),
            Some("proxy_on_request_headers"),
        );
        let expected = CheckError::Import(from.to_owned(), name.to_owned());
        assert_eq!(check(&wasm), Err(expected));
        assert!(pack(&wasm).is_err());
    }
}

#[test]
fn an_export_that_no_proxy_asks_for_is_refused() {
    let wasm = module(&["proxy_on_request_headers", "__heap_base"], TICK, None);
    assert_eq!(
        check(&wasm),
        Err(CheckError::Export("__heap_base".to_owned()))
    );
}
