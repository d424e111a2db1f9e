//! One lexical element of a value that is read as SQL.

use super::words::Word;

/// What a token is, whatever it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Past the last token.
    End,
    /// What stands before the quote that closes the application's own literal (quoted contexts only).
    Prefix,
    /// A number: decimal, hexadecimal, bit, scientific.
    Number,
    /// A quoted string that is closed.
    Text,
    /// A quoted string that the value leaves open.
    OpenText,
    /// An identifier, quoted or not, dotted parts joined.
    Name,
    /// A word of the vocabulary (`Token::word` says which).
    Word,
    /// `@x`, `@@version`.
    Variable,
    /// `=`, `<>`, `<=>`, `:=`, `~`, `@>` …
    Compare,
    /// `+ - / % ^ | &` and shifts.
    Arith,
    /// `*`.
    Star,
    /// `||`: concatenation or a logical or.
    Bars,
    /// `&&`.
    Ampersands,
    /// `,`.
    Comma,
    /// `;`.
    Semicolon,
    /// One or more `(`.
    Open,
    /// One or more `)`.
    Close,
    /// `{`: JSON, code, or an ODBC escape.
    Brace,
    /// `}`.
    Unbrace,
    /// `~`: a sign, or a match by pattern.
    Tilde,
    /// `!` and `\`, signs both.
    Bang,
    /// `::text`.
    Cast,
    /// `.` that joins nothing.
    Dot,
    /// `--` or `#`.
    Comment,
    /// Anything else.
    Other,
}

/// A token, with where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Which word of the vocabulary, `Word::None` for all else.
    pub word: Word,
    /// Whether white space stands before it.
    pub spaced: bool,
    /// Whether a block comment stands before it.
    pub commented: bool,
    /// How many brackets an `Open` or a `Close` stands for; zero for a line comment that only fills a blank.
    pub depth: u16,
    /// First byte of the value that belongs to it.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
}

impl Token {
    /// What stands past the last token.
    pub const END: Token = Token {
        kind: Kind::End,
        word: Word::None,
        spaced: false,
        commented: false,
        depth: 0,
        start: u32::MAX,
        end: u32::MAX,
    };

    /// Whether it is `word`.
    pub fn is(&self, word: Word) -> bool {
        self.word == word
    }

    /// Whether it can end an operand, so that a sign after it is an operator.
    pub fn ends_operand(&self) -> bool {
        match self.kind {
            Kind::Prefix
            | Kind::Number
            | Kind::Text
            | Kind::OpenText
            | Kind::Name
            | Kind::Variable
            | Kind::Cast
            | Kind::Close => true,
            Kind::Word => self.word.is_operand(),
            _ => false,
        }
    }

    /// Whether nothing follows: the end of the value or a comment.
    pub fn stops(&self) -> bool {
        matches!(self.kind, Kind::End | Kind::Comment)
    }

    /// Whether it is a value that needs no table: number, string, null, true.
    pub fn is_constant(&self) -> bool {
        matches!(self.kind, Kind::Number | Kind::Text | Kind::OpenText)
            || matches!(self.word, Word::Null | Word::Bool)
    }
}
