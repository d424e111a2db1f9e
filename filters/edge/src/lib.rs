//! Every filter in one module: callbacks to the stages that its configuration has sections for.

#![allow(
    missing_docs,
    reason = "the SDK's macro exports `_initialize`, which has nothing to say"
)]

use std::rc::Rc;

use backstop_edge::Policies;
use backstop_stage::{BlockList, ExtAuthz, OriginVerify, RateLimit, Root, Stages, Waf};
use proxy_wasm::types::LogLevel;

backstop_plugin::callbacks!(
    b"proxy_on_request_headers proxy_on_request_body proxy_on_request_trailers proxy_on_response_headers \
      proxy_on_grpc_receive proxy_on_grpc_close proxy_on_http_call_response proxy_on_tick"
);

proxy_wasm::main! {{
    // The SDK's own messages; the filter's lines go through backstop_plugin::host.
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| Box::new(Root::new("edge", stages)));
}}

/// The order is the filters' promise: the cheap refusals first, and nobody behind a refusal sees the request.
fn stages(json: &[u8]) -> Result<Stages, String> {
    let policies = Policies::from_json(json).map_err(|error| error.to_string())?;
    let mut stages = Stages::new();
    if let Some(policy) = policies.origin_verify {
        stages.push(Rc::new(OriginVerify::new(policy)));
    }
    if let Some(policy) = policies.rate_limit {
        stages.push(Rc::new(RateLimit::open(policy)?));
    }
    let mut list: Option<Rc<BlockList>> = None;
    if let Some(policy) = policies.waf {
        list = BlockList::of_waf(&policy)?;
        if let Some(list) = &list {
            stages.push(Rc::clone(list) as _);
        }
        stages.push(Rc::new(Waf::new(policy, list.clone())));
    }
    if let Some(policy) = policies.ext_authz {
        let own = BlockList::of_ext_authz(&policy)?;
        // One list, unless one of the two sections only reports.
        let same = list.is_some()
            && own.as_ref().map(|own| own.mode()) == list.as_ref().map(|list| list.mode());
        if !same {
            list = own;
            if let Some(list) = &list {
                stages.push(Rc::clone(list) as _);
            }
        }
        stages.push(Rc::new(ExtAuthz::open(policy, list)?));
    }
    Ok(stages)
}
