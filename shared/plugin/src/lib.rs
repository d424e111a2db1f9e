//! What the glue of each filter needs from the Proxy-Wasm host.
