//! The question: what the service is told about a request.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use backstop_http::{Headers, Occurrence};
use backstop_policy::ConfigError;
use backstop_policy::answer::is_field_name;
use prost::Message as _;

use crate::config;
use crate::header_names::HeaderNames;
use crate::message::{
    Address, AddressKind, AttributeContext, CheckRequest, HeaderMap, HeaderValue, HttpRequest,
    Peer, Pipe, PortSpecifier, Request, SocketAddress, Timestamp,
};

/// The gRPC service.
pub const SERVICE: &str = "envoy.service.auth.v3.Authorization";
/// Its method.
pub const METHOD: &str = "Check";
/// The context extension with the event type.
const EVENT_TYPE: &str = "event_type";
/// The header by which Envoy says whether the body is all of it; what a client sends in it is not passed on.
const PARTIAL_BODY: &str = "x-envoy-auth-partial-body";

/// What only the proxy knows about a request; what it does not know is left out.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The client's address and port as Envoy vouches for them (`source.address`).
    pub source: Option<Vec<u8>>,
    /// The proxy's (`destination.address`).
    pub destination: Option<Vec<u8>>,
    /// The client's identity by mutual TLS.
    pub source_principal: Option<Vec<u8>>,
    /// The proxy's.
    pub destination_principal: Option<Vec<u8>>,
    /// `HTTP/1.1`, `HTTP/2`, …
    pub protocol: Option<Vec<u8>>,
    /// When the request came, in nanoseconds since 1970.
    pub unix_nanos: u64,
}

/// The body's beginning.
#[derive(Clone, Copy, Debug)]
pub struct BodyPrefix<'a> {
    /// At most as much as was asked for.
    pub bytes: &'a [u8],
    /// Whether that is less than all of it.
    pub partial: bool,
}

/// What the service is told, compiled.
#[derive(Clone, Debug)]
pub struct Question {
    pub(crate) allowed: HeaderNames,
    pub(crate) denied: HeaderNames,
    raw_headers: bool,
    pack_as_bytes: bool,
    pub(crate) event_type_header: String,
    extensions: BTreeMap<String, String>,
}

impl Question {
    /// Compiles `check`.
    ///
    /// # Errors
    /// What is wrong, at its JSON path.
    pub fn compile(config: &config::Check) -> Result<Self, ConfigError> {
        if !is_field_name(&config.event_type_header) {
            return Err(ConfigError::at(
                "check.eventTypeHeader",
                "not a header name",
            ));
        }
        if config.context_extensions.contains_key(EVENT_TYPE) {
            return Err(ConfigError::at(
                "check.contextExtensions.event_type",
                "this one is the API's event type",
            ));
        }
        Ok(Self {
            allowed: HeaderNames::compile("check.allowedHeaders", &config.allowed_headers)?,
            denied: HeaderNames::compile("check.deniedHeaders", &config.denied_headers)?,
            raw_headers: config.encode_raw_headers,
            pack_as_bytes: config.pack_as_bytes,
            event_type_header: config.event_type_header.to_ascii_lowercase(),
            extensions: config.context_extensions.clone(),
        })
    }

    /// The header that carries the event type, in small letters.
    pub fn event_type_header(&self) -> &str {
        &self.event_type_header
    }

    /// The bytes of a `CheckRequest`.
    pub fn grpc(
        &self,
        event_type: &str,
        headers: &Headers,
        facts: &Facts,
        body: Option<BodyPrefix<'_>>,
    ) -> Vec<u8> {
        self.message(event_type, headers, facts, body)
            .encode_to_vec()
    }

    fn message(
        &self,
        event_type: &str,
        headers: &Headers,
        facts: &Facts,
        body: Option<BodyPrefix<'_>>,
    ) -> CheckRequest {
        let mut http = HttpRequest {
            id: text(headers.first(b"x-request-id").unwrap_or_default()),
            method: text(headers.method()),
            path: text(headers.path()),
            host: text(headers.authority()),
            scheme: text(headers.scheme()),
            size: headers
                .content_length()
                .map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX)),
            protocol: text(facts.protocol.as_deref().unwrap_or_default()),
            ..HttpRequest::default()
        };
        if self.raw_headers {
            http.header_map = Some(self.header_list(event_type, headers, body));
        } else {
            http.headers = self.header_texts(event_type, headers, body);
        }
        if let Some(body) = body {
            if self.pack_as_bytes {
                http.raw_body = body.bytes.to_vec();
            } else {
                http.body = text(body.bytes);
            }
        }
        let mut extensions = self.extensions.clone();
        extensions.insert(EVENT_TYPE.to_owned(), event_type.to_owned());
        let cluster = headers
            .first(b"x-envoy-downstream-service-cluster")
            .unwrap_or_default();
        CheckRequest {
            attributes: Some(AttributeContext {
                source: Some(Peer {
                    address: address(facts.source.as_deref()),
                    service: text(cluster),
                    principal: text(facts.source_principal.as_deref().unwrap_or_default()),
                }),
                destination: Some(Peer {
                    address: address(facts.destination.as_deref()),
                    service: String::new(),
                    principal: text(facts.destination_principal.as_deref().unwrap_or_default()),
                }),
                request: Some(Request {
                    time: Some(Timestamp {
                        seconds: i64::try_from(facts.unix_nanos / 1_000_000_000).unwrap_or(0),
                        nanos: i32::try_from(facts.unix_nanos % 1_000_000_000).unwrap_or(0),
                    }),
                    http: Some(http),
                }),
                context_extensions: extensions,
            }),
        }
    }

    /// Headers as text: repeated ones joined by a comma, as Envoy's filter does.
    fn header_texts(
        &self,
        event_type: &str,
        headers: &Headers,
        body: Option<BodyPrefix<'_>>,
    ) -> BTreeMap<String, String> {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in self.sent(headers) {
            match texts.entry(text(name)) {
                Entry::Vacant(place) => {
                    place.insert(text(value));
                }
                Entry::Occupied(place) => {
                    let joined = place.into_mut();
                    joined.push(',');
                    joined.push_str(&text(value));
                }
            }
        }
        for (name, value) in self.own_headers(event_type, body) {
            texts.insert(name.to_owned(), value.to_owned());
        }
        texts
    }

    fn header_list(
        &self,
        event_type: &str,
        headers: &Headers,
        body: Option<BodyPrefix<'_>>,
    ) -> HeaderMap {
        let value = |name: &[u8], value: &[u8]| HeaderValue {
            key: text(name),
            value: String::new(),
            raw_value: value.to_vec(),
        };
        let mut list: Vec<HeaderValue> = self
            .sent(headers)
            .map(|(name, bytes)| value(name, bytes))
            .collect();
        for (name, bytes) in self.own_headers(event_type, body) {
            list.push(value(name.as_bytes(), bytes.as_bytes()));
        }
        HeaderMap { headers: list }
    }

    /// The request's headers that are sent over gRPC, pseudo headers included.
    fn sent<'a>(&'a self, headers: &'a Headers) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        headers.iter().filter(|(name, _)| {
            (self.allowed.is_empty() || self.allowed.contains(name))
                && !self.denied.contains(name)
                && !self.is_own(name)
        })
    }

    /// Whether a header is one that only the gateway sends.
    pub(crate) fn is_own(&self, name: &[u8]) -> bool {
        name == PARTIAL_BODY.as_bytes() || name == self.event_type_header.as_bytes()
    }

    fn own_headers<'a>(
        &'a self,
        event_type: &'a str,
        body: Option<BodyPrefix<'_>>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let partial = body.map(|body| {
            let word = if body.partial { "true" } else { "false" };
            (PARTIAL_BODY, word)
        });
        [(self.event_type_header.as_str(), event_type)]
            .into_iter()
            .chain(partial)
    }
}

/// The headers that make the call a part of the request's trace (W3C Trace Context); none if there are several.
pub fn trace_headers(headers: &Headers) -> impl Iterator<Item = (&'static str, &[u8])> {
    ["traceparent", "tracestate"]
        .into_iter()
        .filter_map(|name| match headers.occurrence(name.as_bytes()) {
            Occurrence::Once(value) => Some((name, value)),
            Occurrence::Absent | Occurrence::Repeated(_) => None,
        })
}

/// Bytes as text: each that is not UTF-8 is a `!`, as Envoy has it.
pub(crate) fn text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '!'));
    }
    text
}

/// `8.8.8.8:0`, `[2001:db8::1]:443`, or the path of a Unix socket.
fn address(text: Option<&[u8]>) -> Option<Address> {
    let text = std::str::from_utf8(text?).ok()?;
    let kind = if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
        AddressKind::SocketAddress(SocketAddress {
            protocol: 0,
            address: socket.ip().to_string(),
            port_specifier: Some(PortSpecifier::PortValue(u32::from(socket.port()))),
        })
    } else if text.starts_with('/') || text.starts_with('@') {
        AddressKind::Pipe(Pipe {
            path: text.to_owned(),
        })
    } else {
        return None;
    };
    Some(Address {
        address: Some(kind),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(json: &str) -> Question {
        Question::compile(&backstop_policy::read(json.as_bytes()).unwrap()).unwrap()
    }

    fn http(question: &Question, headers: &Headers, body: Option<BodyPrefix<'_>>) -> HttpRequest {
        let message = question.message("QUEUE_ENTER", headers, &Facts::default(), body);
        message.attributes.unwrap().request.unwrap().http.unwrap()
    }

    fn headers() -> Headers {
        Headers::from_pairs([
            (":method", &b"POST"[..]),
            (":path", b"/queue/matches/1/enter?x=\xff"),
            (":authority", b"shop.example.com"),
            (":scheme", b"https"),
            ("cookie", b"a=1"),
            ("cookie", b"b=\xff\xfe"),
            ("x-ext-authz-event-type", b"SPOOFED"),
            ("x-envoy-auth-partial-body", b"false"),
            ("x-request-id", b"id-1"),
            ("content-length", b"12"),
            ("authorization", b"secret"),
        ])
    }

    #[test]
    fn the_attributes_are_those_of_the_request() {
        let question = question(r#"{"contextExtensions":{"site":"kr"}}"#);
        let facts = Facts {
            source: Some(b"203.0.113.9:0".to_vec()),
            destination: Some(b"[2001:db8::1]:8443".to_vec()),
            source_principal: Some(b"spiffe://a".to_vec()),
            destination_principal: None,
            protocol: Some(b"HTTP/2".to_vec()),
            unix_nanos: 1_795_366_594_000_000_007,
        };
        let attributes = question
            .message("QUEUE_ENTER", &headers(), &facts, None)
            .attributes
            .unwrap();
        let source = attributes.source.unwrap();
        assert_eq!(source.principal, "spiffe://a");
        let Some(AddressKind::SocketAddress(socket)) = source.address.unwrap().address else {
            panic!("no socket address");
        };
        assert_eq!(socket.address, "203.0.113.9");
        assert_eq!(socket.port_specifier, Some(PortSpecifier::PortValue(0)));
        assert_eq!(
            attributes.context_extensions,
            BTreeMap::from([
                ("event_type".to_owned(), "QUEUE_ENTER".to_owned()),
                ("site".to_owned(), "kr".to_owned())
            ])
        );
        let request = attributes.request.unwrap();
        assert_eq!(request.time.unwrap().seconds, 1_795_366_594);
        assert_eq!(request.time.unwrap().nanos, 7);
        let http = request.http.unwrap();
        assert_eq!(http.id, "id-1");
        assert_eq!(http.method, "POST");
        assert_eq!(http.path, "/queue/matches/1/enter?x=!");
        assert_eq!(http.host, "shop.example.com");
        assert_eq!(http.scheme, "https");
        assert_eq!(http.protocol, "HTTP/2");
        assert_eq!(http.size, 12);
        assert_eq!(http.headers["cookie"], "a=1,b=!!");
        assert_eq!(http.headers["x-ext-authz-event-type"], "QUEUE_ENTER");
        assert_eq!(http.headers[":method"], "POST");
        assert!(!http.headers.contains_key(PARTIAL_BODY));
        assert!(http.header_map.is_none());
    }

    #[test]
    fn header_lists_and_raw_headers() {
        let some = question(
            r#"{"allowedHeaders":["cookie","authorization"],"deniedHeaders":["auth*"],"encodeRawHeaders":true}"#,
        );
        let list = http(&some, &headers(), None).header_map.unwrap().headers;
        let seen: Vec<_> = list
            .iter()
            .map(|header| (header.key.as_str(), header.raw_value.as_slice()))
            .collect();
        assert_eq!(
            seen,
            [
                ("cookie", &b"a=1"[..]),
                ("cookie", b"b=\xff\xfe"),
                ("x-ext-authz-event-type", b"QUEUE_ENTER")
            ]
        );
    }

    #[test]
    fn the_body_goes_as_text_or_bytes_and_says_whether_it_is_all() {
        let body = |partial| {
            Some(BodyPrefix {
                bytes: b"a\xff",
                partial,
            })
        };
        let as_text = http(&question("{}"), &headers(), body(true));
        assert_eq!(as_text.body, "a!");
        assert_eq!(as_text.headers[PARTIAL_BODY], "true");
        let as_bytes = http(
            &question(r#"{"packAsBytes":true}"#),
            &headers(),
            body(false),
        );
        assert_eq!(as_bytes.raw_body, b"a\xff");
        assert_eq!(as_bytes.body, "");
        assert_eq!(as_bytes.headers[PARTIAL_BODY], "false");
    }

    #[test]
    fn traces_go_on_unless_there_are_two() {
        let of = |pairs: &[(&str, &str)]| {
            let headers = Headers::from_pairs(pairs.iter().copied());
            trace_headers(&headers)
                .map(|(name, value)| (name, value.to_vec()))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            of(&[("traceparent", "00-a-b-01"), ("tracestate", "x=1")]),
            [
                ("traceparent", b"00-a-b-01".to_vec()),
                ("tracestate", b"x=1".to_vec())
            ]
        );
        assert!(of(&[("traceparent", "a"), ("traceparent", "b")]).is_empty());
    }

    #[test]
    fn addresses_as_envoy_writes_them() {
        let kind = |text: &str| address(Some(text.as_bytes())).and_then(|it| it.address);
        assert!(matches!(
            kind("[::1]:80"),
            Some(AddressKind::SocketAddress(_))
        ));
        assert!(matches!(
            kind("/run/envoy.sock"),
            Some(AddressKind::Pipe(_))
        ));
        assert_eq!(kind("nonsense"), None);
        assert_eq!(address(None), None);
    }
}
