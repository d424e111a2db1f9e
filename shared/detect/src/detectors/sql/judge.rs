//! Walks the tokens of one context and asks, at each that can begin something, what it begins.

use std::ops::Range;

use super::fold::Window;
use super::grammar::at;
use super::token::{Kind, Token};
use super::tokenizer::{Context, Tokenizer};
use super::words::Word;
use super::{boolean, breakout, clause, function, rules, select, statement};
use crate::{Hits, Input, Rule, Severity};

use backstop_http::Kind as Place;

/// The most words that a parameter's name is judged as a name for.
const NAME_WORDS: usize = 8;

/// Within how many tokens of its beginning a value shows that it is prose.
const PROSE: usize = 12;

/// What a pass over the value costs beside its bytes, in steps of [`Work`](crate::Work), and what per byte.
const STEPS_OF_A_WINDOW: usize = 60;
const STEPS_OF_A_PASS: usize = 1;
/// What judging `||` and `&&` costs beside.
const STEPS_OF_AN_OPERATOR: usize = 80;
/// What judging a function's call costs: its brackets, its arguments, what it is compared with.
const STEPS_OF_A_CALL: usize = 100;
/// What judging the condition behind `or`, `and`, `where` costs.
const STEPS_OF_A_CONDITION: usize = 50;
/// What judging a token costs.
const STEPS_OF_A_TOKEN: usize = 5;

/// What stands before a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lead {
    /// Nothing: the value begins here.
    Start,
    /// A literal of the application's that the value closes, and brackets.
    Literal,
    /// One constant and brackets: `1)`, as where the application expects a number.
    Number,
    /// Anything else.
    Text,
}

/// The state of one stretch of one context.
pub struct Judge<'a, 'h> {
    /// The value.
    pub bytes: &'a [u8],
    /// The stretch.
    pub tokens: &'a [Token],
    /// Whether the stretch begins where the value begins.
    pub first: bool,
    /// Whether the place is one where whole statements are some applications' way: a JSON string, a form field `sql`.
    pub by_design: bool,
    /// Whether the value is a whole statement in a field that is named after SQL: what is joined to it is part of it.
    pub console: bool,
    /// Whether the parameter is one that takes a condition by design: `where`, as ArcGIS and other map services have it.
    pub filters: bool,
    /// Whether the value is a parameter's name: an identifier, if it is honest.
    pub name: bool,
    hits: &'h mut Hits,
}

/// Judges `input` in `context`. Stops early once something critical is found.
pub fn judge(input: &Input<'_>, context: Context, hits: &mut Hits) {
    let mut window = Window::new(Tokenizer::new(input.bytes, context));
    let name = is_name(input);
    let by_design = takes_statements(input);
    let filters = takes_conditions(input);
    let console = is_console(input);
    if !hits.spend(STEPS_OF_A_WINDOW + input.bytes.len() * STEPS_OF_A_PASS) {
        return;
    }
    while window.advance() {
        let due = window.due();
        if !hits.spend(due.len() * STEPS_OF_A_TOKEN) {
            return;
        }
        let mut judge = Judge {
            bytes: input.bytes,
            tokens: window.tokens(),
            first: window.is_first(),
            name,
            by_design,
            filters,
            console,
            hits,
        };
        judge.stretch(due);
        if is_certain(hits) {
            return;
        }
    }
}

/// Whether the value is a parameter's name that no form would give: a text body without `=` is read as one, too, so
/// a name with many words is not.
fn is_name(input: &Input<'_>) -> bool {
    let names = matches!(
        input.place.kind,
        Place::QueryName | Place::FormName | Place::CookieName | Place::MultipartName
    );
    let words = input
        .bytes
        .split(u8::is_ascii_whitespace)
        .filter(|w| !w.is_empty());
    names && words.take(NAME_WORDS + 1).count() <= NAME_WORDS
}

/// Whether the place may carry statements by design, as Grafana's `rawSql` and reporting APIs do.
fn takes_statements(input: &Input<'_>) -> bool {
    match input.place.kind {
        Place::Json | Place::Graphql | Place::TextBody | Place::RawBody => true,
        Place::Form | Place::Multipart => {
            let name = input.place.name;
            super::ends_with_ignore_case(name, b"sql")
                || [b"query".as_slice(), b"statement", b"stmt", b"sql_query"]
                    .iter()
                    .any(|known| name.eq_ignore_ascii_case(known))
        }
        _ => false,
    }
}

/// Whether the value is a statement from its first word on, in a field of a SQL editor (Grafana's `rawSql`, Superset's `sql`,
/// Metabase's `native/query`, phpMyAdmin's `sql_query`). An injection has the rest of somebody's literal first.
fn is_console(input: &Input<'_>) -> bool {
    let name = input.place.name;
    let field = match input.place.kind {
        Place::Json | Place::Form | Place::Multipart | Place::XmlText | Place::RawBody => name,
        _ => return false,
    };
    let named = [
        &b"sql"[..],
        b"sql_query",
        b"sqlquery",
        b"/native/query",
        b"db.statement",
    ]
    .iter()
    .any(|known| super::ends_with_ignore_case(field, known))
        || input.place.kind == Place::RawBody;
    let bytes = input.bytes.trim_ascii_start();
    let first = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let verb = bytes.get(..first).unwrap_or_default();
    named
        && [
            &b"select"[..],
            b"with",
            b"show",
            b"explain",
            b"describe",
            b"insert",
            b"update",
        ]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(verb))
}

/// Whether a rule is about what an attacker joins to a statement, rather than about what a statement must not do.
fn is_about_joining(rule: &Rule) -> bool {
    [
        &rules::UNION,
        &rules::BOOLEAN,
        &rules::QUOTES,
        &rules::COMMENT,
        &rules::SELECT,
        &rules::INSERT,
        &rules::UPDATE,
        &rules::CATALOG,
        &rules::ENCODED,
        &rules::SUBQUERY,
        &rules::CLAUSE,
        &rules::FUNCTION,
        &rules::VALUES,
    ]
    .contains(&rule)
}

/// Whether the place takes a condition by design.
fn takes_conditions(input: &Input<'_>) -> bool {
    matches!(
        input.place.kind,
        Place::Query | Place::Form | Place::Multipart
    ) && [b"where".as_slice(), b"definitionexpression"]
        .iter()
        .any(|known| input.place.name.eq_ignore_ascii_case(known))
}

/// Whether a critical finding is among `hits`: further contexts would add nothing.
pub fn is_certain(hits: &Hits) -> bool {
    hits.as_slice()
        .iter()
        .any(|hit| hit.rule.severity == Severity::Critical)
}

impl<'a> Judge<'a, '_> {
    /// The token at `index`, `Token::END` past the last.
    pub fn at(&self, index: usize) -> Token {
        at(self.tokens, index)
    }

    /// The token before `index`, `Token::END` before the first.
    pub fn before(&self, index: usize) -> Token {
        index.checked_sub(1).map_or(Token::END, |i| self.at(i))
    }

    /// The bytes of `token`.
    pub fn text(&self, token: Token) -> &'a [u8] {
        self.bytes
            .get(token.start as usize..token.end as usize)
            .unwrap_or_default()
    }

    /// Records `rule` from the token at `from` to the one before `to`.
    pub fn found(&mut self, rule: &'static Rule, from: usize, to: usize) {
        let start = self.at(from).start as usize;
        let last = self.at(to
            .saturating_sub(1)
            .max(from)
            .min(self.tokens.len().saturating_sub(1)));
        let end = (last.end as usize).min(self.bytes.len());
        let span = start.min(end)..end;
        let rule = if self.console && is_about_joining(rule) {
            &rules::STATEMENT
        } else {
            rule
        };
        if self.name
            && matches!(
                rule.name,
                "sql-fragment" | "sql-statement" | "sql-condition"
            )
        {
            self.hits.push(&rules::NAME, span.clone());
        }
        self.hits.push(rule, span);
    }

    /// What stands before position `index`.
    pub fn lead(&self, index: usize) -> Lead {
        if !self.first || index > 4 {
            return Lead::Text;
        }
        let Some(before) = self.tokens.get(..index) else {
            return Lead::Text;
        };
        let rest = match before {
            [] => return Lead::Start,
            [first, rest @ ..] if first.kind == Kind::Prefix => (Lead::Literal, rest),
            [first, rest @ ..]
                if first.is_constant() || matches!(first.kind, Kind::Close | Kind::Semicolon) =>
            {
                (Lead::Number, rest)
            }
            [first, number, rest @ ..]
                if first.kind == Kind::Open && number.kind == Kind::Number =>
            {
                (Lead::Number, rest)
            }
            [first, rest @ ..] if first.kind == Kind::Open => (Lead::Start, rest),
            _ => return Lead::Text,
        };
        let neutral = |t: &Token| matches!(t.kind, Kind::Close | Kind::Semicolon | Kind::Comment);
        if rest.1.iter().all(neutral) {
            rest.0
        } else {
            Lead::Text
        }
    }

    /// Whether the value begins as a sentence does: three words in a row before `index` that are none of SQL's.
    pub fn is_prose(&self, index: usize) -> bool {
        let word = |token: &Token| {
            token.kind == Kind::Name
                && self
                    .text(*token)
                    .iter()
                    .all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
        };
        let head = self.tokens.get(..index.min(PROSE)).unwrap_or_default();
        self.first && head.windows(3).any(|three| three.iter().all(word))
    }

    /// Whether an injected piece can start at `index`: after a closed literal or a number.
    pub fn injected(&self, index: usize) -> bool {
        matches!(self.lead(index), Lead::Literal | Lead::Number)
    }

    /// Whether the token at `index` follows a literal that a value may begin with, not a string in code.
    pub fn starts_quoted(&self, index: usize) -> bool {
        self.first && index == 1 && self.at(0).kind == Kind::Prefix && breakout::is_value(self)
    }

    fn stretch(&mut self, due: Range<usize>) {
        for index in due {
            let token = self.at(index);
            match token.kind {
                Kind::Prefix => breakout::judge(self, index),
                Kind::Word => self.word(index, token),
                Kind::Bars | Kind::Ampersands => {
                    if !self.hits.spend(STEPS_OF_AN_OPERATOR) {
                        return;
                    }
                    boolean::judge(self, index);
                    breakout::javascript_behind_a_number(self, index);
                }
                Kind::Semicolon => {
                    statement::anything(self, index);
                    breakout::javascript_behind_a_number(self, index);
                }
                Kind::Cast => function::cast(self, index),
                Kind::Variable => function::variable(self, index),
                Kind::Open => {
                    if index == 0 && self.first {
                        breakout::bracketed(self);
                    }
                    if self.at(index + 1).is(Word::Select) {
                        select::subquery(self, index);
                    }
                }
                _ => {}
            }
            if index == 0 && self.first && token.kind != Kind::Prefix {
                boolean::whole(self);
            }
        }
    }

    fn word(&mut self, index: usize, token: Token) {
        let begins = self.at(index + 1).kind == Kind::Open || token.is(Word::Select);
        if begins && self.lead(index) == Lead::Start {
            function::begun(self, index);
        }
        match token.word {
            Word::Or | Word::And | Word::Xor | Word::Where | Word::Having => {
                if !self.hits.spend(STEPS_OF_A_CONDITION) {
                    return;
                }
                boolean::judge(self, index);
                clause::judge(self, index);
            }
            Word::Union | Word::Setop => clause::union(self, index),
            Word::Order | Word::Group | Word::Limit | Word::Procedure | Word::Into => {
                clause::judge(self, index);
            }
            Word::Like | Word::In | Word::Between | Word::Is | Word::Not => {
                clause::compared(self, index);
            }
            Word::Case if self.at(index + 1).is(Word::When) => {
                boolean::choice(self, index, index + 2)
            }
            Word::As => clause::named(self, index),
            Word::From => clause::from(self, index),
            Word::Select => select::judge(self, index),
            Word::Catalog => function::catalog(self, index),
            Word::Proc => function::procedure(self, index),
            word if word.is_function() => {
                let called = self.at(index + 1).kind == Kind::Open;
                if !called || self.hits.spend(STEPS_OF_A_CALL) {
                    function::judge(self, index);
                }
            }
            word if word.is_statement() => statement::judge(self, index),
            _ => {}
        }
        if (token.commented || self.at(index + 1).commented) && self.is_hidden(index) {
            self.found(&rules::VERSIONED, index, index + 1);
        }
    }

    /// Whether the keyword at `index` is in or behind a comment that no one would put there.
    fn is_hidden(&self, index: usize) -> bool {
        let token = self.at(index);
        let keyword = token.word.is_logic()
            || token.word.is_clause()
            || token.word.is_statement()
            || token.word.is_sql_function();
        if !keyword {
            return false;
        }
        let start = token.start as usize;
        let versioned = self
            .bytes
            .get(start.saturating_sub(9)..start)
            .is_some_and(|before| {
                let digits = before
                    .iter()
                    .rev()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                let mark = before
                    .get(..before.len().saturating_sub(digits))
                    .unwrap_or_default();
                mark.ends_with(b"/*!")
            });
        // union/**/select
        let before = self.before(index);
        let glued = token.commented
            && !token.spaced
            && (before.ends_operand() || before.kind == Kind::Word);
        let after = self.at(index + 1);
        let glues = after.commented && !after.spaced && after.kind != Kind::End;
        let common = matches!(
            token.word,
            Word::If
                | Word::Set
                | Word::Values
                | Word::Begin
                | Word::Call
                | Word::Replace
                | Word::Load
                | Word::Into
        );
        versioned || glues && (glued || token.word.is_statement() && !common)
    }
}
