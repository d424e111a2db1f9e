//! What a service's answer says.

use prost::Message as _;

use crate::message::{DescriptorStatus, HeaderValue, RateLimitResponse};

/// The most headers of each kind that are taken from one answer.
const MAX_HEADERS: usize = 32;
/// The longest header value that is taken.
const MAX_VALUE: usize = 1024;

/// A service's answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether the request is over a limit.
    pub over_limit: bool,
    /// What each limit says, as far as the service tells.
    pub statuses: Vec<Status>,
    /// Headers for the response to the client: names in lower case.
    pub response_headers: Vec<(String, String)>,
    /// Headers for the request to the upstream: names in lower case.
    pub request_headers: Vec<(String, String)>,
}

/// What one limit says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whether the request is over it.
    pub over_limit: bool,
    /// How many requests it allows in its window, and the window's seconds (a month has 30 days, a year 365); `None` where
    /// the service does not tell.
    pub limit: Option<(u32, u64)>,
    /// Requests left in this window.
    pub remaining: u32,
    /// Seconds until the window ends, rounded up.
    pub reset_seconds: Option<u64>,
}

/// An answer that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It is no `RateLimitResponse`.
    NotAMessage,
    /// Its code is neither OK nor OVER_LIMIT.
    UnknownCode,
}

impl Answer {
    /// Reads the bytes of a `RateLimitResponse`. Headers that no message can have, or that belong to the message's framing
    /// and routing, are left out.
    ///
    /// # Errors
    /// When they are no such message, or its code is not known.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let response = RateLimitResponse::decode(bytes).map_err(|_| Malformed::NotAMessage)?;
        let over_limit = match response.overall_code {
            1 => false,
            2 => true,
            _ => return Err(Malformed::UnknownCode),
        };
        Ok(Self {
            over_limit,
            statuses: response.statuses.iter().map(Status::of).collect(),
            response_headers: headers(response.response_headers_to_add),
            request_headers: headers(response.request_headers_to_add),
        })
    }

    /// Seconds to wait for, if the service tells: those of the limit that takes longest among the ones that refuse.
    pub fn retry_after(&self) -> Option<u64> {
        self.statuses
            .iter()
            .filter(|status| status.over_limit)
            .filter_map(|status| status.reset_seconds)
            .max()
    }

    /// The limit with the fewest requests left, among those that the service tells the numbers of.
    pub fn scarcest(&self) -> Option<&Status> {
        self.statuses
            .iter()
            .filter(|status| status.limit.is_some())
            .min_by_key(|status| (!status.over_limit, status.remaining))
    }
}

impl Status {
    fn of(status: &DescriptorStatus) -> Self {
        Self {
            over_limit: status.code == 2,
            limit: status.current_limit.as_ref().and_then(|limit| {
                let window = match limit.unit {
                    1 => 1,
                    2 => 60,
                    3 => 3_600,
                    4 => 86_400,
                    5 => 30 * 86_400,
                    6 => 365 * 86_400,
                    7 => 7 * 86_400,
                    _ => return None,
                };
                Some((limit.requests_per_unit, window))
            }),
            remaining: status.limit_remaining,
            reset_seconds: status.duration_until_reset.map(|left| {
                let whole = u64::try_from(left.seconds).unwrap_or(0);
                whole.saturating_add(u64::from(left.seconds >= 0 && left.nanos > 0))
            }),
        }
    }
}

fn headers(given: Vec<HeaderValue>) -> Vec<(String, String)> {
    given
        .into_iter()
        .take(MAX_HEADERS)
        .filter_map(header)
        .collect()
}

fn header(header: HeaderValue) -> Option<(String, String)> {
    let name = header.key.to_ascii_lowercase();
    let value = if header.value.is_empty() {
        String::from_utf8(header.raw_value).ok()?
    } else {
        header.value
    };
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    // RFC 9110, section 5.5: no control characters but the tab.
    let printable = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
    let ours = matches!(
        name.as_str(),
        "host" | "connection" | "content-length" | "transfer-encoding" | "upgrade" | "te"
    );
    let fine = !name.is_empty()
        && name.len() <= 128
        && name.bytes().all(token)
        && !ours
        && value.len() <= MAX_VALUE
        && value.bytes().all(printable);
    fine.then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Duration, RateLimit};

    fn value(key: &str, value: &str) -> HeaderValue {
        HeaderValue {
            key: key.to_owned(),
            value: value.to_owned(),
            raw_value: Vec::new(),
        }
    }

    #[test]
    fn only_two_codes_are_answers() {
        for (code, expected) in [
            (0, Err(Malformed::UnknownCode)),
            (1, Ok(false)),
            (2, Ok(true)),
            (3, Err(Malformed::UnknownCode)),
            (-1, Err(Malformed::UnknownCode)),
        ] {
            let bytes = RateLimitResponse {
                overall_code: code,
                ..Default::default()
            }
            .encode_to_vec();
            assert_eq!(
                Answer::read(&bytes).map(|answer| answer.over_limit),
                expected,
                "{code}"
            );
        }
        // No bytes are a message whose code is 0.
        assert_eq!(Answer::read(b""), Err(Malformed::UnknownCode));
        assert_eq!(Answer::read(b"\x08"), Err(Malformed::NotAMessage));
        assert_eq!(Answer::read(b"\xff\xff"), Err(Malformed::NotAMessage));
    }

    #[test]
    fn headers_that_could_do_harm_are_left_out() {
        let given = vec![
            value("X-RateLimit-Reset", "12"),
            HeaderValue {
                key: "x-raw".to_owned(),
                value: String::new(),
                raw_value: b"bytes".to_vec(),
            },
            value(":path", "/admin"),
            value("Host", "elsewhere"),
            value("content-length", "0"),
            value("x-split", "a\r\nset-cookie: b"),
            value("x split", "a"),
            value("", "a"),
            value("x-long", &"a".repeat(MAX_VALUE + 1)),
            HeaderValue {
                key: "x-not-text".to_owned(),
                value: String::new(),
                raw_value: vec![0xff],
            },
        ];
        let kept = [("x-ratelimit-reset", "12"), ("x-raw", "bytes")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(headers(given), kept);
        assert_eq!(headers(vec![value("a", "b"); 100]).len(), MAX_HEADERS);
    }

    #[test]
    fn the_wait_is_that_of_the_limit_that_refuses_for_longest() {
        let status = |code, seconds, nanos, requests_per_unit| DescriptorStatus {
            code,
            current_limit: Some(RateLimit {
                requests_per_unit,
                unit: 2,
                name: String::new(),
            }),
            limit_remaining: u32::from(code == 1),
            duration_until_reset: Some(Duration { seconds, nanos }),
        };
        let bytes = RateLimitResponse {
            overall_code: 2,
            statuses: vec![
                status(1, 900, 0, 1),
                status(2, 7, 1, 2),
                status(2, -3, 5, 3),
            ],
            ..Default::default()
        }
        .encode_to_vec();
        let answer = Answer::read(&bytes).unwrap();
        assert_eq!(answer.retry_after(), Some(8));
        assert_eq!(answer.scarcest().unwrap().limit, Some((2, 60)));
        assert_eq!(Answer::default().retry_after(), None);
    }
}
