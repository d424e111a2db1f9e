//! The platform's verdicts, as the service's answers spell them.

use std::time::Duration;

use backstop_http::Headers;
use backstop_policy::answer::is_field_name;
use backstop_policy::{Answer, ConfigError, Response, ResponseTemplate};

use crate::accept::prefers_html;
use crate::answer::{Decision, Denied};
use crate::config::{Challenge, Throttle};

/// What the reason header says of CHALLENGE.
const CHALLENGE_REQUIRED: &str = "CHALLENGE_REQUIRED";
/// What it says of BLOCK.
const BLOCKED: &str = "BLOCKED";
/// The longest that a request is held.
const MAX_DELAY: Duration = Duration::from_secs(2);

/// What the service thinks of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing against it.
    None,
    /// It passes, but is held for so long before.
    Throttle(Duration),
    /// It has to solve a challenge first.
    Challenge,
    /// It is refused, and goes on the block list.
    Block,
    /// It is refused for a reason that is no verdict of the bot engine.
    Denied,
}

impl Verdict {
    /// The word in logs, metrics and response-code details.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Throttle(_) => "throttle",
            Self::Challenge => "challenge",
            Self::Block => "block",
            Self::Denied => "denied",
        }
    }
}

/// How verdicts are told apart, and what clients get.
#[derive(Clone, Debug)]
pub struct Translation {
    reason_header: String,
    throttle_header: String,
    max_delay: Duration,
    forward: bool,
    json: ResponseTemplate,
    html: ResponseTemplate,
    refused: ResponseTemplate,
}

impl Translation {
    /// Compiles `throttle`, `challenge` and `response`.
    ///
    /// # Errors
    /// What is wrong, at its JSON path.
    pub fn compile(
        throttle: &Throttle,
        challenge: &Challenge,
        response: &Response,
    ) -> Result<Self, ConfigError> {
        let header = |at: &str, name: &str| {
            if is_field_name(name) {
                Ok(name.to_ascii_lowercase())
            } else {
                Err(ConfigError::at(at, "not a header name"))
            }
        };
        if throttle.max_delay.0 > MAX_DELAY {
            return Err(ConfigError::at(
                "throttle.maxDelay",
                "a request is held for at most 2s",
            ));
        }
        let page = |body: &str, content_type: &str| {
            ResponseTemplate::compile(&Response {
                body: body.to_owned(),
                content_type: content_type.to_owned(),
                ..Response::default()
            })
        };
        Ok(Self {
            reason_header: header("challenge.reasonHeader", &challenge.reason_header)?,
            throttle_header: header("throttle.header", &throttle.header)?,
            max_delay: throttle.max_delay.0,
            forward: throttle.forward,
            json: page(&challenge.json_body, "application/json")?,
            html: page(&challenge.html_body, "text/html; charset=utf-8")?,
            refused: ResponseTemplate::compile(response)?,
        })
    }

    /// The verdict that a decision spells; `None` where the service could not tell. The header of THROTTLE is taken out of
    /// what the upstream gets, unless configuration says otherwise. A delay that is no number of milliseconds is none.
    pub fn verdict(&self, decision: &mut Decision) -> Option<Verdict> {
        match decision {
            Decision::Error => None,
            Decision::Denied(denied) => Some(match self.reason(denied) {
                Some(reason) if reason.eq_ignore_ascii_case(CHALLENGE_REQUIRED) => {
                    Verdict::Challenge
                }
                Some(reason) if reason.eq_ignore_ascii_case(BLOCKED) => Verdict::Block,
                _ => Verdict::Denied,
            }),
            Decision::Allowed(allowed) => {
                let delay = allowed
                    .request
                    .iter()
                    .rev()
                    .find(|change| change.name == self.throttle_header)
                    .and_then(|change| millis(&change.value));
                if !self.forward {
                    allowed
                        .request
                        .retain(|change| change.name != self.throttle_header);
                }
                let delay = delay.unwrap_or_default().min(self.max_delay);
                Some(if delay.is_zero() {
                    Verdict::None
                } else {
                    Verdict::Throttle(delay)
                })
            }
        }
    }

    fn reason<'a>(&self, denied: &'a Denied) -> Option<&'a str> {
        denied
            .headers
            .iter()
            .find(|(name, _)| *name == self.reason_header)
            .map(|(_, value)| value.trim())
    }

    /// The client's answer to a refusal: the service's status and headers, and its body or, if it sends none, one of ours.
    pub fn refusal(&self, denied: &Denied, verdict: Verdict, headers: &Headers) -> Answer {
        let details = format!("ext_authz{{{}}}", verdict.word());
        let id = headers.first(b"x-request-id").unwrap_or_default();
        let template = match verdict {
            Verdict::Challenge if prefers_html(headers) => &self.html,
            Verdict::Challenge => &self.json,
            _ => &self.refused,
        };
        let mut answer = template.answer(denied.status, details, id, is_grpc(headers));
        if !denied.body.is_empty() {
            // Its type is the service's to say.
            answer.headers.clear();
            answer.body.clone_from(&denied.body);
        } else if (300..=399).contains(&denied.status) {
            // Somebody is sent elsewhere: there is nothing to read here.
            answer.headers.clear();
            answer.body.clear();
        }
        answer
            .headers
            .retain(|(name, _)| !denied.headers.iter().any(|(own, _)| own == name));
        answer.headers.extend(denied.headers.iter().cloned());
        if !answer.body.is_empty()
            && !answer
                .headers
                .iter()
                .any(|(name, _)| name == "content-type")
        {
            let plain = "text/plain; charset=utf-8";
            answer
                .headers
                .push(("content-type".to_owned(), plain.to_owned()));
        }
        answer
    }

    /// What requests are answered that the gateway itself refuses.
    pub const fn own(&self) -> &ResponseTemplate {
        &self.refused
    }

    /// The answer to a request that is refused by the gateway itself: `why` goes into the response-code details.
    pub fn own_refusal(&self, status: Option<u32>, why: &str, headers: &Headers) -> Answer {
        let id = headers.first(b"x-request-id").unwrap_or_default();
        self.refused.answer(
            status.unwrap_or(self.refused.status()),
            format!("ext_authz{{{why}}}"),
            id,
            is_grpc(headers),
        )
    }
}

fn is_grpc(headers: &Headers) -> bool {
    backstop_http::Exchange::of(headers).is_grpc()
}

/// A number of milliseconds; too many are as many as there can be.
fn millis(value: &str) -> Option<Duration> {
    let digits = value.trim();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(Duration::from_millis(digits.parse().unwrap_or(u64::MAX)))
}
