//! The decision log: one JSON line, with the legacy layer's field names (dashboards read them) and some more.

use backstop_http::Headers;
use backstop_policy::Timestamp;
use backstop_policy::json_text::{push_field, push_name, push_plain, push_string};
use backstop_policy::logged::{MASK, MAX_FIELD, cut, is_secret, masked_path};

use crate::policy::Policy;
use crate::report::{Action, Cause, Entry, Report};

/// The line for `report` about a request with these headers, at `unix_millis` milliseconds since 1970.
///
/// Legacy fields: `timestamp`, `level`, `type`, `event`, `category`, `rule`, `description`, `client_ip`, `path`,
/// `blocked`, `matched`. Added: `rule_id`, `action`, `mode`, `score`, `threshold`, `target`, `decodings`, `request_id`,
/// `host`, `method`, and `also`: the other rules of the report as `rule@target`.
///
/// Values of secret-looking query parameters and matches in secret places are masked.
pub fn log_line(policy: &Policy, headers: &Headers, report: &Report, unix_millis: u64) -> String {
    let mut out = String::with_capacity(640);
    out.push('{');
    push_field(
        &mut out,
        "timestamp",
        Timestamp { unix_millis }.to_string().as_bytes(),
    );
    let level = if report.action == Action::Pass {
        "info"
    } else {
        "warn"
    };
    push_field(&mut out, "level", level.as_bytes());
    push_field(&mut out, "type", b"security");
    let event = match report.cause {
        Cause::Found(_) => "DETECTED",
        Cause::Refused(_) => "UNINSPECTED",
    };
    push_field(
        &mut out,
        "event",
        format!("{}_{event}", report.category()).as_bytes(),
    );
    push_field(&mut out, "category", report.category().as_bytes());
    push_field(&mut out, "rule", report.rule().as_bytes());
    push_field(&mut out, "description", description(report).as_bytes());
    push_field(&mut out, "client_ip", report.client.as_bytes());
    push_field(&mut out, "path", &masked_path(headers.path()));
    push_plain(&mut out, "blocked", report.action == Action::Block);
    let lead = report.entries().first();
    push_field(
        &mut out,
        "matched",
        lead.map_or(b"", |lead| matched(policy, lead)),
    );
    if let Some(lead) = lead {
        push_plain(&mut out, "rule_id", lead.rule.id());
        push_field(&mut out, "target", lead.place().to_string().as_bytes());
        push_field(&mut out, "decodings", lead.chain.to_string().as_bytes());
        push_plain(&mut out, "score", report.score);
        push_plain(&mut out, "threshold", policy.threshold);
    }
    push_field(&mut out, "action", report.action.word().as_bytes());
    push_field(&mut out, "mode", policy.mode.word().as_bytes());
    push_field(
        &mut out,
        "request_id",
        cut(
            headers.first(b"x-request-id").unwrap_or_default(),
            MAX_FIELD,
        ),
    );
    push_field(&mut out, "host", cut(headers.authority(), MAX_FIELD));
    push_field(&mut out, "method", cut(headers.method(), MAX_FIELD));
    if let Some((_, others)) = report
        .entries()
        .split_first()
        .filter(|(_, others)| !others.is_empty())
    {
        push_name(&mut out, "also");
        out.push('[');
        for (index, entry) in others.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            push_string(
                &mut out,
                format!("{}@{}", entry.rule.name(), entry.place()).as_bytes(),
            );
        }
        out.push(']');
    }
    out.push('}');
    out
}

fn description(report: &Report) -> &str {
    match (&report.cause, report.entries().first()) {
        (Cause::Refused(refusal), _) => refusal.description(),
        (_, Some(lead)) => lead.rule.description(),
        (_, None) => "",
    }
}

/// What matched, as far as it may be told.
pub(crate) fn matched<'a>(policy: &Policy, entry: &'a Entry) -> &'a [u8] {
    if !policy.log_matched {
        b""
    } else if is_secret(entry.place()) {
        MASK.as_bytes()
    } else {
        &entry.matched
    }
}
