//! The WAF as a Proxy-Wasm filter: callbacks to backstop-waf, verdicts to actions.
//!
//! Request callbacks, and those of the block list's calls. Responses are not looked at, so a reply of this filter does not come
//! back to it.

#![allow(
    missing_docs,
    reason = "the SDK's macro exports `_initialize`, which has nothing to say"
)]

use std::rc::Rc;

use backstop_stage::{BlockList, Root, Stage, Stages, Waf};
use backstop_waf::Policy;
use proxy_wasm::types::LogLevel;

backstop_plugin::callbacks!(
    b"proxy_on_request_headers proxy_on_request_body proxy_on_request_trailers proxy_on_http_call_response proxy_on_tick"
);

proxy_wasm::main! {{
    // The SDK's own messages; the filter's lines go through backstop_plugin::host.
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| Box::new(Root::new("waf", stages)));
}}

fn stages(json: &[u8]) -> Result<Stages, String> {
    let policy = Policy::from_json(json).map_err(|error| error.to_string())?;
    let list = BlockList::of_waf(&policy)?;
    let mut stages: Stages = list
        .iter()
        .map(|list| Rc::clone(list) as Rc<dyn Stage>)
        .collect();
    stages.push(Rc::new(Waf::new(policy, list)));
    Ok(stages)
}
