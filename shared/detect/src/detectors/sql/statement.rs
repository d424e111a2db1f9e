//! Statements other than SELECT.

use super::breakout::ends_cut;
use super::grammar::{comparison, condition};
use super::judge::{Judge, Lead};
use super::rules;
use super::token::Kind;
use super::words::Word;
use crate::Rule;

/// The statement's first word is at `index`.
pub fn judge(judge: &mut Judge<'_, '_>, index: usize) {
    let word = judge.at(index).word;
    let stacked = judge.before(index).kind == Kind::Semicolon;
    let Some((rule, end, sure)) = read(judge, index, word, stacked) else {
        // A verb and one word: nothing by itself.
        if judge.lead(index) != Lead::Text
            && judge.at(index + 1).kind == Kind::Name
            && judge.at(index + 2).stops()
        {
            judge.found(&rules::FRAGMENT, index, index + 2);
        }
        return;
    };
    let lead = judge.lead(index);
    let injected = matches!(lead, Lead::Literal | Lead::Number);
    if injected && stacked {
        judge.found(&rules::STACKED, index, end);
    }
    let whole = (lead == Lead::Start || judge.starts_quoted(index)) && !judge.by_design;
    // Without a break-out, a script in a text is a text.
    let stacked = stacked && !(judge.by_design && lead == Lead::Text);
    if sure && (stacked || whole) {
        judge.found(rule, index, end);
    } else if sure {
        judge.found(&rules::STATEMENT, index, end);
    }
}

/// Which rule, where it ends, and whether the words alone make a statement.
fn read(
    judge: &mut Judge<'_, '_>,
    index: usize,
    word: Word,
    stacked: bool,
) -> Option<(&'static Rule, usize, bool)> {
    let one = judge.at(index + 1);
    let two = judge.at(index + 2);
    let three = judge.at(index + 3);
    let name = |kind: Kind| matches!(kind, Kind::Name | Kind::Word);
    let ends = |index: usize| {
        let token = judge.at(index);
        token.stops()
            || matches!(
                token.kind,
                Kind::Semicolon | Kind::Close | Kind::Text | Kind::OpenText
            )
    };
    match word {
        Word::Drop | Word::Truncate if one.word.is_object() => {
            // drop table if exists x
            let object = index + if two.is(Word::If) { 4 } else { 2 };
            (name(judge.at(object).kind)).then_some((&rules::DDL, object + 1, ends(object + 1)))
        }
        Word::Create => {
            let object = index + if one.is(Word::Or) { 3 } else { 1 };
            let telling = matches!(judge.at(object + 2).kind, Kind::Open)
                || matches!(judge.at(object + 2).word, Word::As | Word::Identified)
                || stacked;
            (judge.at(object).word.is_object() && name(judge.at(object + 1).kind)).then_some((
                &rules::DDL,
                object + 3,
                telling,
            ))
        }
        Word::Alter if one.word.is_object() => {
            let telling = matches!(
                three.word,
                Word::Drop | Word::Set | Word::Identified | Word::Alter | Word::Collate
            ) || [
                "add",
                "modify",
                "change",
                "rename",
                "character",
                "disable",
                "enable",
            ]
            .iter()
            .any(|w| judge.text(three).eq_ignore_ascii_case(w.as_bytes()));
            name(two.kind).then_some((&rules::DDL, index + 4, telling))
        }
        Word::Grant => {
            let privileges = judge.text(one).eq_ignore_ascii_case(b"all");
            let pair = name(one.kind) && two.is(Word::To) && name(three.kind);
            (privileges || pair).then_some((
                &rules::DDL,
                index + 4,
                privileges || stacked || judge.at(index + 4).kind == Kind::Semicolon,
            ))
        }
        Word::Delete if one.is(Word::From) && name(two.kind) => {
            let filtered = three.is(Word::Where) && condition(judge.tokens, index + 4).is_some();
            let cut = matches!(three.kind, Kind::Semicolon | Kind::Comment);
            Some((
                &rules::DELETE,
                index + 4,
                filtered || cut || stacked && three.stops(),
            ))
        }
        Word::Insert | Word::Replace if one.is(Word::Into) && name(two.kind) => {
            let listed = matches!(three.kind, Kind::Open)
                || matches!(three.word, Word::Values | Word::Select | Word::Set);
            Some((
                &rules::INSERT,
                index + 4,
                listed || stacked && three.stops(),
            ))
        }
        Word::Insert if one.is(Word::Into) && stacked => Some((&rules::INSERT, index + 2, true)),
        Word::Replace if name(one.kind) && two.kind == Kind::Open && stacked => {
            Some((&rules::INSERT, index + 3, true))
        }
        Word::Update if name(one.kind) && two.is(Word::Set) => {
            let assigned = comparison(judge.tokens, index + 4).is_some();
            Some((&rules::UPDATE, index + 5, assigned && name(three.kind)))
        }
        Word::Execute => execute(judge, index),
        Word::Declare => (one.kind == Kind::Variable && judge.text(one).len() > 1).then_some((
            &rules::PROCEDURE,
            index + 2,
            true,
        )),
        Word::Set if one.kind == Kind::Variable && stacked => {
            Some((&rules::PROCEDURE, index + 2, true))
        }
        Word::Call if two.kind == Kind::Open && name(one.kind) => Some((
            &rules::PROCEDURE,
            index + 3,
            stacked && judge.injected(index),
        )),
        Word::Shutdown
            if stacked && one.stops() || one.kind == Kind::Semicolon && word == Word::Shutdown =>
        {
            Some((&rules::STACKED, index + 1, stacked))
        }
        // prepare x from '…', vacuum into '…', attach database '…' as x
        Word::Admin if one.is(Word::Into) && two.kind == Kind::Text => {
            Some((&rules::SYSTEM, index + 3, true))
        }
        Word::Admin if two.is(Word::From) && is_statement(judge.text(three)) => {
            Some((&rules::PROCEDURE, index + 4, true))
        }
        Word::Admin
            if judge.text(one).eq_ignore_ascii_case(b"database")
                && two.kind == Kind::Text
                && three.is(Word::As)
                || one.kind == Kind::Text && two.is(Word::As) =>
        {
            Some((
                &rules::SYSTEM,
                index + 3,
                judge.text(judge.at(index)).len() == 6,
            ))
        }
        Word::Admin => {
            const OBJECTS: [&str; 16] = [
                "tables",
                "databases",
                "columns",
                "grants",
                "variables",
                "processlist",
                "session",
                "global",
                "table",
                "database",
                "schema",
                "index",
                "role",
                "schemas",
                "all",
                "log",
            ];
            let object = OBJECTS
                .iter()
                .any(|w| judge.text(one).eq_ignore_ascii_case(w.as_bytes()));
            (stacked && (object || two.is(Word::From))).then_some((
                &rules::STACKED,
                index + 2,
                true,
            ))
        }
        Word::Values
            if one.kind == Kind::Open && two.is_constant() && judge.lead(index) != Lead::Text =>
        {
            judge.found(&rules::FRAGMENT, index, index + 3);
            None
        }
        Word::Waitfor if one.is(Word::Delay) => {
            judge.found(&rules::TIME, index, index + 3);
            None
        }
        Word::Load
            if ["data", "xml"]
                .iter()
                .any(|w| judge.text(one).eq_ignore_ascii_case(w.as_bytes())) =>
        {
            let file = ["infile", "local"]
                .iter()
                .any(|w| judge.text(two).eq_ignore_ascii_case(w.as_bytes()));
            file.then_some((&rules::SYSTEM, index + 3, true))
        }
        // copy (select …) to program 'id'
        Word::Copy if one.kind == Kind::Open && two.is(Word::Select) => {
            let end = (index + 3..index + 24)
                .find(|i| judge.at(*i).is(Word::To))
                .filter(|to| {
                    let target = judge.at(to + 1);
                    target.kind == Kind::Text || judge.text(target).eq_ignore_ascii_case(b"program")
                })?;
            Some((&rules::SYSTEM, end + 2, true))
        }
        Word::Copy if name(one.kind) && (two.is(Word::From) || two.is(Word::To)) => Some((
            &rules::SYSTEM,
            index + 4,
            three.kind == Kind::Text
                || three.kind == Kind::OpenText
                || judge.text(three).eq_ignore_ascii_case(b"program")
                    && judge.at(index + 4).kind == Kind::Text,
        )),
        Word::Handler if name(one.kind) => {
            let opens = ["open", "read"]
                .iter()
                .any(|w| judge.text(two).eq_ignore_ascii_case(w.as_bytes()));
            opens.then_some((&rules::SELECT, index + 3, stacked || three.stops()))
        }
        Word::Merge if one.is(Word::Into) && name(two.kind) => Some((
            &rules::INSERT,
            index + 3,
            judge.text(three).eq_ignore_ascii_case(b"using"),
        )),
        Word::Begin if stacked => Some((&rules::STACKED, index + 1, one.is(Word::Declare))),
        // if(1=1,sleep(5),0): told apart from code by what it holds.
        Word::If if one.kind == Kind::Open => {
            let held = condition(judge.tokens, index + 2)?;
            let constant = held.left.class > super::grammar::Class::Column
                && held.right.class > super::grammar::Class::Column;
            let lead = judge.lead(index);
            let goes_on = judge.at(held.right.next);
            let branch = matches!(goes_on.kind, Kind::Comma)
                || goes_on.is(Word::Select)
                || goes_on.is(Word::Waitfor);
            // 1-if(1=1,1,0)
            let times = usize::from(judge.before(index).kind == Kind::Star);
            let behind = judge.lead(index.saturating_sub(times));
            if constant && branch && behind == Lead::Number {
                judge.found(&rules::FUNCTION, index, held.right.next);
            }
            (constant && branch && (stacked || lead != Lead::Text)).then_some((
                &rules::FUNCTION,
                held.right.next,
                true,
            ))
        }
        _ => None,
    }
}

/// Whether a literal holds a statement: `'select 1'`.
fn is_statement(literal: &[u8]) -> bool {
    const VERBS: [&[u8]; 7] = [
        b"select ", b"insert ", b"update ", b"delete ", b"drop ", b"create ", b"exec ",
    ];
    let text = literal.get(1..).unwrap_or_default().trim_ascii_start();
    VERBS
        .iter()
        .any(|verb| super::starts_with_ignore_case(text, verb))
}

/// `exec master..xp_cmdshell`, `execute immediate '…'`, `exec('…')`.
fn execute(judge: &Judge<'_, '_>, index: usize) -> Option<(&'static Rule, usize, bool)> {
    let one = judge.at(index + 1);
    let name = judge.text(one);
    let procedure = ["xp_", "sp_", "master", "sys."]
        .iter()
        .any(|start| super::starts_with_ignore_case(name, start.as_bytes()));
    let immediate =
        one.is(Word::Immediate) && matches!(judge.at(index + 2).kind, Kind::Text | Kind::OpenText);
    let text = one.kind == Kind::Open
        && (judge.at(index + 2).kind == Kind::Variable
            || matches!(judge.at(index + 2).word, Word::Textfn | Word::Sharedfn)
            || judge.at(index + 2).kind == Kind::Text
                && (judge.before(index).kind == Kind::Semicolon
                    || is_statement(judge.text(judge.at(index + 2)))));
    let variable = one.kind == Kind::Variable && judge.injected(index);
    (procedure || immediate || text || variable).then_some((&rules::PROCEDURE, index + 2, true))
}

/// `1;anything--`: whatever follows a number and a semicolon, if it cuts the rest off.
pub fn anything(judge: &mut Judge<'_, '_>, index: usize) {
    let word = matches!(judge.at(index + 1).kind, Kind::Name | Kind::Word);
    if !word || judge.lead(index) != Lead::Number {
        return;
    }
    if let Some(end) = ends_cut(judge, index + 1).filter(|end| judge.text(judge.at(*end)) == b"--")
    {
        judge.found(&rules::STACKED, index, end + 1);
    }
}
