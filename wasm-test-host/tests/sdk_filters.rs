//! Filters that nobody here designed the host for: in our own words, the examples of the proxy-wasm Rust SDK.

mod guest;

use std::time::Duration;

use backstop_host::{Callout, GrpcReply, HttpReply, Request, Response};

#[test]
fn headers_logs_greets_and_marks_the_response() {
    let mut gateway = guest::alone("headers");
    let greeted = gateway.send(Request::get("/hello"));
    assert_eq!(
        (greeted.status, greeted.response_text().as_str()),
        (200, "hello\n")
    );
    assert_eq!(
        greeted.response_headers.text("hello").as_deref(),
        Some("stranger")
    );
    assert_eq!(greeted.upstream, None);
    assert!(greeted.logged(":path: /hello"));

    let passed = gateway.send(Request::get("/other").header("x-a", "1"));
    assert!(passed.passed());
    assert_eq!(
        passed.response_headers.text("x-guest").as_deref(),
        Some("headers")
    );
    assert!(
        passed.logged("-> x-a: 1") && passed.logged("<- :status: 200") && passed.logged("done")
    );
}

#[test]
fn body_withholds_a_secret_that_arrives_in_pieces() {
    let mut gateway = guest::alone("body");
    gateway.on_upstream(|_| {
        Response::status(200)
            .header("content-length", "16")
            .body("this is a secret")
            .chunks([12])
    });
    let outcome = gateway.send(Request::get("/"));
    assert_eq!(outcome.response_text(), "withheld: 16 bytes\n");
    assert!(!outcome.response_headers.contains("content-length"));

    gateway.on_upstream(|_| Response::status(200).body("nothing to hide").chunks([3]));
    assert_eq!(
        gateway.send(Request::get("/")).response_text(),
        "nothing to hide"
    );
}

#[test]
fn config_is_shown_in_responses_and_an_empty_one_is_refused() {
    let plugin = |config| {
        backstop_host::Plugin::new(&guest::module("config"))
            .name("config")
            .config(config)
    };
    let start = |config| {
        backstop_host::Gateway::builder()
            .plugin(plugin(config))
            .start()
    };
    let mut gateway = start("first").unwrap();
    assert_eq!(
        gateway
            .send(Request::get("/"))
            .response_headers
            .text("x-config")
            .as_deref(),
        Some("first")
    );

    let refused = start("").err().unwrap();
    assert_eq!(refused.step, "on_configure");
    assert!(
        refused.to_string().contains("the configuration is empty"),
        "{refused}"
    );
}

#[test]
fn auth_http_waits_for_the_word_of_a_service() {
    let mut gateway = guest::with("auth_http")
        .clusters(["authority"])
        .start()
        .unwrap();
    gateway.on_http_call(|call| {
        HttpReply::ok(
            200,
            [("x", "y")],
            if call.path() == "/bytes/1" { [4] } else { [5] },
        )
    });
    let passed = gateway.send(Request::post("/").body("held meanwhile"));
    assert!(passed.passed());
    assert_eq!(passed.upstream.unwrap().body, b"held meanwhile");
    assert!(matches!(&passed.callouts[..], [Callout::Http(call)] if call.cluster == "authority"));

    gateway
        .on_http_call(|_| HttpReply::ok(200, [("x", "y")], [5]).after(Duration::from_millis(300)));
    let refused = gateway.send(Request::get("/"));
    assert_eq!(
        (refused.status, refused.response_text().as_str()),
        (403, "no entry\n")
    );
    assert_eq!(
        refused.response_headers.text("powered-by").as_deref(),
        Some("guest")
    );

    gateway.on_http_call(|_| HttpReply::timeout());
    assert_eq!(
        gateway.send(Request::get("/")).status,
        403,
        "Envoy's own 504 has a body that says no"
    );
}

#[test]
fn auth_http_refuses_when_its_cluster_is_unknown() {
    let refused = guest::alone("auth_http").send(Request::get("/"));
    assert_eq!(refused.status, 403);
    assert!(refused.logged("BadArgument"), "{:?}", refused.logs);
}

#[test]
fn auth_grpc_waits_for_the_word_of_a_service() {
    let mut gateway = guest::with("auth_grpc")
        .clusters(["authority"])
        .start()
        .unwrap();
    gateway.on_grpc_call(|call| {
        assert_eq!(
            (call.service.as_str(), call.method.as_str()),
            ("guest.Authority", "Random")
        );
        assert_eq!(call.message, b"\x08\x01");
        GrpcReply::ok([2])
    });
    assert!(gateway.send(Request::get("/")).passed());
    gateway.on_grpc_call(|_| GrpcReply::ok([3]));
    assert_eq!(gateway.send(Request::get("/")).status, 403);
    for (reply, status) in [
        (GrpcReply::status(7, "no"), 7),
        (GrpcReply::timeout(), 14),
        (GrpcReply::unreachable(), 14),
    ] {
        gateway.on_grpc_call(move |_| reply.clone());
        let outcome = gateway.send(Request::get("/"));
        assert_eq!(outcome.status, 403);
        assert!(
            outcome.logged(&format!("gRPC status {status}")),
            "{:?}",
            outcome.logs
        );
    }
}

#[test]
fn auth_grpc_is_told_at_once_of_unknown_and_empty_clusters() {
    let unknown = guest::alone("auth_grpc").send(Request::get("/"));
    assert!(unknown.logged("ParseFailure"), "{:?}", unknown.logs);
    let mut gateway = guest::with("auth_grpc")
        .clusters_without_endpoints(["authority"])
        .start()
        .unwrap();
    assert!(gateway.send(Request::get("/")).logged("InternalFailure"));
}

#[test]
fn parallel_calls_goes_on_when_both_have_answered() {
    let mut gateway = guest::with("parallel_calls")
        .clusters(["oracle"])
        .start()
        .unwrap();
    gateway.on_http_call(|call| {
        let first = call.path() == "/first";
        let reply = HttpReply::ok(200, [("x", "y")], if first { "one" } else { "two" });
        if first {
            reply.after(Duration::from_millis(500))
        } else {
            reply
        }
    });
    let before = gateway.clock().now_nanos();
    let outcome = gateway.send(Request::get("/"));
    assert_eq!(
        outcome
            .upstream
            .unwrap()
            .headers
            .text("x-oracles")
            .as_deref(),
        Some("one+two")
    );
    assert_eq!(
        gateway.clock().now_nanos() - before,
        500_000_000,
        "time passes only where nothing else helps"
    );
}

#[test]
fn metadata_of_an_earlier_filter_reaches_the_upstream() {
    let path = "metadata.filter_metadata.envoy.filters.http.lua.tier";
    let mut gateway = guest::with("metadata")
        .property(path, "gold")
        .start()
        .unwrap();
    let outcome = gateway.send(Request::get("/"));
    assert_eq!(outcome.state("guest_saw").as_deref(), Some("metadata"));
    assert_eq!(
        outcome.upstream.unwrap().headers.text("x-tier").as_deref(),
        Some("gold")
    );
    let outcome = guest::alone("metadata").send(Request::get("/"));
    assert!(!outcome.upstream.unwrap().headers.contains("x-tier"));
}

#[test]
fn timer_ticks_by_the_virtual_clock_and_stops() {
    let mut gateway = guest::with("timer").main_thread_vm(false).start().unwrap();
    let ticks = |gateway: &mut backstop_host::Gateway| {
        gateway
            .logs()
            .iter()
            .filter(|line| line.message.starts_with("tick"))
            .map(|line| line.message.clone())
            .collect::<Vec<_>>()
    };
    assert!(gateway.logs().iter().any(|line| line.message == "hello"));
    gateway.advance(Duration::from_millis(4999));
    assert_eq!(ticks(&mut gateway), Vec::<String>::new());
    gateway.advance(Duration::from_secs(60));
    let start = backstop_host::VirtualClock::DEFAULT_UNIX_SECONDS;
    let expected: Vec<String> = (1..=3)
        .map(|tick| format!("tick {tick} at {}", start + 5 * tick))
        .collect();
    assert_eq!(ticks(&mut gateway), expected);
}

#[test]
fn a_timer_that_fell_due_twice_fires_twice() {
    let mut gateway = guest::with("timer").main_thread_vm(false).start().unwrap();
    gateway.clock().advance(Duration::from_secs(11));
    gateway.tick();
    assert_eq!(
        gateway
            .logs()
            .iter()
            .filter(|line| line.message.starts_with("tick"))
            .count(),
        2
    );
}

#[test]
fn shared_data_is_counted_across_workers_and_announced_once() {
    let mut gateway = guest::with("shared_data").workers(2).start().unwrap();
    let counts: Vec<_> = (0..6)
        .map(|_| {
            gateway
                .send(Request::get("/"))
                .upstream
                .unwrap()
                .headers
                .text("x-count")
                .unwrap()
        })
        .collect();
    assert_eq!(counts, ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(gateway.metrics().counter("guest_announcements"), 2);
    assert_eq!(
        gateway.shared_data("")[b"guest.shared_data.count".as_slice()],
        6u64.to_le_bytes()
    );
}
