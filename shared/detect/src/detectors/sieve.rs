//! A set of words that says no to most others at the cost of one look-up: what stands before a search in a vocabulary.

/// Bits, one for each of the slots that words fall into.
pub struct Sieve([u64; CELLS]);

const CELLS: usize = 256;

impl Sieve {
    /// The set without words.
    pub const EMPTY: Sieve = Sieve([0; CELLS]);
    /// The set of all words.
    pub const FULL: Sieve = Sieve([u64::MAX; CELLS]);

    /// The set with `word`, in either case.
    pub const fn with(mut self, word: &[u8]) -> Sieve {
        let (cell, bit) = slot(word);
        let mut index = 0;
        let mut rest: &mut [u64] = &mut self.0;
        while let [first, tail @ ..] = rest {
            if index == cell {
                *first |= bit;
            }
            index += 1;
            rest = tail;
        }
        self
    }

    /// Whether `word` may be among the words, without regard to ASCII case: always yes where it is.
    #[inline]
    pub fn may_hold(&self, word: &[u8]) -> bool {
        let (cell, bit) = slot(word);
        self.0.get(cell).is_none_or(|bits| bits & bit != 0)
    }
}

/// The cell of a word and its bit therein: by its length, its first two letters and its last.
#[inline]
const fn slot(word: &[u8]) -> (usize, u64) {
    let (first, second, last) = match word {
        [] => (0, 0, 0),
        [only] => (*only, 0, 0),
        [first, last] => (*first, *last, 0),
        [first, second, .., last] => (*first, *second, *last),
    };
    let letters = u32::from_le_bytes([first | 0x20, second | 0x20, last | 0x20, word.len() as u8]);
    let mixed = letters.wrapping_mul(0x9e37_79b1) >> 18;
    ((mixed >> 6) as usize, 1 << (mixed & 63))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_words_let_few_others_through() {
        let sieve = Sieve::EMPTY.with(b"union").with(b"or").with(b"w");
        for word in [&b"union"[..], b"UnioN", b"OR", b"w"] {
            assert!(sieve.may_hold(word));
        }
        for word in [&b""[..], b"unions", b"of", b"x", b"tickets"] {
            assert!(!sieve.may_hold(word), "{}", word.escape_ascii());
        }
        assert!(Sieve::FULL.may_hold(b"tickets"));
    }

    proptest! {
        #[test]
        fn what_was_put_in_is_held(words in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..8)) {
            let sieve = words.iter().fold(Sieve::EMPTY, |sieve, word| sieve.with(word));
            for word in &words {
                prop_assert!(sieve.may_hold(word) && sieve.may_hold(&word.to_ascii_uppercase()));
            }
        }
    }
}
