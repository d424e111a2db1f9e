//! The WAF's metrics. Labels are categories, rules, actions and refusals: sets that are known when it is configured.

use backstop_plugin::metrics::{Counter, Histogram, count_labelled};
use backstop_waf::report::Cause;
use backstop_waf::{Action, Mode, Outcome, Refusal, Report};

const PREFIX: &str = "backstop_waf";

/// Counters and histograms, defined at their first use.
pub(super) struct Telemetry {
    requests: Counter,
    body_limit_hits: Counter,
    custom_rule_limit_hits: Counter,
    work_limit_hits: Counter,
    errors: Counter,
    inspection: Histogram,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            requests: Counter::new("backstop_waf.requests_total"),
            body_limit_hits: Counter::new("backstop_waf.body_limit_hits_total"),
            custom_rule_limit_hits: Counter::new("backstop_waf.custom_rule_limit_hits_total"),
            work_limit_hits: Counter::new("backstop_waf.work_limit_hits_total"),
            errors: Counter::new("backstop_waf.errors_total"),
            inspection: Histogram::new("backstop_waf.inspection_us"),
        }
    }
}

impl Telemetry {
    /// A request came.
    pub(super) fn request(&self) {
        self.requests.increment();
    }

    /// Limits that a phase met.
    pub(super) fn outcome(&self, outcome: &Outcome) {
        if outcome.limit_hit {
            self.body_limit_hits.increment();
        }
        if outcome.custom_limit_hit {
            self.custom_rule_limit_hits.increment();
        }
        if outcome.work_limit_hit {
            self.work_limit_hits.increment();
        }
    }

    /// Something failed that should not.
    pub(super) fn error(&self) {
        self.errors.increment();
    }

    /// A phase's inspection took so many nanoseconds.
    pub(super) fn inspected(&self, nanos: u64) {
        self.inspection.record(nanos.div_ceil(1000));
    }

    /// Counts the decision, and each finding by category, rule and mode.
    pub(super) fn report(&self, report: &Report) {
        count_labelled(
            PREFIX,
            &[("action", report.action.word())],
            "decisions_total",
        );
        for entry in report.entries() {
            let mode = if entry.blocking {
                Mode::Block
            } else {
                Mode::Detect
            };
            let labels = [
                ("category", entry.rule.category_id()),
                ("rule", entry.rule.name()),
                ("mode", mode.word()),
            ];
            count_labelled(PREFIX, &labels, "findings_total");
        }
        if let Cause::Refused(refusal) = report.cause {
            let action = if report.action == Action::Block {
                "block"
            } else {
                "detect"
            };
            count_labelled(
                PREFIX,
                &[("reason", refusal.word()), ("mode", action)],
                "uninspected_total",
            );
            if matches!(
                refusal,
                Refusal::BodyUnreadable | Refusal::HeadersUnreadable
            ) {
                self.error();
            }
        }
    }
}
