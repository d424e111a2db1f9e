//! VMs, root contexts and configurations: start, canary, change, drain; and how plugins share.

mod guest;

use backstop_host::{Gateway, LogLevel, Plugin, Request, StreamState, VmRole};

fn probe(name: &str, script: &str) -> Plugin {
    Plugin::new(&guest::module("probe"))
        .name(name)
        .config(script)
}

fn count(gateway: &mut Gateway, message: &str) -> usize {
    gateway
        .logs()
        .iter()
        .filter(|line| line.message == message)
        .count()
}

#[test]
fn on_configure_runs_in_the_canary_the_main_thread_and_each_worker() {
    let mut gateway = Gateway::builder()
        .plugin(probe("p", ""))
        .workers(2)
        .start()
        .unwrap();
    assert_eq!(count(&mut gateway, "configure"), 4);
    let roles: Vec<_> = gateway.logs().iter().map(|line| line.vm).collect();
    assert_eq!(
        roles,
        [
            VmRole::Canary,
            VmRole::Main,
            VmRole::Worker(0),
            VmRole::Worker(1)
        ]
    );
    assert_eq!(gateway.vms(), 3, "the canary is gone");
}

#[test]
fn a_refused_configuration_stops_the_start() {
    let error = Gateway::builder()
        .plugin(probe("p", "configure: return 1"))
        .start()
        .err()
        .unwrap();
    assert_eq!((error.plugin.as_str(), error.step), ("p", "on_configure"));
}

#[test]
fn a_refused_change_leaves_everything_as_it_was() {
    let mut gateway = Gateway::builder()
        .plugin(probe("p", "request_headers: reply 403 old old"))
        .start()
        .unwrap();
    let vms = gateway.vms();
    let error = gateway.reconfigure("p", "configure: return 1").unwrap_err();
    assert_eq!(error.step, "on_configure");
    assert_eq!(error.logs.len(), 1, "only the canary saw it");
    assert_eq!(
        (
            gateway.send(Request::get("/")).details.as_str(),
            gateway.vms()
        ),
        ("old", vms)
    );
}

#[test]
fn a_change_makes_a_new_root_context_in_the_same_vm_and_old_streams_drain() {
    let mut gateway = Gateway::builder()
        .plugin(probe("p", "request_body: reply 403 old old"))
        .main_thread_vm(false)
        .start()
        .unwrap();
    let headers = Request::post("/").header_map();
    let old = gateway.worker(0).open(Request::post("/"));
    gateway.stream(old).request_headers(headers, false);
    let vms = gateway.vms();
    gateway
        .reconfigure("p", "request_headers: reply 401 new new")
        .unwrap();
    assert_eq!(gateway.vms(), vms, "the VM stays: its key has not changed");
    assert_eq!(gateway.send(Request::get("/")).details, "new");
    let deletes = |gateway: &mut Gateway| count(gateway, "delete");
    assert_eq!(
        deletes(&mut gateway),
        0,
        "the old root context lives while its stream does"
    );

    assert_eq!(
        gateway.stream(old).request_body("x", true),
        StreamState::Answered
    );
    let outcome = gateway.stream(old).finish();
    assert_eq!(
        outcome.details, "old",
        "the old stream keeps the old configuration"
    );
    assert!(
        outcome
            .logs
            .iter()
            .filter(|line| line.message == "delete")
            .count()
            >= 2,
        "{:?}",
        outcome.logs
    );
}

#[test]
fn a_root_context_that_is_not_done_yet_lives_until_it_calls_done() {
    let script = "configure: tick 1000\ndone: return 1\ntick: done";
    let mut gateway = Gateway::builder()
        .plugin(probe("p", script))
        .main_thread_vm(false)
        .start()
        .unwrap();
    gateway.reconfigure("p", "").unwrap();
    assert_eq!(count(&mut gateway, "done"), 1);
    assert_eq!(count(&mut gateway, "delete"), 0);
    gateway.advance(std::time::Duration::from_secs(5));
    assert_eq!(count(&mut gateway, "  done -> 0"), 1);
    assert_eq!(count(&mut gateway, "delete"), 1);
    assert_eq!(count(&mut gateway, "tick"), 1, "its timer went with it");
}

#[test]
fn vm_start_that_says_no_stops_the_start() {
    let module = guest::text(
        r#"(module
          (func (export "proxy_abi_version_0_2_1"))
          (func (export "malloc") (param i32) (result i32) i32.const 0)
          (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 0)
          (memory (export "memory") 1))"#,
    );
    let error = Gateway::builder()
        .plugin(Plugin::new(&module.unwrap()))
        .start()
        .err()
        .unwrap();
    assert_eq!(error.step, "on_vm_start");
}

#[test]
fn requests_run_the_chain_in_order_and_responses_in_reverse() {
    let script = |name: &str| {
        format!("request_headers: add 0 x-order {name}\nresponse_headers: add 2 x-order {name}")
    };
    let mut gateway = Gateway::builder()
        .plugin(probe("a", &script("a")).vm_id("a"))
        .plugin(probe("b", &script("b")).vm_id("b"))
        .start()
        .unwrap();
    let outcome = gateway.send(Request::get("/"));
    assert_eq!(
        outcome.upstream.unwrap().headers.all("x-order"),
        [b"a", b"b"]
    );
    assert_eq!(outcome.response_headers.all("x-order"), [b"b", b"a"]);
}

#[test]
fn a_local_reply_of_the_second_runs_the_response_callbacks_of_both_and_of_a_third_that_saw_no_request()
 {
    let mut gateway = Gateway::builder()
        .plugin(probe("a", "response_headers: add 2 x-seen a").vm_id("a"))
        .plugin(
            probe(
                "b",
                "request_headers: reply 403 d b\nresponse_headers: add 2 x-seen b",
            )
            .vm_id("b"),
        )
        .plugin(probe("c", "response_headers: add 2 x-seen c").vm_id("c"))
        .start()
        .unwrap();
    let outcome = gateway.send(Request::get("/"));
    assert_eq!(outcome.status, 403);
    // Envoy skips the response callbacks of a filter whose stream context was never created.
    assert_eq!(outcome.response_headers.all("x-seen"), [b"b", b"a"]);
    assert!(
        outcome
            .logs
            .iter()
            .any(|line| line.plugin == "c" && line.message == "log"),
        "but its log callback runs"
    );
}

#[test]
fn a_body_held_by_the_first_reaches_the_second_whole() {
    let mut gateway = Gateway::builder()
        .plugin(probe("a", "request_body: @more return 1").vm_id("a"))
        .plugin(probe("b", "request_body: body 0 0 100").vm_id("b"))
        .start()
        .unwrap();
    let outcome = gateway.send(Request::post("/").body("abcdef").chunks([2, 2]));
    let second: Vec<_> = outcome
        .logs
        .iter()
        .filter(|line| line.plugin == "b")
        .map(|line| line.message.as_str())
        .collect();
    assert!(second.contains(&"request_body size=6 eos=1"), "{second:?}");
    assert_eq!(outcome.upstream.unwrap().body, b"abcdef");
}

#[test]
fn plugins_with_the_same_code_and_vm_id_share_a_vm_and_others_share_only_data() {
    let builder = |second: &str| {
        Gateway::builder()
            .plugin(probe("a", "request_headers: sset k from-a 0"))
            .plugin(
                probe("b", "request_headers: sget k")
                    .vm_id(second)
                    .vm_config(second),
            )
            .main_thread_vm(false)
    };
    assert_eq!(builder("").start().unwrap().vms(), 1);
    let mut apart = builder("other").start().unwrap();
    assert_eq!(apart.vms(), 2);
    assert!(apart.send(Request::get("/")).logged("sget k -> 1 no cas"));

    let mut same_id = Gateway::builder()
        .plugin(probe("a", "request_headers: sset k from-a 0"))
        .plugin(probe("b", "request_headers: sget k").vm_config("another VM"))
        .main_thread_vm(false)
        .start()
        .unwrap();
    assert_eq!(same_id.vms(), 2);
    assert!(
        same_id
            .send(Request::get("/"))
            .logged("sget k -> 0 [from-a] cas")
    );
}

#[test]
fn a_stream_whose_client_goes_away_is_logged_done_and_deleted() {
    let mut gateway = Gateway::builder()
        .plugin(probe("p", "request_headers: return 1"))
        .start()
        .unwrap();
    let stream = gateway.worker(0).open(Request::get("/"));
    let state = gateway
        .stream(stream)
        .request_headers(Request::get("/").header_map(), true);
    assert_eq!(state, StreamState::Paused);
    assert_eq!(gateway.stream(stream).disconnect(), StreamState::Reset);
    let outcome = gateway.stream(stream).close();
    let lines: Vec<_> = outcome
        .logs
        .iter()
        .map(|line| line.message.as_str())
        .collect();
    assert_eq!(
        lines,
        ["create", "request_headers eos=1", "log", "done", "delete"]
    );
}

#[test]
fn a_call_out_that_ends_after_its_stream_is_harmless() {
    let script = "request_headers: http far / 1000; reply 403 d b\nhttp_call: effective stream; continue 0; body 4 0 9";
    let mut gateway = Gateway::builder()
        .plugin(probe("p", script))
        .clusters(["far"])
        .start()
        .unwrap();
    gateway.on_http_call(|_| {
        backstop_host::HttpReply::status(200).after(std::time::Duration::from_millis(10))
    });
    assert_eq!(gateway.send(Request::get("/")).status, 403);
    gateway.advance(std::time::Duration::from_secs(1));
    assert_eq!(
        gateway
            .logs()
            .iter()
            .filter(|line| line.message.contains("effective stream -> 2"))
            .count(),
        1
    );
}

#[test]
fn less_important_lines_are_dropped_and_guests_see_the_level() {
    let mut gateway = Gateway::builder()
        .plugin(probe("p", "request_headers: loglevel"))
        .log_level(LogLevel::Error)
        .start()
        .unwrap();
    assert!(gateway.send(Request::get("/")).logs.is_empty());
    let mut gateway = Gateway::builder()
        .plugin(probe("p", "request_headers: loglevel"))
        .start()
        .unwrap();
    assert!(gateway.send(Request::get("/")).logged("loglevel -> 0 0"));
}

#[test]
fn runs_repeat_to_the_last_unit_of_fuel() {
    let run = || {
        let mut gateway = guest::alone("headers");
        (0..3)
            .flat_map(|_| gateway.send(Request::get("/hello")).costs)
            .map(|cost| (cost.callback, cost.fuel))
            .collect::<Vec<_>>()
    };
    let first = run();
    assert_eq!(first, run());
    assert!(first.iter().all(|(_, fuel)| *fuel > 0));
}

#[test]
fn a_module_is_shared_between_threads() {
    let module = guest::module("headers");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let module = module.clone();
            std::thread::spawn(move || {
                let mut gateway = Gateway::builder()
                    .plugin(Plugin::new(&module))
                    .start()
                    .unwrap();
                gateway.send(Request::get("/hello")).fuel()
            })
        })
        .collect();
    let fuel: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    assert!(fuel.windows(2).all(|pair| pair[0] == pair[1]));
}
