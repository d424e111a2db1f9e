//! One request through its phases.

mod body;

use std::rc::Rc;

use backstop_block_list::{Category, Finding};
use backstop_detect::{Findings, Scanner, Work};
use backstop_http::{Exchange, Headers, NormalizedPath, client_address};
use backstop_policy::Answer;

use crate::config::{Mode, OnLimit};
use crate::custom::CustomRun;
use crate::exclusion::Exclusion;
use crate::inspect::Inspection;
use crate::log_line;
use crate::policy::Policy;
use crate::report::{Action, Cause, Refusal, Report};
use crate::tally::Tally;

use body::Body;

/// What a transaction asks its surroundings for.
pub trait Host {
    /// The client's address as the proxy vouches for it (Envoy's `source.address`, `8.8.8.8:0`). Asked only if the policy
    /// trusts clients or is being rolled out, or something was found: it costs a host call the first time.
    fn source_address(&self) -> Option<Vec<u8>>;

    /// `len` bytes of the request body from `start` on, as far as the proxy has buffered it; fewer where it ends.
    ///
    /// # Errors
    /// When the proxy does not hand it out.
    fn body(&self, start: usize, len: usize) -> Result<Vec<u8>, Unreadable>;
}

/// The proxy did not hand out what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// What happens next to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It goes on; in the body phase, so does what was held back.
    Continue,
    /// It is held back until more of it is there.
    Pause,
    /// It ends here, with this answer.
    Reply(Answer),
}

/// A phase's outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What happens next.
    pub next: Next,
    /// What is to be logged and counted; mostly nothing.
    pub reports: Vec<Report>,
    /// Whether the body went beyond the limit in this phase.
    pub limit_hit: bool,
    /// Whether custom rules left something unread, for the first time in this request.
    pub custom_limit_hit: bool,
    /// Whether the work that the request is allowed was used up in this phase.
    pub work_limit_hit: bool,
}

impl Outcome {
    /// The request goes on, and there is nothing to report.
    pub const fn proceed() -> Self {
        Self::of(Next::Continue)
    }

    const fn of(next: Next) -> Self {
        Self {
            next,
            reports: Vec::new(),
            limit_hit: false,
            custom_limit_hit: false,
            work_limit_hit: false,
        }
    }
}

/// One request on its way through the WAF.
#[derive(Debug)]
pub struct Transaction {
    policy: Rc<Policy>,
    headers: Rc<Headers>,
    exclusions: Vec<u16>,
    custom: Option<Box<CustomRun>>,
    tally: Tally,
    /// The work that the request may still be.
    work: Work,
    body: Body,
    /// Whether the body was reported as too large, by what Content-Length said.
    announced_too_large: bool,
    /// Whether it was reported that the work is used up.
    announced_work_limit: bool,
    client: Option<String>,
}

impl Transaction {
    /// The headers phase. `headers` is the whole list as the proxy shows it now: it is gone in later phases.
    /// `end_of_stream`: there is neither a body nor trailers.
    pub fn begin(
        policy: &Rc<Policy>,
        scanner: &mut Scanner,
        host: &impl Host,
        headers: impl Into<Rc<Headers>>,
        end_of_stream: bool,
    ) -> (Self, Outcome) {
        let policy = policy.of_client(|| host.source_address());
        let mut transaction = Self {
            policy: Rc::clone(policy),
            headers: headers.into(),
            exclusions: Vec::new(),
            custom: None,
            tally: Tally::default(),
            work: policy.work,
            body: Body::Done,
            announced_too_large: false,
            announced_work_limit: false,
            client: None,
        };
        let outcome = transaction.headers_phase(scanner, host, end_of_stream);
        (transaction, outcome)
    }

    /// The answer where the proxy would not hand out the headers, so that nothing can be inspected: refused in block
    /// mode, let go in detect mode, reported in both.
    pub fn unreadable_headers(policy: &Rc<Policy>, host: &impl Host) -> (Self, Outcome) {
        let policy = policy.of_client(|| host.source_address());
        let mut transaction = Self {
            policy: Rc::clone(policy),
            headers: Rc::default(),
            exclusions: Vec::new(),
            custom: None,
            tally: Tally::default(),
            work: policy.work,
            body: Body::Done,
            announced_too_large: false,
            announced_work_limit: false,
            client: None,
        };
        let outcome = transaction.refuse(Refusal::HeadersUnreadable, host);
        (transaction, outcome)
    }

    /// A piece of the body. `buffered` is the length of what the proxy can hand out now: all that was held back, with
    /// this piece, or this piece alone where nothing is held.
    pub fn on_body(
        &mut self,
        scanner: &mut Scanner,
        host: &impl Host,
        buffered: usize,
        end_of_stream: bool,
    ) -> Outcome {
        if matches!(self.body, Body::Done) {
            return Outcome::proceed();
        }
        self.body_phase(scanner, host, Some(buffered), end_of_stream)
    }

    /// Trailers: they end a body whose last piece never said so.
    pub fn on_trailers(&mut self, scanner: &mut Scanner, host: &impl Host) -> Outcome {
        if matches!(self.body, Body::Done) {
            return Outcome::proceed();
        }
        self.body_phase(scanner, host, None, true)
    }

    /// What a block list is told about a report of this transaction: what counted towards a refusal, gravest first. Matches
    /// in secret places are masked.
    pub fn findings<'a>(
        &'a self,
        report: &'a Report,
    ) -> impl Iterator<Item = Finding<'a>> + Clone + 'a {
        let blocking = report.entries().iter().filter(|entry| entry.blocking);
        blocking.filter_map(|entry| {
            Some(Finding {
                category: Category::of_id(entry.rule.category_id())?,
                rule: entry.rule.name(),
                matched: log_line::matched(&self.policy, entry),
            })
        })
    }

    /// The decision log's line for a report of this transaction, at `unix_millis` milliseconds since 1970.
    pub fn log_line(&self, report: &Report, unix_millis: u64) -> String {
        log_line::log_line(&self.policy, &self.headers, report, unix_millis)
    }

    /// Whether all is decided: later phases will answer `Continue`.
    pub const fn is_done(&self) -> bool {
        matches!(self.body, Body::Done)
    }

    /// Whether the body is to be held back, so that `on_body` is told all that was held; else it is told each piece.
    pub const fn holds_body(&self) -> bool {
        matches!(self.body, Body::Held { .. })
    }

    fn headers_phase(
        &mut self,
        scanner: &mut Scanner,
        host: &impl Host,
        end_of_stream: bool,
    ) -> Outcome {
        let policy = Rc::clone(&self.policy);
        if self.is_trusted(host) || self.is_excluded() {
            return Outcome::proceed();
        }
        self.custom = policy.custom.run(&self.headers);
        scanner.allow(self.work);
        inspection(
            &policy,
            scanner,
            &self.exclusions,
            &mut self.tally,
            self.custom.as_deref_mut(),
        )
        .headers(&self.headers);
        self.work = scanner.work();
        let mut outcome = self.judge(host);
        if matches!(outcome.next, Next::Reply(_)) || end_of_stream {
            return outcome;
        }
        if !policy.body.enabled || !Exchange::of(&self.headers).request_body_is_finite() {
            return outcome;
        }
        if policy.body.on_limit == OnLimit::Reject && self.announces_more_than(policy.body.limit) {
            let refused = self.refuse(Refusal::BodyTooLarge, host);
            self.announced_too_large = true;
            outcome.reports.extend(refused.reports);
            if refused.next != Next::Continue {
                outcome.limit_hit = true;
                outcome.next = refused.next;
                return outcome;
            }
        }
        self.body = if policy.holds_bodies() {
            Body::Held { seen: 0 }
        } else {
            Body::Copied { prefix: Vec::new() }
        };
        if policy.holds_bodies() && policy.body.hold_headers {
            outcome.next = Next::Pause;
        }
        outcome
    }

    /// Whether Content-Length is beyond `limit`.
    fn announces_more_than(&self, limit: usize) -> bool {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        self.headers
            .content_length()
            .is_some_and(|length| length > limit)
    }

    /// Whether the client is one that is not inspected.
    fn is_trusted(&mut self, host: &impl Host) -> bool {
        if self.policy.trusted.is_empty() {
            return false;
        }
        let address = host
            .source_address()
            .and_then(|address| client_address(&address));
        self.client = Some(
            address
                .map(|address| address.to_string())
                .unwrap_or_default(),
        );
        address.is_some_and(|address| self.policy.trusted.contains(address))
    }

    /// Finds the exclusions that cover the request; answers whether one of them leaves nothing to inspect.
    fn is_excluded(&mut self) -> bool {
        if self.policy.exclusions.is_empty() {
            return false;
        }
        let path = NormalizedPath::new(self.headers.path());
        for (position, exclusion) in (0_u16..).zip(&self.policy.exclusions) {
            if exclusion.covers(&self.headers, &path) {
                if Exclusion::is_total(exclusion) {
                    return true;
                }
                self.exclusions.push(position);
            }
        }
        false
    }

    /// What the tally comes to.
    fn judge(&mut self, host: &impl Host) -> Outcome {
        let outcome = match self.tally.take_fresh(self.policy.threshold) {
            None => Outcome::proceed(),
            Some((action, score, entries)) => {
                self.conclude(action, Cause::Found(entries), score, host)
            }
        };
        let outcome = if self.work.is_spent() && !self.announced_work_limit {
            self.beyond_work_limit(outcome, host)
        } else {
            outcome
        };
        let exhausted = self
            .custom
            .as_deref_mut()
            .is_some_and(CustomRun::take_exhausted);
        if exhausted {
            self.beyond_custom_limit(outcome, host)
        } else {
            outcome
        }
    }

    /// What becomes of a request that could not be inspected to its end: reported in any case.
    #[cold]
    fn beyond_work_limit(&mut self, mut outcome: Outcome, host: &impl Host) -> Outcome {
        self.announced_work_limit = true;
        outcome.work_limit_hit = true;
        if outcome.next == Next::Continue {
            let refused = match self.policy.on_work_limit {
                OnLimit::Reject => self.refuse(Refusal::WorkLimit, host),
                OnLimit::InspectPrefix => {
                    self.conclude(Action::Pass, Cause::Refused(Refusal::WorkLimit), 0, host)
                }
            };
            outcome.next = refused.next;
            outcome.reports.extend(refused.reports);
        }
        outcome
    }

    /// What becomes of a request that custom rules could not read to its end.
    #[cold]
    fn beyond_custom_limit(&mut self, mut outcome: Outcome, host: &impl Host) -> Outcome {
        outcome.custom_limit_hit = true;
        if self.policy.custom.on_limit == OnLimit::Reject && outcome.next == Next::Continue {
            let refused = self.refuse(Refusal::CustomRuleLimit, host);
            outcome.next = refused.next;
            outcome.reports.extend(refused.reports);
        }
        outcome
    }

    /// Refuses a request that cannot be inspected; in detect mode, reports and lets go.
    fn refuse(&mut self, refusal: Refusal, host: &impl Host) -> Outcome {
        let action = match self.policy.mode {
            Mode::Block => Action::Block,
            Mode::Detect => Action::Detect,
        };
        self.conclude(action, Cause::Refused(refusal), 0, host)
    }

    fn conclude(&mut self, action: Action, cause: Cause, score: u32, host: &impl Host) -> Outcome {
        let report = Report {
            action,
            cause,
            score,
            client: self.client(host).to_owned(),
        };
        let next = if action == Action::Block {
            self.body = Body::Done;
            let response = &self.policy.response;
            let status = match &report.cause {
                Cause::Found(_) => response.status(),
                Cause::Refused(refusal) => refusal.status(),
            };
            let id = self.headers.first(b"x-request-id").unwrap_or_default();
            Next::Reply(response.answer(
                status,
                report.details(),
                id,
                Exchange::of(&self.headers).is_grpc(),
            ))
        } else {
            Next::Continue
        };
        Outcome {
            next,
            reports: vec![report],
            limit_hit: false,
            custom_limit_hit: false,
            work_limit_hit: false,
        }
    }

    /// The client's address without port; empty if unknown.
    fn client(&mut self, host: &impl Host) -> &str {
        self.client.get_or_insert_with(|| {
            host.source_address()
                .and_then(|address| client_address(&address))
                .map(|address| address.to_string())
                .unwrap_or_default()
        })
    }
}

/// An inspection that feeds a transaction's tally. Takes parts, so that the headers can be read meanwhile.
fn inspection<'a>(
    policy: &'a Policy,
    scanner: &'a mut Scanner,
    exclusions: &'a [u16],
    tally: &'a mut Tally,
    custom: Option<&'a mut CustomRun>,
) -> Inspection<'a> {
    Inspection {
        policy,
        scanner,
        exclusions,
        tally,
        custom,
        findings: Findings::new(),
    }
}
