//! Which sets of bytes a value keeps to.

use std::mem;

use backstop_http::scan::{Set, find};

const LETTERS_AND_DIGITS: Set =
    Set::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

/// Names as programs give them: letters, digits, underscores.
pub(crate) static WORD: Set = LETTERS_AND_DIGITS.with(b"_");
/// What the segments of an ordinary path are made of.
pub(crate) static PLAIN_PATH: Set = LETTERS_AND_DIGITS.with(b"_-:./,~@");
/// Products of a user agent, and its comments without their parentheses and semicolons.
static AGENT: Set = LETTERS_AND_DIGITS.with(b"_-:./, +");
/// What header fields of known grammar hold (RFC 9110, RFC 8941, RFC 9112; W3C Trace Context).
pub(crate) static LIST: Set = GRAMMAR.with(b"[]");
/// Addresses and names of hosts, with ports, in lists.
pub(crate) static HOSTS: Set = LETTERS_AND_DIGITS.with(b"_-:., []");
/// The same of Client Hints. Greased brands hold any sign that a token may not: `"Not(A:Brand";v="8"`, `" Not;A Brand"`.
pub(crate) static BRANDS: Set = GRAMMAR.with(b"()\\");
const GRAMMAR: Set = LETTERS_AND_DIGITS.with(b"_-:./,~@ +;\t=*\"!?");
/// Identifiers in hexadecimal digits, as they are written today: in small letters, with hyphens (RFC 9562).
static HEX: Set = Set::of(b"0123456789abcdef-");
/// Dates and times (RFC 3339), telephone numbers (E.164), plain numbers.
static MOMENT: Set = Set::of(b"0123456789-:+TZ");

/// Whether a value is an identifier in hexadecimal, a date, a time or a number: none of these holds anything to find.
#[inline]
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub(crate) fn is_number_like(value: &[u8]) -> bool {
    // Most values show with their first byte that they are none.
    let Some(first) = value.first() else {
        return true;
    };
    (HEX.has(*first) || matches!(first, b'+' | b':' | b'T' | b'Z'))
        && (HEX.holds(value) || MOMENT.holds(value))
}

/// Whether blanks stand behind what parts a list's members, or its parameters, only: `ko;q=0.9, en`.
pub(crate) fn parts_with_blanks(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some(at) = find(b' ', rest) {
        let (before, behind) = rest.split_at_checked(at).unwrap_or_default();
        if !matches!(before.last(), Some(b',' | b';')) {
            return false;
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    true
}

/// Whether a user agent is products and comments (RFC 9110 section 10.1.5) of plain characters: semicolons in comments
/// only, a comment after white space, every comment closed. No quote, no sign of a shell, a tag or a look-up.
#[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
pub(crate) fn is_plain_user_agent(value: &[u8]) -> bool {
    let mut depth = 0usize;
    let mut previous = b' ';
    let (sixteens, tail) = value.as_chunks::<16>();
    for sixteen in sixteens {
        // Most of a user agent is words.
        let mut odd = !AGENT.marks(sixteen) & 0xffff;
        while odd != 0 {
            let at = odd.trailing_zeros() as usize;
            let (before, rest) = sixteen.split_at(at.min(15));
            let left = before.last().copied().unwrap_or(previous);
            if !rest
                .first()
                .is_some_and(|byte| nests(*byte, left, &mut depth))
            {
                return false;
            }
            odd &= odd - 1;
        }
        let [.., last] = sixteen;
        previous = *last;
    }
    tail.iter().all(|byte| {
        let left = mem::replace(&mut previous, *byte);
        AGENT.has(*byte) || nests(*byte, left, &mut depth)
    }) && depth == 0
}

/// Whether a sign, behind `left`, keeps to the grammar of a plain user agent; counts the comments that are open.
#[inline]
fn nests(sign: u8, left: u8, depth: &mut usize) -> bool {
    match sign {
        b'(' if matches!(left, b' ' | b'(') => *depth += 1,
        b')' if *depth > 0 => *depth -= 1,
        b';' if *depth > 0 => {}
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_to_a_set_with_every_byte() {
        assert!(WORD.holds(b""));
        for (bytes, within, beyond) in [
            (&b"abc_XYZ019"[..], &WORD, None),
            (b"/a/b-c.d_e,f:g~h@i", &PLAIN_PATH, Some(&AGENT)),
            (b"a/1 b,c:d+e-f_g.h", &AGENT, Some(&PLAIN_PATH)),
            (b"\t a;b=c/*+\"~!?@[]", &LIST, Some(&BRANDS)),
            (b"\"Not(A:Brand\\", &BRANDS, Some(&LIST)),
        ] {
            assert!(within.holds(bytes), "{bytes:?}");
            assert!(beyond.is_none_or(|set| !set.holds(bytes)), "{bytes:?}");
            // Wherever the odd byte stands.
            for at in 0..=bytes.len() {
                let mut odd = bytes.to_vec();
                odd.insert(at, b'<');
                assert!(!within.holds(&odd), "{odd:?}");
            }
        }
        for byte in 128..=255 {
            assert!(
                [&WORD, &PLAIN_PATH, &AGENT, &LIST, &BRANDS, &HEX, &MOMENT]
                    .iter()
                    .all(|set| !set.has(byte))
            );
        }
    }

    #[test]
    fn blanks_of_a_list_stand_behind_its_signs() {
        for list in ["gzip, deflate, br", "text/html; q=0.8", "", "ko"] {
            assert!(parts_with_blanks(list.as_bytes()), "{list}");
        }
        for other in ["ko;cat /hall", " ko", "ko,  en", "1 or 1=1"] {
            assert!(!parts_with_blanks(other.as_bytes()), "{other}");
        }
    }

    /// Nothing that the prefilter knows can be made of these bytes and be wanted, but by what knows tools by their names.
    #[test]
    fn what_is_like_a_number_holds_nothing_to_find() {
        use crate::Category;
        use crate::detectors::DETECTORS;
        use crate::prefilter::{features, literals};

        for set in [&HEX, &MOMENT] {
            // Anchors are in small letters and found in any.
            let within = |literal: &&&[u8]| {
                literal
                    .iter()
                    .all(|byte| set.has(*byte) || set.has(byte.to_ascii_uppercase()))
            };
            let within: Vec<_> = literals().iter().filter(within).collect();
            for detector in &DETECTORS {
                let seen = |literal: &&&[u8]| features(literal).of(detector.category);
                let all = within.iter().map(seen).fold(0, |all, bits| all | bits);
                let tools = detector.category == Category::BotScanner;
                assert!(!(detector.wants)(all) || tools, "{:?}", detector.category);
            }
            assert!(
                within
                    .iter()
                    .all(|literal| features(literal).triggers() == 0)
            );
        }
        for value in [
            "5a1f0c2e-7b54-4f8a-9d1c-3e6a2b90f7d4",
            "2026-04-11T10:14:00+09:00",
            "+82-10-4417-9021",
            "20418834",
            "",
        ] {
            assert!(is_number_like(value.as_bytes()), "{value}");
        }
        for value in [
            "0xdeadbeef",
            "127.0.0.1",
            "5a1f0c2e T",
            "S-114",
            "1 or 1",
            "10:14;",
        ] {
            assert!(!is_number_like(value.as_bytes()), "{value}");
        }
    }
}
