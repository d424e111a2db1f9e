//! The gRPC half of the protocol.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::authorization_server::Authorization;
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{
    CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse,
};
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::protobuf::BoolValue;
use envoy_types::pb::google::rpc;
use tonic::{Request, Response, Status};

use crate::script::Script;
use crate::{Reset, Seen, act};

/// The service.
#[derive(Clone, Debug)]
pub struct Service(pub Arc<Seen>);

#[tonic::async_trait]
impl Authorization for Service {
    async fn check(
        &self,
        request: Request<CheckRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        let reset = request.extensions().get::<Reset>().cloned();
        let question = request.into_inner();
        let http = question
            .attributes
            .and_then(|attributes| attributes.request?.http)
            .ok_or_else(|| Status::invalid_argument("no HTTP request"))?;
        let script = Script::read(http.headers.get("x-verdict").map(String::as_str));
        act(&script, &reset.unwrap_or_default()).await;
        let (code, http_response) = match script.word.as_str() {
            "none" => (0, HttpResponse::OkResponse(allowed())),
            "challenge" => (
                7,
                HttpResponse::DeniedResponse(denied(428, "CHALLENGE_REQUIRED")),
            ),
            "block" => (7, HttpResponse::DeniedResponse(denied(403, "BLOCKED"))),
            "denied" => (
                16,
                HttpResponse::DeniedResponse(DeniedHttpResponse {
                    status: Some(HttpStatus { code: 401 }),
                    headers: vec![header("www-authenticate", "Bearer", false)],
                    body: "who are you".to_owned(),
                }),
            ),
            "garbage" => return Ok(Response::new(CheckResponse::default())),
            "error" => return Err(Status::internal("boom")),
            _ => match script.throttle() {
                Some(millis) => (
                    0,
                    HttpResponse::OkResponse(OkHttpResponse {
                        headers: vec![header("x-defense-throttle-ms", millis, false)],
                        ..OkHttpResponse::default()
                    }),
                ),
                None => return Err(Status::invalid_argument("no such verdict")),
            },
        };
        Ok(Response::new(CheckResponse {
            status: Some(rpc::Status {
                code,
                ..rpc::Status::default()
            }),
            http_response: Some(http_response),
            ..CheckResponse::default()
        }))
    }
}

fn allowed() -> OkHttpResponse {
    OkHttpResponse {
        headers: vec![
            header("x-user", "kim", false),
            header("x-tag", "checked", true),
        ],
        headers_to_remove: vec!["x-secret".to_owned()],
        response_headers_to_add: vec![header("x-checked", "yes", false)],
        ..OkHttpResponse::default()
    }
}

fn denied(status: i32, reason: &str) -> DeniedHttpResponse {
    DeniedHttpResponse {
        status: Some(HttpStatus { code: status }),
        headers: vec![header("x-defense-reason", reason, false)],
        body: String::new(),
    }
}

fn header(key: &str, value: &str, append: bool) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key: key.to_owned(),
            value: value.to_owned(),
            ..HeaderValue::default()
        }),
        #[expect(
            deprecated,
            reason = "the newer one's zero cannot be told from nothing"
        )]
        append: Some(BoolValue { value: append }),
        ..HeaderValueOption::default()
    }
}
