//! Answering a request in the upstream's place.

use backstop_plugin::{LocalReply, LogLevel, host};
use backstop_policy::Answer;

/// Sends the answer. If the proxy refuses it (a header it does not like), a bare one; if that, too, fails, the request
/// stays held: it never goes on. Answers whether the configured one was sent.
pub(crate) fn reply(filter: &str, answer: &Answer) -> bool {
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
        return true;
    };
    host::log(
        LogLevel::Error,
        format!("{filter}: the proxy refused the configured response: {error}").as_bytes(),
    );
    let bare = LocalReply {
        headers: &[],
        body: b"",
        ..full
    };
    if let Err(error) = host::send_local_reply(&bare) {
        host::log(
            LogLevel::Error,
            format!("{filter}: no response could be sent: {error}").as_bytes(),
        );
    }
    false
}
