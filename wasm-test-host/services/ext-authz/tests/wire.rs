//! The hand-written messages of `shared/ext-authz` beside the official ones: the same bytes out, the same meaning in.

use std::collections::{BTreeMap, HashMap};

use backstop_ext_authz::message as ours;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::auth::v3 as official;
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::{protobuf, rpc};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use prost::Message;

// Text of any script, and any bytes.
fn text() -> impl Strategy<Value = String> {
    "\\PC{0,12}"
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..12)
}

fn address() -> impl Strategy<Value = ours::Address> {
    let socket =
        (0_i32..2, text(), option::of(any::<u32>())).prop_map(|(protocol, address, port)| {
            ours::AddressKind::SocketAddress(ours::SocketAddress {
                protocol,
                address,
                port_specifier: port.map(ours::PortSpecifier::PortValue),
            })
        });
    let pipe = text().prop_map(|path| ours::AddressKind::Pipe(ours::Pipe { path }));
    option::of(prop_oneof![socket, pipe]).prop_map(|address| ours::Address { address })
}

fn peer() -> impl Strategy<Value = ours::Peer> {
    (option::of(address()), text(), text()).prop_map(|(address, service, principal)| ours::Peer {
        address,
        service,
        principal,
    })
}

fn header_value() -> impl Strategy<Value = ours::HeaderValue> {
    (text(), text(), bytes()).prop_map(|(key, value, raw_value)| ours::HeaderValue {
        key,
        value,
        raw_value,
    })
}

/// With at most one entry, since the official map has no order.
fn map() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..2)
}

fn http() -> impl Strategy<Value = ours::HttpRequest> {
    let texts = (text(), text(), text(), text(), text(), text(), text());
    let header_map =
        option::of(vec(header_value(), 0..4).prop_map(|headers| ours::HeaderMap { headers }));
    (texts, map(), any::<i64>(), bytes(), header_map).prop_map(
        |(
            (id, method, path, host, scheme, protocol, body),
            headers,
            size,
            raw_body,
            header_map,
        )| {
            ours::HttpRequest {
                id,
                method,
                headers,
                path,
                host,
                scheme,
                size,
                protocol,
                body,
                raw_body,
                header_map,
            }
        },
    )
}

fn request() -> impl Strategy<Value = ours::CheckRequest> {
    let time = (any::<i64>(), any::<i32>())
        .prop_map(|(seconds, nanos)| ours::Timestamp { seconds, nanos });
    let inner = (option::of(time), option::of(http()))
        .prop_map(|(time, http)| ours::Request { time, http });
    let attributes = (
        option::of(peer()),
        option::of(peer()),
        option::of(inner),
        map(),
    )
        .prop_map(|(source, destination, request, context_extensions)| {
            ours::AttributeContext {
                source,
                destination,
                request,
                context_extensions,
            }
        });
    option::of(attributes).prop_map(|attributes| ours::CheckRequest { attributes })
}

fn option_header() -> impl Strategy<Value = ours::HeaderValueOption> {
    (
        option::of(header_value()),
        option::of(any::<bool>()),
        0_i32..4,
    )
        .prop_map(|(header, append, append_action)| ours::HeaderValueOption {
            header,
            append: append.map(|value| ours::BoolValue { value }),
            append_action,
        })
}

fn denied() -> impl Strategy<Value = ours::DeniedHttpResponse> {
    (option::of(any::<i32>()), vec(option_header(), 0..4), text()).prop_map(
        |(status, headers, body)| ours::DeniedHttpResponse {
            status: status.map(|code| ours::HttpStatus { code }),
            headers,
            body,
        },
    )
}

fn ok() -> impl Strategy<Value = ours::OkHttpResponse> {
    let query = vec(
        (text(), text()).prop_map(|(key, value)| ours::QueryParameter { key, value }),
        0..3,
    );
    (
        vec(option_header(), 0..4),
        vec(text(), 0..3),
        vec(option_header(), 0..4),
        query,
        vec(text(), 0..3),
    )
        .prop_map(
            |(headers, remove, response, query, remove_query)| ours::OkHttpResponse {
                headers,
                headers_to_remove: remove,
                response_headers_to_add: response,
                query_parameters_to_set: query,
                query_parameters_to_remove: remove_query,
            },
        )
}

fn response() -> impl Strategy<Value = ours::CheckResponse> {
    let status = (any::<i32>(), text()).prop_map(|(code, message)| ours::Status { code, message });
    let http = prop_oneof![
        denied().prop_map(ours::HttpResponse::Denied),
        ok().prop_map(ours::HttpResponse::Ok),
        denied().prop_map(ours::HttpResponse::Error),
    ];
    (option::of(status), option::of(http)).prop_map(|(status, http_response)| ours::CheckResponse {
        status,
        http_response,
    })
}

fn hash(map: &BTreeMap<String, String>) -> HashMap<String, String> {
    map.iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn official_value(value: &ours::HeaderValue) -> core::HeaderValue {
    core::HeaderValue {
        key: value.key.clone(),
        value: value.value.clone(),
        raw_value: value.raw_value.clone(),
    }
}

fn official_peer(peer: &ours::Peer) -> official::attribute_context::Peer {
    let kind = |address: &ours::AddressKind| match address {
        ours::AddressKind::SocketAddress(socket) => {
            core::address::Address::SocketAddress(core::SocketAddress {
                protocol: socket.protocol,
                address: socket.address.clone(),
                port_specifier: socket.port_specifier.map(
                    |ours::PortSpecifier::PortValue(port)| {
                        core::socket_address::PortSpecifier::PortValue(port)
                    },
                ),
                ..Default::default()
            })
        }
        ours::AddressKind::Pipe(pipe) => core::address::Address::Pipe(core::Pipe {
            path: pipe.path.clone(),
            mode: 0,
        }),
    };
    official::attribute_context::Peer {
        address: peer.address.as_ref().map(|address| core::Address {
            address: address.address.as_ref().map(kind),
        }),
        service: peer.service.clone(),
        principal: peer.principal.clone(),
        ..Default::default()
    }
}

fn official_request(request: &ours::CheckRequest) -> official::CheckRequest {
    use official::attribute_context as inner;
    let http = |http: &ours::HttpRequest| inner::HttpRequest {
        id: http.id.clone(),
        method: http.method.clone(),
        headers: hash(&http.headers),
        header_map: http.header_map.as_ref().map(|map| core::HeaderMap {
            headers: map.headers.iter().map(official_value).collect(),
        }),
        path: http.path.clone(),
        host: http.host.clone(),
        scheme: http.scheme.clone(),
        size: http.size,
        protocol: http.protocol.clone(),
        body: http.body.clone(),
        raw_body: http.raw_body.clone(),
        ..Default::default()
    };
    let inner_request = |request: &ours::Request| inner::Request {
        time: request.time.map(|time| protobuf::Timestamp {
            seconds: time.seconds,
            nanos: time.nanos,
        }),
        http: request.http.as_ref().map(http),
    };
    official::CheckRequest {
        attributes: request
            .attributes
            .as_ref()
            .map(|attributes| official::AttributeContext {
                source: attributes.source.as_ref().map(official_peer),
                destination: attributes.destination.as_ref().map(official_peer),
                request: attributes.request.as_ref().map(inner_request),
                context_extensions: hash(&attributes.context_extensions),
                ..Default::default()
            }),
    }
}

#[allow(deprecated, reason = "services still say it in the old way")]
fn official_option(option: &ours::HeaderValueOption) -> core::HeaderValueOption {
    core::HeaderValueOption {
        header: option.header.as_ref().map(official_value),
        append: option.append.map(|append| protobuf::BoolValue {
            value: append.value,
        }),
        append_action: option.append_action,
        ..Default::default()
    }
}

fn official_denied(denied: &ours::DeniedHttpResponse) -> official::DeniedHttpResponse {
    official::DeniedHttpResponse {
        status: denied.status.map(|status| HttpStatus { code: status.code }),
        headers: denied.headers.iter().map(official_option).collect(),
        body: denied.body.clone(),
    }
}

fn official_response(response: &ours::CheckResponse) -> official::CheckResponse {
    use official::check_response::HttpResponse;
    let http = |http: &ours::HttpResponse| match http {
        ours::HttpResponse::Denied(denied) => HttpResponse::DeniedResponse(official_denied(denied)),
        ours::HttpResponse::Error(denied) => HttpResponse::ErrorResponse(official_denied(denied)),
        ours::HttpResponse::Ok(ok) => HttpResponse::OkResponse(official::OkHttpResponse {
            headers: ok.headers.iter().map(official_option).collect(),
            headers_to_remove: ok.headers_to_remove.clone(),
            response_headers_to_add: ok
                .response_headers_to_add
                .iter()
                .map(official_option)
                .collect(),
            query_parameters_to_set: ok
                .query_parameters_to_set
                .iter()
                .map(|query| core::QueryParameter {
                    key: query.key.clone(),
                    value: query.value.clone(),
                })
                .collect(),
            query_parameters_to_remove: ok.query_parameters_to_remove.clone(),
            ..Default::default()
        }),
    };
    official::CheckResponse {
        status: response.status.as_ref().map(|status| rpc::Status {
            code: status.code,
            message: status.message.clone(),
            details: Vec::new(),
        }),
        dynamic_metadata: None,
        http_response: response.http_response.as_ref().map(http),
    }
}

proptest! {
    #[test]
    fn a_question_has_the_official_bytes(request in request()) {
        let official = official_request(&request);
        let bytes = request.encode_to_vec();
        prop_assert_eq!(&bytes, &official.encode_to_vec());
        prop_assert_eq!(official::CheckRequest::decode(bytes.as_slice()).unwrap(), official);
        prop_assert_eq!(ours::CheckRequest::decode(bytes.as_slice()).unwrap(), request);
    }

    #[test]
    fn an_official_answer_is_read_as_it_was_meant(response in response()) {
        let official = official_response(&response);
        let bytes = official.encode_to_vec();
        prop_assert_eq!(&bytes, &response.encode_to_vec());
        prop_assert_eq!(ours::CheckResponse::decode(bytes.as_slice()).unwrap(), response);
    }

    /// Bytes that one side refuses, the other refuses; what both read is the same but for what is not here.
    #[test]
    fn fields_that_are_not_here_are_passed_over(response in response(), metadata in text(), keep in any::<bool>()) {
        let mut official = official_response(&response);
        official.dynamic_metadata = Some(protobuf::Struct {
            fields: HashMap::from([(metadata, protobuf::Value { kind: None })]),
        });
        if let Some(official::check_response::HttpResponse::OkResponse(ok)) = &mut official.http_response {
            for header in &mut ok.headers {
                header.keep_empty_value = keep;
            }
        }
        prop_assert_eq!(ours::CheckResponse::decode(official.encode_to_vec().as_slice()).unwrap(), response);
    }
}

/// Many headers: the official map has no order, but the same entries.
#[test]
fn header_maps_of_any_size_mean_the_same() {
    let headers: BTreeMap<String, String> = (0..50)
        .map(|at| (format!("x-{at}"), "v".to_owned()))
        .collect();
    let ours = ours::HttpRequest {
        headers: headers.clone(),
        ..Default::default()
    };
    let official =
        official::attribute_context::HttpRequest::decode(ours.encode_to_vec().as_slice()).unwrap();
    assert_eq!(official.headers, hash(&headers));
    assert_eq!(
        ours::HttpRequest::decode(official.encode_to_vec().as_slice()).unwrap(),
        ours
    );
}
