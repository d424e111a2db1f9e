//! What kind of exchange a request opens, for holding a stream's body back stalls it for ever.
//!
//! The kinds are kept narrow: each of them takes a body out of inspection, so a request must be what it says by all
//! the marks of the protocol. A POST that merely adds `upgrade: websocket` or `accept: text/event-stream` is plain.

use crate::headers::Headers;
use crate::media_type::ContentType;

/// The kind of exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// A request with at most one finite body.
    Plain,
    /// gRPC or gRPC-Web: POST with `application/grpc`, `application/grpc+…` or `application/grpc-web…`.
    Grpc,
    /// WebSocket or another HTTP/1 Upgrade (Envoy shows HTTP/2 extended CONNECT as one, too): GET with
    /// `upgrade` and `connection: upgrade`, or CONNECT with `:protocol`.
    Upgrade,
    /// A CONNECT tunnel.
    Connect,
    /// Server-sent events: GET with `accept: text/event-stream`. The *response* is the stream.
    EventStream,
}

impl Exchange {
    /// The kind of exchange that the header list opens.
    pub fn of(headers: &Headers) -> Self {
        match headers.method() {
            b"CONNECT" if headers.first(b":protocol").is_some() => Self::Upgrade,
            b"CONNECT" => Self::Connect,
            b"GET"
                if lists(headers, b"connection", b"upgrade")
                    && headers.first(b"upgrade").is_some() =>
            {
                Self::Upgrade
            }
            b"GET" if lists(headers, b"accept", b"text/event-stream") => Self::EventStream,
            b"POST" if is_grpc(headers) => Self::Grpc,
            _ => Self::Plain,
        }
    }

    /// Whether the request's body may be held back until it is complete.
    pub fn request_body_is_finite(self) -> bool {
        matches!(self, Self::Plain | Self::EventStream)
    }

    /// Whether the response's body may be held back until it is complete.
    pub fn response_body_is_finite(self) -> bool {
        self == Self::Plain
    }

    /// Whether a refusal has to be one that a gRPC client understands.
    pub fn is_grpc(self) -> bool {
        self == Self::Grpc
    }
}

fn is_grpc(headers: &Headers) -> bool {
    let ContentType::Declared(media_type) = ContentType::of(headers) else {
        return false;
    };
    let grpc = media_type
        .subtype
        .get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"grpc"));
    media_type.is_type("application")
        && grpc
        && matches!(media_type.subtype.get(4), None | Some(b'+' | b'-'))
}

/// Whether a comma-separated header lists `token`, parameters after `;` aside.
fn lists(headers: &Headers, name: &'static [u8], token: &[u8]) -> bool {
    headers
        .get_all(name)
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|item| {
            let item = item.split(|byte| *byte == b';').next().unwrap_or_default();
            item.trim_ascii().eq_ignore_ascii_case(token)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_by_all_their_marks() {
        let cases: &[(&[(&str, &str)], Exchange)] = &[
            (&[(":method", "GET")], Exchange::Plain),
            (
                &[(":method", "POST"), ("content-type", "application/json")],
                Exchange::Plain,
            ),
            (
                &[(":method", "POST"), ("content-type", "application/grpc")],
                Exchange::Grpc,
            ),
            (
                &[
                    (":method", "POST"),
                    ("content-type", "Application/gRPC+proto; x"),
                ],
                Exchange::Grpc,
            ),
            (
                &[
                    (":method", "POST"),
                    ("content-type", "application/grpc-web-text"),
                ],
                Exchange::Grpc,
            ),
            (
                &[(":method", "POST"), ("content-type", "application/grpcx")],
                Exchange::Plain,
            ),
            (
                &[(":method", "PUT"), ("content-type", "application/grpc")],
                Exchange::Plain,
            ),
            (
                &[
                    (":method", "POST"),
                    ("content-type", "application/grpc"),
                    ("content-type", "application/json"),
                ],
                Exchange::Plain,
            ),
            (
                &[
                    (":method", "GET"),
                    ("connection", "keep-alive, Upgrade"),
                    ("upgrade", "websocket"),
                ],
                Exchange::Upgrade,
            ),
            (
                &[
                    (":method", "POST"),
                    ("connection", "Upgrade"),
                    ("upgrade", "websocket"),
                ],
                Exchange::Plain,
            ),
            (
                &[(":method", "GET"), ("upgrade", "websocket")],
                Exchange::Plain,
            ),
            (
                &[(":method", "CONNECT"), (":protocol", "websocket")],
                Exchange::Upgrade,
            ),
            (&[(":method", "CONNECT")], Exchange::Connect),
            (
                &[
                    (":method", "GET"),
                    ("accept", "text/html, text/event-stream;q=1"),
                ],
                Exchange::EventStream,
            ),
            (
                &[(":method", "POST"), ("accept", "text/event-stream")],
                Exchange::Plain,
            ),
        ];
        for (pairs, expected) in cases {
            assert_eq!(
                Exchange::of(&Headers::from_pairs(pairs.iter().copied())),
                *expected,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn only_streams_are_not_finite() {
        let request = |exchange: Exchange| exchange.request_body_is_finite();
        assert!(request(Exchange::Plain) && request(Exchange::EventStream));
        assert!(
            !request(Exchange::Grpc) && !request(Exchange::Upgrade) && !request(Exchange::Connect)
        );
        assert!(!Exchange::EventStream.response_body_is_finite());
    }
}
