//! The WAF as a Proxy-Wasm filter: callbacks to backstop-waf, verdicts to actions.
