//! Finding separators in short byte strings.
//!
//! Names and values are a dozen bytes long, so a call into a vectorised search costs more than it saves, and in Wasm
//! there are no vectors to use. Eight bytes at a time in one register is the faster way for both.

const LOW: u64 = u64::from_le_bytes([0x01; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// Where `byte` first occurs.
#[inline]
pub fn find(byte: u8, haystack: &[u8]) -> Option<usize> {
    find_either(byte, byte, haystack)
}

/// Where `a` or `b` first occurs.
#[inline]
pub fn find_either(a: u8, b: u8, haystack: &[u8]) -> Option<usize> {
    let (chunks, tail) = haystack.as_chunks::<8>();
    for (index, chunk) in chunks.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        // The lowest bit of these is set exactly at the first byte that is zero, that is, equal.
        let marks =
            zero_bytes(word ^ (LOW * u64::from(a))) | zero_bytes(word ^ (LOW * u64::from(b)));
        if marks != 0 {
            return Some(index * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let at = tail.iter().position(|byte| *byte == a || *byte == b)?;
    Some(chunks.len() * 8 + at)
}

#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            haystack in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(b'a'), Just(b'b'), Just(0x80), any::<u8>()], 0..40),
            a in prop_oneof![Just(b'a'), Just(0), any::<u8>()],
            b in prop_oneof![Just(b'b'), Just(1), any::<u8>()],
        ) {
            let expected = haystack.iter().position(|byte| *byte == a || *byte == b);
            prop_assert_eq!(find_either(a, b, &haystack), expected);
            prop_assert_eq!(find(a, &haystack), haystack.iter().position(|byte| *byte == a));
        }
    }
}
