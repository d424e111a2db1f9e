//! The WAF in the headers, body and trailers phases.

mod telemetry;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use backstop_plugin::{LogLevel, host};
use backstop_waf::{Action, Next, Outcome, Policy, Report, Scanner, Transaction};

use crate::Request;
use crate::block_list::BlockList;
use crate::proxy::Proxy;
use crate::reply::reply;
use crate::stage::{Body, Flow, Passage, Stage};

use telemetry::Telemetry;

const NAME: &str = "waf";

/// The WAF under one configuration.
pub struct Waf {
    policy: Rc<Policy>,
    scanner: RefCell<Scanner>,
    list: Option<Rc<BlockList>>,
    telemetry: Telemetry,
    requests: Cell<u32>,
}

impl fmt::Debug for Waf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The scanner is buffers.
        f.debug_struct("Waf")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Waf {
    /// The stage of a compiled configuration. `list` is what its findings feed; it is a stage of its own, which comes
    /// before this one.
    pub fn new(policy: Policy, list: Option<Rc<BlockList>>) -> Self {
        Self {
            list,
            scanner: RefCell::new(policy.scanner()),
            policy: Rc::new(policy),
            telemetry: Telemetry::default(),
            requests: Cell::new(0),
        }
    }

    /// Whether this phase is one of those whose inspection is timed.
    fn is_timed(&self) -> bool {
        let number = self.requests.get().wrapping_add(1);
        self.requests.set(number);
        self.policy.metrics && number.checked_rem(self.policy.time_one_in) == Some(0)
    }

    /// Runs one phase of a transaction's inspection.
    fn inspect<T>(&self, phase: impl FnOnce(&mut Scanner) -> T) -> T {
        let started = self.is_timed().then(host::unix_nanos);
        let result = match self.scanner.try_borrow_mut() {
            Ok(mut scanner) => phase(&mut scanner),
            // A callback inside a callback: Envoy has none, but a second scanner is cheaper than to rely on that.
            Err(_) => phase(&mut self.policy.scanner()),
        };
        if let Some(started) = started {
            self.telemetry
                .inspected(host::unix_nanos().saturating_sub(started));
        }
        result
    }

    /// Counts, logs, answers.
    fn conclude(&self, transaction: &Transaction, outcome: &Outcome) -> Flow {
        if self.policy.metrics {
            self.telemetry.outcome(outcome);
        }
        for report in &outcome.reports {
            self.report(transaction, report);
        }
        match &outcome.next {
            Next::Continue => Flow::Continue,
            Next::Pause => Flow::Hold,
            Next::Reply(answer) => {
                if !reply(NAME, answer) {
                    self.telemetry.error();
                }
                Flow::Answered
            }
        }
    }

    fn report(&self, transaction: &Transaction, report: &Report) {
        if self.policy.metrics {
            self.telemetry.report(report);
        }
        // Access logs then show the verdict, whether or not the request was refused. A host without filter state is no
        // reason to fail.
        let _ = host::set_property(&["waf_verdict"], report.verdict().as_bytes());
        let level = match report.action {
            Action::Pass => LogLevel::Info,
            Action::Block | Action::Detect => LogLevel::Warn,
        };
        if !self.policy.log || !host::logs(level) {
            return;
        }
        let line = transaction.log_line(report, host::unix_nanos() / 1_000_000);
        host::log(level, line.as_bytes());
    }
}

impl Stage for Waf {
    fn begin(self: Rc<Self>) -> Box<dyn Passage> {
        Box::new(Inspection {
            waf: self,
            transaction: None,
            fed: false,
        })
    }
}

/// One request.
struct Inspection {
    waf: Rc<Waf>,
    transaction: Option<Transaction>,
    /// Whether it has counted for the block list: once, in whichever of its phases something was found.
    fed: bool,
}

impl Inspection {
    fn feed(&mut self, request: &Request, outcome: &Outcome) {
        if self.fed {
            return;
        }
        if let (Some(list), Some(transaction)) = (&self.waf.list, &self.transaction) {
            self.fed = outcome
                .reports
                .iter()
                .any(|report| list.found(request, transaction, report));
        }
    }

    /// A later phase, if there is anything left to decide.
    fn phase(
        &mut self,
        request: &Request,
        phase: impl FnOnce(&mut Transaction, &mut Scanner) -> Outcome,
    ) -> Flow {
        let Some(transaction) = self
            .transaction
            .as_mut()
            .filter(|transaction| !transaction.is_done())
        else {
            return Flow::Continue;
        };
        let outcome = self.waf.inspect(|scanner| phase(transaction, scanner));
        let flow = self.waf.conclude(transaction, &outcome);
        self.feed(request, &outcome);
        flow
    }
}

impl Passage for Inspection {
    fn on_request_headers(&mut self, request: &mut Request) -> Flow {
        let waf = &*self.waf;
        if waf.policy.metrics {
            waf.telemetry.request();
        }
        let proxy = Proxy::of(request);
        let (transaction, outcome) = waf.inspect(|scanner| match request.headers() {
            Ok(headers) => {
                let headers = Rc::clone(headers);
                Transaction::begin(&waf.policy, scanner, &proxy, headers, request.end_of_stream)
            }
            Err(error) => {
                let line = format!("{NAME}: request headers: {error}");
                host::log(LogLevel::Error, line.as_bytes());
                Transaction::unreadable_headers(&waf.policy, &proxy)
            }
        });
        let flow = waf.conclude(&transaction, &outcome);
        self.transaction = Some(transaction);
        self.feed(request, &outcome);
        flow
    }

    fn on_request_body(&mut self, request: &mut Request, body: Body) -> Flow {
        self.phase(request, |transaction, scanner| {
            // One that lets the body pass wants each piece once, though another stage holds the pieces back.
            let start = if transaction.holds_body() {
                0
            } else {
                body.start
            };
            let len = body.len.saturating_sub(start);
            transaction.on_body(scanner, &Proxy::from(request, start), len, body.end)
        })
    }

    fn on_request_trailers(&mut self, request: &mut Request) -> Flow {
        self.phase(request, |transaction, scanner| {
            transaction.on_trailers(scanner, &Proxy::of(request))
        })
    }
}
