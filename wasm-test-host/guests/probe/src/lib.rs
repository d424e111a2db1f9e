//! A filter that does what its configuration says, callback by callback, and logs what each host call answers. The
//! same script run in Envoy and in our host must log the same lines.
//!
//! One line per callback: `request_headers: get 0 :path; reply 403 why body; return 1`. A command behind `@eos` runs
//! only with end of stream, behind `@more` only without. `_` in an argument stands for nothing, `~` for a space.

mod abi;
mod script;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

thread_local! {
    static SCRIPTS: RefCell<HashMap<u32, String>> = RefCell::default();
    /// Root context by stream context.
    static ROOTS: RefCell<HashMap<u32, u32>> = RefCell::default();
    static STREAM: Cell<u32> = const { Cell::new(0) };
}

pub fn log(text: &str) {
    unsafe { abi::proxy_log(2, text.as_ptr(), text.len()) };
}

/// Logs the callback, runs its script, answers what the script returns.
fn run(context: u32, event: &str, arguments: &str, end: bool) -> u32 {
    log(format!("{event} {arguments}").trim_end());
    let root = ROOTS.with_borrow(|roots| roots.get(&context).copied().unwrap_or(context));
    let script = SCRIPTS.with_borrow(|scripts| scripts.get(&root).cloned().unwrap_or_default());
    let commands = script.lines().find_map(|line| {
        line.strip_prefix(event)?
            .strip_prefix(':')
            .map(str::to_owned)
    });
    let mut answer = 0;
    for command in commands.unwrap_or_default().split(';') {
        let command = command.trim();
        let command = match command.split_once(' ') {
            Some(("@eos", rest)) if end => rest,
            Some(("@more", rest)) if !end => rest,
            Some(("@eos" | "@more", _)) => continue,
            _ => command,
        };
        match command.split_once(' ') {
            _ if command.is_empty() => {}
            Some(("return", value)) => answer = value.parse().unwrap(),
            _ => {
                let result = script::command(command, STREAM.get());
                log(&format!("  {command} -> {result}"));
            }
        }
    }
    answer
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, root: u32) {
    if root != 0 {
        STREAM.set(context);
        ROOTS.with_borrow_mut(|roots| roots.insert(context, root));
        run(context, "create", "", false);
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_: u32, _: usize) -> u32 {
    1
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(context: u32, size: usize) -> u32 {
    let (_, config) =
        abi::taking(|ptr, len| unsafe { abi::proxy_get_buffer_bytes(7, 0, size, ptr, len) });
    let config = String::from_utf8(config.unwrap_or_default()).unwrap();
    SCRIPTS.with_borrow_mut(|scripts| scripts.insert(context, config));
    1 - run(context, "configure", "", false)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(context: u32) {
    run(context, "tick", "", false);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_queue_ready(context: u32, token: u32) {
    run(context, "queue_ready", &format!("token={token}"), false);
}

macro_rules! stream_callback {
    ($($export:ident, $event:literal, $size:literal);* $(;)?) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $export(context: u32, size: usize, end: u32) -> u32 {
            STREAM.set(context);
            let size = if $size { format!("size={size} ") } else { String::new() };
            run(context, $event, &format!("{size}eos={end}"), end != 0)
        }
    )* };
}

// How many headers Envoy's own connection manager adds is not the probe's matter: no count for them.
stream_callback! {
    proxy_on_request_headers, "request_headers", false;
    proxy_on_request_body, "request_body", true;
    proxy_on_response_headers, "response_headers", false;
    proxy_on_response_body, "response_body", true;
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context: u32, count: usize) -> u32 {
    STREAM.set(context);
    run(context, "request_trailers", &format!("count={count}"), true)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_trailers(context: u32, count: usize) -> u32 {
    STREAM.set(context);
    run(
        context,
        "response_trailers",
        &format!("count={count}"),
        true,
    )
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    context: u32,
    token: u32,
    headers: usize,
    body: usize,
    trailers: usize,
) {
    let headers = if headers == 0 { "none" } else { "some" };
    run(
        context,
        "http_call",
        &format!("token={token} headers={headers} body={body} trailers={trailers}"),
        true,
    );
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_receive(context: u32, token: u32, size: usize) {
    run(
        context,
        "grpc_receive",
        &format!("token={token} size={size}"),
        true,
    );
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_close(context: u32, token: u32, status: u32) {
    run(
        context,
        "grpc_close",
        &format!("token={token} status={status}"),
        true,
    );
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_receive_initial_metadata(context: u32, token: u32, count: usize) {
    run(
        context,
        "grpc_initial_metadata",
        &format!("token={token} count={count}"),
        false,
    );
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_receive_trailing_metadata(context: u32, token: u32, count: usize) {
    run(
        context,
        "grpc_trailing_metadata",
        &format!("token={token} count={count}"),
        false,
    );
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_done(context: u32) -> u32 {
    1 - run(context, "done", "", false)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(context: u32) {
    run(context, "log", "", false);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    run(context, "delete", "", false);
    ROOTS.with_borrow_mut(|roots| roots.remove(&context));
    SCRIPTS.with_borrow_mut(|scripts| scripts.remove(&context));
}
