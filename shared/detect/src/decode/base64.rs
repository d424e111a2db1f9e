//! Base64 (RFC 4648, both alphabets) where a value plausibly is base64: all of it in the alphabet, long enough to hold an
//! attack, and text once decoded.

/// How many quantums are decoded to see whether it is worth going on, and the fewest that are tried: twelve bytes of text.
/// Random bytes are text this long one time in 300,000.
const PROBE: usize = 4;
/// How many odd bytes make twelve bytes no text.
const ODD: usize = 3;

/// Whether a value starts like base64 of text: cheap, and false for nearly all that is none.
pub fn is_base64(bytes: &[u8]) -> bool {
    let Some(start) = bytes.first_chunk::<{ 4 * PROBE }>() else {
        return false;
    };
    // Each is less than 64 or `NONE`.
    if start.iter().fold(0, |all, sign| all | bits(*sign)) > 63 {
        return false;
    }
    let mut plain = [0; 3 * PROBE];
    let mut odd = Odd::default();
    for (quantum, to) in start.as_chunks().0.iter().zip(plain.as_chunks_mut().0) {
        let Some(three @ [first, second, third]) = decoded(quantum) else {
            return false;
        };
        *to = three;
        odd.add(first);
        odd.add(second);
        odd.add(third);
        if odd.count >= ODD {
            return false;
        }
    }
    is_text(&plain)
}

/// Decodes a value that is base64 of text.
pub fn base64(bytes: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    if !is_base64(bytes) {
        return false;
    }
    let body = bytes.trim_ascii_end();
    let unpadded = body
        .iter()
        .rposition(|byte| *byte != b'=')
        .and_then(|last| body.get(..=last))
        .unwrap_or_default();
    let (quantums, rest) = unpadded.as_chunks();
    out.resize(3 * quantums.len(), 0);
    for (quantum, to) in quantums.iter().zip(out.as_chunks_mut().0) {
        let Some(three) = decoded(quantum) else {
            return false;
        };
        *to = three;
    }
    let last = match *rest {
        [] => Some(([0; 3], 0)),
        [a, b] => decoded(&[a, b, b'A', b'A']).map(|three| (three, 1)),
        [a, b, c] => decoded(&[a, b, c, b'A']).map(|three| (three, 2)),
        _ => None,
    };
    let Some((three, length)) = last else {
        return false;
    };
    out.extend(three.iter().take(length));
    is_text(out)
}

/// Not in the alphabet.
const NONE: u8 = 0xff;

/// Six bits for each sign of either alphabet; a space was a plus before the query was read.
static BITS: [u8; 256] = {
    let mut table = [NONE; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0_u8;
    while let [cell, tail @ ..] = rest {
        *cell = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' | b' ' => 62,
            b'/' | b'_' => 63,
            _ => NONE,
        };
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    table
};

#[inline(always)]
fn bits(sign: u8) -> u8 {
    BITS.get(usize::from(sign)).copied().unwrap_or(NONE)
}

#[inline(always)]
fn decoded(quantum: &[u8; 4]) -> Option<[u8; 3]> {
    let [a, b, c, d] = quantum;
    let (a, b, c, d) = (bits(*a), bits(*b), bits(*c), bits(*d));
    if (a | b | c | d) > 63 {
        return None;
    }
    Some([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d])
}

/// Counts bytes that text has not, as they come: never more than [`is_text`] does.
#[derive(Default)]
struct Odd {
    count: usize,
    /// Continuation bytes that the character begun still lacks.
    lacks: u8,
}

impl Odd {
    fn add(&mut self, byte: u8) {
        if self.lacks > 0 {
            if byte & 0xc0 == 0x80 {
                self.lacks -= 1;
                return;
            }
            self.count += 1;
            self.lacks = 0;
        }
        match byte {
            0xc2..=0xdf => self.lacks = 1,
            0xe0..=0xef => self.lacks = 2,
            0xf0..=0xf4 => self.lacks = 3,
            0x80.. => self.count += 1,
            _ => self.count += usize::from(is_odd(byte)),
        }
    }
}

/// A control character that is no white space.
const fn is_odd(byte: u8) -> bool {
    byte.is_ascii_control() && !byte.is_ascii_whitespace()
}

/// Printable ASCII and white space, or UTF-8 beyond it, with slack for a cut character or a stray control: a tenth and one.
fn is_text(bytes: &[u8]) -> bool {
    let controls = bytes.iter().filter(|byte| is_odd(**byte)).count();
    let invalid: usize = if bytes.is_ascii() {
        0
    } else {
        let chunks = bytes.utf8_chunks();
        chunks.map(|chunk| chunk.invalid().len()).sum()
    };
    let odd = controls + invalid;
    !bytes.is_empty() && odd * 10 <= bytes.len() + 10
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
                (b"YWFhYWFhYWFhYWFhYWE", Some(b"aaaaaaaaaaaaaa")),
                (b"YWFhYWFhYWFhYWFhYW", Some(b"aaaaaaaaaaaaa")),
                (b"YWFhYWFhYWFhYWFhY", None),
                (b"Pz8/Pz8_Pz8-Pj4 Pj4+", Some(b"????????>>>>>>>")),
            ],
        );
    }

    proptest! {
        #[test]
        fn the_quick_count_is_never_more_than_the_exact_one(
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(0xe2), Just(0x82), Just(0xac), Just(0xf0), Just(b'a')], 12),
        ) {
            let mut odd = Odd::default();
            bytes.iter().for_each(|byte| odd.add(*byte));
            prop_assert!(odd.count < ODD || !is_text(&bytes));
        }
    }
}
