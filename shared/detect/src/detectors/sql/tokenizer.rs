//! Bytes to tokens. One pass, no memory, every dialect at once: where MySQL, PostgreSQL, SQL Server, Oracle and SQLite
//! differ, the reading that an attacker can use wins.

use backstop_http::scan::{find, find_either};

use super::spelling::{Joined, empty_exponent, joined_word};
use super::token::{Kind, Token};
use super::words::Word;

/// Where the value is taken to stand in the application's statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// Outside any literal: `id = VALUE`.
    Bare,
    /// Inside a literal opened by this quote: `name = 'VALUE'`. The first quote closes it.
    Quoted(u8),
    /// The same, but a doubled or backslashed quote does not close it.
    Escaped(u8),
}

/// The types that PostgreSQL's `::` is used with.
const TYPES: [&[u8]; 20] = [
    b"int",
    b"integer",
    b"int4",
    b"int8",
    b"bigint",
    b"text",
    b"bool",
    b"boolean",
    b"numeric",
    b"real",
    b"double",
    b"float",
    b"varchar",
    b"char",
    b"json",
    b"jsonb",
    b"date",
    b"timestamp",
    b"bytea",
    b"uuid",
];

/// How far a line comment's end is looked for: comments that a tool puts between two words are short.
const COMMENT_REACH: usize = 96;

/// A pass over one value in one context.
pub struct Tokenizer<'a> {
    bytes: &'a [u8],
    at: usize,
    prefix: Option<(u8, bool)>,
}

/// Whether `byte` continues an identifier. Bytes past ASCII do, so that a letter of any script is one.
#[inline]
pub fn in_word(byte: u8) -> bool {
    part(byte) != Part::None
}

/// What a byte is to an identifier.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// No part of it.
    None,
    /// A part of it, whatever stands around.
    Whole,
    /// A part of it, unless it belongs to a white-space character outside ASCII.
    Perhaps,
}

#[inline]
fn part(byte: u8) -> Part {
    static PARTS: [Part; 256] = parts();
    PARTS
        .get(usize::from(byte))
        .copied()
        .unwrap_or(Part::Perhaps)
}

const fn parts() -> [Part; 256] {
    let mut table = [Part::None; 256];
    let mut rest: &mut [Part] = &mut table;
    let mut byte = 0_u8;
    while let [first, tail @ ..] = rest {
        *first = match byte {
            0xa0 | 0xc2 | 0xe2 | 0xe3 => Part::Perhaps,
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'$' | 0x80.. => Part::Whole,
            _ => Part::None,
        };
        rest = tail;
        byte = byte.wrapping_add(1);
    }
    table
}

/// The length of the identifier that `rest` begins with: a white-space character outside ASCII ends it.
fn word_length(rest: &[u8]) -> usize {
    let whole = |byte: &u8| part(*byte) == Part::Whole;
    let length = rest.iter().take_while(|byte| whole(byte)).count();
    match rest.get(length) {
        Some(byte) if part(*byte) == Part::Perhaps => {}
        _ => return length,
    }
    let ends = |(i, byte): (usize, &u8)| match part(*byte) {
        Part::Whole => false,
        Part::None => true,
        Part::Perhaps => {
            let lone = *byte == 0xa0
                && i.checked_sub(1)
                    .and_then(|previous| rest.get(previous))
                    .is_some_and(u8::is_ascii);
            lone || is_wide_blank(rest.get(i..))
        }
    };
    rest.iter().enumerate().position(ends).unwrap_or(rest.len())
}

impl<'a> Tokenizer<'a> {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8], context: Context) -> Self {
        Self {
            bytes,
            at: 0,
            prefix: match context {
                Context::Bare => None,
                Context::Quoted(quote) => Some((quote, false)),
                Context::Escaped(quote) => Some((quote, true)),
            },
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The next token, `None` at the end.
    pub fn next_token(&mut self) -> Option<Token> {
        if let Some((quote, escaped)) = self.prefix.take() {
            if escaped {
                // Read as the literal that the application opened before the first byte.
                self.close_string(quote, 0)?;
            } else {
                self.at = find(quote, self.bytes)? + 1;
            }
            return Some(Token {
                kind: Kind::Prefix,
                start: 0,
                end: self.at as u32,
                ..Token::END
            });
        }
        // Most of a text is words and single blanks, which no other reading is asked about.
        let mut rest = self.rest();
        let mut spaced = false;
        while let [b' ', after @ ..] = rest {
            spaced = true;
            rest = after;
        }
        self.at = self.bytes.len() - rest.len();
        let mut commented = false;
        let starts_word = |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_alphabetic);
        if !starts_word(rest) {
            let (more_spaced, more_commented) = self.skip_blank();
            spaced |= more_spaced;
            commented = more_commented;
            rest = self.rest();
            if rest.is_empty() {
                return None;
            }
        }
        let start = self.at;
        let (kind, word) = if starts_word(rest) {
            self.read_word()
        } else {
            self.read()
        };
        // Whatever `read` did, a token has at least one byte.
        self.at = self.at.max(start + 1);
        Some(Token {
            kind,
            word,
            spaced,
            commented,
            depth: u16::from(!(kind == Kind::Comment && self.is_filling())),
            start: start as u32,
            end: self.at as u32,
        })
    }

    /// Skips white space of any dialect and block comments; MySQL's `/*!` opens nothing: what it holds is read.
    fn skip_blank(&mut self) -> (bool, bool) {
        let (mut spaced, mut commented) = (false, false);
        loop {
            match self.rest() {
                // No-break space in Latin-1 (MySQL) and in UTF-8, ideographic space.
                [0..=0x20 | 0x7f | 0xa0, ..] => {
                    spaced = true;
                    self.at += 1;
                }
                [0xc2, 0xa0, ..] => {
                    spaced = true;
                    self.at += 2;
                }
                [0xe3, 0x80, 0x80, ..] | [0xe2, 0x80, 0x80..=0x8f, ..] => {
                    spaced = true;
                    self.at += 3;
                }
                [b'/', b'*', b'!', rest @ ..] => {
                    commented = true;
                    let digits = rest
                        .iter()
                        .take(6)
                        .take_while(|b| b.is_ascii_digit())
                        .count();
                    self.at += 3 + digits;
                }
                [b'/', b'*', rest @ ..] => {
                    commented = true;
                    match memchr::memmem::find(rest, b"*/") {
                        Some(end) => self.at += end + 4,
                        // An open comment hides the rest of the statement: the caller sees a `Comment`.
                        None => return (spaced, commented),
                    }
                }
                [b'*', b'/', ..] => {
                    commented = true;
                    self.at += 2;
                }
                [b'0'..=b'9', ..] if empty_exponent(self.bytes, self.at) > 0 => {
                    self.at += empty_exponent(self.bytes, self.at);
                }
                _ => return (spaced, commented),
            }
        }
    }

    fn read(&mut self) -> (Kind, Word) {
        match self.rest() {
            [quote @ (b'\'' | b'"'), ..] => (self.read_string(*quote), Word::None),
            [b'`', rest @ ..] => {
                let length = find(b'`', rest).map_or(rest.len(), |end| end + 1);
                self.at += 1 + length;
                (Kind::Name, Word::None)
            }
            [b'[', rest @ ..] => {
                let length = rest
                    .iter()
                    .take(64)
                    .take_while(|b| in_word(**b) || **b == b' ')
                    .count();
                if length > 0 && rest.get(length) == Some(&b']') {
                    self.at += length + 2;
                    (Kind::Name, Word::None)
                } else {
                    self.take(1, Kind::Other)
                }
            }
            [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => self.read_number(),
            [b'@', b'>' | b'?', ..] | [b'@', b'@', b' ' | b'\'', ..] => self.take(2, Kind::Compare),
            [b'@', ..] => self.read_variable(),
            [b'$', b'$', rest @ ..] => {
                // PostgreSQL's dollar quotes.
                match memchr::memmem::find(rest, b"$$") {
                    Some(end) => self.take(end + 4, Kind::Text),
                    None => self.take(2, Kind::Other),
                }
            }
            [first, ..] if in_word(*first) => self.read_word(),
            // \N is MySQL's null, and needs nothing behind it.
            [b'\\', b'N', after @ ..] => {
                let length = after.iter().take_while(|b| in_word(**b)).count();
                let word = Word::of(after.get(..length).unwrap_or_default());
                if length == 0 || word.is_clause() || word.is_logic() || word == Word::From {
                    self.take(2, Kind::Number)
                } else {
                    self.take(1, Kind::Bang)
                }
            }
            rest => self.read_symbol(rest),
        }
    }

    fn take(&mut self, length: usize, kind: Kind) -> (Kind, Word) {
        self.at += length;
        (kind, Word::None)
    }

    fn read_symbol(&mut self, rest: &[u8]) -> (Kind, Word) {
        match rest {
            [b':', b':', rest @ ..] => {
                let length = rest.iter().take_while(|b| in_word(**b)).count();
                let name = rest.get(..length).unwrap_or_default();
                let known = TYPES.iter().any(|known| known.eq_ignore_ascii_case(name));
                self.take(
                    2 + if known { length } else { 0 },
                    if known { Kind::Cast } else { Kind::Other },
                )
            }
            [b'{', ..] => self.take(1, Kind::Brace),
            [b'}', ..] => self.take(1, Kind::Unbrace),
            [b'-', b'-', ..] => self.read_comment(2),
            [b'#', b'>', b'>', ..] | [b'-', b'>', b'>', ..] => self.take(3, Kind::Compare),
            [b'#' | b'-', b'>', ..] => self.take(2, Kind::Compare),
            [b'#', ..] => self.read_comment(1),
            [b'/', b'*', ..] => {
                // Reached only when the comment is left open.
                self.at = self.bytes.len();
                (Kind::Comment, Word::None)
            }
            [b'|', b'|', ..] => self.take(2, Kind::Bars),
            [b'&', b'&', ..] => self.take(2, Kind::Ampersands),
            [b'<', b'=', b'>', ..] => self.take(3, Kind::Compare),
            [b'!', b'~', b'*', ..] | [b'=' | b'!', b'=', b'=', ..] => self.take(3, Kind::Compare),
            [b'<', b'=' | b'>' | b'@', ..]
            | [b'>' | b'!' | b'=' | b'^' | b':', b'=', ..]
            | [b'!', b'~', ..]
            | [b'~', b'*', ..]
            | [b'!', b'<' | b'>', ..]
            | [b'?', b'|' | b'&', ..] => self.take(2, Kind::Compare),
            // Oracle's named arguments; elsewhere code.
            [b'=', b'>', ..] => self.take(2, Kind::Other),
            [b'<', b'<', ..] | [b'>', b'>', ..] => self.take(2, Kind::Arith),
            [b'~', ..] => self.take(1, Kind::Tilde),
            [b'!' | b'\\', ..] => self.take(1, Kind::Bang),
            [b'=' | b'<' | b'>' | b'?', ..] => self.take(1, Kind::Compare),
            [b'+' | b'-' | b'/' | b'%' | b'^' | b'|' | b'&', ..] => self.take(1, Kind::Arith),
            [b'*', ..] => self.take(1, Kind::Star),
            [b',', ..] => self.take(1, Kind::Comma),
            [b';', ..] => self.take(1, Kind::Semicolon),
            [b'(', ..] => self.take(1, Kind::Open),
            [b')', ..] => self.take(1, Kind::Close),
            [b'.', ..] => self.take(1, Kind::Dot),
            _ => self.take(1, Kind::Other),
        }
    }

    /// A line comment. What follows on the line is read on, as not every dialect knows the mark (`#`) or takes it
    /// without a space (`--x`); where a line end is near, the words before it are the filling that tools put in.
    fn read_comment(&mut self, length: usize) -> (Kind, Word) {
        self.at += length;
        let rest = self.rest();
        let reach = rest
            .get(..rest.len().min(COMMENT_REACH))
            .unwrap_or_default();
        if let Some(end) = find(b'\n', reach) {
            self.at += end + 1;
        }
        (Kind::Comment, Word::None)
    }

    /// Whether the comment just read ended with its line and more follows: then it stands for a blank.
    fn is_filling(&self) -> bool {
        let ended = self.at.checked_sub(1).and_then(|i| self.bytes.get(i)) == Some(&b'\n');
        ended && self.at < self.bytes.len()
    }

    fn read_string(&mut self, quote: u8) -> Kind {
        if self.close_string(quote, self.at + 1).is_some() {
            Kind::Text
        } else {
            self.at = self.bytes.len();
            Kind::OpenText
        }
    }

    /// Moves behind the quote that closes a string whose text begins at `from`, past doubled and backslashed quotes.
    fn close_string(&mut self, quote: u8, from: usize) -> Option<()> {
        let mut from = from;
        loop {
            let rest = self.bytes.get(from..)?;
            let found = find_either(quote, b'\\', rest)?;
            match rest.get(found..) {
                Some([b'\\', ..]) => from += found + 2,
                Some([_, next, ..]) if *next == quote => from += found + 2,
                _ => {
                    self.at = from + found + 1;
                    return Some(());
                }
            }
        }
    }

    fn read_number(&mut self) -> (Kind, Word) {
        if let [b'0', b'x' | b'X', rest @ ..] = self.rest() {
            let digits = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
            self.at += 2 + digits;
            return (Kind::Number, Word::None);
        }
        self.skip_digits();
        if self.peek(0) == b'.' {
            self.at += 1;
            self.skip_digits();
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            // `1.e(` and `1e1` are numbers to MySQL.
            if self.peek(1 + sign).is_ascii_digit() || self.peek(1) == b'(' {
                self.at += 1 + sign;
                self.skip_digits();
                return (Kind::Number, Word::None);
            }
        }
        if in_word(self.peek(0)) && !matches!(self.peek(0), 0xa0 | 0xc2 | 0xe2 | 0xe3) {
            // `1or`, `1union` are a number and a word; `1a` is one identifier.
            let rest = self.rest();
            let length = rest.iter().take_while(|b| in_word(**b)).count();
            let letters = rest.get(..length).unwrap_or_default();
            // Oracle's 1d and 1f.
            let (suffix, letters) = match letters {
                [b'd' | b'D' | b'f' | b'F', after @ ..] if Word::of(after).is_clause() => {
                    (1, after)
                }
                _ => (0, letters),
            };
            self.at += suffix;
            let word = Word::of(letters);
            // `1.from` ends at its point.
            let pointed =
                word == Word::From && self.bytes.get(self.at.wrapping_sub(1)) == Some(&b'.');
            if !(word.is_logic() || word.is_clause() || word.compares() || pointed) {
                self.at += length;
                return (Kind::Name, Word::None);
            }
        }
        (Kind::Number, Word::None)
    }

    fn skip_digits(&mut self) {
        self.at += self
            .rest()
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
    }

    fn read_variable(&mut self) -> (Kind, Word) {
        while self.peek(0) == b'@' {
            self.at += 1;
        }
        match self.peek(0) {
            quote @ (b'`' | b'\'' | b'"') => {
                let close = self.bytes.get(self.at + 1..).and_then(|r| find(quote, r));
                if let Some(end) = close {
                    self.at += end + 2;
                }
            }
            _ => self.at += self.rest().iter().take_while(|b| in_word(**b)).count(),
        }
        (Kind::Variable, Word::None)
    }

    fn read_word(&mut self) -> (Kind, Word) {
        let rest = self.rest();
        let length = word_length(rest).max(1);
        let bytes = rest.get(..length).unwrap_or_default();
        // n'…', x'…', b'…', e'…', _utf8'…'
        if let Some(quote @ (b'\'' | b'"')) = rest.get(length)
            && (matches!(
                bytes,
                [b'n' | b'N' | b'x' | b'X' | b'b' | b'B' | b'e' | b'E']
            ) || matches!(bytes, [b'_', ..]))
        {
            self.at += length;
            return (self.read_string(*quote), Word::None);
        }
        let word = Word::of(bytes);
        // Behind a percent sign the word began earlier.
        let begins = || self.at.checked_sub(1).and_then(|i| self.bytes.get(i)) != Some(&b'%');
        // Nearly every word ends at what keeps no letters apart.
        if word == Word::None
            && matches!(rest.get(length), Some(b'/' | b'%' | 0x80..))
            && begins()
            && let Some(Joined { word, length }) = joined_word(rest)
        {
            self.at += length;
            return (Kind::Word, word);
        }
        self.at += length;
        match word {
            Word::None => (Kind::Name, Word::None),
            word => (Kind::Word, word),
        }
    }
}

/// Whether a white-space character of more than one byte starts here.
fn is_wide_blank(rest: Option<&[u8]>) -> bool {
    matches!(
        rest,
        Some([0xc2, 0xa0, ..] | [0xe3, 0x80, 0x80, ..] | [0xe2, 0x80, 0x80..=0x8f, ..])
    )
}
