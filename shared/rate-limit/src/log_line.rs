//! The decision log: one JSON line, with the legacy layer's field names (dashboards read them) and some more.

use backstop_http::{Headers, client_address};
use backstop_policy::Timestamp;
use backstop_policy::json_text::{push_field, push_name, push_plain, push_string};
use backstop_policy::logged::{cut, masked_path};

use crate::decision::{Decision, Outcome};
use crate::limiter::{Host, Limiter};
use crate::ruling::Ruling;

/// The most bytes of host, method and request id that are logged.
const MAX_FIELD: usize = 128;

impl Limiter {
    /// The line for a decision on a request with these headers, at `unix_millis` milliseconds since 1970; `None` if
    /// it is not to be logged. Once a rate-limit service has been asked, the line is about its word: `scope` is then
    /// `global`, and `count` and `limit` are there if it tells them.
    ///
    /// Legacy fields: `timestamp`, `type`, `scope`, `client_ip`, `path`, `limited`, `count` (tokens taken from the bucket)
    /// and `limit` (what it holds). Added: `level`, `name` of the limit, `action`, `mode`, `retry_after_ms`, `event`,
    /// `request_id`, `host`, `method`, and `also`: the other limits as `name=action`. Values of secret-looking query
    /// parameters are masked; no key is logged.
    pub fn log_line(
        &self,
        decision: &Decision,
        headers: &Headers,
        host: &impl Host,
        unix_millis: u64,
    ) -> Option<String> {
        let policy = self.policy();
        if !policy.log || (policy.log_only_limited && !decision.is_notable()) {
            return None;
        }
        if let Some(ruling) = &decision.ruling {
            return self.ruling_line(decision, ruling, headers, host, unix_millis);
        }
        let lead = decision.lead()?;
        let limit = self.limit(lead)?;
        let mut out = head("local", decision, headers, host, unix_millis);
        let max = limit.rate.max_tokens;
        let remaining = self.tokens(lead).map_or(0, |(remaining, _)| remaining);
        push_plain(&mut out, "count", max.saturating_sub(remaining));
        push_plain(&mut out, "limit", max);
        push_field(&mut out, "name", limit.name.as_bytes());
        push_field(&mut out, "action", lead.outcome.word().as_bytes());
        push_field(
            &mut out,
            "mode",
            decision.mode(limit.mode).word().as_bytes(),
        );
        if matches!(lead.outcome, Outcome::Limited | Outcome::WouldLimit) {
            push_plain(
                &mut out,
                "retry_after_ms",
                lead.wait_nanos.div_ceil(1_000_000),
            );
        }
        if let Some(event) = lead.event {
            push_field(&mut out, "event", event.word().as_bytes());
        }
        push_request(&mut out, headers);
        let mut others = decision
            .checks
            .iter()
            .filter(|check| check.limit != lead.limit)
            .peekable();
        if others.peek().is_some() {
            push_name(&mut out, "also");
            out.push('[');
            while let Some(check) = others.next() {
                let entry = format!("{}={}", self.name(check), check.outcome.word());
                push_string(&mut out, entry.as_bytes());
                if others.peek().is_some() {
                    out.push(',');
                }
            }
            out.push(']');
        }
        out.push('}');
        Some(out)
    }

    /// The line about a service's word.
    fn ruling_line(
        &self,
        decision: &Decision,
        ruling: &Ruling,
        headers: &Headers,
        host: &impl Host,
        unix_millis: u64,
    ) -> Option<String> {
        let global = self.policy().global.as_ref()?;
        let mut out = head("global", decision, headers, host, unix_millis);
        let status = ruling.answer.scarcest();
        if let Some((status, (limit, _))) = status.and_then(|status| Some((status, status.limit?)))
        {
            push_plain(&mut out, "count", limit.saturating_sub(status.remaining));
            push_plain(&mut out, "limit", limit);
        }
        push_field(&mut out, "name", global.name().as_bytes());
        push_field(&mut out, "action", ruling.outcome.word().as_bytes());
        push_field(
            &mut out,
            "mode",
            decision.mode(global.mode).word().as_bytes(),
        );
        if let Some(wait) = ruling.answer.retry_after() {
            push_plain(&mut out, "retry_after_ms", wait.saturating_mul(1_000));
        }
        if let Some(failure) = ruling.failure {
            push_field(&mut out, "event", failure.word().as_bytes());
        }
        push_request(&mut out, headers);
        out.push('}');
        Some(out)
    }
}

/// What every line begins with, up to `limited`.
fn head(
    scope: &str,
    decision: &Decision,
    headers: &Headers,
    host: &impl Host,
    unix_millis: u64,
) -> String {
    let client = decision
        .client
        .or_else(|| client_address(&host.source_address()?))
        .map_or_else(String::new, |client| client.to_string());
    let mut out = String::with_capacity(512);
    out.push('{');
    let mut text = |name: &str, value: &[u8]| push_field(&mut out, name, value);
    let level: &[u8] = if decision.is_notable() {
        b"warn"
    } else {
        b"info"
    };
    text(
        "timestamp",
        Timestamp { unix_millis }.to_string().as_bytes(),
    );
    text("level", level);
    text("type", b"ratelimit");
    text("scope", scope.as_bytes());
    text("client_ip", client.as_bytes());
    text("path", &masked_path(headers.path()));
    push_plain(&mut out, "limited", decision.is_limited());
    out
}

fn push_request(out: &mut String, headers: &Headers) {
    let id = headers.first(b"x-request-id").unwrap_or_default();
    push_field(out, "request_id", cut(id, MAX_FIELD));
    push_field(out, "host", cut(headers.authority(), MAX_FIELD));
    push_field(out, "method", cut(headers.method(), MAX_FIELD));
}
