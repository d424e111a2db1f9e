//! Header and trailer maps (`Context::getMap`, `getConstMap` of Envoy 1.37's `context.cc`).

use wasmtime::Caller;

use crate::abi::memory::{Hostcall, give, put_u32, slice, split};
use crate::abi::{MapType, Status, pairs};
use crate::callouts::HttpEnd;
use crate::context::{Context, StreamContext};
use crate::headers::HeaderMap;
use crate::stream::{DataAt, Stream};
use crate::vm::VmState;

type Call<'a, 'b> = &'a mut Caller<'b, VmState>;

fn map_type(value: u32) -> Hostcall<MapType> {
    MapType::from_abi(value).ok_or(Status::BadArgument.into())
}

/// The map to read, or `None` outside its phase. While `proxy_on_log` runs, maps are those of the access log.
fn readable(state: &VmState, map: MapType) -> Option<&HeaderMap> {
    match map {
        MapType::RequestHeaders
        | MapType::RequestTrailers
        | MapType::ResponseHeaders
        | MapType::ResponseTrailers => {
            let Some(Context::Stream(context)) = state.context() else {
                return None;
            };
            let stream = state.world.as_ref()?.streams.get(&context.stream)?;
            let shown = match map {
                MapType::RequestHeaders => context.request_headers || context.logging,
                MapType::RequestTrailers => context.request_trailers && !context.logging,
                MapType::ResponseHeaders => context.response_headers || context.logging,
                _ => context.response_trailers || context.logging,
            };
            shown.then(|| of_stream(stream, map)).flatten()
        }
        _ => {
            let Some(Context::Root(root)) = state.contexts.get(&state.root_id()) else {
                return None;
            };
            match (map, &root.http_response) {
                (MapType::GrpcInitialMetadata, _) => root.grpc_initial_metadata.as_ref(),
                (MapType::GrpcTrailingMetadata, _) => root.grpc_trailing_metadata.as_ref(),
                (MapType::HttpCallHeaders, Some(HttpEnd::Answer { headers, .. })) => Some(headers),
                (MapType::HttpCallTrailers, Some(HttpEnd::Answer { trailers, .. })) => {
                    trailers.as_ref()
                }
                _ => None,
            }
        }
    }
}

fn of_stream(stream: &Stream, map: MapType) -> Option<&HeaderMap> {
    match map {
        MapType::RequestHeaders => stream.decode.headers.as_ref(),
        MapType::RequestTrailers => stream.decode.trailers.as_ref(),
        MapType::ResponseHeaders => stream
            .encode
            .headers
            .as_ref()
            .or(stream.client.headers.as_ref()),
        _ => stream
            .encode
            .trailers
            .as_ref()
            .or(stream.client.trailers.as_ref()),
    }
}

/// The map to change. Call-out maps cannot be changed. Asking for trailers in the last body callback creates them.
fn writable(state: &mut VmState, map: MapType) -> Hostcall<&mut HeaderMap> {
    let acting = state.context_id();
    let Some(Context::Stream(context)) = state.contexts.get_mut(&acting) else {
        return Err(Status::BadArgument.into());
    };
    let stream = state
        .world
        .as_mut()
        .and_then(|world| world.streams.get_mut(&context.stream));
    let stream = stream.ok_or(Status::BadArgument)?;
    let found = match map {
        MapType::RequestHeaders if context.request_headers => stream.decode.headers.as_mut(),
        MapType::RequestTrailers => {
            if !context.request_trailers && wants_trailers(context, context.request_body) {
                context.request_trailers = true;
                stream.decode.trailers.get_or_insert_default();
            }
            stream
                .decode
                .trailers
                .as_mut()
                .filter(|_| context.request_trailers)
        }
        MapType::ResponseHeaders if context.response_headers => stream.encode.headers.as_mut(),
        MapType::ResponseTrailers => {
            if !context.response_trailers && wants_trailers(context, context.response_body) {
                context.response_trailers = true;
                stream.encode.trailers.get_or_insert_default();
            }
            stream
                .encode
                .trailers
                .as_mut()
                .filter(|_| context.response_trailers)
        }
        _ => None,
    };
    found.ok_or(Status::BadArgument.into())
}

fn wants_trailers(context: &StreamContext, body: Option<DataAt>) -> bool {
    body.is_some() && context.end_of_stream && !context.logging
}

/// Only the first of duplicates. Outside the map's phase: a bad argument, on which the Rust SDK panics (Envoy 1.37,
/// verified); while logging: not found. ABI 0.1.0 gets an empty value instead of "not found".
pub(super) fn get_value(
    caller: Call<'_, '_>,
    map: u32,
    key: u32,
    key_len: u32,
    ptr_out: u32,
    len_out: u32,
) -> Hostcall<()> {
    let map = map_type(map)?;
    let (memory, state) = split(caller)?;
    let key = slice(memory, key, key_len)?;
    let logging = matches!(state.context(), Some(Context::Stream(context)) if context.logging);
    let value = match readable(state, map) {
        Some(headers) => headers.get(key).map(<[u8]>::to_vec),
        None if logging => None,
        None => return Err(Status::BadArgument.into()),
    };
    match value {
        Some(value) => give(caller, &value, ptr_out, len_out),
        None if state.abi_0_1 => give(caller, &[], ptr_out, len_out),
        None => Err(Status::NotFound.into()),
    }
}

pub(super) fn add_value(
    caller: Call<'_, '_>,
    map: u32,
    key: u32,
    key_len: u32,
    value: u32,
    value_len: u32,
) -> Hostcall<()> {
    change(caller, map, key, key_len, value, value_len, HeaderMap::add)
}

pub(super) fn replace_value(
    caller: Call<'_, '_>,
    map: u32,
    key: u32,
    key_len: u32,
    value: u32,
    value_len: u32,
) -> Hostcall<()> {
    change(caller, map, key, key_len, value, value_len, HeaderMap::set)
}

fn change(
    caller: Call<'_, '_>,
    map: u32,
    key: u32,
    key_len: u32,
    value: u32,
    value_len: u32,
    how: fn(&mut HeaderMap, &[u8], &[u8]),
) -> Hostcall<()> {
    let map = map_type(map)?;
    let (memory, state) = split(caller)?;
    let key = slice(memory, key, key_len)?;
    let value = slice(memory, value, value_len)?;
    how(writable(state, map)?, key, value);
    Ok(())
}

pub(super) fn remove_value(caller: Call<'_, '_>, map: u32, key: u32, key_len: u32) -> Hostcall<()> {
    let map = map_type(map)?;
    let (memory, state) = split(caller)?;
    let key = slice(memory, key, key_len)?;
    writable(state, map)?.remove(key);
    Ok(())
}

/// Outside the map's phase this is an empty list and `Ok` (Envoy 1.37, verified).
pub(super) fn get_pairs(
    caller: Call<'_, '_>,
    map: u32,
    ptr_out: u32,
    len_out: u32,
) -> Hostcall<()> {
    let map = map_type(map)?;
    let (_, state) = split(caller)?;
    let mut bytes = std::mem::take(&mut state.scratch);
    bytes.clear();
    match readable(state, map) {
        Some(headers) if !headers.is_empty() => {
            pairs::write(
                headers
                    .entries()
                    .iter()
                    .map(|(name, value)| (name.as_slice(), value.as_slice())),
                &mut bytes,
            );
        }
        _ => {}
    }
    let given = give(caller, &bytes, ptr_out, len_out);
    caller.data_mut().scratch = bytes;
    given
}

/// Replaces the whole map. Malformed pairs read as none, and empty the map.
pub(super) fn set_pairs(caller: Call<'_, '_>, map: u32, ptr: u32, len: u32) -> Hostcall<()> {
    let map = map_type(map)?;
    let (memory, state) = split(caller)?;
    let new = pairs::read(slice(memory, ptr, len)?);
    let headers = writable(state, map)?;
    headers.clear();
    for (name, value) in &new {
        headers.add(name, value);
    }
    Ok(())
}

/// Bytes of the map that can be changed (`getMap`, not `getConstMap`): a bad argument outside its phase.
pub(super) fn get_size(caller: Call<'_, '_>, map: u32, out: u32) -> Hostcall<()> {
    let map = map_type(map)?;
    let (memory, state) = split(caller)?;
    let size = writable(state, map)?.byte_size();
    put_u32(memory, out, size as u32)
}
