//! SELECT: when its list and what follows make a query, and when they make a sentence.

use super::grammar::{Class, condition, operand};
use super::judge::{Judge, Lead};
use super::rules;
use super::token::Kind;
use super::words::Word;

/// How many items of the list are read.
const ITEMS: usize = 6;

/// What a SELECT turned out to be.
#[derive(Clone, Copy, Debug, Default)]
struct Query {
    /// `*` or `count(*)` is selected.
    star: bool,
    /// More than one item.
    several: bool,
    /// A function of SQL, a case, a subquery, a server variable is selected.
    telling: bool,
    /// Constants are selected.
    constant: bool,
    /// Two words without a comma: an alias, or prose.
    prose: bool,
    /// A table follows.
    from: bool,
    /// What follows the table continues a query.
    goes_on: bool,
    /// The last position read.
    end: usize,
}

fn read(judge: &Judge<'_, '_>, index: usize) -> Option<Query> {
    let mut query = Query::default();
    let mut next = index + 1;
    while matches!(judge.at(next).word, Word::All) {
        next += 1;
    }
    if judge.text(judge.at(next)).eq_ignore_ascii_case(b"top") {
        next += 2;
    }
    for _ in 0..ITEMS {
        let Some(item) = operand(judge.tokens, next) else {
            break;
        };
        let first = judge.at(item.first);
        match item.class {
            Class::Column => {
                let counts = judge.at(item.first + 2).kind == Kind::Star;
                query.star |= first.kind == Kind::Star || first.is(Word::Commonfn) && counts;
            }
            Class::Constant => query.constant = true,
            Class::Variable => query.telling |= judge.text(first).starts_with(b"@"),
            Class::Case => {
                query.telling |=
                    judge.at(item.first + 1).is(Word::When) || item.next < item.first + 20
            }
            Class::Shared => {
                query.constant = true;
                query.telling |= judge.at(item.first + 2).is_constant();
            }
            Class::Function | Class::Subquery => query.telling = true,
        }
        next = item.next;
        if judge.at(next).kind == Kind::Compare
            && let Some(right) = operand(judge.tokens, next + 1)
        {
            next = right.next;
        }
        if judge.at(next).is(Word::As) {
            next += 2;
        } else if judge.at(next).kind == Kind::Name && judge.at(next).word == Word::None {
            query.prose = true;
            next += 1;
        }
        if judge.at(next).kind != Kind::Comma {
            break;
        }
        query.several = true;
        next += 1;
    }
    if next == index + 1 {
        return None;
    }
    if judge.at(next).is(Word::From) {
        let table = judge.at(next + 1);
        query.from = matches!(
            table.kind,
            Kind::Name | Kind::Word | Kind::Open | Kind::Text
        );
        let mut after = next + 2;
        if judge.at(after).is(Word::As) && continues(judge, after + 2) {
            after += 2;
        }
        // An alias, if a clause follows it.
        if judge.at(after).kind == Kind::Name && continues(judge, after + 1) {
            after += 1;
        }
        query.goes_on = query.from && continues(judge, after) && table.kind != Kind::Text;
        // Oracle's table of one row.
        query.telling |=
            judge.text(table).eq_ignore_ascii_case(b"dual") && continues(judge, next + 2);
        next = after;
    }
    query.end = next;
    Some(query)
}

/// Whether the token at `index` continues or ends a query after its tables.
fn continues(judge: &Judge<'_, '_>, index: usize) -> bool {
    let token = judge.at(index);
    token.stops()
        || matches!(token.kind, Kind::Close | Kind::Semicolon | Kind::Comma)
        || match token.word {
            Word::Where | Word::Having => {
                condition(judge.tokens, index + 1).is_some()
                    || judge.at(index + 1).kind == Kind::End
            }
            Word::Limit => judge.at(index + 1).kind == Kind::Number,
            Word::Order | Word::Group => judge.at(index + 1).is(Word::By),
            Word::Union | Word::Join | Word::Procedure | Word::Into => true,
            _ => false,
        }
}

impl Query {
    /// Whether no sentence looks like it.
    fn is_telling(self) -> bool {
        self.telling && (!self.prose || self.from)
            || self.star && self.goes_on
            || self.constant && self.goes_on && !self.prose
    }

    /// Whether it is a query if the place speaks for one.
    fn is_plausible(self) -> bool {
        self.telling || self.star || self.constant && !self.prose || self.from && !self.prose
    }
}

/// The SELECT at `index`, outside brackets.
pub fn judge(judge: &mut Judge<'_, '_>, index: usize) {
    let before = judge.before(index);
    if before.kind == Kind::Open && index > 0 {
        return;
    }
    let Some(query) = read(judge, index) else {
        if judge.lead(index) == Lead::Literal {
            judge.found(&rules::FRAGMENT, index, index + 1);
        }
        return;
    };
    let lead = judge.lead(index);
    let injected = matches!(lead, Lead::Literal | Lead::Number);
    if injected && before.kind == Kind::Semicolon && query.is_plausible() {
        judge.found(&rules::STACKED, index, query.end);
        return;
    }
    let ends = judge.at(query.end).stops() || judge.at(query.end).kind == Kind::Semicolon;
    let whole = (lead == Lead::Start || judge.starts_quoted(index)) && !judge.by_design;
    let written = query.is_telling()
        || query.from
            && query.goes_on
            && !query.prose
            && (query.several || !ends || cut(judge, query.end));
    if whole && written || before.kind == Kind::Semicolon && query.is_telling() && !judge.by_design
    {
        judge.found(&rules::SELECT, index, query.end);
    } else if written || query.from && query.goes_on {
        judge.found(&rules::STATEMENT, index, query.end);
    }
}

fn cut(judge: &Judge<'_, '_>, index: usize) -> bool {
    matches!(judge.at(index).kind, Kind::Comment | Kind::Semicolon)
}

/// `(select …` at `index`: does it stand where a value should?
pub fn subquery(judge: &mut Judge<'_, '_>, index: usize) {
    let Some(query) = read(judge, index + 1) else {
        return;
    };
    let before = judge.before(index);
    let operator = matches!(
        before.kind,
        Kind::Compare | Kind::Arith | Kind::Star | Kind::Bars | Kind::Ampersands | Kind::Comma
    ) || before.word.is_logic()
        || before.word.compares()
        || matches!(
            before.word,
            Word::Div
                | Word::Exists
                | Word::Any
                | Word::All
                | Word::Not
                | Word::From
                | Word::If
                | Word::Select
                | Word::When
                | Word::Limit
                | Word::Offset
                | Word::By
        )
        || before.word.is_function();
    let lead = judge.lead(index);
    let sure = operator && query.is_plausible()
        || matches!(lead, Lead::Literal | Lead::Number) && query.is_plausible()
        || query.is_telling()
        || lead == Lead::Start && query.from && query.goes_on;
    if sure {
        judge.found(&rules::SUBQUERY, index, query.end);
    }
}
