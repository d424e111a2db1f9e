//! What the service is to say, as the request's header `x-verdict` tells it: `WORD[;delay=MILLISECONDS]`.
//!
//! | word | gRPC | HTTP |
//! |---|---|---|
//! | `none` (and no header) | OK; sets `x-user`, appends to `x-tag`, removes `x-secret`; `x-checked` on the response | 200 with `x-user`, `x-tag`, `x-checked` |
//! | `throttle-N` | OK with `x-defense-throttle-ms: N` | 200 with it |
//! | `challenge` | denied, 428, `x-defense-reason: CHALLENGE_REQUIRED` | 428 with it |
//! | `block` | denied, 403, `x-defense-reason: BLOCKED` | 403 with it |
//! | `denied` | denied, 401, `www-authenticate`, a body | 401 with them |
//! | `error` | gRPC status 13 | 500 |
//! | `garbage` | a message without a status | 502 |
//! | `hang` | nothing | nothing |
//! | `reset` | the connection breaks | the connection breaks |

use std::time::Duration;

/// What is to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The word.
    pub word: String,
    /// How long to wait before.
    pub delay: Option<Duration>,
}

impl Script {
    /// Reads the header's value.
    pub fn read(value: Option<&str>) -> Self {
        let mut parts = value.unwrap_or("none").split(';');
        let word = parts.next().unwrap_or_default().trim().to_owned();
        let delay = parts
            .find_map(|part| part.trim().strip_prefix("delay=")?.parse().ok())
            .map(Duration::from_millis);
        Self { word, delay }
    }

    /// The connection is to break.
    pub fn resets(&self) -> bool {
        self.word == "reset"
    }

    /// Nothing is to be said, ever.
    pub fn hangs(&self) -> bool {
        self.word == "hang"
    }

    /// For how many milliseconds a client is to be held.
    pub fn throttle(&self) -> Option<&str> {
        self.word.strip_prefix("throttle-")
    }
}
