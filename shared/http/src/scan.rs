//! Finding separators in byte strings.
//!
//! Names and values are a dozen bytes long, so a call into a vectorised search costs more than it saves. In Wasm sixteen bytes at a
//! time go through one vector: the proposal has been part of WebAssembly since 2.0, and both V8 and wasmtime compile it to the
//! machine's own (SSE4.1, NEON). Elsewhere the same is done byte by byte, eight at a time in a register where that is simple:
//! what is answered is the same, and what the tests run natively is what the module's own tests compare with.

#[cfg(target_arch = "wasm32")]
use self::vector as sixteen;

/// Bits of sixteen bytes, the lowest that of the first.
pub type Marks = u32;

/// Where `byte` first occurs.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn find(byte: u8, haystack: &[u8]) -> Option<usize> {
    find_either(byte, byte, haystack)
}

/// Where `a` or `b` first occurs.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn find_either(a: u8, b: u8, haystack: &[u8]) -> Option<usize> {
    let mut before = 0;
    #[cfg(target_arch = "wasm32")]
    let haystack = {
        let (chunks, tail) = haystack.as_chunks::<16>();
        for chunk in chunks {
            let marks = sixteen::either(a, b, chunk);
            if marks != 0 {
                return Some(before + marks.trailing_zeros() as usize);
            }
            before += 16;
        }
        if let Some(last) = last_sixteen(haystack, tail) {
            let marks = sixteen::either(a, b, last);
            return (marks != 0).then(|| haystack.len() - 16 + marks.trailing_zeros() as usize);
        }
        tail
    };
    let (chunks, tail) = haystack.as_chunks::<8>();
    for chunk in chunks {
        let marks = eight_marks(a, b, chunk);
        if marks != 0 {
            return Some(before + marks.trailing_zeros() as usize / 8);
        }
        before += 8;
    }
    let at = tail.iter().position(|byte| *byte == a || *byte == b)?;
    Some(before + at)
}

/// The last sixteen bytes of `haystack`, if there are as many and `tail`, what whole sixteens leave of it, is worth a look: all
/// before the tail has been looked at, so that whatever is found there is in the tail.
#[inline]
fn last_sixteen<'a>(haystack: &'a [u8], tail: &[u8]) -> Option<&'a [u8; 16]> {
    if tail.len() < 3 {
        return None;
    }
    haystack.last_chunk()
}

/// Sixteen bytes with the last sixteen of `bytes` in them, or all that there are, some of them twice; `None` if it has less than four.
#[inline]
fn ends(bytes: &[u8]) -> Option<[u8; 16]> {
    if let Some(last) = bytes.last_chunk() {
        return Some(*last);
    }
    let halves = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => {
            let first = u32::from_le_bytes(*bytes.first_chunk()?);
            let last = u32::from_le_bytes(*bytes.last_chunk()?);
            (
                u64::from(first) << 32 | u64::from(first),
                u64::from(last) << 32 | u64::from(last),
            )
        }
    };
    Some((u128::from(halves.1) << 64 | u128::from(halves.0)).to_le_bytes())
}

const LOW: u64 = u64::from_le_bytes([0x01; 8]);
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// The lowest bit of these is at the first byte that equals `a` or `b`.
#[inline]
fn eight_marks(a: u8, b: u8, eight: &[u8; 8]) -> u64 {
    let word = u64::from_le_bytes(*eight);
    zero_bytes(word ^ (LOW * u64::from(a))) | zero_bytes(word ^ (LOW * u64::from(b)))
}

/// Marks zero bytes: exactly the first of them, others as it may be.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// Which of sixteen bytes are letters, digits or underscores of ASCII.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub fn word_marks(bytes: &[u8; 16]) -> Marks {
    sixteen::words(bytes)
}

/// A set of ASCII bytes, as two look-ups by half a byte find it: sixteen at once in a vector.
#[derive(Clone, Copy, Debug)]
pub struct Set {
    /// By the lower half: a bit for each upper half.
    low: [u8; 16],
}

/// The bit of each upper half; none for what is not ASCII.
const UPPER: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];

impl Set {
    /// The set of those bytes; what is not ASCII is left out.
    pub const fn of(bytes: &[u8]) -> Self {
        Self { low: [0; 16] }.with(bytes)
    }

    /// This set and those bytes.
    pub const fn with(self, bytes: &[u8]) -> Self {
        let mut low = self.low;
        let mut rest = bytes;
        while let [byte, tail @ ..] = rest {
            if byte.is_ascii() {
                let mut cells: &mut [u8] = &mut low;
                let mut index = 0;
                while let [cell, others @ ..] = cells {
                    if index == *byte & 15 {
                        *cell |= 1 << (*byte >> 4);
                    }
                    index += 1;
                    cells = others;
                }
            }
            rest = tail;
        }
        Self { low }
    }

    /// Whether `byte` is in it.
    #[inline]
    pub fn has(&self, byte: u8) -> bool {
        let low = self.low.get(usize::from(byte & 15)).copied().unwrap_or(0);
        let upper = UPPER.get(usize::from(byte >> 4)).copied().unwrap_or(0);
        low & upper != 0
    }

    /// Which of sixteen bytes are in it.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub fn marks(&self, bytes: &[u8; 16]) -> Marks {
        sixteen::of_set(self, bytes)
    }

    /// Whether it has every byte of `haystack`.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub fn holds(&self, haystack: &[u8]) -> bool {
        let (chunks, tail) = haystack.as_chunks::<16>();
        for chunk in chunks {
            if !sixteen::all_of_set(self, chunk) {
                return false;
            }
        }
        match ends(haystack) {
            _ if tail.is_empty() => true,
            Some(ends) => sixteen::all_of_set(self, &ends),
            None => tail.iter().all(|byte| self.has(*byte)),
        }
    }

    /// Where the first byte of the set is.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub fn find(&self, haystack: &[u8]) -> Option<usize> {
        let (chunks, tail) = haystack.as_chunks::<16>();
        for (index, chunk) in chunks.iter().enumerate() {
            let marks = sixteen::of_set(self, chunk);
            if marks != 0 {
                return Some(index * 16 + marks.trailing_zeros() as usize);
            }
        }
        if let Some(last) = last_sixteen(haystack, tail) {
            let marks = sixteen::of_set(self, last);
            return (marks != 0).then(|| haystack.len() - 16 + marks.trailing_zeros() as usize);
        }
        let at = tail.iter().position(|byte| self.has(*byte))?;
        Some(chunks.len() * 16 + at)
    }

    /// Where bytes of the set are, in their order.
    pub fn positions<'a>(&'a self, haystack: &'a [u8]) -> Positions<'a> {
        Positions {
            set: self,
            haystack,
            next: 0,
            marks: 0,
            at: 0,
        }
    }
}

/// Where bytes of a set are.
#[derive(Clone, Debug)]
pub struct Positions<'a> {
    set: &'a Set,
    haystack: &'a [u8],
    /// What is before was looked at.
    next: usize,
    /// What is left of the sixteen at `at`.
    marks: Marks,
    at: usize,
}

impl Iterator for Positions<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.marks == 0 {
            if self.next >= self.haystack.len() {
                return None;
            }
            self.refill();
        }
        let found = self.at + self.marks.trailing_zeros() as usize;
        self.marks &= self.marks - 1;
        Some(found)
    }
}

impl Positions<'_> {
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn refill(&mut self) {
        let mut rest = self.haystack.get(self.next..).unwrap_or_default();
        while let Some((sixteen, behind)) = rest.split_first_chunk::<16>() {
            self.at = self.next;
            self.marks = self.set.marks(sixteen);
            self.next += 16;
            rest = behind;
            if self.marks != 0 {
                return;
            }
        }
        if let Some(last) = last_sixteen(self.haystack, rest) {
            self.at = self.haystack.len() - 16;
            // Without those that were looked at before.
            self.marks = self.set.marks(last) >> (16 - rest.len()) << (16 - rest.len());
        } else {
            self.at = self.next;
            for (index, byte) in rest.iter().enumerate() {
                self.marks |= Marks::from(self.set.has(*byte)) << index;
            }
        }
        self.next = self.haystack.len();
    }
}

#[cfg(target_arch = "wasm32")]
mod vector {
    use core::arch::wasm32::{
        i8x16_swizzle, u8x16_all_true, u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_ne, u8x16_shr,
        u8x16_splat, u8x16_sub, u64x2, u64x2_splat, v128, v128_and, v128_or,
    };

    use super::{Marks, Set, UPPER};

    #[inline]
    #[target_feature(enable = "simd128")]
    fn load(bytes: &[u8; 16]) -> v128 {
        // One instruction, once it is compiled.
        match bytes.as_chunks::<8>().0 {
            [low, high] => u64x2(u64::from_le_bytes(*low), u64::from_le_bytes(*high)),
            _ => u64x2_splat(0),
        }
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    pub(super) fn either(a: u8, b: u8, bytes: &[u8; 16]) -> Marks {
        let bytes = load(bytes);
        let equal = v128_or(
            u8x16_eq(bytes, u8x16_splat(a)),
            u8x16_eq(bytes, u8x16_splat(b)),
        );
        Marks::from(u8x16_bitmask(equal))
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    pub(super) fn words(bytes: &[u8; 16]) -> Marks {
        let bytes = load(bytes);
        let folded = v128_or(bytes, u8x16_splat(0x20));
        let letter = u8x16_lt(u8x16_sub(folded, u8x16_splat(b'a')), u8x16_splat(26));
        let digit = u8x16_lt(u8x16_sub(bytes, u8x16_splat(b'0')), u8x16_splat(10));
        let underscore = u8x16_eq(bytes, u8x16_splat(b'_'));
        Marks::from(u8x16_bitmask(v128_or(v128_or(letter, digit), underscore)))
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    pub(super) fn of_set(set: &Set, bytes: &[u8; 16]) -> Marks {
        Marks::from(u8x16_bitmask(u8x16_ne(common(set, bytes), u8x16_splat(0))))
    }

    #[inline]
    #[target_feature(enable = "simd128")]
    pub(super) fn all_of_set(set: &Set, bytes: &[u8; 16]) -> bool {
        u8x16_all_true(common(set, bytes))
    }

    /// Not zero where a byte is in the set.
    #[inline]
    #[target_feature(enable = "simd128")]
    fn common(set: &Set, bytes: &[u8; 16]) -> v128 {
        let bytes = load(bytes);
        let low = i8x16_swizzle(load(&set.low), v128_and(bytes, u8x16_splat(15)));
        let upper = i8x16_swizzle(load(&UPPER), u8x16_shr(bytes, 4));
        v128_and(low, upper)
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod sixteen {
    use super::{Marks, Set};

    #[inline]
    fn marks(bytes: &[u8; 16], is: impl Fn(u8) -> bool) -> Marks {
        bytes
            .iter()
            .rev()
            .fold(0, |marks, byte| marks << 1 | Marks::from(is(*byte)))
    }

    #[inline]
    pub(super) fn words(bytes: &[u8; 16]) -> Marks {
        marks(bytes, |byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    #[inline]
    pub(super) fn of_set(set: &Set, bytes: &[u8; 16]) -> Marks {
        marks(bytes, |byte| set.has(byte))
    }

    #[inline]
    pub(super) fn all_of_set(set: &Set, bytes: &[u8; 16]) -> bool {
        bytes.iter().all(|byte| set.has(*byte))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(
            haystack in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(b'a'), Just(b'b'), Just(0x80), any::<u8>()], 0..80),
            a in prop_oneof![Just(b'a'), Just(0), any::<u8>()],
            b in prop_oneof![Just(b'b'), Just(1), any::<u8>()],
        ) {
            let expected = haystack.iter().position(|byte| *byte == a || *byte == b);
            prop_assert_eq!(find_either(a, b, &haystack), expected);
            prop_assert_eq!(find(a, &haystack), haystack.iter().position(|byte| *byte == a));
        }

        #[test]
        fn a_set_holds_what_was_put_in(bytes in prop::collection::vec(any::<u8>(), 0..20), haystack in prop::collection::vec(any::<u8>(), 0..80)) {
            let set = Set::of(&bytes);
            let within = |byte: &u8| byte.is_ascii() && bytes.contains(byte);
            prop_assert_eq!(set.find(&haystack), haystack.iter().position(within));
            let positions: Vec<usize> = (0..haystack.len()).filter(|at| within(&haystack[*at])).collect();
            prop_assert_eq!(set.positions(&haystack).collect::<Vec<_>>(), positions);
            prop_assert!(haystack.iter().all(|byte| set.has(*byte) == within(byte)));
            let inner: Vec<u8> = haystack.iter().copied().filter(within).collect();
            prop_assert!(set.holds(&inner));
            for at in 0..=inner.len() {
                let other = [&inner[..at], b"\x80", &inner[at..]].concat();
                prop_assert!(!set.holds(&other));
            }
            prop_assert_eq!(set.holds(&haystack), haystack.iter().all(within));
        }

        #[test]
        fn marks_are_in_the_order_of_the_bytes(bytes: [u8; 16], signs in prop::collection::vec(any::<u8>(), 0..20)) {
            let set = Set::of(&signs);
            let marks = set.marks(&bytes);
            for (at, byte) in bytes.into_iter().enumerate() {
                let word = byte.is_ascii_alphanumeric() || byte == b'_';
                prop_assert_eq!(word_marks(&bytes) >> at & 1 == 1, word);
                prop_assert_eq!(marks >> at & 1 == 1, set.has(byte));
            }
        }
    }
}
