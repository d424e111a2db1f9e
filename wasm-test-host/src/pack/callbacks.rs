//! Which exports belong to the ABI, and which of them a filter wants.

use super::PackError;

/// The custom section in which a filter names the callbacks that it implements, separated by spaces or commas.
pub const CALLBACKS_SECTION: &str = "backstop.callbacks";

/// What every filter exports: the ABI's version, memory, start-up and the life of a context.
pub(super) const LIFE_CYCLE: &[&str] = &[
    "memory",
    "_initialize",
    "_start",
    "main",
    "malloc",
    "proxy_abi_version_0_2_1",
    "proxy_on_memory_allocate",
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_delete",
];

/// The callbacks of ABI 0.2.1 that a filter may implement or not.
pub(super) const OPTIONAL: &[&str] = &[
    "proxy_on_done",
    "proxy_on_log",
    "proxy_on_tick",
    "proxy_on_queue_ready",
    "proxy_on_new_connection",
    "proxy_on_downstream_data",
    "proxy_on_downstream_connection_close",
    "proxy_on_upstream_data",
    "proxy_on_upstream_connection_close",
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_request_metadata",
    "proxy_on_response_headers",
    "proxy_on_response_body",
    "proxy_on_response_trailers",
    "proxy_on_response_metadata",
    "proxy_on_http_call_response",
    "proxy_on_grpc_receive_initial_metadata",
    "proxy_on_grpc_receive",
    "proxy_on_grpc_receive_trailing_metadata",
    "proxy_on_grpc_close",
    "proxy_on_foreign_function",
];

/// The callbacks that the section names.
pub(super) fn declared(section: &[u8]) -> Result<Vec<String>, PackError> {
    let text = String::from_utf8_lossy(section);
    text.split([' ', ',', '\0', '\n'])
        .filter(|name| !name.is_empty())
        .map(|name| {
            if OPTIONAL.contains(&name) {
                Ok(name.to_owned())
            } else {
                Err(PackError::UnknownCallback(name.to_owned()))
            }
        })
        .collect()
}
