//! What a word means to the judge: statements, clauses, operators and classes of functions.

use super::super::sieve::Sieve;
use super::vocabulary::BY_LETTER;

/// All the words of the vocabulary.
static KNOWN: Sieve = {
    let mut sieve = Sieve::EMPTY;
    let mut letters: &[&[(&[u8], Word)]] = &BY_LETTER;
    while let [row, others @ ..] = letters {
        let mut rows = *row;
        while let [(word, _), rest @ ..] = rows {
            sieve = sieve.with(word);
            rows = rest;
        }
        letters = others;
    }
    sieve
};

/// A word of the vocabulary, or the class it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs)] // The plain keywords say what they are.
pub enum Word {
    /// Not in the vocabulary.
    None,
    Or,
    And,
    Xor,
    Not,
    Union,
    /// `all`, `distinct`.
    All,
    Select,
    From,
    Where,
    Having,
    Group,
    Order,
    By,
    Limit,
    Offset,
    Into,
    /// `outfile`, `dumpfile`.
    Outfile,
    Values,
    Set,
    Insert,
    Update,
    Delete,
    Drop,
    Create,
    Alter,
    Truncate,
    Execute,
    Declare,
    Call,
    Shutdown,
    Replace,
    Merge,
    Load,
    Begin,
    If,
    Waitfor,
    /// `delay`, `time`.
    Delay,
    /// What DDL acts on: `table`, `view`, `index` …
    Object,
    /// What DDL acts on and functions tell: `user`, `database`, `schema`.
    Session,
    Handler,
    Copy,
    /// `grant`, `revoke`.
    Grant,
    /// Statements of administration: `show`, `prepare`, `rename`, `lock`, `backup` …
    Admin,
    Identified,
    Immediate,
    /// Stored procedures that attacks call: `xp_cmdshell`, `sp_executesql` …
    Proc,
    /// Comparison by word: `like`, `rlike`, `regexp`, `glob`, `sounds`, `similar`.
    Like,
    In,
    Between,
    Is,
    Null,
    /// `true`, `false`.
    Bool,
    Case,
    /// `when`, `then`, `else`.
    When,
    /// `end` of a `case` or a block.
    Finish,
    As,
    Join,
    /// `except`, `intersect`, `minus`.
    Setop,
    /// `collate`, `escape`.
    Collate,
    Procedure,
    Analyse,
    Binary,
    Exists,
    /// `div`, `mod`.
    Div,
    /// `any`, `some`.
    Any,
    To,
    For,
    /// Functions that take time on purpose.
    Time,
    /// Functions that are used to leak through an error message.
    Error,
    /// Functions and packages that reach files, the network or the system.
    System,
    /// Functions that tell about the server and the session.
    Info,
    /// Functions on text that other languages than SQL rarely spell so.
    Textfn,
    /// Functions on text that other languages spell alike: `len`, `concat`, `md5`.
    Sharedfn,
    /// Functions that PromQL, spreadsheets and prose share with SQL.
    Commonfn,
    /// System catalogues and their columns.
    Catalog,
}

impl Word {
    /// Looks `bytes` up without regard to ASCII case.
    pub fn of(bytes: &[u8]) -> Word {
        if !KNOWN.may_hold(bytes) {
            return Word::None;
        }
        let row = Word::row(bytes);
        let from = row.partition_point(|(word, _)| word.len() < bytes.len());
        row.iter()
            .skip(from)
            .take_while(|(word, _)| word.len() == bytes.len())
            .find(|(word, _)| word.eq_ignore_ascii_case(bytes))
            .map_or(Word::None, |(_, word)| *word)
    }

    /// Whether a word of the vocabulary begins with `bytes`.
    pub fn begins(bytes: &[u8]) -> bool {
        Word::row(bytes).iter().any(|(word, _)| {
            word.get(..bytes.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(bytes))
        })
    }

    fn row(bytes: &[u8]) -> &'static [(&'static [u8], Word)] {
        let letter = bytes
            .first()
            .map_or(u8::MAX, |b| b.to_ascii_lowercase().wrapping_sub(b'a'));
        BY_LETTER
            .get(usize::from(letter))
            .copied()
            .unwrap_or_default()
    }

    /// Whether the word can stand where a value stands.
    pub fn is_operand(self) -> bool {
        matches!(
            self,
            Word::Null
                | Word::Bool
                | Word::Finish
                | Word::Object
                | Word::Session
                | Word::Delay
                | Word::Catalog
        ) || self.is_function()
    }

    /// Whether it names a function (when a bracket follows).
    pub fn is_function(self) -> bool {
        self.is_sql_function() || matches!(self, Word::Commonfn)
    }

    /// Whether it names a function that is SQL's own.
    pub fn is_sql_function(self) -> bool {
        matches!(
            self,
            Word::Time | Word::Error | Word::System | Word::Info | Word::Textfn | Word::Sharedfn
        )
    }

    /// Whether DDL can act on it.
    pub fn is_object(self) -> bool {
        matches!(self, Word::Object | Word::Session | Word::Procedure)
    }

    /// Whether it joins two conditions.
    pub fn is_logic(self) -> bool {
        matches!(self, Word::Or | Word::And | Word::Xor)
    }

    /// Whether it opens a clause after a complete expression.
    pub fn is_clause(self) -> bool {
        matches!(
            self,
            Word::Union
                | Word::Where
                | Word::Having
                | Word::Group
                | Word::Order
                | Word::Limit
                | Word::Offset
                | Word::Into
                | Word::Procedure
                | Word::Setop
        )
    }

    /// Whether it compares two values.
    pub fn compares(self) -> bool {
        matches!(self, Word::Like | Word::In | Word::Between | Word::Is)
    }

    /// Whether it opens a statement.
    pub fn is_statement(self) -> bool {
        matches!(
            self,
            Word::Select
                | Word::Insert
                | Word::Update
                | Word::Delete
                | Word::Drop
                | Word::Create
                | Word::Alter
                | Word::Truncate
                | Word::Execute
                | Word::Declare
                | Word::Call
                | Word::Shutdown
                | Word::Replace
                | Word::Merge
                | Word::Load
                | Word::Handler
                | Word::Copy
                | Word::Grant
                | Word::Admin
                | Word::Begin
                | Word::If
                | Word::Waitfor
                | Word::Set
                | Word::Values
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_that_the_look_up_needs() {
        for (row, letter) in BY_LETTER.iter().zip(b'a'..) {
            assert!(row.is_sorted_by_key(|(word, _)| word.len()));
            for (word, meaning) in row.iter() {
                assert_eq!(word.first(), Some(&letter));
                assert_eq!(Word::of(&word.to_ascii_uppercase()), *meaning);
            }
        }
        assert_eq!(Word::of(b"selects"), Word::None);
        assert_eq!(Word::of(b""), Word::None);
        assert!(Word::begins(b"Uni") && !Word::begins(b"unx"));
    }
}
