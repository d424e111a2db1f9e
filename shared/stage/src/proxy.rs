//! What stages ask the proxy for.

use backstop_http::Headers;
use backstop_plugin::host;

/// The request's headers, parsed; or in one line why there are none.
///
/// # Errors
/// When the proxy does not hand them out, or not in the shape that the ABI says.
pub fn request_headers() -> Result<Headers, String> {
    let raw = host::request_headers().map_err(|error| error.to_string())?;
    Headers::parse(raw).map_err(|error| error.to_string())
}

/// The proxy, as the cores ask it.
pub(crate) struct Proxy;

impl backstop_origin_verify::Host for Proxy {
    fn source_address(&self) -> Option<Vec<u8>> {
        host::property(&["source", "address"]).ok()
    }

    fn unix_seconds(&self) -> i64 {
        i64::try_from(host::unix_nanos() / 1_000_000_000).unwrap_or(i64::MAX)
    }
}
