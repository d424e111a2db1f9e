//! Messages of `envoy/service/auth/v3/external_auth.proto`, `attribute_context.proto` and what they are made of, as far as
//! they are used. Fields that are not here are passed over when they come. A test compares them with the official types,
//! both ways.

use std::collections::BTreeMap;

/// `envoy.service.auth.v3.CheckRequest`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct CheckRequest {
    /// What the request is.
    #[prost(message, optional, tag = "1")]
    pub attributes: Option<AttributeContext>,
}

/// `envoy.service.auth.v3.AttributeContext`, without metadata and TLS session.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AttributeContext {
    /// The client.
    #[prost(message, optional, tag = "1")]
    pub source: Option<Peer>,
    /// The proxy.
    #[prost(message, optional, tag = "2")]
    pub destination: Option<Peer>,
    /// The request.
    #[prost(message, optional, tag = "4")]
    pub request: Option<Request>,
    /// What configuration adds.
    #[prost(btree_map = "string, string", tag = "10")]
    pub context_extensions: BTreeMap<String, String>,
}

/// `envoy.service.auth.v3.AttributeContext.Peer`, without labels and certificate.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Peer {
    /// Its address.
    #[prost(message, optional, tag = "1")]
    pub address: Option<Address>,
    /// Its service cluster (`x-envoy-downstream-service-cluster`).
    #[prost(string, tag = "2")]
    pub service: String,
    /// Its identity by mutual TLS.
    #[prost(string, tag = "4")]
    pub principal: String,
}

/// `envoy.config.core.v3.Address`, without internal addresses.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Address {
    /// Which kind, and where.
    #[prost(oneof = "AddressKind", tags = "1, 2")]
    pub address: Option<AddressKind>,
}

/// The kinds of [`Address`].
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum AddressKind {
    /// An IP address and a port.
    #[prost(message, tag = "1")]
    SocketAddress(SocketAddress),
    /// A Unix socket.
    #[prost(message, tag = "2")]
    Pipe(Pipe),
}

/// `envoy.config.core.v3.SocketAddress`, without resolver and named port.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SocketAddress {
    /// 0 TCP, 1 UDP.
    #[prost(int32, tag = "1")]
    pub protocol: i32,
    /// The IP address as text.
    #[prost(string, tag = "2")]
    pub address: String,
    /// The port.
    #[prost(oneof = "PortSpecifier", tags = "3")]
    pub port_specifier: Option<PortSpecifier>,
}

/// The kinds of port of [`SocketAddress`].
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum PortSpecifier {
    /// Its number, sent even if 0.
    #[prost(uint32, tag = "3")]
    PortValue(u32),
}

/// `envoy.config.core.v3.Pipe`, without mode.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Pipe {
    /// The socket's path.
    #[prost(string, tag = "1")]
    pub path: String,
}

/// `envoy.service.auth.v3.AttributeContext.Request`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Request {
    /// When the proxy got its first byte.
    #[prost(message, optional, tag = "1")]
    pub time: Option<Timestamp>,
    /// The request.
    #[prost(message, optional, tag = "2")]
    pub http: Option<HttpRequest>,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Timestamp {
    /// Seconds since 1970.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds of the second.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `envoy.service.auth.v3.AttributeContext.HttpRequest`, without the two fields that are always empty.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HttpRequest {
    /// The request's id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// The method.
    #[prost(string, tag = "2")]
    pub method: String,
    /// Headers by name, repeated ones joined by a comma.
    #[prost(btree_map = "string, string", tag = "3")]
    pub headers: BTreeMap<String, String>,
    /// The path with its query.
    #[prost(string, tag = "4")]
    pub path: String,
    /// `:authority`.
    #[prost(string, tag = "5")]
    pub host: String,
    /// `:scheme`.
    #[prost(string, tag = "6")]
    pub scheme: String,
    /// Bytes, -1 if unknown.
    #[prost(int64, tag = "9")]
    pub size: i64,
    /// `HTTP/1.1`, `HTTP/2`, …
    #[prost(string, tag = "10")]
    pub protocol: String,
    /// The body's beginning as text.
    #[prost(string, tag = "11")]
    pub body: String,
    /// The body's beginning as bytes.
    #[prost(bytes = "vec", tag = "12")]
    pub raw_body: Vec<u8>,
    /// Headers as bytes, each for itself.
    #[prost(message, optional, tag = "13")]
    pub header_map: Option<HeaderMap>,
}

/// `envoy.config.core.v3.HeaderMap`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HeaderMap {
    /// In order.
    #[prost(message, repeated, tag = "1")]
    pub headers: Vec<HeaderValue>,
}

/// `envoy.config.core.v3.HeaderValue`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HeaderValue {
    /// The name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// The value as text.
    #[prost(string, tag = "2")]
    pub value: String,
    /// The value as bytes, where `value` is not given.
    #[prost(bytes = "vec", tag = "3")]
    pub raw_value: Vec<u8>,
}

/// `envoy.service.auth.v3.CheckResponse`, without dynamic metadata.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct CheckResponse {
    /// Whether the request may pass.
    #[prost(message, optional, tag = "1")]
    pub status: Option<Status>,
    /// What becomes of it.
    #[prost(oneof = "HttpResponse", tags = "2, 3, 5")]
    pub http_response: Option<HttpResponse>,
}

/// The kinds of answer of [`CheckResponse`].
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum HttpResponse {
    /// It is refused so.
    #[prost(message, tag = "2")]
    Denied(DeniedHttpResponse),
    /// It passes so.
    #[prost(message, tag = "3")]
    Ok(OkHttpResponse),
    /// The service could not tell.
    #[prost(message, tag = "5")]
    Error(DeniedHttpResponse),
}

/// `google.rpc.Status`, without details.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Status {
    /// A gRPC status, 0 OK.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// For developers.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// `envoy.service.auth.v3.DeniedHttpResponse`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct DeniedHttpResponse {
    /// Its status; 403 if not given.
    #[prost(message, optional, tag = "1")]
    pub status: Option<HttpStatus>,
    /// Its headers.
    #[prost(message, repeated, tag = "2")]
    pub headers: Vec<HeaderValueOption>,
    /// Its body.
    #[prost(string, tag = "3")]
    pub body: String,
}

/// `envoy.type.v3.HttpStatus`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct HttpStatus {
    /// The number.
    #[prost(int32, tag = "1")]
    pub code: i32,
}

/// `envoy.service.auth.v3.OkHttpResponse`, without dynamic metadata.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct OkHttpResponse {
    /// For the request.
    #[prost(message, repeated, tag = "2")]
    pub headers: Vec<HeaderValueOption>,
    /// Names of the request's headers that go.
    #[prost(string, repeated, tag = "5")]
    pub headers_to_remove: Vec<String>,
    /// For the upstream's response.
    #[prost(message, repeated, tag = "6")]
    pub response_headers_to_add: Vec<HeaderValueOption>,
    /// Query parameters that are set.
    #[prost(message, repeated, tag = "7")]
    pub query_parameters_to_set: Vec<QueryParameter>,
    /// Query parameters that go.
    #[prost(string, repeated, tag = "8")]
    pub query_parameters_to_remove: Vec<String>,
}

/// `envoy.config.core.v3.HeaderValueOption`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct HeaderValueOption {
    /// Name and value.
    #[prost(message, optional, tag = "1")]
    pub header: Option<HeaderValue>,
    /// The old way to say what becomes of a header that is there already.
    #[prost(message, optional, tag = "2")]
    pub append: Option<BoolValue>,
    /// The new way: 0 append, 1 add if absent, 2 overwrite or add, 3 overwrite if there.
    #[prost(int32, tag = "3")]
    pub append_action: i32,
}

/// `google.protobuf.BoolValue`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct BoolValue {
    /// The value.
    #[prost(bool, tag = "1")]
    pub value: bool,
}

/// `envoy.config.core.v3.QueryParameter`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct QueryParameter {
    /// Its name.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Its value.
    #[prost(string, tag = "2")]
    pub value: String,
}
