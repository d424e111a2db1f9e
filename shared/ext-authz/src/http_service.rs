//! The other half of Envoy's protocol: the service is an HTTP server.

use backstop_http::{Headers, Occurrence};
use backstop_policy::ConfigError;
use backstop_policy::answer::is_field_name;

use crate::answer::{Action, Allowed, Decision, Denied, MAX_BODY, Malformed, change, is_framing};
use crate::check::{BodyPrefix, Question, text, trace_headers};
use crate::config::HttpService;
use crate::header_names::HeaderNames;

/// The answer's header with the names of request headers that go, comma-separated.
const TO_REMOVE: &[u8] = b"x-envoy-auth-headers-to-remove";

/// An HTTP service, compiled.
#[derive(Clone, Debug)]
pub struct HttpProtocol {
    path_prefix: String,
    add: Vec<(String, String)>,
    upstream: HeaderNames,
    upstream_append: HeaderNames,
    client: HeaderNames,
    client_on_success: HeaderNames,
}

/// A question over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpQuestion {
    /// Headers, pseudo headers first.
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpProtocol {
    /// Compiles `service.http`.
    ///
    /// # Errors
    /// What is wrong, at its JSON path.
    pub fn compile(config: &HttpService) -> Result<Self, ConfigError> {
        let prefix = &config.path_prefix;
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#');
        if !(prefix.is_empty() || prefix.starts_with('/') && prefix.bytes().all(plain)) {
            return Err(ConfigError::at(
                "service.http.pathPrefix",
                "a path prefix begins with `/` and has no `?` or `#`",
            ));
        }
        let mut add = Vec::new();
        for (name, value) in &config.headers_to_add {
            let at = format!("service.http.headersToAdd.{name}");
            if !is_field_name(name) || is_framing(&name.to_ascii_lowercase()) {
                return Err(ConfigError::at(at, "not a header that can be set here"));
            }
            let change = change(Action::Set, name, value.clone())
                .map_err(|_| ConfigError::at(at, "not a header value"))?;
            add.push((change.name, change.value));
        }
        let names = |field: &str, names: &[String]| {
            HeaderNames::compile(format_args!("service.http.{field}"), names)
        };
        Ok(Self {
            path_prefix: prefix.strip_suffix('/').unwrap_or(prefix).to_owned(),
            add,
            upstream: names("allowedUpstreamHeaders", &config.allowed_upstream_headers)?,
            upstream_append: names(
                "allowedUpstreamHeadersToAppend",
                &config.allowed_upstream_headers_to_append,
            )?,
            client: names("allowedClientHeaders", &config.allowed_client_headers)?,
            client_on_success: names(
                "allowedClientHeadersOnSuccess",
                &config.allowed_client_headers_on_success,
            )?,
        })
    }

    /// The question about a request: its method, its path behind the prefix, its host, `authorization`, the headers that
    /// `check` allows, the trace, and the body's beginning.
    pub fn question(
        &self,
        question: &Question,
        event_type: &str,
        headers: &Headers,
        body: Option<BodyPrefix<'_>>,
    ) -> HttpQuestion {
        let mut path = self.path_prefix.clone().into_bytes();
        path.extend_from_slice(headers.path());
        let pair = |name: &str, value: &[u8]| (name.as_bytes().to_vec(), value.to_vec());
        let mut sent = vec![
            pair(":method", headers.method()),
            pair(":path", &path),
            pair(":authority", headers.authority()),
        ];
        if !headers.scheme().is_empty() {
            sent.push(pair(":scheme", headers.scheme()));
        }
        for (name, value) in headers.regular() {
            let traced = name == b"traceparent" || name == b"tracestate";
            let wanted = (name == b"authorization" || question.allowed.contains(name))
                && !question.denied.contains(name)
                && !question.is_own(name)
                && !is_framing(&text(name))
                && !traced
                && !self.add.iter().any(|(own, _)| own.as_bytes() == name);
            if wanted {
                sent.push((name.to_vec(), value.to_vec()));
            }
        }
        for (name, value) in trace_headers(headers) {
            sent.push(pair(name, value));
        }
        sent.push(pair(question.event_type_header(), event_type.as_bytes()));
        for (name, value) in &self.add {
            sent.push(pair(name, value.as_bytes()));
        }
        let bytes = body.map_or(&b""[..], |body| body.bytes);
        if let Some(body) = body {
            let word: &[u8] = if body.partial { b"true" } else { b"false" };
            sent.push(pair("x-envoy-auth-partial-body", word));
        }
        sent.push(pair("content-length", bytes.len().to_string().as_bytes()));
        HttpQuestion {
            headers: sent,
            body: bytes.to_vec(),
        }
    }

    /// Reads an answer: 200 lets the request pass, 5xx is an error, all else refuses it.
    ///
    /// # Errors
    /// When the answer says nothing.
    pub fn read(&self, headers: &Headers, body: &[u8]) -> Result<Decision, Malformed> {
        let status = match headers.occurrence(b":status") {
            Occurrence::Once(status) => status,
            Occurrence::Absent | Occurrence::Repeated(_) => return Err(Malformed::Status),
        };
        let status = std::str::from_utf8(status)
            .ok()
            .and_then(|status| status.parse::<u32>().ok())
            .filter(|status| (200..=599).contains(status))
            .ok_or(Malformed::Status)?;
        match status {
            200 => self.allowed(headers).map(Decision::Allowed),
            500..=599 => Ok(Decision::Error),
            status => self.denied(status, headers, body).map(Decision::Denied),
        }
    }

    fn allowed(&self, headers: &Headers) -> Result<Allowed, Malformed> {
        let mut allowed = Allowed::default();
        // The first of a name replaces the request's own, further ones stand beside it.
        for (name, value) in headers.regular() {
            let name_text = text(name);
            if is_framing(&name_text) {
                continue;
            }
            let value_text = || String::from_utf8(value.to_vec()).map_err(|_| Malformed::Header);
            if self.upstream.contains(name) {
                let seen = allowed.request.iter().any(|it| it.name == name_text);
                let action = if seen { Action::Append } else { Action::Set };
                allowed
                    .request
                    .push(change(action, &name_text, value_text()?)?);
            }
            if self.upstream_append.contains(name) {
                allowed
                    .request
                    .push(change(Action::Append, &name_text, value_text()?)?);
            }
            if self.client_on_success.contains(name) {
                allowed
                    .response
                    .push(change(Action::Append, &name_text, value_text()?)?);
            }
        }
        for list in headers.get_all(TO_REMOVE) {
            for name in list.split(|byte| *byte == b',') {
                let name = text(name.trim_ascii()).to_ascii_lowercase();
                if is_field_name(&name) && !is_framing(&name) {
                    allowed.remove.push(name);
                }
            }
        }
        Ok(allowed)
    }

    fn denied(&self, status: u32, headers: &Headers, body: &[u8]) -> Result<Denied, Malformed> {
        if body.len() > MAX_BODY {
            return Err(Malformed::TooLarge);
        }
        let mut list = Vec::new();
        for (name, value) in headers.regular() {
            let name_text = text(name);
            let goes = self.client.is_empty()
                || self.client.contains(name)
                || matches!(name, b"location" | b"www-authenticate");
            if goes && !is_framing(&name_text) {
                let value = String::from_utf8(value.to_vec()).map_err(|_| Malformed::Header)?;
                let change = change(Action::Append, &name_text, value)?;
                list.push((change.name, change.value));
            }
        }
        Ok(Denied {
            status,
            headers: list,
            body: String::from_utf8_lossy(body).into_owned(),
        })
    }
}
