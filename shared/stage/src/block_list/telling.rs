//! The endpoint of new entries: what it is still to be told, and what is on its way to it.

use std::collections::BTreeMap;

use backstop_block_list::Endpoint;
use backstop_block_list::notify::{Fate, Queue};
use backstop_http::Headers;
use backstop_plugin::host::call;

use crate::proxy::clock_nanos;
use crate::stage::CallResponse;

/// The endpoint and its queue, in this worker.
#[derive(Debug)]
pub(super) struct Telling {
    endpoint: Endpoint,
    queue: Queue,
    /// Numbers of messages by the tokens of their calls.
    calls: BTreeMap<u32, u64>,
}

impl Telling {
    pub(super) const fn new(endpoint: Endpoint) -> Self {
        Self {
            queue: Queue::new(endpoint.patience),
            calls: BTreeMap::new(),
            endpoint,
        }
    }

    /// Takes a message; a tick sends it. What is to be counted.
    pub(super) fn push(&mut self, message: String) -> Option<&'static str> {
        let room = self.queue.push(message.into_bytes(), clock_nanos());
        (!room).then_some("notify-dropped")
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Sends what is due. For the root context: a call ends with the context that made it. What is to be counted.
    pub(super) fn send(&mut self) -> Vec<&'static str> {
        let now = clock_nanos();
        let mut words = Vec::new();
        while let Some(message) = self.queue.send(now) {
            let length = message.body.len().to_string();
            let endpoint = &self.endpoint;
            let headers = [
                (":method", "POST"),
                (":path", endpoint.path.as_str()),
                (":authority", endpoint.authority.as_str()),
                ("content-type", "application/json"),
                ("content-length", length.as_str()),
            ];
            match call::http(&endpoint.cluster, &headers, &message.body, endpoint.timeout) {
                Ok(token) => {
                    self.calls.insert(token, message.number);
                }
                Err(_) => words.extend(word(self.queue.outcome(message.number, false, now))),
            }
        }
        words
    }

    /// The end of a call: whether it was made here, and what is to be counted.
    pub(super) fn answered(
        &mut self,
        token: u32,
        response: CallResponse,
    ) -> Option<Option<&'static str>> {
        let number = self.calls.remove(&token)?;
        let fate = self
            .queue
            .outcome(number, is_taken(response), clock_nanos());
        Some(word(fate))
    }
}

/// Whether the response to a call says that the message was taken: any 2xx.
fn is_taken(response: CallResponse) -> bool {
    let CallResponse::Http { headers: 1.., .. } = response else {
        return false;
    };
    call::http_response_headers()
        .ok()
        .and_then(|raw| Headers::parse(raw).ok())
        .and_then(|headers| {
            let status = headers.first(b":status")?;
            Some(status.len() == 3 && status.starts_with(b"2"))
        })
        .unwrap_or_default()
}

const fn word(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Delivered => Some("notify-delivered"),
        Fate::Again { .. } => Some("notify-again"),
        Fate::Dropped => Some("notify-dropped"),
        Fate::Unknown => None,
    }
}
