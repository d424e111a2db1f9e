//! Answers that Envoy gives itself: `sendLocalReply` and what leads to it.

use crate::headers::HeaderMap;
use crate::host::Host;
use crate::stream::iterate::Start;
use crate::stream::{DataAt, Direction, LocalReply};

impl Host {
    /// Sends a local reply (`DownstreamFilterManager::sendLocalReply`). From a request callback it is only prepared and
    /// goes out once the filter has returned; of several the first is sent, with the last one's details (Envoy 1.37,
    /// verified). It runs through the response
    /// callbacks of the whole chain, the replying filter's own included (verified), unless a response has begun.
    pub(crate) fn send_local_reply(&mut self, id: u64, reply: LocalReply) {
        let stream = self.stream(id);
        if stream.finished() {
            return;
        }
        let decoding = stream.decode.running > 0;
        if decoding {
            stream.decode.aborted = true;
        } else if stream.encode.running > 0 {
            stream.encode.aborted = true;
        }
        let begun = stream.encode.headers.is_some() || stream.client.headers.is_some();
        if !begun && decoding {
            // The first answer wins, the last details do.
            stream.details = Some(reply.details.clone());
            stream.prepared.get_or_insert(reply);
        } else if !begun {
            stream.details = Some(reply.details.clone());
            self.reply_through_chain(id, reply);
        } else if stream.client.headers.is_none() {
            stream.details = Some(reply.details.clone());
            self.reply_directly(id, reply);
        } else {
            stream.details = Some(reply.details);
            self.reset(id);
        }
    }

    pub(crate) fn execute_prepared_reply(&mut self, id: u64) {
        if let Some(reply) = self.stream(id).prepared.take() {
            self.reply_through_chain(id, reply);
        }
    }

    /// 413 once more is buffered than the connection manager's limit (Envoy 1.37, verified; not 1.40's details).
    pub(crate) fn reply_too_large(&mut self, id: u64) {
        self.send_local_reply(
            id,
            plain(413, "Payload Too Large", "request_payload_too_large"),
        );
    }

    pub(crate) fn reply_response_too_large(&mut self, id: u64) {
        self.send_local_reply(
            id,
            plain(500, "Internal Server Error", "response_payload_too_large"),
        );
    }

    /// The connection manager itself refuses a path with a fragment: no filter sees the request (Envoy 1.37, verified).
    pub(crate) fn reply_bad_path(&mut self, id: u64) {
        self.send_local_reply(id, plain(400, "", "path_normalization_failed"));
    }

    /// What a failed VM answers under FAIL_CLOSED and FAIL_RELOAD (`Context::failStream`).
    pub(crate) fn reply_failed(&mut self, id: u64) {
        let reply = LocalReply {
            grpc_status: Some(14),
            ..plain(503, "", "wasm_fail_stream")
        };
        self.send_local_reply(id, reply);
    }

    /// Resets the stream: the client gets no answer, or only a part of it.
    pub(crate) fn reset(&mut self, id: u64) {
        let stream = self.stream(id);
        stream.local_complete = true;
        stream.client.reset = true;
        stream.encode.aborted = true;
    }

    fn reply_through_chain(&mut self, id: u64, reply: LocalReply) {
        let (headers, body) = self.build(id, reply);
        let stream = self.stream(id);
        let end = body.is_empty();
        stream.encode.headers = Some(headers);
        stream.encode.observed_end = true;
        if end {
            self.walk_headers(id, Direction::Encode, Start::Begin, true);
            return;
        }
        // The end arrives with the body, so a filter that resumes while it holds only the headers must not end there.
        stream.encode.observed_end = false;
        self.walk_headers(id, Direction::Encode, Start::Begin, false);
        let stream = self.stream(id);
        stream.encode.observed_end = true;
        stream.encode.in_flight = body;
        self.walk_data(id, Direction::Encode, Start::Begin, DataAt::InFlight, true);
    }

    fn reply_directly(&mut self, id: u64, reply: LocalReply) {
        let (headers, body) = self.build(id, reply);
        let stream = self.stream(id);
        stream.encode.headers = None;
        stream.encode.buffered = None;
        stream.client.headers = Some(headers);
        stream.client.body = body;
        stream.client.complete = true;
        stream.local_complete = true;
        stream.encode.aborted = true;
    }

    /// Headers and body of a local reply (`Utility::prepareLocalReply`). A gRPC request is answered with 200 and the
    /// verdict in `grpc-status` (Envoy 1.37, verified).
    fn build(&mut self, id: u64, reply: LocalReply) -> (HeaderMap, Vec<u8>) {
        let stream = self.stream(id);
        let mut headers = HeaderMap::new();
        if stream.grpc_request {
            headers.add(b":status", b"200");
            headers.add(b"content-type", b"application/grpc");
            for (name, value) in &reply.headers {
                headers.add(name, value);
            }
            let status = reply
                .grpc_status
                .unwrap_or_else(|| grpc_status_of(reply.status));
            headers.set(b":status", b"200");
            headers.set(b"content-type", b"application/grpc");
            headers.set(b"grpc-status", status.to_string().as_bytes());
            if !reply.body.is_empty() && !stream.head_request {
                headers.set(b"grpc-message", percent_encode(&reply.body).as_bytes());
            }
            headers.remove(b"content-length");
            return (headers, Vec::new());
        }
        headers.add(b":status", reply.status.to_string().as_bytes());
        for (name, value) in &reply.headers {
            headers.add(name, value);
        }
        if reply.body.is_empty() {
            headers.remove(b"content-length");
            headers.remove(b"content-type");
            return (headers, Vec::new());
        }
        headers.set(b"content-length", reply.body.len().to_string().as_bytes());
        if !headers.contains("content-type") {
            headers.add(b"content-type", b"text/plain");
        }
        let body = if stream.head_request {
            Vec::new()
        } else {
            reply.body
        };
        (headers, body)
    }
}

fn plain(status: u16, body: &str, details: &str) -> LocalReply {
    LocalReply {
        status,
        body: body.into(),
        headers: Vec::new(),
        grpc_status: None,
        details: details.to_owned(),
    }
}

/// HTTP status → gRPC status, by the gRPC HTTP mapping (Envoy's `Grpc::Utility::httpToGrpcStatus`).
pub(crate) fn grpc_status_of(status: u16) -> u32 {
    match status {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}

/// `grpc-message`: bytes outside the printable ASCII range, and `%`, percent-encoded.
fn percent_encode(text: &[u8]) -> String {
    text.iter()
        .map(|&byte| match byte {
            b'%' => "%25".to_owned(),
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn http_statuses_map_to_grpc() {
        assert_eq!(
            [400, 401, 403, 404, 429, 503, 418].map(super::grpc_status_of),
            [13, 16, 7, 12, 14, 14, 2]
        );
    }

    #[test]
    fn grpc_messages_are_ascii() {
        assert_eq!(
            super::percent_encode("a b%\u{e9}\n".as_bytes()),
            "a b%25%C3%A9%0A"
        );
    }
}
