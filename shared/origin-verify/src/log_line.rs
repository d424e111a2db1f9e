//! The decision log: one JSON line per refusal, with the field names of the WAF's.

use backstop_http::Headers;
use backstop_policy::Timestamp;
use backstop_policy::json_text::{push_field, push_plain};
use backstop_policy::logged::{MAX_FIELD, cut, masked_path};

use crate::policy::Policy;
use crate::verdict::{Outcome, Verdict};

/// The line for a refusal. Fields: `timestamp`, `level`, `type`, `event`, `category`, `rule`, `description`, `client_ip`,
/// `path`, `blocked`, `mode`, `secret` (its name, where it is on the list but not valid now), `request_id`, `host`,
/// `method`. What was sent in the header is never logged.
pub(crate) fn log_line(
    policy: &Policy,
    headers: &Headers,
    outcome: &Outcome,
    unix_millis: u64,
) -> Option<String> {
    let Verdict::Refused(refusal, secret) = outcome.verdict else {
        return None;
    };
    let mut out = String::with_capacity(512);
    out.push('{');
    let timestamp = Timestamp { unix_millis }.to_string();
    for (name, value) in [
        ("timestamp", timestamp.as_str()),
        ("level", "warn"),
        ("type", "security"),
        ("event", "ORIGIN_VERIFY_FAILED"),
        ("category", "ORIGIN_VERIFY"),
        ("rule", refusal.word()),
        ("description", refusal.description()),
        ("client_ip", &outcome.client),
    ] {
        push_field(&mut out, name, value.as_bytes());
    }
    push_field(&mut out, "path", &masked_path(headers.path()));
    push_plain(&mut out, "blocked", outcome.reply.is_some());
    push_field(&mut out, "mode", policy.mode.word().as_bytes());
    if let Some(position) = secret {
        push_field(&mut out, "secret", policy.secret_name(position).as_bytes());
    }
    for (name, value) in [
        (
            "request_id",
            headers.first(b"x-request-id").unwrap_or_default(),
        ),
        ("host", headers.authority()),
        ("method", headers.method()),
    ] {
        push_field(&mut out, name, cut(value, MAX_FIELD));
    }
    out.push('}');
    Some(out)
}
