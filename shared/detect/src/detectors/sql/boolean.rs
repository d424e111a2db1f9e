//! Conditions: tautologies, yes/no probes, comparisons of constants.

use std::ops::Range;

use super::breakout::words_in;
use super::grammar::{Class, Condition, condition, operand};
use super::judge::{Judge, Lead};
use super::rules;
use super::token::Kind;
use super::words::Word;

/// The word or sign at `index` joins a condition: is it one that an attacker decides?
pub fn judge(judge: &mut Judge<'_, '_>, index: usize) {
    if let Some(condition) = condition(judge.tokens, index + 1) {
        compare(judge, index, &condition);
    } else {
        alone(judge, index);
    }
    // 1='1' or-- -
    let joined = judge.at(index + 1);
    let cut = joined.kind == Kind::Comment
        && judge.text(joined) == b"--"
        && judge.before(index).is_constant();
    if cut && words_in(judge.bytes.get(joined.end as usize..).unwrap_or_default()) == 0 {
        judge.found(&rules::BOOLEAN, index, index + 2);
    }
}

/// Whether two stretches of tokens are spelt alike.
fn same_text(judge: &Judge<'_, '_>, left: Range<usize>, right: Range<usize>) -> bool {
    let span = |range: Range<usize>| {
        let start = judge.at(range.start).start as usize;
        let end = judge.before(range.end).end as usize;
        judge.bytes.get(start..end).unwrap_or_default()
    };
    let (left, right) = (span(left), span(right));
    let right = right
        .strip_suffix(b")")
        .filter(|_| left.last() != Some(&b')'))
        .unwrap_or(right);
    !left.is_empty() && left.eq_ignore_ascii_case(right)
}

fn compare(judge: &mut Judge<'_, '_>, index: usize, condition: &Condition) {
    let (left, right) = (condition.left, condition.right);
    let next = right.next;
    let decided = |class: Class| class >= Class::Constant;
    let telling = |class: Class| class > Class::Shared;
    let certain = if telling(left.class) || telling(right.class) {
        true
    } else if left.class == Class::Shared || right.class == Class::Shared {
        judge.injected(index) || left.class == Class::Constant
    } else if left.class == Class::Constant
        && is_json_operator(judge.text(judge.at(condition.operator)))
    {
        true
    } else if decided(left.class) && decided(right.class) {
        // Two quoted words that differ may be prose: "start" = 'x' and "end" = 'y'.
        let (one, other) = (judge.at(left.first), judge.at(right.first));
        let quoted = one.kind == Kind::Text && (other.kind == Kind::Text || condition.worded);
        let alike = content(judge.text(one)) == content(judge.text(other));
        let spoken = !quoted && judge.is_prose(index);
        // "2+2=4 and 1<2", "1 or 2? 3": sizes and a question behind a text. `"front row"~3`: how far apart words may stand, in
        // the syntax of Lucene; a pattern of SQL is no number.
        let sign = judge.text(judge.at(condition.operator));
        let sized = matches!(sign, b"<" | b">" | b"<=" | b">=" | b"?")
            || sign == b"~" && other.kind == Kind::Number;
        !quoted && !spoken && !sized || quoted && alike || judge.lead(index) != Lead::Text
    } else if left.class == Class::Column && right.class == Class::Column && !condition.worded {
        // id=id
        let equal = matches!(
            judge.text(judge.at(condition.operator)),
            b"=" | b"==" | b"<=>" | b">=" | b"<="
        );
        equal
            && !left.chained
            && !right.chained
            && same_text(judge, left.first..left.next, right.first..right.next)
            || column(judge, index, condition)
    } else if left.class == Class::Variable || right.class == Class::Variable {
        judge.text(judge.at(left.first)).starts_with(b"@") && decided(right.class)
            || decided(left.class)
            || left.class == right.class
    } else {
        column(judge, index, condition)
    };
    if certain {
        judge.found(&rules::BOOLEAN, index, next);
    } else if judge.before(index).ends_operand() {
        judge.found(&rules::CONDITION, index, next);
    }
}

/// What a string holds, whether or not it is closed.
fn content(text: &[u8]) -> &[u8] {
    match text {
        [open @ (b'\'' | b'"'), rest @ ..] => rest.strip_suffix(&[*open]).unwrap_or(rest),
        _ => text,
    }
}

/// PostgreSQL's and SQLite's operators on JSON, but for those that other languages have.
fn is_json_operator(operator: &[u8]) -> bool {
    matches!(
        operator,
        b"@>" | b"<@" | b"?|" | b"?&" | b"#>" | b"#>>" | b"->>" | b"@?"
    )
}

/// A comparison with a column: the application's own search syntax looks like it, so the place decides.
fn column(judge: &Judge<'_, '_>, index: usize, condition: &Condition) -> bool {
    let ends = judge.at(condition.right.next);
    match judge.lead(index) {
        Lead::Literal => {
            !condition.worded
                || condition.right.class >= Class::Constant
                || matches!(ends.kind, Kind::Comment | Kind::Semicolon)
                || ends.is(Word::Collate)
        }
        Lead::Number => {
            let decided = condition.right.class >= Class::Constant && index == 1;
            ends.kind == Kind::Comment || decided && ends.kind == Kind::End
        }
        _ => false,
    }
}

/// An operand without a comparison: `or true--`, `or sleep(5)`.
fn alone(judge: &mut Judge<'_, '_>, index: usize) {
    let Some(operand) = operand(judge.tokens, index + 1) else {
        return;
    };
    let next = judge.at(operand.next);
    let lead = judge.lead(index);
    let first = judge.at(operand.first);
    let certain = match operand.class {
        Class::Subquery => judge.before(operand.first).kind == Kind::Open,
        Class::Case => true,
        Class::Function => {
            matches!(first.word, Word::Time | Word::Error | Word::System)
                || matches!(lead, Lead::Literal | Lead::Number)
        }
        Class::Shared => matches!(lead, Lead::Literal | Lead::Number) && !next.is(Word::Or),
        Class::Constant => match lead {
            Lead::Literal => {
                next.stops() && first.kind != Kind::OpenText
                    || next.kind == Kind::Semicolon
                    || next.word.is_logic() && first.kind == Kind::Number
            }
            Lead::Number | Lead::Start => {
                next.kind == Kind::Comment && first.kind == Kind::Number
                    || next.stops() && first.is(Word::Bool) && !judge.before(index).is(Word::Bool)
            }
            Lead::Text => false,
        },
        Class::Variable => matches!(lead, Lead::Literal | Lead::Number) && next.stops(),
        Class::Column => false,
    };
    if certain {
        judge.found(&rules::BOOLEAN, index, operand.next);
    } else if lead == Lead::Number && operand.class == Class::Constant && next.stops() {
        judge.found(&rules::CONDITION, index, operand.next);
    }
}

/// A value that is nothing but a comparison of two constants which holds: `1=1`, `'a'!='b'`.
pub fn whole(judge: &mut Judge<'_, '_>) {
    let Some(condition) = condition(judge.tokens, 0) else {
        return;
    };
    let (left, right) = (condition.left, condition.right);
    let constants = left.class == Class::Constant && right.class == Class::Constant;
    // `(7=8)*52`: the bracket is computed with, whether or not the comparison in it holds.
    let computed = judge.at(0).kind == Kind::Open
        && (right.first..right.next).any(|index| {
            judge.at(index).kind == Kind::Close
                && matches!(judge.at(index + 1).kind, Kind::Star | Kind::Arith)
        });
    if constants && computed && !left.chained {
        judge.found(&rules::CONSTANT, 0, right.next);
        return;
    }
    if left.class != Class::Constant
        || right.class != Class::Constant
        || !judge.at(right.next).stops()
    {
        return;
    }
    let open = judge.at(right.first).kind == Kind::OpenText;
    let same = judge
        .text(judge.at(left.first))
        .eq_ignore_ascii_case(judge.text(judge.at(right.first)));
    let operator = judge.text(judge.at(condition.operator));
    let differs = condition.negated || matches!(operator, b"!=" | b"<>");
    let holds = match operator {
        b"<" | b">" => false,
        _ => same != differs,
    };
    let quoted = judge.at(left.first).kind == Kind::Text;
    if quoted && open && judge.at(left.first).start == 0 || holds && !left.chained && !right.chained
    {
        // Map services ask for all rows by `where=1=1`.
        let rule = if judge.filters {
            &rules::CONDITION
        } else {
            &rules::CONSTANT
        };
        judge.found(rule, 0, right.next);
    }
}

/// `case when 1=1 then`, `iif(1=1,`: a choice that the client decides. The condition is at `index`.
pub fn choice(judge: &mut Judge<'_, '_>, from: usize, index: usize) {
    let Some(condition) = condition(judge.tokens, index) else {
        return;
    };
    if condition.left.class >= Class::Constant
        && condition.right.class >= Class::Constant
        && !condition.worded
    {
        judge.found(&rules::BOOLEAN, from, condition.right.next);
    }
}
