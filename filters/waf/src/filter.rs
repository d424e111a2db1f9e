//! One per request: callbacks to the transaction, its outcomes to actions.

use std::rc::Rc;

use backstop_http::Headers;
use backstop_plugin::LogLevel;
use backstop_plugin::host::{self, Buffer, LocalReply};
use backstop_waf::{Answer, Host, Next, Outcome, Report, Scanner, Transaction, Unreadable};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::root::Shared;

/// The proxy, as a transaction asks it.
struct Proxy;

impl Host for Proxy {
    fn source_address(&self) -> Option<Vec<u8>> {
        host::property(&["source", "address"]).ok()
    }

    fn body(&self, start: usize, len: usize) -> Result<Vec<u8>, Unreadable> {
        host::buffer(Buffer::RequestBody, start, len).map_err(|_| Unreadable)
    }
}

/// A request's context.
pub(crate) struct Filter {
    shared: Option<Rc<Shared>>,
    transaction: Option<Transaction>,
}

impl Filter {
    pub(crate) const fn new(shared: Option<Rc<Shared>>) -> Self {
        Self {
            shared,
            transaction: None,
        }
    }

    /// Runs one phase: inspect, report, act.
    fn phase(
        &mut self,
        inspect: impl FnOnce(&mut Option<Transaction>, &Rc<Shared>, &mut Scanner) -> Outcome,
    ) -> Action {
        let Some(shared) = self.shared.clone() else {
            // No configuration was ever accepted: the proxy does not send requests here.
            return Action::Continue;
        };
        let started = shared.is_timed().then(host::unix_nanos);
        let outcome = match shared.scanner.try_borrow_mut() {
            Ok(mut scanner) => inspect(&mut self.transaction, &shared, &mut scanner),
            // A callback inside a callback: Envoy has none, but a second scanner is cheaper than to rely on that.
            Err(_) => inspect(&mut self.transaction, &shared, &mut shared.policy.scanner()),
        };
        if let Some(started) = started {
            shared
                .telemetry
                .inspected(host::unix_nanos().saturating_sub(started));
        }
        if outcome.limit_hit && shared.policy.metrics {
            shared.telemetry.body_limit_hit();
        }
        if outcome.custom_limit_hit && shared.policy.metrics {
            shared.telemetry.custom_rule_limit_hit();
        }
        for report in &outcome.reports {
            self.report(&shared, report);
        }
        match outcome.next {
            Next::Continue => Action::Continue,
            Next::Pause => Action::Pause,
            Next::Reply(answer) => {
                reply(&shared, &answer);
                Action::Pause
            }
        }
    }

    fn report(&self, shared: &Shared, report: &Report) {
        if shared.policy.metrics {
            shared.telemetry.report(report);
        }
        // Access logs then show the verdict, whether or not the request was refused. A host without filter state is no
        // reason to fail.
        let _ = host::set_property(&["waf_verdict"], report.verdict().as_bytes());
        let level = match report.action {
            backstop_waf::Action::Pass => LogLevel::Info,
            _ => LogLevel::Warn,
        };
        if !shared.policy.log || !host::logs(level) {
            return;
        }
        if let Some(transaction) = &self.transaction {
            let line = transaction.log_line(report, host::unix_nanos() / 1_000_000);
            host::log(level, line.as_bytes());
        }
    }
}

/// Sends the answer. If the proxy refuses it (a header it does not like), a bare one; if that, too, fails, the request
/// stays held: it never goes on.
fn reply(shared: &Shared, answer: &Answer) {
    let headers: Vec<(&str, &str)> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let full = LocalReply {
        status: answer.status,
        details: &answer.details,
        headers: &headers,
        body: answer.body.as_bytes(),
        grpc_status: answer.grpc_status,
    };
    let Err(error) = host::send_local_reply(&full) else {
        return;
    };
    shared.telemetry.error();
    host::log(
        LogLevel::Error,
        format!("waf: the proxy refused the configured response: {error}").as_bytes(),
    );
    let bare = LocalReply {
        headers: &[],
        body: b"",
        ..full
    };
    if let Err(error) = host::send_local_reply(&bare) {
        host::log(
            LogLevel::Error,
            format!("waf: no response could be sent: {error}").as_bytes(),
        );
    }
}

impl Context for Filter {}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        self.phase(|slot, shared, scanner| {
            if shared.policy.metrics {
                shared.telemetry.request();
            }
            let headers = host::request_headers()
                .map_err(|error| error.to_string())
                .and_then(|raw| Headers::parse(raw).map_err(|error| error.to_string()));
            let (transaction, outcome) = match headers {
                Ok(headers) => {
                    Transaction::begin(&shared.policy, scanner, &Proxy, headers, end_of_stream)
                }
                Err(error) => {
                    host::log(
                        LogLevel::Error,
                        format!("waf: request headers: {error}").as_bytes(),
                    );
                    Transaction::unreadable_headers(&shared.policy, &Proxy)
                }
            };
            *slot = Some(transaction);
            outcome
        })
    }

    fn on_http_request_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        match &self.transaction {
            Some(transaction) if !transaction.is_done() => {}
            _ => return Action::Continue,
        }
        self.phase(|slot, _, scanner| match slot {
            Some(transaction) => transaction.on_body(scanner, &Proxy, body_size, end_of_stream),
            None => Outcome::proceed(),
        })
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        match &self.transaction {
            Some(transaction) if !transaction.is_done() => {}
            _ => return Action::Continue,
        }
        self.phase(|slot, _, scanner| match slot {
            Some(transaction) => transaction.on_trailers(scanner, &Proxy),
            None => Outcome::proceed(),
        })
    }
}
