//! The bot verdict on critical APIs as a Proxy-Wasm filter: callbacks to backstop-ext-authz, verdicts to actions.

#![allow(
    missing_docs,
    reason = "the SDK's macro exports `_initialize`, which has nothing to say"
)]

use std::rc::Rc;

use backstop_ext_authz::Policy;
use backstop_stage::{BlockList, ExtAuthz, Root, Stage, Stages};
use proxy_wasm::types::LogLevel;

backstop_plugin::callbacks!(
    b"proxy_on_request_headers proxy_on_request_body proxy_on_request_trailers proxy_on_response_headers proxy_on_grpc_receive proxy_on_grpc_close proxy_on_http_call_response proxy_on_tick"
);

proxy_wasm::main! {{
    // The SDK's own messages; the filter's lines go through backstop_plugin::host.
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| Box::new(Root::new("ext-authz", stages)));
}}

fn stages(json: &[u8]) -> Result<Stages, String> {
    let policy = Policy::from_json(json).map_err(|error| error.to_string())?;
    let list = BlockList::of_ext_authz(&policy)?;
    let mut stages: Stages = list
        .iter()
        .map(|list| Rc::clone(list) as Rc<dyn Stage>)
        .collect();
    stages.push(Rc::new(ExtAuthz::open(policy, list)?));
    Ok(stages)
}
