//! Resuming, closing and answering streams. All of it happens after the guest has returned.

use wasmtime::Caller;

use crate::abi::memory::{Hostcall, slice, split};
use crate::abi::{Status, pairs};
use crate::context::Context;
use crate::stream::LocalReply;
use crate::vm::{AfterCall, VmState};

type Call<'a, 'b> = &'a mut Caller<'b, VmState>;

const REQUEST: u32 = 0;
const RESPONSE: u32 = 1;
const DOWNSTREAM: u32 = 2;
const UPSTREAM: u32 = 3;

/// Resumes a stream and takes the request's headers, body and trailers out of the guest's reach, also when it is the
/// response that is resumed (`Context::continueStream`).
pub(super) fn continue_stream(caller: Call<'_, '_>, kind: u32) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    match kind {
        REQUEST | RESPONSE => {}
        DOWNSTREAM => return Ok(()),
        UPSTREAM => return Err(Status::Unimplemented.into()),
        _ => return Err(Status::BadArgument.into()),
    }
    let acting = state.context_id();
    if let Some(Context::Stream(context)) = state.contexts.get_mut(&acting) {
        context.request_headers = false;
        context.request_body = None;
        context.request_trailers = false;
        let (stream, context) = (context.stream, acting);
        state.after.push(AfterCall::Continue {
            stream,
            context,
            response: kind == RESPONSE,
        });
    }
    Ok(())
}

pub(super) fn continue_request(caller: Call<'_, '_>) -> Hostcall<()> {
    continue_stream(caller, REQUEST)
}

pub(super) fn continue_response(caller: Call<'_, '_>) -> Hostcall<()> {
    continue_stream(caller, RESPONSE)
}

/// Resets the stream; its details become `wasm_close_stream` unless it has some.
pub(super) fn close_stream(caller: Call<'_, '_>, kind: u32) -> Hostcall<()> {
    let (_, state) = split(caller)?;
    if kind > UPSTREAM {
        return Err(Status::BadArgument.into());
    }
    let acting = state.context_id();
    if kind <= RESPONSE
        && let Some(Context::Stream(context)) = state.contexts.get(&acting)
    {
        let stream = context.stream;
        if let Some(data) = state
            .world
            .as_mut()
            .and_then(|world| world.streams.get_mut(&stream))
        {
            data.details
                .get_or_insert_with(|| "wasm_close_stream".to_owned());
        }
        state.after.push(AfterCall::Reset { stream });
    }
    Ok(())
}

/// Routes are not simulated.
pub(super) fn clear_route_cache(_: Call<'_, '_>) -> Hostcall<()> {
    Ok(())
}

/// Answers the request. White space in the details becomes `_` (`StringUtil::replaceAllEmptySpace`). A gRPC status
/// outside 0..=16, which is what SDKs pass for "none", is none.
#[expect(clippy::too_many_arguments, reason = "the ABI's own")]
pub(super) fn send_local_response(
    caller: Call<'_, '_>,
    code: u32,
    details: u32,
    details_len: u32,
    body: u32,
    body_len: u32,
    headers: u32,
    headers_len: u32,
    grpc: u32,
) -> Hostcall<()> {
    let (memory, state) = split(caller)?;
    let details = slice(memory, details, details_len)?;
    let body = slice(memory, body, body_len)?;
    let headers = pairs::read(slice(memory, headers, headers_len)?);
    let acting = state.context_id();
    if let Some(Context::Stream(context)) = state.contexts.get(&acting) {
        let stream = context.stream;
        let details = String::from_utf8_lossy(details)
            .replace(|c: char| c.is_ascii_whitespace() || c == '\u{b}', "_");
        let reply = LocalReply {
            status: code as u16,
            body: body.to_vec(),
            headers,
            grpc_status: (grpc <= 16).then_some(grpc),
            details,
        };
        state.after.push(AfterCall::Reply { stream, reply });
    }
    state.stop_next_iteration = true;
    Ok(())
}
