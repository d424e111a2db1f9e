//! Decodings: total functions from bytes to bytes, none of which makes its input longer.
//!
//! Each clears its output, fills it, and answers whether anything changed; after `false` the output means nothing. What
//! a decoding does not understand it leaves alone, as the servers behind do.

mod base64;
mod entity;
mod escape;
mod percent;
mod utf7;
mod wide;

pub use base64::{base64, is_base64};
pub use entity::entity;
pub use escape::escape;
pub use percent::{form, is_form_encoded, percent};
pub use utf7::utf7;
pub use wide::{fold, nul};

use backstop_http::scan::find_either;

use crate::chain::Decoding;
use crate::triggers;

/// A decoding: bytes, and where the decoded ones go; whether anything changed.
pub type Decode = fn(&[u8], &mut Vec<u8>) -> bool;

/// Which trigger makes which decoding worth trying, in the order they are tried.
const BY_TRIGGER: [(u8, Decoding, Decode); 6] = [
    (triggers::PERCENT, Decoding::Percent, percent),
    (triggers::WIDE, Decoding::Nul, nul),
    (triggers::WIDE, Decoding::Fold, fold),
    (triggers::ENTITY, Decoding::Entity, entity),
    (triggers::ENTITY, Decoding::Utf7, utf7),
    (triggers::BACKSLASH, Decoding::Escape, escape),
];

/// Applies the first decoding that changes `bytes`, trying only those that `triggers` name, then base64.
pub fn step(bytes: &[u8], triggers: u8, out: &mut Vec<u8>) -> Option<Decoding> {
    let tried = if triggers == 0 { &[] } else { &BY_TRIGGER[..] };
    tried
        .iter()
        .filter(|(trigger, _, _)| triggers & trigger != 0)
        .find(|(_, _, decode)| decode(bytes, out))
        .map(|(_, decoding, _)| *decoding)
        .or_else(|| base64(bytes, out).then_some(Decoding::Base64))
}

/// What an escape stands for.
enum Sign {
    Byte(u8),
    /// A code point, written as UTF-8.
    Scalar(u32),
}

/// Decodes what `one` reads wherever a `mark` stands: it gets what begins with the mark, and answers the sign and how many
/// bytes spell it. What is plain goes over in whole runs, and a value that holds nothing to decode is not copied at all.
fn rewrite(
    bytes: &[u8],
    out: &mut Vec<u8>,
    marks: (u8, u8),
    one: impl Fn(&[u8]) -> Option<(Sign, usize)>,
) -> bool {
    out.clear();
    let mut plain = bytes;
    // How much of `plain` has been looked at.
    let mut seen = 0;
    let mut changed = false;
    while let Some(tail) = plain.get(seen..) {
        let Some(found) = find_either(marks.0, marks.1, tail) else {
            break;
        };
        seen += found;
        let Some((before, marked)) = plain.split_at_checked(seen) else {
            break;
        };
        let Some((sign, length)) = one(marked) else {
            seen += 1;
            continue;
        };
        out.extend_from_slice(before);
        match sign {
            Sign::Byte(byte) => out.push(byte),
            Sign::Scalar(code) => push_scalar(out, code),
        }
        changed = true;
        plain = marked.get(length..).unwrap_or_default();
        seen = 0;
    }
    if changed {
        out.extend_from_slice(plain);
    }
    changed
}

/// Appends a Unicode scalar value as UTF-8; what is none (a lone surrogate, beyond U+10FFFF) as U+FFFD.
fn push_scalar(out: &mut Vec<u8>, code: u32) {
    if let Ok(byte @ ..0x80) = u8::try_from(code) {
        out.push(byte);
        return;
    }
    let scalar = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(scalar.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Reads exactly `count` hexadecimal digits.
fn hex(bytes: &[u8], count: usize) -> Option<u32> {
    let digits = bytes.get(..count)?;
    digits.iter().try_fold(0u32, |value, byte| {
        value.checked_mul(16)?.checked_add(digit(*byte, 16)?)
    })
}

/// The value of a digit in `radix` (8, 10 or 16).
#[inline]
fn digit(byte: u8, radix: u32) -> Option<u32> {
    let value = match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'f' => byte - b'a' + 10,
        b'A'..=b'F' => byte - b'A' + 10,
        _ => return None,
    };
    Some(u32::from(value)).filter(|value| *value < radix)
}

/// Joins two UTF-16 surrogates.
fn join_surrogates(high: u32, low: u32) -> Option<u32> {
    ((0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low))
        .then(|| 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

/// Reads `mark` and four hexadecimal digits, and a second such unit where the two are surrogates that join.
/// Answers the code and the number of bytes it takes, the first mark included.
fn utf16(bytes: &[u8], mark: &[u8]) -> Option<(u32, usize)> {
    let unit = |bytes: &[u8]| {
        let (start, rest) = bytes.split_at_checked(mark.len())?;
        start
            .eq_ignore_ascii_case(mark)
            .then(|| hex(rest, 4))
            .flatten()
    };
    let length = mark.len() + 4;
    let first = unit(bytes)?;
    let joined = bytes
        .get(length..)
        .and_then(unit)
        .and_then(|second| join_surrogates(first, second));
    Some(match joined {
        Some(code) => (code, length * 2),
        None => (first, length),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs a decoding over a table of input and expected output (`None`: left alone).
    pub(super) fn check(decode: Decode, table: &[(&[u8], Option<&[u8]>)]) {
        for (input, expected) in table {
            let mut out = b"left over".to_vec();
            let changed = decode(input, &mut out);
            let got = changed.then_some(out.as_slice());
            assert_eq!(
                got.map(|bytes| bytes.escape_ascii().to_string()),
                expected.map(|bytes| bytes.escape_ascii().to_string()),
                "{}",
                input.escape_ascii()
            );
        }
    }

    fn every() -> Vec<Decode> {
        let mut all: Vec<Decode> = BY_TRIGGER.iter().map(|(_, _, decode)| *decode).collect();
        all.extend([base64 as Decode, form]);
        all
    }

    /// Bytes with the signs that decodings look at far more often than chance has them.
    fn tricky() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            4 => proptest::sample::select(b"%\\&#;x+u0123456789abcdefABCDEF-{}=/".to_vec()),
            1 => any::<u8>(),
        ];
        proptest::collection::vec(byte, 0..80)
    }

    proptest! {
        #[test]
        fn no_decoding_grows_its_input_or_claims_a_change_it_did_not_make(bytes in tricky()) {
            let mut out = Vec::new();
            for decode in every() {
                if decode(&bytes, &mut out) {
                    prop_assert!(out.len() <= bytes.len());
                    prop_assert_ne!(&out, &bytes);
                }
            }
        }

        #[test]
        fn decoding_comes_to_rest(bytes in tricky()) {
            // Each change but `fold` of one look-alike to another byte shortens; `length + 1` rounds are ample.
            let mut bytes = bytes;
            let mut out = Vec::new();
            let mut rounds = 0;
            while step(&bytes, 0xf, &mut out).is_some() {
                std::mem::swap(&mut bytes, &mut out);
                rounds += 1;
                prop_assert!(rounds <= 200, "{}", bytes.escape_ascii());
            }
            for decode in every().into_iter().filter(|decode| !std::ptr::fn_addr_eq(*decode, form as Decode)) {
                prop_assert!(!decode(&bytes, &mut out));
            }
        }
    }
}
