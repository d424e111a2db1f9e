//! A Proxy-Wasm 0.2.1 host on wasmtime, as strict as Envoy 1.37.
pub mod replay;
pub mod traffic;
