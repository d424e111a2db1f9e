//! What becomes of verdicts, and of their absence.

use std::time::Duration;

use backstop_policy::{Interval, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The circuit breaker, one for all workers: after `consecutiveFailures` in a row nobody is asked for `openFor`, then one
/// request is let through to see, and its outcome decides.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Breaker {
    /// Whether there is one.
    pub enabled: bool,
    /// Failures in a row that open it: time-outs, unreachable, malformed answers, errors of the service.
    pub consecutive_failures: Whole<1, 10_000>,
    /// How long it stays open.
    pub open_for: Interval,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            enabled: true,
            consecutive_failures: Whole(5),
            open_for: Interval(Duration::from_secs(5)),
        }
    }
}

/// THROTTLE: an answer that lets the request pass, with a header that says for how long it is held before.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Throttle {
    /// The answer's header, a number of milliseconds.
    pub header: String,
    /// The longest that a request is held, whatever the answer says; at most 2 s.
    pub max_delay: Interval,
    /// How many requests each worker holds at once; what comes then passes without delay, and is counted.
    pub max_held: Whole<0, 100_000>,
    /// Whether the upstream gets the header, too. Not by default: a service that reads it would delay a second time.
    pub forward: bool,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            header: "x-defense-throttle-ms".to_owned(),
            max_delay: Interval(Duration::from_secs(2)),
            max_held: Whole(1024),
            forward: false,
        }
    }
}

/// CHALLENGE: a refusal whose `reasonHeader` is `CHALLENGE_REQUIRED`. The client gets the service's body, or one of these
/// if the service sends none. `{requestId}` becomes the request's id.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Challenge {
    /// The answer's header that tells CHALLENGE (`CHALLENGE_REQUIRED`) and BLOCK (`BLOCKED`) from other refusals.
    pub reason_header: String,
    /// The body for clients whose `accept` prefers JSON, or does not say.
    pub json_body: String,
    /// The body for clients whose `accept` prefers HTML.
    pub html_body: String,
}

impl Default for Challenge {
    fn default() -> Self {
        Self {
            reason_header: "x-defense-reason".to_owned(),
            json_body: "{\"error\":\"challenge_required\",\"requestId\":\"{requestId}\"}\n".to_owned(),
            html_body: "<!doctype html><meta charset=\"utf-8\"><title>One more step</title>\
                        <h1>One more step</h1><p>Please confirm that you are not a robot, then try again.</p>\
                        <p>Request {requestId}</p>\n"
                .to_owned(),
        }
    }
}
