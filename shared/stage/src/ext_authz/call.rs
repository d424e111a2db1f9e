//! The service's call as the proxy makes it, and what comes back.

use backstop_ext_authz::call::Pairs;
use backstop_ext_authz::{Call, Content, Failure};
use backstop_http::Headers;
use backstop_plugin::host::{HostError, call};

/// The most of an answer's body that is read: what is longer says nothing.
const MAX_BODY: usize = 64 * 1024 + 1;

/// Makes the call: its token.
pub(super) fn dispatch(made: &Call) -> Result<u32, HostError> {
    match &made.content {
        Content::Grpc {
            authority,
            service,
            method,
            metadata,
            message,
        } => {
            let names = texts(metadata);
            let metadata: Vec<(&str, &[u8])> = names
                .iter()
                .zip(metadata)
                .map(|((name, _), (_, value))| (name.as_str(), value.as_slice()))
                .collect();
            call::grpc(
                &made.cluster,
                authority,
                service,
                method,
                &metadata,
                message,
                made.timeout,
            )
        }
        Content::Http { headers, body } => {
            // The SDK takes text only: bytes that are none become U+FFFD.
            let texts = texts(headers);
            let headers: Vec<(&str, &str)> = texts
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            call::http(&made.cluster, &headers, body, made.timeout)
        }
    }
}

fn texts(pairs: &Pairs) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    pairs
        .iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect()
}

/// What the end of a gRPC call means. `late`: its time is over.
pub(super) fn grpc_failure(status: u32, late: bool) -> Failure {
    if late {
        return Failure::Timeout;
    }
    let message = call::grpc_status_message().unwrap_or_default();
    Failure::of_grpc(status, &message)
}

/// The response to an HTTP call. `late`: its time is over. The proxy itself answers for a service that does not: 504 when the
/// time is over, 503 where it was not reached, told from the service's own by their text.
pub(super) fn http_response(
    count: usize,
    body: usize,
    late: bool,
) -> Result<(Headers, Vec<u8>), Failure> {
    if late {
        return Err(Failure::Timeout);
    }
    if count == 0 {
        return Err(Failure::Unreachable);
    }
    let headers = call::http_response_headers()
        .ok()
        .and_then(|raw| Headers::parse(raw).ok())
        .ok_or(Failure::Service)?;
    let body = if body == 0 {
        Vec::new()
    } else {
        call::http_response_body(body.min(MAX_BODY)).map_err(|_| Failure::Service)?
    };
    match headers.first(b":status") {
        // The proxy's timers and its clock are not one: this may come a moment before the time is over.
        Some(b"504") if body == b"upstream request timeout" => return Err(Failure::Timeout),
        Some(b"503") if body.starts_with(b"upstream connect error or disconnect/reset") => {
            return Err(Failure::Unreachable);
        }
        Some(b"503") if body == b"no healthy upstream" => return Err(Failure::NoCluster),
        _ => {}
    }
    Ok((headers, body))
}
