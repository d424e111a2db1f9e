//! The little SQL grammar that the judge needs: operands, comparisons, conditions. Every function looks a bounded
//! number of tokens ahead and never recurses.

use super::token::{Kind, Token};
use super::words::Word;

/// How many tokens one operand may span.
const OPERAND_REACH: usize = 24;
/// How many operators one operand may chain (`1+1*2`).
const CHAIN_REACH: usize = 6;

/// What a value in an expression is, the most telling part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A name, or a call of a function that is not SQL's own.
    Column,
    /// `@x`.
    Variable,
    /// A number, a string, null, true, false.
    Constant,
    /// A call of a function that other languages have too.
    Shared,
    /// `case when … end`.
    Case,
    /// A call of a function that SQL has and other languages rarely do.
    Function,
    /// `(select …`.
    Subquery,
}

/// An operand: its class and the position after it.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    /// The most telling part.
    pub class: Class,
    /// The position after it.
    pub next: usize,
    /// The position of its first value token.
    pub first: usize,
    /// Whether operators chain several values.
    pub chained: bool,
}

/// A comparison of two operands.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// What stands left.
    pub left: Operand,
    /// What stands right.
    pub right: Operand,
    /// Whether the operator is a word (`like`, `in`, `is`).
    pub worded: bool,
    /// Whether the operator says that the two differ.
    pub negated: bool,
    /// The position of the operator.
    pub operator: usize,
}

/// The token at `index`, `Token::END` past the last.
pub fn at(tokens: &[Token], index: usize) -> Token {
    tokens.get(index).copied().unwrap_or(Token::END)
}

/// The position after the bracket that closes the one at `open`, within reach.
pub fn after_brackets(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0u32;
    for step in 0..OPERAND_REACH {
        let token = at(tokens, open + step);
        match token.kind {
            Kind::Open => depth += u32::from(token.depth),
            Kind::Close => {
                depth = depth.saturating_sub(u32::from(token.depth));
                if depth == 0 {
                    return open + step + 1;
                }
            }
            Kind::End => return open + step,
            _ => {}
        }
    }
    open + OPERAND_REACH
}

fn skip_signs(tokens: &[Token], mut index: usize) -> usize {
    for _ in 0..CHAIN_REACH {
        let token = at(tokens, index);
        // {x expression}: an ODBC escape, whose name says nothing.
        if token.kind == Kind::Brace
            && matches!(at(tokens, index + 1).kind, Kind::Name | Kind::Word)
        {
            index += 2;
            continue;
        }
        let sign = matches!(token.kind, Kind::Arith | Kind::Open)
            || matches!(token.word, Word::Not | Word::Binary | Word::Any | Word::All)
            || matches!(token.kind, Kind::Tilde | Kind::Bang);
        if !sign {
            break;
        }
        index += 1;
    }
    index
}

/// One value at `index`, without operators.
fn single(tokens: &[Token], index: usize) -> Option<Operand> {
    let first = skip_signs(tokens, index);
    let token = at(tokens, first);
    let calls = at(tokens, first + 1).kind == Kind::Open;
    let (class, next) = match token.kind {
        Kind::Number if calls && !at(tokens, first + 1).spaced => {
            (Class::Constant, after_brackets(tokens, first + 1))
        }
        Kind::Number | Kind::Text | Kind::OpenText => (Class::Constant, first + 1),
        Kind::Variable => (Class::Variable, first + 1),
        Kind::Name if calls => (Class::Column, after_brackets(tokens, first + 1)),
        Kind::Name => (Class::Column, first + 1),
        Kind::Star => (Class::Column, first + 1),
        Kind::Word => match token.word {
            Word::Null | Word::Bool => (Class::Constant, first + 1),
            Word::Select if first > 0 && at(tokens, first - 1).kind == Kind::Open => (
                Class::Subquery,
                after_brackets(tokens, first.saturating_sub(1)),
            ),
            Word::Case if (1..8).any(|step| at(tokens, first + step).is(Word::When)) => {
                (Class::Case, after_case(tokens, first))
            }
            Word::If | Word::Exists if calls => {
                (Class::Function, after_brackets(tokens, first + 1))
            }
            Word::Sharedfn | Word::Replace if calls => {
                let class = if holds_function(tokens, first + 2) {
                    Class::Function
                } else {
                    Class::Shared
                };
                (class, after_brackets(tokens, first + 1))
            }
            word if (word.is_sql_function() || word == Word::Like) && calls => {
                (Class::Function, after_brackets(tokens, first + 1))
            }
            // lower(substring(…)) is as telling as what it holds; cos(3) is a constant.
            Word::Commonfn if calls => {
                let argument = at(tokens, first + 2);
                let pi = argument.kind == Kind::Close && token.end - token.start == 2;
                let class = if holds_function(tokens, first + 2) {
                    Class::Function
                } else if argument.kind == Kind::Number && at(tokens, first + 3).kind == Kind::Close
                    || pi
                {
                    Class::Constant
                } else {
                    Class::Column
                };
                (class, after_brackets(tokens, first + 1))
            }
            // user(), database()
            Word::Session if calls && at(tokens, first + 2).kind == Kind::Close => {
                (Class::Function, first + 3)
            }
            Word::Values | Word::Session | Word::Object | Word::Set if calls => {
                (Class::Column, after_brackets(tokens, first + 1))
            }
            word if word.is_operand() => (Class::Column, first + 1),
            _ => return None,
        },
        _ => return None,
    };
    let mut next = next;
    for _ in 0..2 {
        if matches!(
            at(tokens, next).kind,
            Kind::Close | Kind::Unbrace | Kind::Cast
        ) {
            next += 1;
        }
    }
    Some(Operand {
        class,
        next,
        first,
        chained: false,
    })
}

/// Whether the argument at `index` is a call that only SQL has, a session value or a query.
fn holds_function(tokens: &[Token], index: usize) -> bool {
    let argument = at(tokens, index);
    argument.is(Word::Select)
        || at(tokens, index + 1).kind == Kind::Open
            && (argument.word.is_sql_function() && argument.word != Word::Sharedfn
                || argument.is(Word::Session))
}

/// What two classes make when an operator joins them.
fn joined(one: Class, other: Class) -> Class {
    if one >= Class::Shared || other >= Class::Shared {
        one.max(other)
    } else {
        // A constant added to a column does not decide it.
        one.min(other)
    }
}

fn after_case(tokens: &[Token], case: usize) -> usize {
    (case..case + OPERAND_REACH)
        .find(|i| at(tokens, *i).is(Word::Finish))
        .map_or(case + OPERAND_REACH, |i| i + 1)
}

/// The operand at `index`, with the arithmetic and the concatenation that belong to it.
pub fn operand(tokens: &[Token], index: usize) -> Option<Operand> {
    let mut whole = single(tokens, index)?;
    for _ in 0..CHAIN_REACH {
        let token = at(tokens, whole.next);
        let joins =
            matches!(token.kind, Kind::Arith | Kind::Star | Kind::Bars) || token.is(Word::Div);
        if !joins {
            break;
        }
        let Some(part) = single(tokens, whole.next + 1) else {
            break;
        };
        whole = Operand {
            class: joined(whole.class, part.class),
            next: part.next,
            first: whole.first,
            chained: true,
        };
    }
    Some(whole)
}

/// The position after the comparison operator at `index`, and whether it is a word, and whether it is negative.
pub fn comparison(tokens: &[Token], index: usize) -> Option<(usize, bool, bool)> {
    let token = at(tokens, index);
    if matches!(token.kind, Kind::Compare | Kind::Tilde) {
        return Some((index + 1, false, false));
    }
    let negated = token.is(Word::Not);
    let index = index + usize::from(negated);
    let token = at(tokens, index);
    if !token.word.compares() {
        return None;
    }
    let mut next = index + 1;
    let mut different = negated;
    for _ in 0..3 {
        let token = at(tokens, next);
        // is not, similar to, sounds like, is distinct from
        match token.word {
            Word::Not => different = !different,
            Word::Like | Word::To | Word::All | Word::From if !token.is(Word::All) || different => {
            }
            _ => break,
        }
        next += 1;
    }
    Some((next, true, different))
}

/// The comparison at `index`: operand, operator, operand.
pub fn condition(tokens: &[Token], index: usize) -> Option<Condition> {
    let left = operand(tokens, index)?;
    let (right, worded, negated) = comparison(tokens, left.next)?;
    let right = operand(tokens, right)?;
    Some(Condition {
        left,
        right,
        worded,
        negated,
        operator: left.next,
    })
}
