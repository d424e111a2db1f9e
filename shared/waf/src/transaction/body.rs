//! The body phase: held back, or copied as it passes; read once; decoded; inspected.

use std::rc::Rc;

use backstop_detect::Scanner;

use crate::config::OnLimit;
use crate::inspect::Inspection;
use crate::report::Refusal;

use super::{Host, Next, Outcome, Transaction, inspection};

/// Where the body's inspection stands.
#[derive(Debug)]
pub(super) enum Body {
    /// There is nothing to inspect, or it is over.
    Done,
    /// The proxy holds the body back; so many bytes of it so far.
    Held {
        /// Bytes that the proxy has buffered.
        seen: usize,
    },
    /// The body passes, and this much of it was copied.
    Copied {
        /// The first bytes, at most the limit.
        prefix: Vec<u8>,
    },
}

/// The first bytes of a body.
struct Prefix {
    bytes: Vec<u8>,
    /// Whether that is all of it.
    complete: bool,
}

impl Transaction {
    /// `buffered` is `None` in the trailers phase, which brings no bytes.
    pub(super) fn body_phase(
        &mut self,
        scanner: &mut Scanner,
        host: &impl Host,
        buffered: Option<usize>,
        end: bool,
    ) -> Outcome {
        let limit = self.policy.body.limit;
        let collected = match &mut self.body {
            Body::Done => return Outcome::proceed(),
            Body::Held { seen } => {
                *seen = buffered.unwrap_or(*seen);
                collect_held(*seen, limit, end, self.policy.body.on_limit, host)
            }
            Body::Copied { prefix } => {
                collect_copy(prefix, buffered.unwrap_or(0), limit, end, host)
            }
        };
        match collected {
            Ok(None) if matches!(self.body, Body::Held { .. }) => Outcome::of(Next::Pause),
            Ok(None) => Outcome::proceed(),
            Ok(Some(prefix)) => {
                self.body = Body::Done;
                let limit_hit = !prefix.complete;
                let outcome = self.inspect_body(scanner, host, &prefix);
                Outcome {
                    limit_hit,
                    ..outcome
                }
            }
            Err(refusal) => {
                self.body = Body::Done;
                let outcome = self.refuse(refusal, host);
                Outcome {
                    limit_hit: refusal == Refusal::BodyTooLarge,
                    ..outcome
                }
            }
        }
    }

    fn inspect_body(
        &mut self,
        scanner: &mut Scanner,
        host: &impl Host,
        prefix: &Prefix,
    ) -> Outcome {
        let policy = Rc::clone(&self.policy);
        let mut inspection = inspection(&policy, scanner, &self.exclusions, &mut self.tally);
        walk(&mut inspection, &prefix.bytes);
        self.judge(host)
    }
}

/// What of a held body is to be inspected now; `None` as long as it has not ended and is within the limit.
fn collect_held(
    seen: usize,
    limit: usize,
    end: bool,
    on_limit: OnLimit,
    host: &impl Host,
) -> Result<Option<Prefix>, Refusal> {
    let beyond = seen > limit;
    if beyond && on_limit == OnLimit::Reject {
        return Err(Refusal::BodyTooLarge);
    }
    if !end && !beyond {
        return Ok(None);
    }
    let wanted = seen.min(limit);
    let bytes = if wanted == 0 {
        Vec::new()
    } else {
        host.body(0, wanted).map_err(|_| Refusal::BodyUnreadable)?
    };
    if bytes.len() < wanted {
        return Err(Refusal::BodyUnreadable);
    }
    Ok(Some(Prefix {
        bytes,
        complete: !beyond,
    }))
}

/// Adds to the copy of a passing body; answers it when it is complete or at the limit.
fn collect_copy(
    prefix: &mut Vec<u8>,
    chunk: usize,
    limit: usize,
    end: bool,
    host: &impl Host,
) -> Result<Option<Prefix>, Refusal> {
    let room = limit.saturating_sub(prefix.len());
    let wanted = chunk.min(room);
    if wanted > 0 {
        let bytes = host.body(0, wanted).map_err(|_| Refusal::BodyUnreadable)?;
        prefix.extend_from_slice(bytes.get(..wanted).unwrap_or(&bytes));
    }
    let beyond = chunk > room;
    if !end && !beyond {
        return Ok(None);
    }
    Ok(Some(Prefix {
        bytes: std::mem::take(prefix),
        complete: !beyond,
    }))
}

fn walk(inspection: &mut Inspection<'_>, bytes: &[u8]) {
    use backstop_http::{Kind, Place, target::Params};
    inspection.value(Place::new(Kind::TextBody, b""), bytes);
    for param in Params::new(bytes) {
        inspection.value(
            Place::new(Kind::Form, param.name),
            param.value.unwrap_or_default(),
        );
    }
}
