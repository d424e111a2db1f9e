//! Words that are spelt so that a filter does not see them: `UN/**/ION`, `s%e%l%e%c%t`.

use super::tokenizer::in_word;
use super::words::Word;

/// The longest word that is put together, in bytes.
const LONGEST: usize = 24;
/// The most bytes that are read for one word.
const REACH: usize = 96;

/// A word put together from pieces.
pub struct Joined {
    /// What it is.
    pub word: Word,
    /// How many bytes it takes in the value.
    pub length: usize,
}

/// A word of the vocabulary whose letters are kept apart by block comments or percent signs, at the start of `rest`.
pub fn joined_word(rest: &[u8]) -> Option<Joined> {
    let reach = rest.get(..rest.len().min(REACH)).unwrap_or_default();
    let split = reach.iter().position(|b| !in_word(*b))?;
    // Nearly every word ends otherwise, and need not be looked up.
    if split > LONGEST || !matches!(reach.get(split..), Some([b'/', b'*', ..] | [b'%', ..])) {
        return None;
    }
    let mut letters = [0u8; LONGEST];
    let mut count = 0usize;
    let mut at = 0usize;
    let mut cuts = 0usize;
    loop {
        match reach.get(at..) {
            Some([byte, ..]) if in_word(*byte) => {
                *letters.get_mut(count)? = *byte;
                count += 1;
                at += 1;
                continue;
            }
            _ if cuts > 0 && at > 0 => {
                // A whole word: what follows it is another one's business.
                let word = Word::of(letters.get(..count)?);
                if is_worth_hiding(word) {
                    return Some(Joined { word, length: at });
                }
            }
            _ => {}
        }
        if !Word::begins(letters.get(..count)?) {
            return None;
        }
        match reach.get(at..) {
            Some([b'/', b'*', after @ ..]) if at > 0 => {
                let end = after.windows(2).position(|pair| pair == b"*/")?;
                at += end + 4;
            }
            Some([b'%', next, ..]) if at > 0 && next.is_ascii_alphabetic() => at += 1,
            _ => return None,
        }
        cuts += 1;
    }
}

/// The length of a number at `at`, behind a blank, that has a point and an exponent without digits, which MySQL reads over:
/// `sleep 1.e(5 1.e)`. 0 if there is none.
pub fn empty_exponent(bytes: &[u8], at: usize) -> usize {
    let (before, rest) = bytes.split_at_checked(at).unwrap_or_default();
    let digits = rest.iter().take(8).take_while(|b| b.is_ascii_digit());
    let digits = digits.count();
    let spaced = before.last().is_some_and(u8::is_ascii_whitespace);
    match rest.get(digits..) {
        Some([b'.', b'e' | b'E', b'(' | b')' | b',' | b' ', ..] | [b'.', b'e' | b'E'])
            if digits > 0 && spaced =>
        {
            digits + 2
        }
        _ => 0,
    }
}

fn is_worth_hiding(word: Word) -> bool {
    word.is_logic()
        || word.is_statement()
        || word.is_sql_function()
        || word.is_clause()
        || word == Word::By
        || matches!(word, Word::Union | Word::From | Word::Where | Word::All)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_split_keywords_together() {
        let joined = joined_word(b"UN/**/ION/**/SEL").map(|j| (j.word, j.length));
        assert_eq!(joined, Some((Word::Union, 9)));
        let joined = joined_word(b"UN/*x*/ION all").map(|j| (j.word, j.length));
        assert_eq!(joined, Some((Word::Union, 10)));
        let joined = joined_word(b"s%e%l%e%c%t 1").map(|j| (j.word, j.length));
        assert_eq!(joined, Some((Word::Select, 11)));
    }

    #[test]
    fn a_number_that_is_read_over() {
        for (text, length) in [
            (" 1.e(5", 3),
            (" 12.E)", 4),
            (" 1.e", 3),
            ("1.e(", 0),
            (" 1.e5", 0),
            (" 1.em", 0),
            (" .e(", 0),
            (" 1e(", 0),
        ] {
            let at = usize::from(text.starts_with(' '));
            assert_eq!(empty_exponent(text.as_bytes(), at), length, "{text}");
        }
    }

    #[test]
    fn leaves_ordinary_text_alone() {
        for text in ["a/**/b", "src/*.rs", "100%sure", "union", ""] {
            assert!(joined_word(text.as_bytes()).is_none(), "{text}");
        }
    }
}
