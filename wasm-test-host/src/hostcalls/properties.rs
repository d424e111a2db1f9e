//! Properties: the attributes of Envoy 1.37 (`cel/context`), by their path, and filter state.
//!
//! Integers are 8-byte little-endian, timestamps and durations nanoseconds, booleans one byte (Envoy 1.37,
//! verified). The legacy names `route_name`, `cluster_name`, `node` and `listener_direction` are gone (verified).

use wasmtime::Caller;

use crate::abi::memory::{Hostcall, give, slice, split};
use crate::abi::{Status, pairs};
use crate::context::{Context, StreamContext};
use crate::headers::HeaderMap;
use crate::stream::Stream;
use crate::stream::local_reply::grpc_status_of;
use crate::vm::VmState;

type Call<'a, 'b> = &'a mut Caller<'b, VmState>;
type Value = Hostcall<Vec<u8>>;

pub(super) fn get_property(
    caller: Call<'_, '_>,
    path: u32,
    path_len: u32,
    ptr_out: u32,
    len_out: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let path = slice(memory, path, path_len)?;
    let value = find(state, path)?;
    give(caller, &value, ptr_out, len_out)
}

/// Writes filter state `wasm.<path>` of the stream; there is none in a root context.
pub(super) fn set_property(
    caller: Call<'_, '_>,
    path: u32,
    path_len: u32,
    value: u32,
    value_len: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let path = slice(memory, path, path_len)?;
    let value = slice(memory, value, value_len)?;
    let Some(Context::Stream(context)) = state.context() else {
        return Err(Status::NotFound.into());
    };
    let key = context.stream;
    let stream = state
        .world
        .as_mut()
        .and_then(|world| world.streams.get_mut(&key))
        .ok_or(Status::NotFound)?;
    stream
        .filter_state
        .insert([b"wasm.", path].concat(), value.to_vec());
    Ok(())
}

fn find(state: &VmState, path: &[u8]) -> Value {
    let mut parts: Vec<&[u8]> = path.split(|byte| *byte == 0).collect();
    // A trailing NUL ends the path; it does not name an empty part.
    if parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    let dotted = String::from_utf8_lossy(&parts.join(&b'.')).into_owned();
    if let Some(fixed) = state
        .world
        .as_ref()
        .and_then(|world| world.properties.get(&dotted))
    {
        return Ok(fixed.clone());
    }
    let Some((first, rest)) = parts.split_first() else {
        return Err(Status::NotFound.into());
    };
    let stream = match state.context() {
        Some(Context::Stream(context)) => {
            let world = state.world.as_ref().ok_or(Status::NotFound)?;
            world
                .streams
                .get(&context.stream)
                .map(|stream| (context, &**stream))
        }
        _ => None,
    };
    match (*first, rest) {
        (b"plugin_name", []) => Ok(state.plugin().1.as_bytes().to_vec()),
        (b"plugin_root_id", []) => match state.contexts.get(&state.root_id()) {
            Some(Context::Root(root)) => Ok(root.root_id.as_bytes().to_vec()),
            _ => Ok(Vec::new()),
        },
        (b"plugin_vm_id", []) => Ok(state.vm_id.to_vec()),
        _ => {
            let (context, stream) = stream.ok_or(Status::NotFound)?;
            let now = state
                .world
                .as_ref()
                .map_or(0, |world| world.clock.now_nanos());
            of_stream(context, stream, first, rest, now)
        }
    }
}

fn of_stream(
    context: &StreamContext,
    stream: &Stream,
    first: &[u8],
    rest: &[&[u8]],
    now: u64,
) -> Value {
    match (first, rest) {
        (b"request", [name, more @ ..]) => request(context, stream, name, more, now),
        (b"response", [name, more @ ..]) => response(context, stream, name, more),
        (b"connection", [b"mtls"]) => Ok(vec![0]),
        (b"connection", [b"id"]) | (b"connection_id", []) => integer(stream.info.connection_id),
        (b"connection", [b"tls_version"]) if stream.info.tls => text("TLSv1.3"),
        (b"source", [b"address"]) => text(&stream.info.client),
        (b"source", [b"port"]) => integer(port(&stream.info.client)),
        (b"destination", [b"address"]) => text("127.0.0.1:8080"),
        (b"destination", [b"port"]) => integer(8080),
        (b"upstream", [b"address"]) if stream.upstream.is_some() => text("127.0.0.1:19080"),
        (b"upstream", [b"port"]) if stream.upstream.is_some() => integer(19080),
        (b"filter_state", [key]) => stream
            .filter_state
            .get(*key)
            .cloned()
            .ok_or(Status::NotFound.into()),
        (
            b"request" | b"response" | b"connection" | b"source" | b"destination" | b"upstream"
            | b"filter_state",
            [],
        ) => {
            // These are maps whose keys cannot be listed.
            Err(Status::SerializationFailure.into())
        }
        (name, []) => {
            // What a Wasm filter stored under `wasm.<name>` is found by its short name.
            stream
                .filter_state
                .get(&[b"wasm.", name].concat())
                .cloned()
                .ok_or(Status::NotFound.into())
        }
        _ => Err(Status::NotFound.into()),
    }
}

/// What needs the headers is there only while the guest can reach them: in the headers phase, while paused there, and
/// while logging (`Context::findValue` hands the header pointers on).
fn request(
    context: &StreamContext,
    stream: &Stream,
    name: &[u8],
    rest: &[&[u8]],
    now: u64,
) -> Value {
    let headers = stream
        .decode
        .headers
        .as_ref()
        .filter(|_| context.request_headers || context.logging);
    let of = |header: &str| {
        headers
            .and_then(|headers| headers.get(header))
            .map(<[u8]>::to_vec)
            .ok_or(Status::NotFound.into())
    };
    let size = || {
        let announced = headers
            .and_then(|headers| headers.text("content-length"))
            .and_then(|length| length.parse().ok());
        announced.unwrap_or(stream.decode.bytes)
    };
    match (name, rest) {
        (b"path", []) => of(":path"),
        (b"url_path", []) => Ok(split_path(&of(":path")?).0.to_vec()),
        (b"query", []) => Ok(split_path(&of(":path")?).1.to_vec()),
        (b"host", []) => of(":authority"),
        (b"scheme", []) => of(":scheme"),
        (b"method", []) => of(":method"),
        (b"referer", []) => of("referer"),
        (b"useragent", []) => of("user-agent"),
        (b"id", []) => of("x-request-id"),
        (b"headers", more) => header_values(headers, more),
        (b"protocol", []) => text(&stream.info.protocol),
        (b"time", []) => integer(stream.info.start_nanos),
        (b"duration", []) if stream.finished() => {
            integer(now.saturating_sub(stream.info.start_nanos))
        }
        (b"size", []) => integer(size()),
        (b"total_size", []) => {
            integer(stream.decode.bytes + headers.map_or(0, HeaderMap::byte_size) as u64)
        }
        _ => Err(Status::NotFound.into()),
    }
}

fn response(context: &StreamContext, stream: &Stream, name: &[u8], rest: &[&[u8]]) -> Value {
    let shown = |map: &Option<HeaderMap>, sent: &Option<HeaderMap>, now: bool| {
        map.as_ref()
            .or(sent.as_ref())
            .filter(|_| now || context.logging)
            .cloned()
    };
    match (name, rest) {
        (b"code", []) if stream.response_code_known() => integer(u64::from(stream.status())),
        (b"code_details", []) => match &stream.details {
            Some(details) => text(details),
            None => Err(Status::NotFound.into()),
        },
        (b"headers", more) => header_values(
            shown(
                &stream.encode.headers,
                &stream.client.headers,
                context.response_headers,
            )
            .as_ref(),
            more,
        ),
        (b"trailers", more) => header_values(
            shown(
                &stream.encode.trailers,
                &stream.client.trailers,
                context.response_trailers,
            )
            .as_ref(),
            more,
        ),
        (b"size", []) => integer(stream.client.body.len() as u64),
        (b"grpc_status", []) => {
            let maps = [
                &stream.client.trailers,
                &stream.client.headers,
                &stream.encode.headers,
            ];
            let told = maps
                .into_iter()
                .flatten()
                .find_map(|map| map.text("grpc-status")?.parse().ok());
            // Without one, Envoy derives it from the HTTP status (verified).
            match told {
                Some(status) => integer(status),
                None if stream.response_code_known() => {
                    integer(u64::from(grpc_status_of(stream.status())))
                }
                None => Err(Status::NotFound.into()),
            }
        }
        _ => Err(Status::NotFound.into()),
    }
}

/// One header: its duplicates joined with commas (Envoy 1.37, verified). Without a name: all of them as pairs.
fn header_values(headers: Option<&HeaderMap>, rest: &[&[u8]]) -> Value {
    let headers = headers.ok_or(Status::NotFound)?;
    match rest {
        [] => {
            let mut bytes = Vec::new();
            pairs::write(
                headers
                    .entries()
                    .iter()
                    .map(|(n, v)| (n.as_slice(), v.as_slice())),
                &mut bytes,
            );
            Ok(bytes)
        }
        [name] => headers.joined(name).ok_or(Status::NotFound.into()),
        _ => Err(Status::NotFound.into()),
    }
}

fn split_path(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().position(|byte| *byte == b'?') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (path, &[]),
    }
}

fn text(value: &str) -> Value {
    Ok(value.as_bytes().to_vec())
}

fn integer(value: u64) -> Value {
    Ok(value.to_le_bytes().to_vec())
}

fn port(address: &str) -> u64 {
    address
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
        .unwrap_or(0)
}
