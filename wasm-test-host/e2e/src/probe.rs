//! One request as both runners send it, and what each saw come of it.

use anyhow::Result;
use backstop_host::{EndOfStream, HeaderMap, Outcome, Request};

use crate::case::RequestSpec;
use crate::client::{Body, Response, request_bytes};
use crate::http1::Fields;
use crate::upstream::{CASE_ID, Recorded};

/// Fields that Envoy itself adds for the upstream, or that only frame the message.
const NOT_THE_FILTERS: &[&str] = &[
    "x-forwarded-proto",
    "x-forwarded-for",
    "x-envoy-external-address",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-internal",
    "x-request-id",
    "content-length",
    "transfer-encoding",
    "connection",
];

/// A request that both runners can send.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What the test calls it; also the `x-case-id` by which the upstream knows it.
    pub name: String,
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: Vec<u8>,
    /// `:authority`.
    pub authority: Vec<u8>,
    /// Header fields without host and framing.
    pub fields: Fields,
    /// Content.
    pub body: Body,
}

/// A request as the upstream saw it, framing and Envoy's own fields left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Method, path and authority.
    pub line: String,
    /// Header fields.
    pub fields: Vec<(String, String)>,
    /// Content, as text with escapes.
    pub body: String,
    /// Trailer fields.
    pub trailers: Vec<(String, String)>,
    /// Whether it reached its end.
    pub complete: bool,
}

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Status the client saw.
    pub status: u16,
    /// `RESPONSE_CODE_DETAILS`.
    pub details: String,
    /// Filter state `wasm.waf_verdict`, empty where there is none.
    pub verdict: String,
    /// `content-type`, `grpc-status` and the body of a refusal: what the filter itself answers with.
    pub answer: Option<(String, String, String)>,
    /// What the upstream saw.
    pub upstream: Option<Seen>,
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn comparable(fields: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<(String, String)> {
    let own = fields.filter(|(name, _)| {
        !name.starts_with(':') && name != "host" && !NOT_THE_FILTERS.contains(&name.as_str())
    });
    own.map(|(name, value)| (name, text(&value))).collect()
}

fn lower(map: &HeaderMap) -> impl Iterator<Item = (String, Vec<u8>)> + '_ {
    map.iter()
        .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.to_vec()))
}

impl Probe {
    /// The probe of a case file's request.
    ///
    /// # Errors
    /// When its content cannot be made.
    pub fn from_spec(name: &str, spec: &RequestSpec) -> Result<Self> {
        let body = match (spec.chunked()?, spec.content()?) {
            (Some(chunks), _) => Body::Chunked(chunks, spec.trailer_fields()),
            (None, Some(content)) => Body::Whole(content),
            (None, None) => Body::None,
        };
        Ok(Self {
            name: name.to_owned(),
            method: spec.method.clone(),
            path: spec.path.clone().into_bytes(),
            authority: b"tickets.example".to_vec(),
            fields: spec.fields()?,
            body,
        })
    }

    /// The probe of a recorded request.
    pub fn from_traffic(case: &backstop_host::traffic::Case) -> Self {
        let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let body = match (&case.body, case.content_length()) {
            (Some(body), _) => Body::Whole(body.clone()),
            (None, Some(_)) => Body::Whole(Vec::new()),
            (None, None) => Body::None,
        };
        Self {
            name: case.id.clone(),
            method: name(&case.method),
            path: case.path.clone(),
            authority: case.authority.clone(),
            fields: case
                .headers
                .iter()
                .map(|(n, v)| (name(n), v.clone()))
                .collect(),
            body,
        }
    }

    fn all_fields(&self) -> Fields {
        let mut fields = vec![(CASE_ID.to_owned(), self.name.clone().into_bytes())];
        fields.extend(self.fields.iter().cloned());
        fields
    }

    /// The bytes for Envoy.
    pub fn wire(&self) -> Vec<u8> {
        let mut fields = vec![("host".to_owned(), self.authority.clone())];
        fields.extend(self.all_fields());
        request_bytes(&self.method, &self.path, &fields, &self.body)
    }

    /// The request for our host. `X-Forwarded-For` is resolved as the listeners of this crate do: one trusted hop.
    pub fn request(&self) -> Request {
        let mut request = Request::new(self.method.clone(), &self.path).host(&self.authority);
        for (name, value) in self.all_fields() {
            request = request.header(name, value);
        }
        match &self.body {
            Body::None => {}
            Body::Whole(content) => {
                request = request.body(content);
                if content.is_empty() {
                    request = request.header("content-length", "0");
                }
            }
            Body::Chunked(chunks, trailers) => {
                let sizes: Vec<usize> = chunks.iter().map(Vec::len).collect();
                request = request
                    .header("transfer-encoding", "chunked")
                    .body(chunks.concat())
                    .chunks(sizes);
                request = request.end_of_stream(EndOfStream::Separately);
                for (name, value) in trailers {
                    request = request.trailer(name, value);
                }
            }
        }
        match self.vouched_client() {
            Some(address) => request.client(format!("{address}:0")),
            None => request.client("127.0.0.1:41000"),
        }
    }

    fn vouched_client(&self) -> Option<String> {
        let mut hops = self
            .fields
            .iter()
            .rev()
            .filter(|(name, _)| name == "x-forwarded-for");
        let last = String::from_utf8_lossy(&hops.next()?.1).into_owned();
        Some(last.rsplit(',').next()?.trim().to_owned())
    }

    /// The view of a client and an upstream of Envoy.
    pub fn seen_by_envoy(response: &Response, upstream: Option<Recorded>) -> Ending {
        let details = response.field("x-e2e-details").unwrap_or_default();
        Ending {
            status: response.status,
            answer: (details != "via_upstream").then(|| {
                let field = |name| response.field(name).unwrap_or_default();
                (
                    field("content-type"),
                    field("grpc-status"),
                    text(&response.body),
                )
            }),
            details,
            verdict: response
                .field("x-e2e-verdict")
                .filter(|v| v != "-")
                .unwrap_or_default(),
            upstream: upstream.map(|message| Seen {
                line: format!(
                    "{} {}",
                    text(
                        message
                            .start_line
                            .strip_suffix(b" HTTP/1.1")
                            .unwrap_or(&message.start_line)
                    ),
                    text(message.field("host").unwrap_or_default())
                ),
                fields: comparable(message.fields.iter().cloned()),
                body: text(&message.body),
                trailers: comparable(message.trailers.iter().cloned()),
                complete: message.complete,
            }),
        }
    }

    /// The view of a client and an upstream of our host.
    pub fn seen_by_host(outcome: &Outcome) -> Ending {
        let field = |name: &str| outcome.response_headers.text(name).unwrap_or_default();
        Ending {
            status: outcome.status,
            details: outcome.details.clone(),
            verdict: outcome.state("waf_verdict").unwrap_or_default(),
            answer: (outcome.details != "via_upstream").then(|| {
                (
                    field("content-type"),
                    field("grpc-status"),
                    text(&outcome.response_body),
                )
            }),
            upstream: outcome.upstream.as_ref().map(|seen| Seen {
                line: [":method", ":path", ":authority"]
                    .map(|n| text(seen.headers.get(n).unwrap_or_default()))
                    .join(" "),
                fields: comparable(lower(&seen.headers)),
                body: text(&seen.body),
                trailers: seen
                    .trailers
                    .as_ref()
                    .map(|t| comparable(lower(t)))
                    .unwrap_or_default(),
                complete: seen.complete,
            }),
        }
    }
}

impl Ending {
    /// Both views of a request that was refused with its body on the way: how much of it had reached the upstream
    /// by then is a race in Envoy, so only whether it was whole counts.
    #[must_use]
    pub fn without_partial_upstream(mut self) -> Self {
        self.upstream = self.upstream.filter(|seen| seen.complete);
        self
    }
}
