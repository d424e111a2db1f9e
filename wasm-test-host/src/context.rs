//! The contexts a guest knows by number: the VM's, one per plugin (root), one per HTTP stream.

use std::sync::Arc;

use crate::callouts::HttpEnd;
use crate::headers::HeaderMap;
use crate::stream::DataAt;

#[derive(Debug)]
pub(crate) enum Context {
    /// Number 0, before any plugin.
    Vm,
    Root(Box<RootContext>),
    Stream(StreamContext),
}

/// One plugin in one VM.
#[derive(Debug)]
pub(crate) struct RootContext {
    pub(crate) plugin: usize,
    pub(crate) plugin_name: Arc<str>,
    pub(crate) root_id: Arc<str>,
    pub(crate) config: Arc<[u8]>,
    /// The configuration buffer is there only while start or configure runs (`temp_plugin_`).
    pub(crate) configuring: bool,
    pub(crate) created: bool,
    /// The HTTP call-out response that is being delivered.
    pub(crate) http_response: Option<HttpEnd>,
    pub(crate) grpc_initial_metadata: Option<HeaderMap>,
    pub(crate) grpc_trailing_metadata: Option<HeaderMap>,
    pub(crate) grpc_message: Option<Vec<u8>>,
    /// What `proxy_get_status` answers.
    pub(crate) status: (u32, String),
    /// `proxy_on_done` returned false: deleted once the guest calls `proxy_done`.
    pub(crate) pending_done: bool,
}

impl RootContext {
    pub(crate) fn new(
        plugin: usize,
        plugin_name: Arc<str>,
        root_id: Arc<str>,
        config: Arc<[u8]>,
    ) -> Self {
        Self {
            plugin,
            plugin_name,
            root_id,
            config,
            configuring: false,
            created: false,
            http_response: None,
            grpc_initial_metadata: None,
            grpc_trailing_metadata: None,
            grpc_message: None,
            status: (0, String::new()),
            pending_done: false,
        }
    }
}

/// One stream in one VM: which parts of it the guest can reach now. Envoy's `Context` holds these as pointers that
/// are null outside their phase; here they are flags (`context.cc`).
#[derive(Debug)]
pub(crate) struct StreamContext {
    pub(crate) root: u32,
    pub(crate) stream: u64,
    pub(crate) created: bool,
    pub(crate) request_headers: bool,
    pub(crate) request_body: Option<DataAt>,
    pub(crate) request_trailers: bool,
    pub(crate) response_headers: bool,
    pub(crate) response_body: Option<DataAt>,
    pub(crate) response_trailers: bool,
    pub(crate) buffering_request: bool,
    pub(crate) buffering_response: bool,
    pub(crate) end_of_stream: bool,
    /// `proxy_on_log` runs: maps are those of the access log.
    pub(crate) logging: bool,
    pub(crate) allow_stop_iteration: bool,
}

impl StreamContext {
    pub(crate) fn new(root: u32, stream: u64, allow_stop_iteration: bool) -> Self {
        Self {
            root,
            stream,
            created: false,
            request_headers: false,
            request_body: None,
            request_trailers: false,
            response_headers: false,
            response_body: None,
            response_trailers: false,
            buffering_request: false,
            buffering_response: false,
            end_of_stream: false,
            logging: false,
            allow_stop_iteration,
        }
    }
}
