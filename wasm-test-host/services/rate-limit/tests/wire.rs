//! The hand-written messages of `shared/rls` beside the official ones: the same bytes out, the same meaning in.

use backstop_rls::message::{
    DescriptorStatus, Duration, HeaderValue, RateLimit, RateLimitResponse,
};
use backstop_rls::{Answer, Descriptor, Entry, RateLimitRequest};
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::common::ratelimit::v3 as common;
use envoy_types::pb::envoy::service::ratelimit::v3 as official;
use envoy_types::pb::google::protobuf;
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

fn official_request(request: &RateLimitRequest) -> official::RateLimitRequest {
    let entry = |entry: &Entry| common::rate_limit_descriptor::Entry {
        key: entry.key.clone(),
        value: entry.value.clone(),
    };
    let descriptor = |descriptor: &Descriptor| common::RateLimitDescriptor {
        entries: descriptor.entries.iter().map(entry).collect(),
        ..Default::default()
    };
    official::RateLimitRequest {
        domain: request.domain.clone(),
        descriptors: request.descriptors.iter().map(descriptor).collect(),
        hits_addend: request.hits_addend,
    }
}

fn official_response(response: &RateLimitResponse) -> official::RateLimitResponse {
    use official::rate_limit_response as inner;
    let headers = |headers: &[HeaderValue]| {
        let one = |header: &HeaderValue| core::HeaderValue {
            key: header.key.clone(),
            value: header.value.clone(),
            raw_value: header.raw_value.clone(),
        };
        headers.iter().map(one).collect()
    };
    let status = |status: &DescriptorStatus| inner::DescriptorStatus {
        code: status.code,
        current_limit: status.current_limit.as_ref().map(|limit| inner::RateLimit {
            name: limit.name.clone(),
            requests_per_unit: limit.requests_per_unit,
            unit: limit.unit,
        }),
        limit_remaining: status.limit_remaining,
        duration_until_reset: status.duration_until_reset.map(|left| protobuf::Duration {
            seconds: left.seconds,
            nanos: left.nanos,
        }),
        quota: None,
    };
    official::RateLimitResponse {
        overall_code: response.overall_code,
        statuses: response.statuses.iter().map(status).collect(),
        response_headers_to_add: headers(&response.response_headers_to_add),
        request_headers_to_add: headers(&response.request_headers_to_add),
        ..Default::default()
    }
}

/// What the subset does not have.
fn more_than_the_subset(mut message: official::RateLimitResponse) -> official::RateLimitResponse {
    use official::rate_limit_response as inner;
    message.raw_body = b"slow down".to_vec();
    message.dynamic_metadata = Some(protobuf::Struct::default());
    message.quota = Some(inner::Quota {
        requests: 3,
        id: "quota".to_owned(),
        expiration_specifier: None,
    });
    for status in &mut message.statuses {
        status.quota.clone_from(&message.quota);
    }
    message
}

fn request() -> impl Strategy<Value = RateLimitRequest> {
    let entry = (any::<String>(), any::<String>()).prop_map(|(key, value)| Entry { key, value });
    let descriptor = vec(entry, 0..5).prop_map(|entries| Descriptor { entries });
    (any::<String>(), vec(descriptor, 0..5), any::<u32>()).prop_map(
        |(domain, descriptors, hits_addend)| RateLimitRequest {
            domain,
            descriptors,
            hits_addend,
        },
    )
}

fn header() -> impl Strategy<Value = HeaderValue> {
    (any::<String>(), any::<String>(), vec(any::<u8>(), 0..20)).prop_map(
        |(key, value, raw_value)| HeaderValue {
            key,
            value,
            raw_value,
        },
    )
}

fn response() -> impl Strategy<Value = RateLimitResponse> {
    let limit = (any::<u32>(), any::<i32>(), any::<String>()).prop_map(
        |(requests_per_unit, unit, name)| RateLimit {
            requests_per_unit,
            unit,
            name,
        },
    );
    let left =
        (any::<i64>(), any::<i32>()).prop_map(|(seconds, nanos)| Duration { seconds, nanos });
    let status = (
        any::<i32>(),
        proptest::option::of(limit),
        any::<u32>(),
        proptest::option::of(left),
    )
        .prop_map(
            |(code, current_limit, limit_remaining, duration_until_reset)| DescriptorStatus {
                code,
                current_limit,
                limit_remaining,
                duration_until_reset,
            },
        );
    (
        any::<i32>(),
        vec(status, 0..4),
        vec(header(), 0..4),
        vec(header(), 0..4),
    )
        .prop_map(
            |(overall_code, statuses, response_headers_to_add, request_headers_to_add)| {
                RateLimitResponse {
                    overall_code,
                    statuses,
                    response_headers_to_add,
                    request_headers_to_add,
                }
            },
        )
}

proptest! {
    #[test]
    fn a_question_has_the_official_bytes(request in request()) {
        let bytes = request.encode_to_vec();
        let official = official_request(&request);
        prop_assert_eq!(&bytes, &official.encode_to_vec());
        prop_assert_eq!(official::RateLimitRequest::decode(bytes.as_slice()).unwrap(), official);
    }

    #[test]
    fn a_question_that_others_wrote_reads_the_same(request in request()) {
        let bytes = official_request(&request).encode_to_vec();
        prop_assert_eq!(RateLimitRequest::decode(bytes.as_slice()).unwrap(), request);
    }

    #[test]
    fn an_answer_has_the_official_bytes(response in response()) {
        let bytes = response.encode_to_vec();
        let official = official_response(&response);
        prop_assert_eq!(&bytes, &official.encode_to_vec());
        prop_assert_eq!(official::RateLimitResponse::decode(bytes.as_slice()).unwrap(), official);
    }

    #[test]
    fn an_answer_that_says_more_reads_the_same(response in response()) {
        let bytes = more_than_the_subset(official_response(&response)).encode_to_vec();
        prop_assert_eq!(RateLimitResponse::decode(bytes.as_slice()).unwrap(), response);
    }

    #[test]
    fn any_bytes_are_read_or_refused_alike(bytes in vec(any::<u8>(), 0..60)) {
        // The subset passes over what it does not know, so it may read more, never less.
        if let Ok(official) = official::RateLimitResponse::decode(bytes.as_slice()) {
            let ours = RateLimitResponse::decode(bytes.as_slice()).unwrap();
            prop_assert_eq!(ours.overall_code, official.overall_code);
            let answer = Answer::read(&bytes);
            prop_assert_eq!(answer.is_ok(), matches!(official.overall_code, 1 | 2));
        }
    }
}
