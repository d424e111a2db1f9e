//! HTTP and gRPC call-outs. They always belong to the root context: its callbacks run when they end.

use std::time::Duration;

use wasmtime::Caller;

use crate::abi::memory::{Hostcall, put_u32, slice, split};
use crate::abi::{Status, pairs};
use crate::callouts::{GrpcCall, GrpcStreamEvent, HttpCall};
use crate::headers::HeaderMap;
use crate::outcome::Callout;
use crate::vm::{AfterCall, VmState};
use crate::world::{Ask, Asked, World};

type Call<'a, 'b> = &'a mut Caller<'b, VmState>;

/// Token numbers grow by 4; the two low bits are the kind (`wasm.h` of Envoy): 0 HTTP, 1 gRPC call, 2 gRPC stream.
const STEP: u32 = 4;
const KIND_MASK: u32 = 3;
const GRPC_CALL: u32 = 1;
const GRPC_STREAM: u32 = 2;

fn timeout(millis: u32) -> Option<Duration> {
    (millis > 0).then(|| Duration::from_millis(u64::from(millis)))
}

fn world(state: &mut VmState) -> Hostcall<&mut World> {
    state
        .world
        .as_deref_mut()
        .ok_or(Status::InternalFailure.into())
}

/// Unknown cluster, no `:path`, `:method` or `:authority`, or a negative time-out: a bad argument. A cluster without
/// endpoints: an internal failure, at once (Envoy 1.37, verified).
#[expect(clippy::too_many_arguments, reason = "the ABI's own")]
pub(super) fn http_call(
    caller: Call<'_, '_>,
    uri: u32,
    uri_len: u32,
    headers: u32,
    headers_len: u32,
    body: u32,
    body_len: u32,
    trailers: u32,
    trailers_len: u32,
    millis: u32,
    token_out: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let cluster = String::from_utf8_lossy(slice(memory, uri, uri_len)?).into_owned();
    let body = slice(memory, body, body_len)?.to_vec();
    let headers = pairs::read(slice(memory, headers, headers_len)?);
    let trailers = pairs::read(slice(memory, trailers, trailers_len)?);
    put_u32(memory, token_out, 0)?;
    if i32::try_from(millis).is_err() {
        return Err(Status::BadArgument.into());
    }
    let clusters = &world(state)?.clusters;
    if !clusters.known.contains(&cluster) {
        return Err(Status::BadArgument.into());
    }
    let dead = clusters.without_endpoints.contains(&cluster);
    let mut headers: HeaderMap = headers.into_iter().collect();
    if ![":path", ":method", ":authority"]
        .iter()
        .all(|name| headers.contains(name))
    {
        return Err(Status::BadArgument.into());
    }
    if !body.is_empty() {
        headers.set(b"content-length", body.len().to_string().as_bytes());
    }
    state.http_token = state.http_token.wrapping_add(STEP);
    let token = state.http_token;
    if dead {
        return Err(Status::InternalFailure.into());
    }
    let call = HttpCall {
        cluster,
        headers,
        body,
        trailers: trailers.into_iter().collect(),
        timeout: timeout(millis),
        token,
    };
    let (vm, root) = (state.id, state.root_id());
    let world = world(state)?;
    world.sink.callouts.push(Callout::Http(call.clone()));
    world.asked.push_back(Asked {
        vm,
        root,
        what: Ask::Http(call),
    });
    let (memory, _) = split(caller)?;
    put_u32(memory, token_out, token)
}

/// The cluster's name, checked. Envoy first tries to read the bytes as a `GrpcService` message; a plain name is not
/// one, and then must be a known cluster, else: parse failure (Envoy 1.37, verified).
fn grpc_cluster(world: &World, service: &[u8]) -> Hostcall<String> {
    let name = String::from_utf8_lossy(service).into_owned();
    if world.clusters.known.contains(&name) {
        return Ok(name);
    }
    let inner = grpc_service_cluster(service).ok_or(Status::ParseFailure)?;
    if world.clusters.known.contains(&inner) {
        Ok(inner)
    } else {
        Err(Status::InternalFailure.into())
    }
}

/// `GrpcService { envoy_grpc: 1 { cluster_name: 1 } }`, by hand.
fn grpc_service_cluster(bytes: &[u8]) -> Option<String> {
    fn field(bytes: &[u8]) -> Option<&[u8]> {
        let (&[tag, len], rest) = bytes.split_first_chunk::<2>()?;
        (tag == 0x0a && len < 0x80)
            .then(|| rest.get(..len as usize))
            .flatten()
    }
    let name = std::str::from_utf8(field(field(bytes)?)?).ok()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// A cluster without endpoints: an internal failure at once, and after the guest has returned its `on_grpc_close`
/// runs all the same, with status 14, for the token it never got (`context.cc`).
#[expect(clippy::too_many_arguments, reason = "the ABI's own")]
pub(super) fn grpc_call(
    caller: Call<'_, '_>,
    cluster: u32,
    cluster_len: u32,
    service: u32,
    service_len: u32,
    method: u32,
    method_len: u32,
    metadata: u32,
    metadata_len: u32,
    message: u32,
    message_len: u32,
    millis: u32,
    token_out: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let target = slice(memory, cluster, cluster_len)?;
    let service = String::from_utf8_lossy(slice(memory, service, service_len)?).into_owned();
    let method = String::from_utf8_lossy(slice(memory, method, method_len)?).into_owned();
    let metadata: HeaderMap = pairs::read(slice(memory, metadata, metadata_len)?)
        .into_iter()
        .collect();
    let message = slice(memory, message, message_len)?.to_vec();
    let cluster = grpc_cluster(world(state)?, target)?;
    let dead = world(state)?.clusters.without_endpoints.contains(&cluster);
    state.grpc_call_token = state.grpc_call_token.wrapping_add(STEP);
    let token = state.grpc_call_token;
    let (vm, root) = (state.id, state.root_id());
    if dead {
        let message = "no healthy upstream".to_owned();
        state.after.push(AfterCall::GrpcClosed {
            root,
            token,
            status: 14,
            message,
        });
        return Err(Status::InternalFailure.into());
    }
    let call = GrpcCall {
        cluster,
        service,
        method,
        metadata,
        message,
        timeout: timeout(millis),
        token,
    };
    let world = world(state)?;
    world.sink.callouts.push(Callout::Grpc(call.clone()));
    world.asked.push_back(Asked {
        vm,
        root,
        what: Ask::Grpc(call),
    });
    let (memory, _) = split(caller)?;
    put_u32(memory, token_out, token)
}

#[expect(clippy::too_many_arguments, reason = "the ABI's own")]
pub(super) fn grpc_stream(
    caller: Call<'_, '_>,
    cluster: u32,
    cluster_len: u32,
    service: u32,
    service_len: u32,
    method: u32,
    method_len: u32,
    metadata: u32,
    metadata_len: u32,
    token_out: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let target = slice(memory, cluster, cluster_len)?;
    let service = String::from_utf8_lossy(slice(memory, service, service_len)?).into_owned();
    let method = String::from_utf8_lossy(slice(memory, method, method_len)?).into_owned();
    let metadata: HeaderMap = pairs::read(slice(memory, metadata, metadata_len)?)
        .into_iter()
        .collect();
    let cluster = grpc_cluster(world(state)?, target)?;
    let dead = world(state)?.clusters.without_endpoints.contains(&cluster);
    state.grpc_stream_token = state.grpc_stream_token.wrapping_add(STEP);
    let token = state.grpc_stream_token;
    let (vm, root) = (state.id, state.root_id());
    if dead {
        let message = "no healthy upstream".to_owned();
        state.after.push(AfterCall::GrpcClosed {
            root,
            token,
            status: 14,
            message,
        });
        return Err(Status::InternalFailure.into());
    }
    let event = GrpcStreamEvent::Open {
        cluster,
        service,
        method,
        metadata,
    };
    let world = world(state)?;
    world
        .grpc_streams
        .insert((vm, token), crate::world::HalfClosed::default());
    world.asked.push_back(Asked {
        vm,
        root,
        what: Ask::Stream { token, event },
    });
    let (memory, _) = split(caller)?;
    put_u32(memory, token_out, token)
}

/// Only streams take messages; a call's token is a bad argument.
pub(super) fn grpc_send(
    caller: Call<'_, '_>,
    token: u32,
    message: u32,
    message_len: u32,
    end: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let bytes = slice(memory, message, message_len)?.to_vec();
    if token & KIND_MASK != GRPC_STREAM {
        return Err(Status::BadArgument.into());
    }
    let (vm, root) = (state.id, state.root_id());
    let world = world(state)?;
    if !world.grpc_streams.contains_key(&(vm, token)) {
        return Err(Status::NotFound.into());
    }
    let event = GrpcStreamEvent::Message {
        bytes,
        end_stream: end != 0,
    };
    world.asked.push_back(Asked {
        vm,
        root,
        what: Ask::Stream { token, event },
    });
    Ok(())
}

/// Closes our side of a stream; cancels a call.
pub(super) fn grpc_close(caller: Call<'_, '_>, token: u32) -> Hostcall<()> {
    end(caller, token, false)
}

/// Cancels a call or a stream: nothing more is delivered.
pub(super) fn grpc_cancel(caller: Call<'_, '_>, token: u32) -> Hostcall<()> {
    end(caller, token, true)
}

fn end(caller: Call<'_, '_>, token: u32, cancel: bool) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    let (vm, root) = (state.id, state.root_id());
    let world = world(state)?;
    match token & KIND_MASK {
        GRPC_CALL => {
            if !world.forget_grpc_call(vm, token) {
                return Err(Status::NotFound.into());
            }
        }
        GRPC_STREAM => {
            let half = world
                .grpc_streams
                .get_mut(&(vm, token))
                .ok_or(Status::NotFound)?;
            half.local = true;
            let gone = cancel || half.remote;
            if gone {
                world.grpc_streams.remove(&(vm, token));
            }
            let event = if cancel {
                GrpcStreamEvent::Cancel
            } else {
                GrpcStreamEvent::Close
            };
            world.asked.push_back(Asked {
                vm,
                root,
                what: Ask::Stream { token, event },
            });
        }
        _ => return Err(Status::BadArgument.into()),
    }
    Ok(())
}
