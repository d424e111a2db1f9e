//! The call that the caller makes, and what comes back.

use std::time::Duration;

use backstop_http::Headers;

use crate::answer::Decision;
use crate::api::CriticalApi;
use crate::check::{BodyPrefix, METHOD, Question, SERVICE, trace_headers};
use crate::gate::Host;
use crate::outcome::Failure;
use crate::policy::{Protocol, Target};

/// A call to the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The proxy's cluster.
    pub cluster: String,
    /// How long it may take.
    pub timeout: Duration,
    /// What is sent.
    pub content: Content,
}

/// Names and values of headers or metadata.
pub type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A gRPC message.
    Grpc {
        /// `:authority`.
        authority: String,
        /// The service's full name.
        service: &'static str,
        /// Its method.
        method: &'static str,
        /// Initial metadata.
        metadata: Pairs,
        /// The message.
        message: Vec<u8>,
    },
    /// An HTTP request.
    Http {
        /// Headers, pseudo headers first.
        headers: Pairs,
        /// The body.
        body: Vec<u8>,
    },
}

/// What came back.
#[derive(Clone, Copy, Debug)]
pub enum Reply<'a> {
    /// A gRPC message.
    Grpc(&'a [u8]),
    /// An HTTP response.
    Http {
        /// Its headers, `:status` among them.
        headers: &'a Headers,
        /// Its body.
        body: &'a [u8],
    },
    /// Nothing.
    Failed(Failure),
}

impl Call {
    pub(crate) fn new(
        target: &Target,
        question: &Question,
        api: &CriticalApi,
        headers: &Headers,
        host: &impl Host,
        body: Option<BodyPrefix<'_>>,
    ) -> Self {
        let content = match &target.protocol {
            Protocol::Grpc {
                authority,
                metadata,
            } => {
                let own = metadata
                    .iter()
                    .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
                let trace = trace_headers(headers)
                    .map(|(name, value)| (name.as_bytes().to_vec(), value.to_vec()));
                Content::Grpc {
                    authority: authority.clone(),
                    service: SERVICE,
                    method: METHOD,
                    metadata: own.chain(trace).collect(),
                    message: question.grpc(&api.event_type, headers, &host.facts(), body),
                }
            }
            Protocol::Http(http) => {
                let asked = http.question(question, &api.event_type, headers, body);
                Content::Http {
                    headers: asked.headers,
                    body: asked.body,
                }
            }
        };
        Self {
            cluster: target.cluster.clone(),
            timeout: api.timeout,
            content,
        }
    }
}

impl Reply<'_> {
    /// What the service says.
    pub(crate) fn read(self, target: &Target) -> Result<Decision, Failure> {
        match (self, &target.protocol) {
            (Self::Failed(failure), _) => Err(failure),
            (Self::Grpc(bytes), Protocol::Grpc { .. }) => {
                Decision::read_grpc(bytes).map_err(Failure::Malformed)
            }
            (Self::Http { headers, body }, Protocol::Http(http)) => {
                http.read(headers, body).map_err(Failure::Malformed)
            }
            (Self::Grpc(_) | Self::Http { .. }, _) => Err(Failure::Service),
        }
    }
}
