//! Guests that fail: what the client gets, what is reported, when it is over.

mod guest;

use std::time::Duration;

use backstop_host::{FailureKind, FailurePolicy, Gateway, Plugin, Request};

fn faults(policy: FailurePolicy) -> Gateway {
    let plugin = Plugin::new(&guest::module("faults"))
        .name("faults")
        .failure_policy(policy);
    Gateway::builder()
        .plugin(plugin)
        .fuel_per_callback(50_000_000)
        .memory_limit(64 << 20)
        .start()
        .unwrap()
}

fn with(fault: &str) -> Request {
    Request::post("/")
        .header("x-fault", fault)
        .body("0123456789")
        .chunks([4])
}

#[test]
fn fail_closed_answers_503_for_ever() {
    let mut gateway = faults(FailurePolicy::FailClosed);
    let crashed = gateway.send(with("panic"));
    assert_eq!(
        (crashed.status, crashed.details.as_str()),
        (503, "wasm_fail_stream")
    );
    assert_eq!(crashed.failure().unwrap().kind, FailureKind::Trap);
    assert_eq!(crashed.failure().unwrap().callback, "on_request_headers");
    gateway.advance(Duration::from_secs(3600));
    assert_eq!(gateway.send(with("none")).status, 503);
}

#[test]
fn a_failed_worker_leaves_the_other_alone() {
    let plugin = Plugin::new(&guest::module("faults")).name("faults");
    let mut gateway = Gateway::builder()
        .plugin(plugin)
        .workers(2)
        .start()
        .unwrap();
    gateway.worker(0).send(with("panic"));
    assert_eq!(gateway.worker(0).send(with("none")).status, 503);
    assert_eq!(gateway.worker(1).send(with("none")).status, 200);
}

#[test]
fn fail_open_fails_the_request_that_crashed_and_lets_the_next_pass_unfiltered() {
    let mut gateway = faults(FailurePolicy::FailOpen);
    assert_eq!(gateway.send(with("panic")).status, 503);
    let next = gateway.send(with("panic"));
    assert_eq!((next.status, next.costs.len()), (200, 0));
}

#[test]
fn fail_reload_waits_for_its_back_off() {
    let mut gateway = faults(FailurePolicy::FailReload);
    assert_eq!(gateway.send(with("panic")).status, 503);
    assert_eq!(
        gateway.send(with("none")).status,
        503,
        "less than a second after it was loaded"
    );
    assert_eq!(
        gateway.metrics().counter("wasm.faults.vm_reload_backoff"),
        1
    );
    gateway.advance(Duration::from_secs(1));
    assert_eq!(gateway.send(with("none")).status, 200);
    let reloads = |gateway: &mut Gateway, stat: &str| {
        gateway.metrics().counter(&format!("wasm.faults.{stat}"))
    };
    assert_eq!(reloads(&mut gateway, "vm_reload_success"), 1);
    assert_eq!(
        reloads(&mut gateway, "vm_reload"),
        0,
        "Envoy never counts this one"
    );

    gateway.advance(Duration::from_secs(1));
    assert_eq!(gateway.send(with("panic")).status, 503);
    assert_eq!(
        gateway.send(with("none")).status,
        200,
        "longer ago: at once"
    );
    assert_eq!(
        gateway.vms(),
        2,
        "one for the worker, one for the main thread; failed ones are gone"
    );
}

#[test]
fn a_poison_request_every_200_ms_starves_good_traffic_under_fail_reload() {
    let mut gateway = faults(FailurePolicy::FailReload);
    let mut good = Vec::new();
    for _ in 0..50 {
        gateway.send(with("panic"));
        good.push(gateway.send(with("none")).status);
        gateway.advance(Duration::from_millis(200));
    }
    assert!(
        good.iter().filter(|status| **status == 200).count() < 5,
        "{good:?}"
    );
}

#[test]
fn a_runaway_guest_is_stopped_by_its_fuel() {
    let mut gateway = faults(FailurePolicy::FailClosed);
    let outcome = gateway.send(with("loop"));
    assert_eq!(
        (outcome.status, outcome.failure().unwrap().kind.clone()),
        (503, FailureKind::OutOfFuel)
    );
    assert!(!outcome.failure().unwrap().backtrace.is_empty());
    assert!(
        outcome
            .costs
            .iter()
            .any(|cost| cost.callback == "on_request_headers" && cost.fuel == 50_000_000)
    );
}

#[test]
fn a_guest_that_takes_all_memory_is_stopped_by_its_limit() {
    let plugin = Plugin::new(&guest::module("faults")).name("faults");
    let mut gateway = Gateway::builder()
        .plugin(plugin)
        .memory_limit(16 << 20)
        .start()
        .unwrap();
    let outcome = gateway.send(with("memory"));
    assert_eq!(
        (outcome.status, outcome.failure().unwrap().kind.clone()),
        (503, FailureKind::OutOfMemory)
    );
}

#[test]
fn the_backtrace_names_the_guest_functions() {
    let module = guest::text(
        r#"(module
          (func $deep_inside unreachable)
          (func $handler call $deep_inside)
          (func (export "proxy_abi_version_0_2_1"))
          (func (export "malloc") (param i32) (result i32) i32.const 0)
          (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) call $handler i32.const 0)
          (memory (export "memory") 1))"#,
    );
    let mut gateway = Gateway::builder()
        .plugin(Plugin::new(&module.unwrap()))
        .start()
        .unwrap();
    let outcome = gateway.send(Request::get("/"));
    let backtrace = &outcome.failure().unwrap().backtrace;
    assert_eq!(backtrace[..2], ["deep_inside", "handler"]);
    assert!(outcome.failure().unwrap().message.contains("unreachable"));
}

#[test]
fn the_string_getter_dies_of_a_header_that_is_not_utf8() {
    let mut gateway = faults(FailurePolicy::FailClosed);
    let outcome = gateway.send(with("string getter").header("x-bad", b"\xff\xfe"));
    assert_eq!(
        (outcome.status, outcome.details.as_str()),
        (503, "wasm_fail_stream")
    );
    assert_eq!(
        gateway.send(Request::get("/")).status,
        503,
        "and every later request on that worker with it"
    );
}

#[test]
fn a_header_getter_in_the_body_phase_kills_the_vm() {
    let outcome = faults(FailurePolicy::FailClosed).send(with("late getter"));
    assert_eq!(
        (outcome.status, outcome.details.as_str()),
        (503, "wasm_fail_stream")
    );
    assert_eq!(outcome.failure().unwrap().callback, "on_request_body");
}

#[test]
fn a_filter_that_pauses_for_ever_is_reported_as_stalled() {
    let outcome = faults(FailurePolicy::FailClosed).send(with("pause"));
    assert!(outcome.stalled && outcome.upstream.is_none());
    assert_eq!(
        (outcome.status, outcome.calls("on_request_body")),
        (0, 0),
        "no body without permission"
    );
}

#[test]
fn headers_leak_before_the_verdict_on_the_body_and_the_upstream_is_cut() {
    let outcome = faults(FailurePolicy::FailClosed).send(with("refuse at end"));
    assert_eq!(outcome.status, 403);
    let upstream = outcome.upstream.unwrap();
    assert!(upstream.headers.contains("x-fault") && upstream.body.is_empty() && !upstream.complete);
}

#[test]
fn trailers_bypass_a_filter_that_inspects_at_end_of_stream() {
    let outcome = faults(FailurePolicy::FailClosed).send(with("refuse at end").trailer("x-t", "1"));
    assert_eq!(outcome.status, 200);
    assert_eq!(outcome.upstream.unwrap().body, b"0123456789");
}

#[test]
fn a_start_that_traps_is_an_error_with_the_guests_last_words() {
    let module = guest::text(
        r#"(module
          (func (export "proxy_abi_version_0_2_1"))
          (func (export "malloc") (param i32) (result i32) i32.const 0)
          (func (export "_initialize") unreachable)
          (memory (export "memory") 1))"#,
    );
    let error = Gateway::builder()
        .plugin(Plugin::new(&module.unwrap()))
        .start()
        .err()
        .unwrap();
    assert_eq!(error.step, "load");
    assert_eq!(error.failure.unwrap().callback, "_initialize");
}
