//! Bodies and configurations (`Context::getBuffer`, `Buffer::copyFrom` of Envoy 1.37's `context.cc`).

use std::borrow::Cow;

use wasmtime::Caller;

use crate::abi::memory::{Hostcall, give, put_u32, slice, split};
use crate::abi::{BufferType, Status};
use crate::callouts::HttpEnd;
use crate::context::Context;
use crate::stream::{DataAt, Direction, Path, Stream};
use crate::vm::VmState;

type Call<'a, 'b> = &'a mut Caller<'b, VmState>;

/// The buffer to read. A body outside its phase is an empty buffer, not a missing one.
fn readable(state: &VmState, buffer: BufferType) -> Hostcall<Cow<'_, [u8]>> {
    let empty = Cow::Borrowed(&[][..]);
    let root = || match state.contexts.get(&state.root_id()) {
        Some(Context::Root(root)) => Some(root),
        _ => None,
    };
    Ok(match buffer {
        BufferType::HttpRequestBody => body(state, Direction::Decode).map_or(empty, Cow::Borrowed),
        BufferType::HttpResponseBody => body(state, Direction::Encode).map_or(empty, Cow::Borrowed),
        BufferType::DownstreamData | BufferType::UpstreamData | BufferType::CallData => empty,
        BufferType::VmConfiguration => Cow::Borrowed(&state.vm_config),
        BufferType::PluginConfiguration => {
            let root = root()
                .filter(|root| root.configuring)
                .ok_or(Status::NotFound)?;
            Cow::Borrowed(&root.config)
        }
        BufferType::HttpCallResponseBody => {
            match root().and_then(|root| root.http_response.as_ref()) {
                Some(HttpEnd::Answer { body, .. }) => Cow::Borrowed(body),
                _ => return Err(Status::NotFound.into()),
            }
        }
        BufferType::GrpcReceiveBuffer => root()
            .and_then(|root| root.grpc_message.as_deref())
            .map_or(empty, Cow::Borrowed),
    })
}

/// Where the body is that a stream context may see now.
fn body_at(context: &crate::context::StreamContext, direction: Direction) -> Option<DataAt> {
    match direction {
        Direction::Decode if context.buffering_request => Some(DataAt::Buffered),
        Direction::Decode => context.request_body,
        Direction::Encode if context.buffering_response => Some(DataAt::Buffered),
        Direction::Encode => context.response_body,
    }
}

fn body(state: &VmState, direction: Direction) -> Option<&[u8]> {
    let Some(Context::Stream(context)) = state.context() else {
        return None;
    };
    let at = body_at(context, direction)?;
    let stream: &Stream = state.world.as_ref()?.streams.get(&context.stream)?;
    let path: &Path = match direction {
        Direction::Decode => &stream.decode,
        Direction::Encode => &stream.encode,
    };
    match at {
        DataAt::InFlight => Some(&path.in_flight),
        DataAt::Buffered => path.buffered.as_deref(),
    }
}

/// A range is cut at the end of the buffer. When no byte is in it, nothing is handed out, and the out pointers stay as
/// they are; that is no error, also for a start past the end (Envoy 1.37, verified).
pub(super) fn get_bytes(
    caller: Call<'_, '_>,
    buffer: u32,
    start: u32,
    len: u32,
    ptr_out: u32,
    len_out: u32,
) -> Hostcall<()> {
    let buffer = BufferType::from_abi(buffer).ok_or(Status::BadArgument)?;
    let (_, state) = split(caller)?;
    let mut scratch = std::mem::take(&mut state.scratch);
    scratch.clear();
    let bytes = readable(state, buffer)?;
    let start = start as usize;
    let end = start.saturating_add(len as usize).min(bytes.len());
    let wanted = bytes.get(start..end).unwrap_or_default();
    if wanted.is_empty() {
        return Ok(());
    }
    scratch.extend_from_slice(wanted);
    let given = give(caller, &scratch, ptr_out, len_out);
    caller.data_mut().scratch = scratch;
    given
}

pub(super) fn get_status(
    caller: Call<'_, '_>,
    buffer: u32,
    len_out: u32,
    flags_out: u32,
) -> Hostcall<()> {
    let buffer = BufferType::from_abi(buffer).ok_or(Status::BadArgument)?;
    let (memory, state) = split(caller)?;
    let len = readable(state, buffer)?.len() as u32;
    put_u32(memory, len_out, len)?;
    put_u32(memory, flags_out, 0)
}

/// Only bodies can be changed. With `start` 0, the first `len` bytes go and the data is put in front (`len` 0 is a
/// plain prepend); with `start` at or past the end it is appended; any other `start` is a bad argument.
pub(super) fn set_bytes(
    caller: Call<'_, '_>,
    buffer: u32,
    start: u32,
    len: u32,
    data: u32,
    data_len: u32,
) -> Hostcall<()> {
    let buffer = BufferType::from_abi(buffer).ok_or(Status::BadArgument)?;
    let (memory, state) = split(caller)?;
    // A buffer that is not there is reported before a bad pointer, in Envoy's order.
    readable(state, buffer)?;
    let data = slice(memory, data, data_len)?;
    let direction = match buffer {
        BufferType::HttpRequestBody => Direction::Decode,
        BufferType::HttpResponseBody => Direction::Encode,
        _ => return Err(Status::BadArgument.into()),
    };
    let Some(Context::Stream(context)) = state.context() else {
        return Err(Status::BadArgument.into());
    };
    let at = body_at(context, direction).ok_or(Status::BadArgument)?;
    let key = context.stream;
    let stream = state
        .world
        .as_mut()
        .and_then(|world| world.streams.get_mut(&key))
        .ok_or(Status::BadArgument)?;
    let path = stream.path(direction);
    let bytes = match at {
        DataAt::InFlight => &mut path.in_flight,
        DataAt::Buffered => path.buffered.as_mut().ok_or(Status::BadArgument)?,
    };
    let (start, len) = (start as usize, len as usize);
    if start == 0 {
        bytes.splice(..len.min(bytes.len()), data.iter().copied());
    } else if start >= bytes.len() {
        bytes.extend_from_slice(data);
    } else {
        return Err(Status::BadArgument.into());
    }
    Ok(())
}
