//! Answers as a service sends them.

#![allow(dead_code, reason = "each test uses its own part")]

use backstop_ext_authz::answer::{Action, HeaderChange};
use backstop_ext_authz::message::{
    BoolValue, CheckResponse, DeniedHttpResponse, HeaderValue, HeaderValueOption, HttpResponse,
    HttpStatus, OkHttpResponse, Status,
};
use prost::Message as _;

pub fn response(code: Option<i32>, response: Option<HttpResponse>) -> Vec<u8> {
    CheckResponse {
        status: code.map(|code| Status {
            code,
            message: "for developers".to_owned(),
        }),
        http_response: response,
    }
    .encode_to_vec()
}

pub fn option(
    name: &str,
    value: &str,
    append: Option<bool>,
    append_action: i32,
) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key: name.to_owned(),
            value: value.to_owned(),
            raw_value: Vec::new(),
        }),
        append: append.map(|value| BoolValue { value }),
        append_action,
    }
}

pub fn ok(headers: Vec<HeaderValueOption>) -> Option<HttpResponse> {
    Some(HttpResponse::Ok(OkHttpResponse {
        headers,
        ..OkHttpResponse::default()
    }))
}

pub fn denied(status: i32, headers: Vec<HeaderValueOption>, body: &str) -> Option<HttpResponse> {
    Some(HttpResponse::Denied(DeniedHttpResponse {
        status: Some(HttpStatus { code: status }),
        headers,
        body: body.to_owned(),
    }))
}

pub fn change(action: Action, name: &str, value: &str) -> HeaderChange {
    HeaderChange {
        action,
        name: name.to_owned(),
        value: value.to_owned(),
    }
}
