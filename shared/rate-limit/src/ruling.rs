//! What becomes of a request that a rate-limit service was asked about.

use backstop_http::{Exchange, Headers};
use backstop_policy::Answer;
use backstop_rls as rls;

use crate::config::{FailureMode, Mode};
use crate::decision::{Decision, Outcome};
use crate::global::Global;
use crate::limiter::Limiter;

/// gRPC's RESOURCE_EXHAUSTED.
const RESOURCE_EXHAUSTED: u32 = 8;
/// gRPC's UNAVAILABLE.
const UNAVAILABLE: u32 = 14;
/// gRPC's DEADLINE_EXCEEDED.
const DEADLINE_EXCEEDED: u32 = 4;

/// How the call to the service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'a> {
    /// A message came.
    Message(&'a [u8]),
    /// The call ended with this gRPC status, so many nanoseconds after it began.
    Status(u32, u64),
    /// The proxy did not send the question: it does not know the cluster, or there is nobody in it.
    NotSent,
}

/// What the service's reply means for the request.
#[derive(Clone, Debug)]
pub struct Ruling {
    /// What it says: never [`Outcome::NotTaken`].
    pub outcome: Outcome,
    /// Why the service's word is missing, if it is.
    pub failure: Option<Failure>,
    /// What the service answered.
    pub(crate) answer: rls::Answer,
}

/// Why the service's word is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The proxy did not send the question.
    NotSent,
    /// No answer in time.
    Timeout,
    /// The service cannot be reached, or says that it cannot answer.
    Unavailable,
    /// Another gRPC status.
    Status,
    /// An answer that is none.
    Malformed,
}

impl Failure {
    /// The word in metrics, logs and response details.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotSent => "not-sent",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Status => "error-status",
            Self::Malformed => "malformed",
        }
    }

    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::NotSent,
        Self::Timeout,
        Self::Unavailable,
        Self::Status,
        Self::Malformed,
    ];
}

fn read(reply: Reply<'_>, timeout_millis: u32) -> Result<rls::Answer, Failure> {
    // Timers may run a little early, by a clock that was read before.
    let late = u64::from(timeout_millis) * (1_000_000 / 16 * 15);
    match reply {
        Reply::Message(bytes) => rls::Answer::read(bytes).map_err(|_| Failure::Malformed),
        Reply::NotSent => Err(Failure::NotSent),
        Reply::Status(DEADLINE_EXCEEDED, _) => Err(Failure::Timeout),
        // Envoy ends a call that took too long with UNAVAILABLE, too.
        Reply::Status(UNAVAILABLE, waited) if waited >= late => Err(Failure::Timeout),
        Reply::Status(UNAVAILABLE, _) => Err(Failure::Unavailable),
        Reply::Status(..) => Err(Failure::Status),
    }
}

impl Ruling {
    fn of(global: &Global, mode: Mode, reply: Reply<'_>) -> Self {
        let (answer, failure) = match read(reply, global.timeout_millis) {
            Ok(answer) => (answer, None),
            Err(failure) => (rls::Answer::default(), Some(failure)),
        };
        let refused = match failure {
            Some(_) => global.failure_mode == FailureMode::Deny,
            None => answer.over_limit,
        };
        let outcome = match (refused, mode) {
            (false, _) => Outcome::Allowed,
            (true, Mode::Enforce) => Outcome::Limited,
            (true, Mode::Shadow) => Outcome::WouldLimit,
        };
        Self {
            outcome,
            failure,
            answer,
        }
    }

    /// The word in metrics and logs: a failure's, or else the outcome's.
    pub const fn word(&self) -> &'static str {
        match self.failure {
            Some(failure) => failure.word(),
            None => self.outcome.word(),
        }
    }

    /// What the service wants to have on the request to the upstream: names in lower case.
    pub fn request_headers(&self) -> &[(String, String)] {
        &self.answer.request_headers
    }
}

impl Limiter {
    /// Completes a decision that came with a question.
    pub fn rule(&self, decision: &mut Decision, reply: Reply<'_>) {
        decision.question = None;
        if let Some(global) = &self.policy().global {
            let mode = decision.mode(global.mode);
            decision.ruling = Some(Ruling::of(global, mode, reply));
        }
    }

    /// The answer to a request that the service's word, or its silence, refuses.
    pub(crate) fn answer_to(&self, ruling: &Ruling, headers: &Headers) -> Option<Answer> {
        let global = self.policy().global.as_ref()?;
        let response = &self.policy().response;
        let id = headers.first(b"x-request-id").unwrap_or_default();
        let (status, grpc_status, reason) = match ruling.failure {
            None => (response.status(), RESOURCE_EXHAUSTED, String::new()),
            Some(failure) => (
                global.status_on_error,
                UNAVAILABLE,
                format!(":{}", failure.word()),
            ),
        };
        let mut answer = response.answer(
            status,
            format!("backstop_rate_limit{{{}{reason}}}", global.name()),
            id,
            Exchange::of(headers).is_grpc(),
        );
        if answer.grpc_status.is_some() {
            answer.grpc_status = Some(grpc_status);
        }
        let told = &ruling.answer.response_headers;
        answer.headers.extend(told.iter().cloned());
        answer.headers.extend(self.service_headers(ruling));
        Some(answer)
    }

    /// The wait and the limit as the service tells them, as far as they are wanted and the service did not write the
    /// headers itself.
    fn service_headers(&self, ruling: &Ruling) -> Vec<(String, String)> {
        let wanted = &self.policy().headers;
        let told = &ruling.answer.response_headers;
        let mut headers = Vec::new();
        let mut push = |name: &str, value: String| {
            if !told.iter().any(|(other, _)| other == name) {
                headers.push((name.to_owned(), value));
            }
        };
        if let Some(wait) = ruling.answer.retry_after().filter(|_| wanted.retry_after) {
            push("retry-after", wait.max(1).to_string());
        }
        if let Some(status) = ruling.answer.scarcest().filter(|_| wanted.x_rate_limit)
            && let Some((limit, window)) = status.limit
        {
            push("x-ratelimit-limit", format!("{limit}, {limit};w={window}"));
            push("x-ratelimit-remaining", status.remaining.to_string());
            if let Some(reset) = status.reset_seconds {
                push("x-ratelimit-reset", reset.to_string());
            }
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_a_call_has_its_name() {
        for (reply, expected) in [
            (Reply::NotSent, Failure::NotSent),
            (Reply::Status(14, 250_000_000), Failure::Timeout),
            (Reply::Status(14, 249_000_000), Failure::Timeout),
            (Reply::Status(14, 200_000_000), Failure::Unavailable),
            (Reply::Status(14, 0), Failure::Unavailable),
            (Reply::Status(4, 0), Failure::Timeout),
            (Reply::Status(2, 250_000_000), Failure::Status),
            (Reply::Status(0, 0), Failure::Status),
            (Reply::Message(b""), Failure::Malformed),
            (Reply::Message(b"\xff"), Failure::Malformed),
        ] {
            assert_eq!(read(reply, 250), Err(expected), "{reply:?}");
        }
        let over_limit = |bytes| read(Reply::Message(bytes), 250).unwrap().over_limit;
        assert!(!over_limit(b"\x08\x01") && over_limit(b"\x08\x02"));
    }
}
