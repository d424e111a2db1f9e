//! The answer to a refused request.

use crate::{ConfigError, Response};

/// A reply to send in place of the upstream's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u32,
    /// Response-code details for access logs.
    pub details: String,
    /// Header names and values, content type included.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// The gRPC status for a gRPC client: the body then becomes its message. `None`: Envoy maps the HTTP status.
    pub grpc_status: Option<u32>,
}

/// gRPC's PERMISSION_DENIED, RESOURCE_EXHAUSTED, INVALID_ARGUMENT and INTERNAL for the statuses of refusals.
const fn grpc_status(status: u32) -> u32 {
    match status {
        413 | 429 => 8,
        400 | 415 => 3,
        500..=599 => 13,
        _ => 7,
    }
}

/// The longest request id that is quoted.
const MAX_ID: usize = 64;
const PLACEHOLDER: &str = "{requestId}";

/// The configured response.
#[derive(Clone, Debug)]
pub struct ResponseTemplate {
    status: u32,
    body: String,
    headers: Vec<(String, String)>,
}

impl ResponseTemplate {
    /// Checks and compiles what a configuration has at its field `response`.
    ///
    /// # Errors
    /// For a name or value that no header can have, and for headers that are the proxy's.
    pub fn compile(config: &Response) -> Result<Self, ConfigError> {
        if !is_field_value(&config.content_type) || config.content_type.is_empty() {
            return Err(ConfigError::at(
                "response.contentType",
                "not a header value",
            ));
        }
        let mut headers = Vec::new();
        if !config.body.is_empty() {
            headers.push(("content-type".to_owned(), config.content_type.clone()));
        }
        for (name, value) in &config.headers {
            let path = format!("response.headers.{name}");
            if !is_field_name(name) {
                return Err(ConfigError::at(path, "not a header name"));
            }
            if !is_field_value(value) {
                return Err(ConfigError::at(path, "not a header value"));
            }
            let name = name.to_ascii_lowercase();
            if matches!(
                name.as_str(),
                "content-type" | "content-length" | "transfer-encoding" | "connection"
            ) {
                return Err(ConfigError::at(
                    path,
                    format!(
                        "`{name}` is not set here; `response.contentType` sets the type, the proxy the rest"
                    ),
                ));
            }
            headers.push((name, value.clone()));
        }
        Ok(Self {
            status: config.status.0,
            body: config.body.clone(),
            headers,
        })
    }

    /// The configured status.
    pub const fn status(&self) -> u32 {
        self.status
    }

    /// The answer with `status` and the response-code details `details`. `request_id` is the client's or the proxy's text:
    /// it is quoted only if it is a plain word.
    pub fn answer(&self, status: u32, details: String, request_id: &[u8], grpc: bool) -> Answer {
        let id = quotable(request_id);
        Answer {
            status,
            details,
            headers: self
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), with_id(value, id)))
                .collect(),
            body: with_id(&self.body, id),
            grpc_status: grpc.then(|| grpc_status(status)),
        }
    }
}

/// The text with the id in its places. Most have none, and a search for the brace alone is a fraction of one for the word.
fn with_id(text: &str, id: &str) -> String {
    if text.as_bytes().contains(&b'{') {
        text.replace(PLACEHOLDER, id)
    } else {
        text.to_owned()
    }
}

/// The id if it can be put into a page and a header without a second thought (a UUID, as Envoy makes), else `-`.
fn quotable(request_id: &[u8]) -> &str {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match std::str::from_utf8(request_id) {
        Ok(id) if !id.is_empty() && id.len() <= MAX_ID && id.as_bytes().iter().all(plain) => id,
        _ => "-",
    }
}

/// Whether `name` is a header field's name (RFC 9110 section 5.1).
pub fn is_field_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A field value without control characters (RFC 9110 section 5.5).
fn is_field_value(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte == b'\t' || (byte >= 0x20 && byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_request_id_is_quoted() {
        assert_eq!(
            quotable(b"6f1c2a9e-77aa-4d0e-9f3b-1f0a2b3c4d5e"),
            "6f1c2a9e-77aa-4d0e-9f3b-1f0a2b3c4d5e"
        );
        for hostile in [
            &b""[..],
            b"<script>",
            b"a\r\nset-cookie: x",
            b"\xff",
            &[b'a'; 65],
        ] {
            assert_eq!(quotable(hostile), "-");
        }
    }
}
