//! Clauses that follow a value: UNION, ORDER BY, GROUP BY, LIMIT, INTO OUTFILE, LIKE.

use super::breakout::ends_cut;
use super::grammar::{Class, comparison, condition, operand};
use super::judge::{Judge, Lead};
use super::rules;
use super::token::Kind;
use super::words::Word;

/// `union select`, `except select`, `union values`.
pub fn union(judge: &mut Judge<'_, '_>, index: usize) {
    let mut next = index + 1;
    let mut sure = judge.at(index).commented;
    for _ in 0..3 {
        let token = judge.at(next);
        match token.kind {
            Kind::Open | Kind::Arith | Kind::Comment => {}
            _ if token.is(Word::All) => sure = true,
            _ => break,
        }
        sure |= token.commented;
        next += 1;
    }
    let select = judge.at(next);
    let table =
        select.is(Word::Object) && judge.at(next + 1).kind == Kind::Name && judge.injected(index);
    // union match (n) return n
    if judge.text(select).eq_ignore_ascii_case(b"match") && judge.at(next + 1).kind == Kind::Open {
        judge.found(&rules::CYPHER, index, next + 2);
        return;
    }
    if !(select.is(Word::Select) || select.is(Word::Values) || table) {
        let counted =
            judge.injected(index) && select.kind == Kind::Number && ends_cut(judge, next).is_some();
        if counted || judge.lead(index) == Lead::Literal && select.stops() {
            judge.found(&rules::UNION, index, next);
        }
        return;
    }
    sure |= select.commented || judge.injected(index);
    let list = next + 1 + usize::from(judge.at(next + 1).is(Word::All));
    let plausible = match operand(judge.tokens, list) {
        // "what UNION SELECT is": a sentence goes on with a word that begins no value.
        None => {
            let goes_on = judge.at(list);
            let word = goes_on.kind == Kind::Word && judge.lead(index) == Lead::Text;
            goes_on.kind != Kind::Name && !word
        }
        Some(item) => {
            let after = judge.at(item.next);
            item.class > Class::Column
                || matches!(
                    after.kind,
                    Kind::Comma
                        | Kind::End
                        | Kind::Comment
                        | Kind::Close
                        | Kind::Semicolon
                        | Kind::Compare
                )
                || matches!(
                    after.word,
                    Word::From | Word::As | Word::Where | Word::Limit | Word::Into
                )
        }
    };
    if sure || plausible {
        judge.found(&rules::UNION, index, next + 1);
    }
}

/// `order by`, `group by`, `having`, `where`, `limit`, `procedure analyse`, `into outfile`.
pub fn judge(judge: &mut Judge<'_, '_>, index: usize) {
    let token = judge.at(index);
    let next = judge.at(index + 1);
    let injected = judge.injected(index);
    if judge.lead(index) == Lead::Number
        && token.word != Word::Into
        && let Some(end) = ends_cut(judge, index + 1).filter(|end| *end > index + 1)
        && judge.text(judge.at(end)).starts_with(b"-")
    {
        judge.found(&rules::COMMENT, index, end + 1);
    }
    match token.word {
        Word::Procedure if next.is(Word::Analyse) => {
            judge.found(&rules::CLAUSE, index, index + 2);
        }
        Word::Into if next.is(Word::Outfile) => judge.found(&rules::SYSTEM, index, index + 2),
        Word::Order | Word::Group if next.is(Word::By) => order(judge, index, injected),
        Word::Limit if injected => {
            let count = judge.at(index + 1);
            let after = judge.at(index + 2);
            if count.kind == Kind::Number
                && (after.stops() || after.kind == Kind::Comma || after.is(Word::Union))
            {
                judge.found(&rules::CLAUSE, index, index + 2);
            }
        }
        Word::Where | Word::Having if judge.lead(index) == Lead::Literal => {
            if let Some(condition) = condition(judge.tokens, index + 1) {
                judge.found(&rules::CLAUSE, index, condition.right.next);
            }
        }
        _ => {}
    }
}

fn order(judge: &mut Judge<'_, '_>, index: usize, injected: bool) {
    let Some(key) = operand(judge.tokens, index + 2) else {
        if judge.lead(index) == Lead::Start && judge.at(index + 2).kind == Kind::End {
            judge.found(&rules::FRAGMENT, index, index + 2);
        }
        return;
    };
    let after = judge.at(key.next);
    let ends = after.stops() || after.kind == Kind::Comma || after.is(Word::Having);
    let sure = match key.class {
        Class::Constant => {
            let cut = after.kind == Kind::Comment || after.kind == Kind::Comma && !judge.by_design;
            injected && ends || cut || after.is(Word::Having)
        }
        Class::Function | Class::Case | Class::Subquery => true,
        Class::Column | Class::Variable | Class::Shared => {
            injected && (after.kind == Kind::Comment || after.is(Word::Having))
        }
    };
    if sure {
        judge.found(&rules::CLAUSE, index, key.next);
    } else if ends && judge.lead(index) != Lead::Text {
        judge.found(&rules::FRAGMENT, index, key.next);
    }
}

/// A comparison by word right after a closed literal: `' like '%`, `' in (1,2)--`.
pub fn compared(judge: &mut Judge<'_, '_>, index: usize) {
    let subquery = judge.at(index + 1).kind == Kind::Open && judge.at(index + 2).is(Word::Select);
    if subquery {
        judge.found(&rules::SUBQUERY, index, index + 3);
        return;
    }
    if !judge.injected(index) {
        let listed = judge.at(index).is(Word::In) && judge.at(index + 2).kind == Kind::Number;
        if listed && judge.at(index + 1).kind == Kind::Open && judge.lead(index) == Lead::Start {
            judge.found(&rules::FRAGMENT, index, index + 3);
        }
        return;
    }
    let Some((right, _, _)) = comparison(judge.tokens, index) else {
        return;
    };
    let Some(right) = operand(judge.tokens, right) else {
        return;
    };
    let token = judge.at(right.first);
    let after = judge.at(right.next);
    let sure = match right.class {
        Class::Column => false,
        Class::Constant => {
            // What reopens the literal is the break-out's business.
            token.kind != Kind::OpenText && (after.kind == Kind::Comment || after.word.is_logic())
        }
        _ => true,
    };
    if sure {
        judge.found(&rules::BOOLEAN, index, right.next);
    }
}

/// `) as name from`: the tail of a list of columns.
pub fn named(judge: &mut Judge<'_, '_>, index: usize) {
    let name = judge.at(index + 1);
    let from = judge.at(index + 2).is(Word::From);
    if !from || !matches!(name.kind, Kind::Name | Kind::Text | Kind::Word) {
        return;
    }
    if judge.lead(index) == Lead::Number
        && matches!(judge.at(index + 3).kind, Kind::Name | Kind::Open)
    {
        judge.found(&rules::SELECT, index, index + 4);
    } else if judge.before(index).kind == Kind::Close || judge.before(index).kind == Kind::Name {
        judge.found(&rules::FRAGMENT, index, index + 3);
    }
}

/// `1) from users where name='x')`: the rest of a query.
pub fn from(judge: &mut Judge<'_, '_>, index: usize) {
    if !matches!(judge.at(index + 1).kind, Kind::Name | Kind::Word) {
        return;
    }
    let filtered =
        judge.at(index + 2).is(Word::Where) && condition(judge.tokens, index + 3).is_some();
    if filtered && judge.injected(index) {
        judge.found(&rules::SELECT, index, index + 4);
    } else if judge.lead(index) == Lead::Start && (filtered || judge.at(index + 2).is(Word::Limit))
    {
        judge.found(&rules::FRAGMENT, index, index + 3);
    }
}
