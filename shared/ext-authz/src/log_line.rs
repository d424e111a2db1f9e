//! The decision log: one JSON object per decision.

use backstop_http::{Headers, client_address};
use backstop_policy::Timestamp;
use backstop_policy::json_text::{push_field, push_plain};
use backstop_policy::logged::{MAX_FIELD, cut, masked_path};

use crate::config::Mode;
use crate::gate::{Ending, Gate, Host};
use crate::outcome::Outcome;

impl Gate {
    /// The line about a decision, `unix_millis` since 1970. `action` is what became of the request (`pass`, `hold`,
    /// `refuse`), `call_millis` how long the service took, if it was asked.
    pub fn log_line(
        &self,
        ending: &Ending,
        action: &str,
        headers: &Headers,
        host: &impl Host,
        call_millis: Option<u64>,
        unix_millis: u64,
    ) -> String {
        let api = self.api(ending.api);
        let client = host
            .source_address()
            .and_then(|address| client_address(&address))
            .map_or_else(|| "-".to_owned(), |client| client.to_string());
        let mode = match self.policy.mode {
            Mode::Enforce => "enforce",
            Mode::Report => "report",
        };
        let id = headers.first(b"x-request-id").unwrap_or_default();
        let mut line = String::with_capacity(256);
        line.push('{');
        let time = Timestamp { unix_millis }.to_string();
        push_field(&mut line, "timestamp", time.as_bytes());
        push_field(&mut line, "type", b"ext_authz");
        let event_type = api.map_or("-", |api| api.event_type.as_str());
        push_field(&mut line, "event_type", event_type.as_bytes());
        push_field(&mut line, "outcome", ending.outcome.word().as_bytes());
        push_field(&mut line, "action", action.as_bytes());
        push_field(&mut line, "mode", mode.as_bytes());
        push_field(&mut line, "client_ip", client.as_bytes());
        push_field(&mut line, "method", cut(headers.method(), MAX_FIELD));
        push_field(&mut line, "path", &masked_path(headers.path()));
        push_field(&mut line, "request_id", cut(id, MAX_FIELD));
        if let Outcome::Verdict { cached, .. } = ending.outcome {
            push_plain(&mut line, "cached", cached);
        }
        if let Some(millis) = call_millis {
            push_plain(&mut line, "call_ms", millis);
        }
        line.push('}');
        line
    }
}
