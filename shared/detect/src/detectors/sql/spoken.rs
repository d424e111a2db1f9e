//! What is told from SQL without reading it as SQL: sentences whose only quotes are apostrophes.

use backstop_http::scan::{Set, find};

use super::anchors::{COMPARE, LOGIC, QUOTE, WORDED};
use super::words::Word;
use crate::{Input, Level};

/// Quotes that no apostrophe is.
static QUOTES: Set = Set::of(b"\"`");

/// What a sentence of words, commas, colons and semicolons has not: operators, brackets, comments, odd control characters.
static SIGNS: Set = Set::of(b"!?-\0\x01\x02\x03\x04\x05\x06\x07\x08\x0b\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\"#$%&()*+/<=>@[\\]^`{|}~\x7f");

/// Whether a text has no more of SQL than apostrophes, within words of English or behind their plurals.
///
/// Without another feature of the prefilter that is so at every level. With words that join or compare (`or`, `in`, `like`) it is so
/// at level one, if no operator and no bracket is there: no rule of that level is about such words alone.
pub(super) fn is_spoken(input: &Input<'_>) -> bool {
    const JOINED: u8 = QUOTE | LOGIC;
    const COMPARED: u8 = QUOTE | COMPARE | WORDED;
    let bytes = input.bytes;
    let features = input.features;
    if features == QUOTE {
        return only_contracts(bytes, false);
    }
    features & QUOTE != 0
        && input.level == Level::One
        && (features | JOINED == JOINED || features | COMPARED == COMPARED)
        && SIGNS.find(bytes).is_none()
        && only_contracts(bytes, features | COMPARED == COMPARED)
}

/// Whether every quote is an apostrophe: within a word of English (`I'm`, `it's`), or, if `plurals` may have one, behind an `s` that
/// ends a word, with two plain words behind it (`kids' helmets are`).
fn only_contracts(bytes: &[u8], plurals: bool) -> bool {
    if QUOTES.find(bytes).is_some() {
        return false;
    }
    let mut rest = bytes;
    let mut before = None;
    while let Some((text, [_, after @ ..])) =
        find(b'\'', rest).and_then(|quote| rest.split_at_checked(quote))
    {
        before = text.last().or(before);
        let apostrophe = before.is_some_and(u8::is_ascii_alphabetic)
            && (is_contracted(after) || plurals && before == Some(&b's') && is_owned(after));
        if !apostrophe {
            return false;
        }
        before = None;
        rest = after;
    }
    true
}

/// Whether `after` begins with the end of a contraction.
fn is_contracted(after: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 7] = [b"s", b"t", b"m", b"d", b"re", b"ve", b"ll"];
    ENDINGS.iter().any(|ending| {
        after.starts_with(ending)
            && matches!(after.get(ending.len()), None | Some(b' ' | b'.' | b','))
    })
}

/// Whether `after` begins with two words that mean nothing to SQL. Behind a literal, one is an alias, two are no SQL.
fn is_owned(after: &[u8]) -> bool {
    plain_word(after).and_then(plain_word).is_some()
}

/// What follows a blank and a word of letters that the vocabulary has not.
fn plain_word(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b" ")?;
    let end = text
        .iter()
        .position(|byte| !byte.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end)?;
    (word.len() > 2 && Word::of(word) == Word::None).then_some(rest)
}

#[cfg(test)]
mod tests {
    use backstop_http::{Kind, Place};
    use proptest::prelude::*;

    use super::super::vocabulary::BY_LETTER;
    use super::*;
    use crate::{Category, Hits, prefilter};

    fn input(bytes: &[u8]) -> Input<'_> {
        Input {
            bytes,
            place: Place::new(Kind::Query, b"q"),
            level: Level::One,
            features: prefilter::features(bytes).of(Category::SqlInjection),
        }
    }

    /// English, every word of the vocabulary, apostrophes and what stands between words of a sentence.
    fn texts() -> impl Strategy<Value = String> {
        let words: Vec<String> = BY_LETTER
            .iter()
            .flat_map(|row| row.iter())
            .map(|(word, _)| String::from_utf8_lossy(word).into_owned())
            .collect();
        let piece = prop_oneof![
            6 => proptest::sample::select(vec![
                " ", " ", " ", ", ", ". ", "; ", ": ", "? ", "-", "! ", "\n", "' ", "'s ", "'t ", "kids' ", "I'm ", "they're ", "it's", "1", "0 ",
                "users", "helmets ", "are ", "or ", "and ", "in ", "is ", "like ", "null", "true ", "not ", "between ", "1 ", "a ", "x",
            ]).prop_map(str::to_owned),
            2 => proptest::sample::select(words),
        ];
        proptest::collection::vec(piece, 1..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn nothing_is_found_in_what_is_spoken(text in texts()) {
            let input = input(text.as_bytes());
            if is_spoken(&input) {
                let mut hits = Hits::new(Level::One);
                super::super::parse(&input, &mut hits);
                prop_assert!(hits.is_empty(), "{text:?} {hits:?}");
            }
        }
    }

    #[test]
    fn sentences_are_spoken_and_break_outs_are_not() {
        for text in [
            "I'm coming, it's fine",
            "Kids' helmets are in the locker; meet at 13:20.",
            "they're coming, or they aren't",
        ] {
            assert!(is_spoken(&input(text.as_bytes())), "{text}");
        }
        for text in [
            "x' in users where",
            "kids' like 'x",
            "kids' or true",
            "users' helmets = 1",
            "it's; drop table users",
        ] {
            assert!(!is_spoken(&input(text.as_bytes())), "{text}");
        }
    }
}
