//! Whole numbers and sizes as configuration writes them.
//!
//! Istio carries `pluginConfig` as a protobuf Struct, where every number is a double: `5` arrives as `5.0`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// A whole number from `MIN` to `MAX`; `5.0` is one, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<const MIN: u32, const MAX: u32>(pub u32);

struct WholeVisitor<const MIN: u32, const MAX: u32>;

impl<const MIN: u32, const MAX: u32> Visitor<'_> for WholeVisitor<MIN, MAX> {
    type Value = Whole<MIN, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        u32::try_from(number)
            .ok()
            .filter(|number| (MIN..=MAX).contains(number))
            .map(Whole)
            .ok_or_else(|| {
                E::custom(format_args!(
                    "{number} is not a whole number from {MIN} to {MAX}"
                ))
            })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::custom(format_args!(
                "{number} is not a whole number from {MIN} to {MAX}"
            ))),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        match whole(number) {
            Some(number) => self.visit_u64(number),
            None => Err(E::custom(format_args!(
                "{number} is not a whole number from {MIN} to {MAX}"
            ))),
        }
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor)
    }
}

impl<const MIN: u32, const MAX: u32> Serialize for Whole<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<const MIN: u32, const MAX: u32> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Whole{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A number of bytes: `131072`, `"131072"`, `"128KiB"` or `"1MiB"`; at most 16 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub usize);

/// The largest size that configuration accepts: a filter's memory is a worker's.
pub const MAX_SIZE: usize = 16 << 20;

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a size up to 16MiB: a number of bytes, or a string such as \"128KiB\" or \"1MiB\"",
        )
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Size, E> {
        usize::try_from(number)
            .ok()
            .filter(|number| *number <= MAX_SIZE)
            .map(Size)
            .ok_or_else(|| {
                E::custom(format_args!(
                    "{number} bytes are more than the 16MiB that are allowed"
                ))
            })
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Size, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::custom(format_args!("{number} is not a size"))),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Size, E> {
        match whole(number) {
            Some(number) => self.visit_u64(number),
            None => Err(E::custom(format_args!(
                "{number} is not a whole number of bytes"
            ))),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        let (digits, unit) = match (text.strip_suffix("KiB"), text.strip_suffix("MiB")) {
            (Some(digits), _) => (digits, 1 << 10),
            (_, Some(digits)) => (digits, 1 << 20),
            _ => (text, 1),
        };
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse::<u64>() {
            Ok(number) if plain => self.visit_u64(number.saturating_mul(unit)),
            _ => Err(E::custom(format_args!(
                "`{text}` is not a size; write a number of bytes, or a string such as \"128KiB\" or \"1MiB\""
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(bytes) = *self;
        match bytes {
            0 => serializer.serialize_u64(0),
            _ if bytes % (1 << 20) == 0 => {
                serializer.collect_str(&format_args!("{}MiB", bytes >> 20))
            }
            _ if bytes % (1 << 10) == 0 => {
                serializer.collect_str(&format_args!("{}KiB", bytes >> 10))
            }
            _ => serializer.serialize_u64(bytes as u64),
        }
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": MAX_SIZE },
                { "type": "string", "pattern": "^[0-9]+(KiB|MiB)?$" }
            ]
        })
    }
}

/// The whole number that a double holds, if it holds one and can hold its neighbours, too.
fn whole(number: f64) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // The cast is exact: no fraction, in range.
    (number.fract() == 0.0 && (0.0..EXACT).contains(&number)).then_some(number as u64)
}
