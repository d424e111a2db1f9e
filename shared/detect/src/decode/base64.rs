//! Base64 (RFC 4648, both alphabets) where a value plausibly is base64: all of it in the alphabet, long enough to hold an
//! attack, and text once decoded.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);

/// The shortest value that is tried: twelve bytes of text.
const SHORTEST: usize = 16;
/// How many bytes are decoded to see whether it is worth going on: random bytes are text this long one time in 300,000.
const PROBE: usize = 16;

/// Decodes a value that is base64 of text.
pub fn base64(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    if bytes.len() < SHORTEST {
        return false;
    }
    let mut probe = [0u8; PROBE];
    let mut plain = [0u8; PROBE];
    for (to, from) in probe.iter_mut().zip(bytes) {
        match standard(*from) {
            Some(byte) => *to = byte,
            None => return false,
        }
    }
    match STANDARD.decode_slice(probe, &mut plain) {
        Ok(length) if plain.get(..length).is_some_and(is_text) => {}
        _ => return false,
    }
    let body = bytes.trim_ascii_end();
    let unpadded = body
        .iter()
        .rposition(|byte| *byte != b'=')
        .and_then(|last| body.get(..=last))
        .unwrap_or_default();
    let mut folded = Vec::with_capacity(unpadded.len());
    for byte in unpadded {
        match standard(*byte) {
            Some(byte) => folded.push(byte),
            None => return false,
        }
    }
    STANDARD.decode_vec(&folded, out).is_ok() && is_text(out)
}

/// The standard alphabet's sign for one of either alphabet; a space was a plus before the query was read.
fn standard(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => Some(byte),
        b'-' | b' ' => Some(b'+'),
        b'_' => Some(b'/'),
        _ => None,
    }
}

/// Printable ASCII and white space, or UTF-8 beyond it, with slack for a cut character or a stray control: a tenth and one.
fn is_text(bytes: &[u8]) -> bool {
    let odd: usize = bytes
        .utf8_chunks()
        .map(|chunk| {
            chunk.invalid().len()
                + chunk
                    .valid()
                    .bytes()
                    .filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
                    .count()
        })
        .sum();
    !bytes.is_empty() && odd * 10 <= bytes.len() + 10
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn base64_table() {
        check(
            base64,
            &[
                (
                    b"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
                    Some(b"<script>alert(1)</script>"),
                ),
                (
                    b"PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg",
                    Some(b"<script>alert(1)</script>"),
                ),
                (b"7ZWc6riA7J20IOyeiOuKlA==", Some("한글이 있는".as_bytes())),
                (b"aGVsbG8=", None),
                (b"0123456789abcdef0123456789abcdef", None),
                (b"a plain sentence of words", None),
                (b"PHNjcmlwdD5hbGVydCgxKTwv<", None),
                (b"AAAAAAAAAAAAAAAAAAAAAAAA", None),
            ],
        );
    }
}
