//! Spans of time as configuration writes them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// A span of time: `"500ms"`, `"1s"`, `"0.25s"`, `"5m"`, `"1h30m"`, as Envoy and Istio write them. At most 366 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval(pub Duration);

/// The longest span that configuration accepts.
const MAX: Duration = Duration::from_hours(366 * 24);

impl Interval {
    /// The span in nanoseconds.
    pub fn nanos(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Number-and-unit pairs in falling order of units; seconds may have a fraction of up to nine digits.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    let mut smaller_than = u64::MAX;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at_checked(number_end)?;
        let unit_end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(unit_end)?;
        let unit_nanos = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" => 1_000,
            _ => return None,
        };
        if unit_nanos >= smaller_than {
            return None;
        }
        smaller_than = unit_nanos;
        let nanos = match number.split_once('.') {
            None => number.parse::<u64>().ok()?.checked_mul(unit_nanos)?,
            Some((whole, fraction)) if unit == "s" && (1..=9).contains(&fraction.len()) => {
                let whole = whole.parse::<u64>().ok()?.checked_mul(unit_nanos)?;
                let missing = u32::try_from(9 - fraction.len()).ok()?;
                let part = fraction
                    .parse::<u64>()
                    .ok()?
                    .checked_mul(10_u64.pow(missing))?;
                whole.checked_add(part)?
            }
            Some(_) => return None,
        };
        total = total.checked_add(Duration::from_nanos(nanos))?;
        rest = next;
    }
    (total <= MAX).then_some(total)
}

struct IntervalVisitor;

impl Visitor<'_> for IntervalVisitor {
    type Value = Interval;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a span of time up to 366 days, with its unit: \"500ms\", \"1s\", \"5m\", \"1h30m\"",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Interval, E> {
        parse(text).map(Interval).ok_or_else(|| {
            E::custom(format_args!(
                "`{text}` is not a span of time up to 366 days; write a number with its unit, as in \"500ms\", \
                 \"1s\", \"5m\" or \"1h30m\""
            ))
        })
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntervalVisitor)
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The largest unit that leaves a whole number.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        for (unit, unit_nanos) in [
            ("h", 3_600_000_000_000),
            ("m", 60_000_000_000),
            ("s", 1_000_000_000),
            ("ms", 1_000_000),
            ("us", 1_000),
        ] {
            if nanos.is_multiple_of(unit_nanos) && (nanos > 0 || unit == "s") {
                return write!(f, "{}{unit}", nanos / unit_nanos);
            }
        }
        write!(f, "{}.{:09}s", self.0.as_secs(), self.0.subsec_nanos())
    }
}

impl JsonSchema for Interval {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Interval".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^([0-9]+(\\.[0-9]{1,9})?(h|ms|m|s|us))+$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_display() {
        for (text, nanos, shown) in [
            ("1s", 1_000_000_000_u64, "1s"),
            ("0s", 0, "0s"),
            ("60s", 60_000_000_000, "1m"),
            ("0.25s", 250_000_000, "250ms"),
            ("1.000000001s", 1_000_000_001, "1.000000001s"),
            ("1500us", 1_500_000, "1500us"),
            ("1h30m", 5_400_000_000_000, "90m"),
            ("1m30s500ms", 90_500_000_000, "90500ms"),
            ("8784h", 31_622_400_000_000_000, "8784h"),
        ] {
            let interval = Interval(parse(text).unwrap());
            assert_eq!(interval.nanos(), nanos, "{text}");
            assert_eq!(interval.to_string(), shown, "{text}");
            assert_eq!(parse(shown), Some(interval.0), "{shown}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            "1",
            "s",
            "-1s",
            "1 s",
            "1d",
            "1s1s",
            "1s1m",
            "1.5m",
            ".s",
            ".5s",
            "1.s",
            "1.0000000001s",
            "8785h",
            "99999999999999999999s",
            "9999999999999999h",
            "1s ",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
