//! What a broken or hostile service sends is an answer or an error, never a panic, and stays small.

use backstop_rls::Answer;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_bytes_are_an_answer_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(answer) = Answer::read(&bytes) {
            for (name, value) in answer.response_headers.iter().chain(&answer.request_headers) {
                prop_assert!(!name.is_empty() && !name.starts_with(':'));
                prop_assert!(!value.bytes().any(|byte| byte < b' ' && byte != b'\t'));
            }
        }
    }

    #[test]
    fn a_message_with_some_bytes_changed_is_too(
        code in 0..3_i32,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        use backstop_rls::message::{HeaderValue, RateLimitResponse};
        let mut bytes = prost::Message::encode_to_vec(&RateLimitResponse {
            overall_code: code,
            response_headers_to_add: vec![HeaderValue {
                key: "retry-after".to_owned(),
                value: "12".to_owned(),
                raw_value: Vec::new(),
            }],
            ..Default::default()
        });
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = Answer::read(&bytes);
    }
}
