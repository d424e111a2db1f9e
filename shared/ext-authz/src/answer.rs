//! What an authorization service's answer says, whichever way it came.

use backstop_policy::answer::is_field_name;
use prost::Message as _;

use crate::message::{
    CheckResponse, DeniedHttpResponse, HeaderValueOption, HttpResponse, OkHttpResponse,
    QueryParameter, Status,
};

/// The most header changes of one answer, of each kind.
const MAX_CHANGES: usize = 64;
/// The longest name and value.
const MAX_HEADER: usize = 8 * 1024;
/// The longest body.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// What a service says about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may pass.
    Allowed(Allowed),
    /// It may not.
    Denied(Denied),
    /// The service could not tell (its `error_response`, or a 5xx over HTTP).
    Error,
}

/// What becomes of a request that may pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// For its headers, in order.
    pub request: Vec<HeaderChange>,
    /// Headers of it that go, in small letters.
    pub remove: Vec<String>,
    /// For the headers of the upstream's response.
    pub response: Vec<HeaderChange>,
    /// Query parameters that are set.
    pub set_query: Vec<(String, String)>,
    /// Query parameters that go.
    pub remove_query: Vec<String>,
}

/// The answer to a request that may not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The status.
    pub status: u32,
    /// Headers: names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// One change of headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderChange {
    /// What becomes of a header that is there already.
    pub action: Action,
    /// The name, in small letters.
    pub name: String,
    /// The value.
    pub value: String,
}

/// What becomes of a header that is there already, and of one that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is replaced, or added.
    Set,
    /// Another one is added.
    Append,
    /// It stays, or is added.
    AddIfAbsent,
    /// It is replaced, or stays away.
    SetIfPresent,
}

/// Why an answer says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes are no `CheckResponse`, or an empty one.
    NotAMessage,
    /// Its status says one thing and its response another.
    Contradiction,
    /// A header that no message can have.
    Header,
    /// A status that no refusal can have.
    Status,
    /// More headers or body than is taken from one answer.
    TooLarge,
}

impl Malformed {
    /// The word in logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotAMessage => "not-a-message",
            Self::Contradiction => "contradiction",
            Self::Header => "header",
            Self::Status => "status",
            Self::TooLarge => "too-large",
        }
    }
}

impl Decision {
    /// Reads the bytes of a `CheckResponse`. Its status decides, as in Envoy's filter; unlike there, an answer without a
    /// status that does not carry an `ok_response` is malformed, and so is one whose status contradicts its response: what
    /// no service means to send must not let a request pass unseen.
    ///
    /// # Errors
    /// When the answer says nothing.
    pub fn read_grpc(bytes: &[u8]) -> Result<Self, Malformed> {
        let response = CheckResponse::decode(bytes).map_err(|_| Malformed::NotAMessage)?;
        let passes = response.status.map(|status| status.code == 0);
        match (passes, response.http_response) {
            (_, Some(HttpResponse::Error(_))) if passes != Some(true) => Ok(Self::Error),
            (Some(true) | None, Some(HttpResponse::Ok(ok))) => allowed(ok).map(Self::Allowed),
            (Some(true), None) => Ok(Self::Allowed(Allowed::default())),
            (Some(false), Some(HttpResponse::Denied(denied))) => denial(denied).map(Self::Denied),
            (Some(false), None) => denial(DeniedHttpResponse::default()).map(Self::Denied),
            (None, None) => Err(Malformed::NotAMessage),
            _ => Err(Malformed::Contradiction),
        }
    }

    /// The bytes of a `CheckResponse` that says the same.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (code, response) = match self {
            Self::Allowed(allowed) => (0, HttpResponse::Ok(to_ok(allowed))),
            Self::Denied(denied) => (7, HttpResponse::Denied(to_denied(denied))),
            Self::Error => (13, HttpResponse::Error(DeniedHttpResponse::default())),
        };
        CheckResponse {
            status: Some(Status {
                code,
                message: String::new(),
            }),
            http_response: Some(response),
        }
        .encode_to_vec()
    }
}

fn allowed(ok: OkHttpResponse) -> Result<Allowed, Malformed> {
    let queries = ok.query_parameters_to_set.len() + ok.query_parameters_to_remove.len();
    if ok.headers_to_remove.len() > MAX_CHANGES || queries > MAX_CHANGES {
        return Err(Malformed::TooLarge);
    }
    let mut request = changes(ok.headers, Action::Set)?;
    request.retain(|change| !is_framing(&change.name));
    let mut response = changes(ok.response_headers_to_add, Action::Append)?;
    response.retain(|change| !is_framing(&change.name));
    Ok(Allowed {
        request,
        remove: ok
            .headers_to_remove
            .into_iter()
            .map(|name| name.to_ascii_lowercase())
            .filter(|name| is_field_name(name) && !is_framing(name))
            .collect(),
        response,
        set_query: ok
            .query_parameters_to_set
            .into_iter()
            .map(|QueryParameter { key, value }| (key, value))
            .collect(),
        remove_query: ok.query_parameters_to_remove,
    })
}

fn denial(denied: DeniedHttpResponse) -> Result<Denied, Malformed> {
    let status = match denied.status.map_or(0, |status| status.code) {
        0 => 403,
        status => u32::try_from(status)
            .ok()
            .filter(|status| (200..=599).contains(status))
            .ok_or(Malformed::Status)?,
    };
    if denied.body.len() > MAX_BODY {
        return Err(Malformed::TooLarge);
    }
    let mut headers: Vec<(String, String)> = Vec::new();
    for change in changes(denied.headers, Action::Set)? {
        if !is_framing(&change.name) {
            apply(&mut headers, change);
        }
    }
    Ok(Denied {
        status,
        headers,
        body: denied.body,
    })
}

/// One change, on a list of headers.
fn apply(headers: &mut Vec<(String, String)>, change: HeaderChange) {
    let there = headers.iter().any(|(name, _)| *name == change.name);
    let (replaces, adds) = match change.action {
        Action::Set => (true, true),
        Action::Append => (false, true),
        Action::AddIfAbsent => (false, !there),
        Action::SetIfPresent => (there, there),
    };
    if replaces {
        headers.retain(|(name, _)| *name != change.name);
    }
    if adds {
        headers.push((change.name, change.value));
    }
}

/// `unsaid`: what a header means that does not say what becomes of one that is there. For the request's headers that is to
/// replace it, as Envoy's documentation has it: what a service says about a user must not stand beside what the client wrote.
fn changes(
    options: Vec<HeaderValueOption>,
    unsaid: Action,
) -> Result<Vec<HeaderChange>, Malformed> {
    if options.len() > MAX_CHANGES {
        return Err(Malformed::TooLarge);
    }
    let mut changes = Vec::with_capacity(options.len());
    for option in options {
        let header = option.header.ok_or(Malformed::Header)?;
        let value = if header.value.is_empty() {
            String::from_utf8(header.raw_value).map_err(|_| Malformed::Header)?
        } else {
            header.value
        };
        let action = match (
            option.append.map(|append| append.value),
            option.append_action,
        ) {
            (Some(true), _) => Action::Append,
            (Some(false), _) => Action::Set,
            (None, 0) => unsaid,
            (None, 1) => Action::AddIfAbsent,
            (None, 2) => Action::Set,
            (None, 3) => Action::SetIfPresent,
            (None, _) => return Err(Malformed::Header),
        };
        changes.push(change(action, &header.key, value)?);
    }
    Ok(changes)
}

/// A change of a header that a message can have.
pub(crate) fn change(action: Action, name: &str, value: String) -> Result<HeaderChange, Malformed> {
    let plain = name.strip_prefix(':').unwrap_or(name);
    if name.len() > MAX_HEADER || value.len() > MAX_HEADER {
        return Err(Malformed::TooLarge);
    }
    let good = |byte: u8| byte == b'\t' || (byte >= 0x20 && byte != 0x7f);
    if !is_field_name(plain) || !value.bytes().all(good) {
        return Err(Malformed::Header);
    }
    Ok(HeaderChange {
        action,
        name: name.to_ascii_lowercase(),
        value,
    })
}

/// Headers that say where a message ends and where it goes: they are the proxy's, whatever a service says.
pub(crate) fn is_framing(name: &str) -> bool {
    name.starts_with(':')
        || matches!(
            name,
            "host"
                | "content-length"
                | "transfer-encoding"
                | "connection"
                | "keep-alive"
                | "upgrade"
                | "te"
                | "trailer"
                | "proxy-connection"
        )
}

fn to_options(changes: &[HeaderChange]) -> Vec<HeaderValueOption> {
    changes
        .iter()
        .map(|change| option(change.action, &change.name, &change.value))
        .collect()
}

fn option(action: Action, name: &str, value: &str) -> HeaderValueOption {
    use crate::message::{BoolValue, HeaderValue};
    let (append, append_action) = match action {
        Action::Set => (None, 2),
        // Said by the old field, since the new one's 0 cannot be told from nothing.
        Action::Append => (Some(BoolValue { value: true }), 0),
        Action::AddIfAbsent => (None, 1),
        Action::SetIfPresent => (None, 3),
    };
    HeaderValueOption {
        header: Some(HeaderValue {
            key: name.to_owned(),
            value: value.to_owned(),
            raw_value: Vec::new(),
        }),
        append,
        append_action,
    }
}

fn to_ok(allowed: &Allowed) -> OkHttpResponse {
    OkHttpResponse {
        headers: to_options(&allowed.request),
        headers_to_remove: allowed.remove.clone(),
        response_headers_to_add: to_options(&allowed.response),
        query_parameters_to_set: allowed
            .set_query
            .iter()
            .map(|(key, value)| QueryParameter {
                key: key.clone(),
                value: value.clone(),
            })
            .collect(),
        query_parameters_to_remove: allowed.remove_query.clone(),
    }
}

fn to_denied(denied: &Denied) -> DeniedHttpResponse {
    DeniedHttpResponse {
        status: Some(crate::message::HttpStatus {
            code: i32::try_from(denied.status).unwrap_or(403),
        }),
        headers: denied
            .headers
            .iter()
            .map(|(name, value)| option(Action::Append, name, value))
            .collect(),
        body: denied.body.clone(),
    }
}
