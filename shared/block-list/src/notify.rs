//! What the adapter's block-list endpoint is told, and the queue of what it has not yet taken.

use std::collections::BTreeMap;

use backstop_policy::json_text::push_field;
use backstop_policy::logged::masked_path;

/// The most bytes of what was found that are told.
const MAX_MATCHED: usize = 100;

/// A new entry of the block list.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The address, or empty for a session.
    pub ip: &'a str,
    /// Who listed it: `waf` or `ext_authz`.
    pub source: Source<'a>,
    /// `:path` as on the wire; values that look secret are masked.
    pub path: &'a [u8],
}

/// Who listed a client.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A detection: its category's id, its rule, what was found (masked by the WAF).
    Waf {
        /// `SQL_INJECTION`, ….
        category: &'a str,
        /// The rule's name.
        rule: &'a str,
        /// What was found.
        matched: &'a [u8],
    },
    /// A BLOCK verdict on an API, by its event type.
    Verdict {
        /// `QUEUE_ENTER`, ….
        event_type: &'a str,
    },
}

impl Entry<'_> {
    /// The JSON of the legacy layer: `ip`, `reason` (`waf:<category>:<rule>`), `source`, `category`, `rule`, `path`,
    /// `matched`. For a verdict `reason` is `verdict:BLOCK:<event type>`, and `category`, `rule` and `matched` are empty.
    pub fn to_json(&self) -> String {
        let (source, category, rule, matched) = match self.source {
            Source::Waf {
                category,
                rule,
                matched,
            } => ("waf", category, rule, matched),
            Source::Verdict { .. } => ("ext_authz", "", "", &b""[..]),
        };
        let reason = match self.source {
            Source::Waf { .. } => format!("waf:{category}:{rule}"),
            Source::Verdict { event_type } => format!("verdict:BLOCK:{event_type}"),
        };
        let matched = backstop_policy::logged::cut(matched, MAX_MATCHED);
        let mut json = String::from("{");
        push_field(&mut json, "ip", self.ip.as_bytes());
        push_field(&mut json, "reason", reason.as_bytes());
        push_field(&mut json, "source", source.as_bytes());
        push_field(&mut json, "category", category.as_bytes());
        push_field(&mut json, "rule", rule.as_bytes());
        push_field(&mut json, "path", &masked_path(self.path));
        push_field(&mut json, "matched", matched);
        json.push('}');
        json
    }
}

/// How patient the queue is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How many wait or are on their way.
    pub queue: usize,
    /// How many of them are on their way at once.
    pub in_flight: usize,
    /// How often each is tried.
    pub attempts: u32,
    /// Nanoseconds after the first attempt; each further wait is twice as long.
    pub backoff: u64,
    /// The longest wait, in nanoseconds.
    pub max_backoff: u64,
}

/// What waits to be told, in one worker.
#[derive(Clone, Debug)]
pub struct Queue {
    patience: Patience,
    /// By when it may go, then by number.
    waiting: BTreeMap<(u64, u64), Message>,
    in_flight: BTreeMap<u64, Message>,
    next: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    body: Vec<u8>,
    attempts: u32,
}

/// A message that is to be sent; its number comes back with the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Its number.
    pub number: u64,
    /// Its body.
    pub body: Vec<u8>,
}

/// What became of a message after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was taken.
    Delivered,
    /// It is tried again.
    Again {
        /// Not before, in nanoseconds of the caller's clock.
        at: u64,
    },
    /// It was tried often enough.
    Dropped,
    /// It is none of this queue's.
    Unknown,
}

impl Queue {
    /// An empty queue.
    pub const fn new(patience: Patience) -> Self {
        Self {
            patience,
            waiting: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            next: 0,
        }
    }

    /// Takes a message. `false`: there is no room, and it is dropped.
    pub fn push(&mut self, body: Vec<u8>, now: u64) -> bool {
        if self.len() >= self.patience.queue {
            return false;
        }
        let message = Message { body, attempts: 0 };
        self.waiting.insert((now, self.next), message);
        self.next = self.next.wrapping_add(1);
        true
    }

    /// A message that may be sent at `now`, the longest waiting first. Ask until there is none.
    pub fn send(&mut self, now: u64) -> Option<Sending> {
        if self.in_flight.len() >= self.patience.in_flight {
            return None;
        }
        let first = self.waiting.first_entry()?;
        let (due, number) = *first.key();
        if due > now {
            return None;
        }
        let message = first.remove();
        let body = message.body.clone();
        self.in_flight.insert(number, message);
        Some(Sending { number, body })
    }

    /// The outcome of an attempt, also of one that could not begin.
    pub fn outcome(&mut self, number: u64, taken: bool, now: u64) -> Fate {
        let Some(mut message) = self.in_flight.remove(&number) else {
            return Fate::Unknown;
        };
        if taken {
            return Fate::Delivered;
        }
        message.attempts += 1;
        if message.attempts >= self.patience.attempts {
            return Fate::Dropped;
        }
        let doubled = 1_u64.checked_shl(message.attempts - 1).unwrap_or(u64::MAX);
        let wait = self
            .patience
            .backoff
            .saturating_mul(doubled)
            .min(self.patience.max_backoff);
        let at = now.saturating_add(wait);
        self.waiting.insert((at, number), message);
        Fate::Again { at }
    }

    /// How many wait or are on their way.
    pub fn len(&self) -> usize {
        self.waiting.len() + self.in_flight.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.in_flight.is_empty()
    }
}
