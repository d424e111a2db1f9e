//! gRPC streams that a guest holds, as `Context::grpcStream` and its handler do it.

mod guest;

use std::sync::{Arc, Mutex};

use backstop_host::{Gateway, GrpcStreamEvent, GrpcStreamReply, HeaderMap, Plugin, Request};

fn run(
    script: &str,
    far: impl FnMut(u32, &GrpcStreamEvent) -> Vec<GrpcStreamReply> + Send + 'static,
) -> Vec<String> {
    let plugin = Plugin::new(&guest::module("probe"))
        .name("p")
        .config(script);
    let mut gateway = Gateway::builder()
        .plugin(plugin)
        .clusters(["far"])
        .start()
        .unwrap();
    gateway.on_grpc_stream(far);
    let outcome = gateway.send(Request::get("/"));
    let kept =
        |line: &String| line.starts_with("grpc") || line.contains("grpc") || line.contains("-> ");
    outcome
        .logs
        .into_iter()
        .map(|line| line.message)
        .filter(kept)
        .collect()
}

#[test]
fn messages_go_both_ways_until_both_sides_have_closed() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let lines = run(
        "request_headers: grpcstream far; grpcsend 6 hello 0; return 1\n\
         grpc_initial_metadata: get 4 x-first\n\
         grpc_receive: body 5 0 100; grpcclose 6\n\
         grpc_trailing_metadata: get 5 x-last\n\
         grpc_close: status; grpcsend 6 late 0; effective stream; continue 0",
        move |token, event| {
            log.lock().unwrap().push((token, event.clone()));
            match event {
                GrpcStreamEvent::Open { .. } => {
                    vec![GrpcStreamReply::InitialMetadata(HeaderMap::from([(
                        "x-first", "1",
                    )]))]
                }
                GrpcStreamEvent::Message { .. } => {
                    vec![GrpcStreamReply::Message(b"world".to_vec())]
                }
                GrpcStreamEvent::Close => vec![
                    GrpcStreamReply::TrailingMetadata(HeaderMap::from([("x-last", "1")])),
                    GrpcStreamReply::Close(5, "gone".into()),
                ],
                GrpcStreamEvent::Cancel => vec![],
            }
        },
    );
    assert_eq!(
        lines,
        [
            "  grpcstream far -> 0 6",
            "  grpcsend 6 hello 0 -> 0",
            "grpc_initial_metadata token=6 count=1",
            "  get 4 x-first -> 0 [1]",
            "grpc_receive token=6 size=5",
            "  body 5 0 100 -> 0 [world]",
            "  grpcclose 6 -> 0",
            "grpc_trailing_metadata token=6 count=1",
            "  get 5 x-last -> 0 [1]",
            "grpc_close token=6 status=5",
            "  status -> 0 5 [gone]",
            "  grpcsend 6 late 0 -> 0",
            "  effective stream -> 0",
            "  continue 0 -> 0",
        ]
    );
    let seen = seen.lock().unwrap();
    assert!(
        matches!(&seen[0], (6, GrpcStreamEvent::Open { cluster, service, .. }) if cluster == "far" && service == "probe.Far")
    );
    assert_eq!(
        seen[1].1,
        GrpcStreamEvent::Message {
            bytes: b"hello".to_vec(),
            end_stream: false
        }
    );
}

#[test]
fn nothing_is_delivered_after_a_cancel() {
    let lines = run(
        "request_headers: grpcstream far; grpcsend 6 x 1; grpccancel 6; grpcsend 6 y 0",
        |_, event| match event {
            GrpcStreamEvent::Message { .. } => vec![GrpcStreamReply::Message(b"too late".to_vec())],
            _ => vec![],
        },
    );
    assert_eq!(lines.last().unwrap(), "  grpcsend 6 y 0 -> 1", "not found");
    assert!(!lines.iter().any(|line| line.starts_with("grpc_receive")));
}
