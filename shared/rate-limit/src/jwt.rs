//! One claim of a JSON Web Token (RFC 7519), read without verifying anything.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The longest payload that is read, in base64 characters.
const MAX_PAYLOAD: usize = 16 << 10;

/// What a token says about a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Its value: a string as it is, anything else as JSON.
    Value(Vec<u8>),
    /// The token does not have it.
    Absent,
    /// This is no token, or it has the claim twice.
    Unreadable,
}

/// The claim called `name` in a header's value.
pub(crate) fn claim(header: &[u8], name: &str) -> Claim {
    let mut parts = token(header).split(|byte| *byte == b'.');
    let payload = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(payload), Some(_), None) if payload.len() <= MAX_PAYLOAD => payload,
        _ => return Claim::Unreadable,
    };
    let Ok(json) = URL_SAFE_NO_PAD.decode(payload) else {
        return Claim::Unreadable;
    };
    let mut deserializer = serde_json::Deserializer::from_slice(&json);
    let found = Member(name).deserialize(&mut deserializer);
    match (found, deserializer.end()) {
        (Ok(claim), Ok(())) => claim,
        _ => Claim::Unreadable,
    }
}

/// The value without the scheme (`Bearer`, in any case).
fn token(header: &[u8]) -> &[u8] {
    let header = header.trim_ascii();
    match header.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
        _ => header,
    }
}

/// Reads one member of an object and skips the others.
struct Member<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = Claim;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Claim, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Claim;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token's payload")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Claim, A::Error> {
        let mut found = None;
        while let Some(name) = members.next_key::<String>()? {
            if name != self.0 {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let claim = match members.next_value::<Value>()? {
                Value::String(text) => Claim::Value(text.into_bytes()),
                Value::Null => Claim::Absent,
                other => Claim::Value(other.to_string().into_bytes()),
            };
            found = Some(match found {
                None => claim,
                // Readers differ on which of the two counts.
                Some(_) => Claim::Unreadable,
            });
        }
        Ok(found.unwrap_or(Claim::Absent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_payload(payload: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_claim_is_read_from_the_payload() {
        for (payload, expected) in [
            (r#"{"sub":"anna"}"#, Claim::Value(b"anna".to_vec())),
            (
                r#"{"iss":{"sub":"no"},"sub":"an\u006ea"}"#,
                Claim::Value(b"anna".to_vec()),
            ),
            (r#"{"sub":42}"#, Claim::Value(b"42".to_vec())),
            (
                r#"{"sub":["a","b"]}"#,
                Claim::Value(br#"["a","b"]"#.to_vec()),
            ),
            (r#"{"sub":null}"#, Claim::Absent),
            (r#"{"name":"anna"}"#, Claim::Absent),
            (r#"{"sub":"anna","sub":"berta"}"#, Claim::Unreadable),
            (r#"{"sub":"anna"} x"#, Claim::Unreadable),
            (r#"["sub"]"#, Claim::Unreadable),
            ("", Claim::Unreadable),
        ] {
            let token = with_payload(payload);
            for header in [
                token.clone(),
                format!("Bearer {token}"),
                format!("bearer  {token} "),
            ] {
                assert_eq!(claim(header.as_bytes(), "sub"), expected, "{payload}");
            }
        }
    }

    #[test]
    fn what_is_no_token_is_unreadable() {
        let deep = with_payload(&format!(
            "{{\"sub\":{}{}}}",
            "[".repeat(5000),
            "]".repeat(5000)
        ));
        let long = with_payload(&format!("{{\"sub\":\"{}\"}}", "a".repeat(MAX_PAYLOAD)));
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            "a.b",
            "a.b.c.d",
            "a.!!.c",
            &deep,
            &long,
        ] {
            assert_eq!(
                claim(header.as_bytes(), "sub"),
                Claim::Unreadable,
                "{header:.40}"
            );
        }
        assert_eq!(claim(b"\xff.\xff.\xff", "sub"), Claim::Unreadable);
    }
}
