//! Filters that nobody here designed the host for: in our own words, the examples of the proxy-wasm Rust SDK.

mod guest;

use backstop_host::Request;

#[test]
fn headers_smoke() {
    let mut gateway = guest::alone("headers");
    let outcome = gateway.send(Request::get("/hello"));
    println!("{outcome:#?}");
}
