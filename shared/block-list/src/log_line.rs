//! The log: one JSON object per request of a listed client, and per new entry.

use std::net::IpAddr;

use backstop_http::Headers;
use backstop_policy::Timestamp;
use backstop_policy::json_text::push_field;
use backstop_policy::logged::{MAX_FIELD, cut, masked_path};

use crate::config::Mode;
use crate::list::Why;

/// The line about a request of a listed client, `unix_millis` since 1970. `action` is `refuse`, or `report` for a list that
/// only reports.
pub fn request(
    why: Why,
    mode: Mode,
    client: Option<IpAddr>,
    headers: &Headers,
    unix_millis: u64,
) -> String {
    let action = match mode {
        Mode::Enforce => "refuse",
        Mode::Report => "report",
    };
    let client = client.map_or_else(|| "-".to_owned(), |client| client.to_string());
    let id = headers.first(b"x-request-id").unwrap_or_default();
    let mut line = head(action, mode, unix_millis);
    push_field(&mut line, "why", why.word().as_bytes());
    push_field(&mut line, "client_ip", client.as_bytes());
    push_field(&mut line, "method", cut(headers.method(), MAX_FIELD));
    push_field(&mut line, "host", cut(headers.authority(), MAX_FIELD));
    push_field(&mut line, "path", &masked_path(headers.path()));
    push_field(&mut line, "request_id", cut(id, MAX_FIELD));
    line.push('}');
    line
}

/// The line about a new entry: what the endpoint is told, and when.
pub fn entry(json: &str, mode: Mode, unix_millis: u64) -> String {
    let mut line = head("list", mode, unix_millis);
    line.push(',');
    line.push_str(json.strip_prefix('{').unwrap_or(json));
    line
}

fn head(action: &str, mode: Mode, unix_millis: u64) -> String {
    let mode = match mode {
        Mode::Enforce => "enforce",
        Mode::Report => "report",
    };
    let time = Timestamp { unix_millis }.to_string();
    let mut line = String::with_capacity(256);
    line.push('{');
    push_field(&mut line, "timestamp", time.as_bytes());
    push_field(&mut line, "level", b"warn");
    push_field(&mut line, "type", b"block_list");
    push_field(&mut line, "action", action.as_bytes());
    push_field(&mut line, "mode", mode.as_bytes());
    line
}
