//! Calls and names that only SQL has: delays, error leaks, files and network, catalogues, character codes.

use super::boolean;
use super::grammar::{Class, operand};
use super::judge::{Judge, Lead};
use super::rules;
use super::token::{Kind, Token};
use super::words::Word;

/// Server variables that probes ask for.
const VARIABLES: [&[u8]; 18] = [
    b"version",
    b"version_compile_os",
    b"version_comment",
    b"datadir",
    b"basedir",
    b"hostname",
    b"tmpdir",
    b"servername",
    b"language",
    b"langid",
    b"textsize",
    b"spid",
    b"secure_file_priv",
    b"plugin_dir",
    b"packet_errors",
    b"microsoftversion",
    b"max_connections",
    b"pack_received",
];

/// The function name at `index`.
pub fn judge(judge: &mut Judge<'_, '_>, index: usize) {
    let token = judge.at(index);
    if judge.at(index + 1).kind != Kind::Open {
        bare(judge, index, token);
        return;
    }
    let argument = judge.at(index + 2);
    if argument.kind == Kind::End {
        return;
    }
    if argument.is(Word::Select) && !token.is(Word::Commonfn) {
        judge.found(&rules::SUBQUERY, index, index + 3);
        return;
    }
    if matches!(token.word, Word::Textfn | Word::Sharedfn) {
        boolean::choice(judge, index, index + 2);
    }
    match token.word {
        Word::Time => time(judge, index, token),
        Word::Error
            if argument.kind != Kind::Close
                && (argument.kind != Kind::Name || judge.lead(index) != Lead::Text) =>
        {
            judge.found(&rules::ERROR, index, index + 3)
        }
        Word::System
            if argument.kind != Kind::Close
                && (argument.kind != Kind::Name || judge.lead(index) != Lead::Text) =>
        {
            judge.found(&rules::SYSTEM, index, index + 3)
        }
        Word::Textfn | Word::Sharedfn => text(judge, index),
        // exp(~(select …
        Word::Commonfn
            if judge.text(token).eq_ignore_ascii_case(b"exp") && judge.text(argument) == b"~" =>
        {
            judge.found(&rules::ERROR, index, index + 3);
        }
        _ => {}
    }
    if token.word.is_sql_function() && in_expression(judge, index) {
        judge.found(&rules::FUNCTION, index, index + 3);
    }
}

/// A name without brackets: `1+current_user`, `'||utl_http.request`.
fn bare(judge: &mut Judge<'_, '_>, index: usize, token: Token) {
    let before = judge.before(index);
    let joined = matches!(
        before.kind,
        Kind::Arith | Kind::Bars | Kind::Compare | Kind::Star
    ) && judge.injected(index.saturating_sub(1));
    let name = judge.text(token);
    let user = token.is(Word::Info) && super::ends_with_ignore_case(name, b"_user");
    if joined && (user || token.is(Word::System) && name.contains(&b'.')) {
        judge.found(&rules::FUNCTION, index, index + 1);
    }
}

/// A value that is only the beginning of a call: `concat(`, `select char(`.
pub fn begun(judge: &mut Judge<'_, '_>, index: usize) {
    let named = |word: Word| {
        word.is_function()
            || matches!(
                word,
                Word::Session
                    | Word::Replace
                    | Word::Execute
                    | Word::Delay
                    | Word::Select
                    | Word::Case
                    | Word::Div
            )
    };
    // select char(
    let select = judge.at(index).is(Word::Select) && judge.at(index + 1).kind != Kind::Open;
    let mut last = index + usize::from(select);
    let cut = |judge: &Judge<'_, '_>, last: usize| {
        judge.at(last + 2).kind == Kind::End
            || judge.at(last + 2).is(Word::Case) && judge.at(last + 3).kind == Kind::End
    };
    while last < index + 6 && named(judge.at(last).word) && judge.at(last + 1).kind == Kind::Open {
        if cut(judge, last) {
            judge.found(&rules::FRAGMENT, index, last + 2);
        }
        last += 2;
    }
}

/// Whether the call at `index` continues an expression that the client did not begin: `'||f(`, `1 and f(`.
fn in_expression(judge: &Judge<'_, '_>, index: usize) -> bool {
    let before = judge.before(index);
    // 8*len(x) is any language's.
    let certain = || {
        !judge.at(index).is(Word::Sharedfn)
            || operand(judge.tokens, index).is_some_and(|call| call.class == Class::Function)
            || judge.at(index + 2).is_constant()
    };
    let operator = matches!(
        before.kind,
        Kind::Compare | Kind::Arith | Kind::Star | Kind::Bars | Kind::Ampersands
    ) || before.word.is_logic()
        || before.word.compares();
    operator && judge.injected(index.saturating_sub(1)) && certain()
        || before.kind == Kind::Prefix
            && matches!(
                judge.at(index).word,
                Word::Time | Word::System | Word::Error
            )
}

fn time(judge: &mut Judge<'_, '_>, index: usize, token: Token) {
    let name = judge.text(token);
    let argument = judge.at(index + 2);
    if argument.kind == Kind::Close {
        return;
    }
    let before = judge.before(index);
    // time.sleep(5), Thread.sleep(5) are other languages.
    let foreign = name.contains(&b'.') && !super::starts_with_ignore_case(name, b"dbms");
    let sleeps = super::ends_with_ignore_case(name, b"sleep")
        && !super::starts_with_ignore_case(name, b"pg_");
    let sure = if sleeps {
        let expression = match before.kind {
            Kind::End | Kind::Prefix => true,
            Kind::Number | Kind::Close => judge.injected(index),
            // PHP's '.sleep(5).'
            Kind::Dot => judge.injected(index.saturating_sub(1)),
            Kind::Semicolon => judge.lead(index) != Lead::Text,
            Kind::Compare
            | Kind::Arith
            | Kind::Star
            | Kind::Bars
            | Kind::Ampersands
            | Kind::Comma
            | Kind::Open => true,
            Kind::Word => {
                before.word.is_logic()
                    || before.word.compares()
                    // begin dbms_lock.sleep(5); end
                    || before.is(Word::Begin) && name.contains(&b'.')
                    || matches!(
                        before.word,
                        Word::Select | Word::When | Word::Not | Word::By
                    )
            }
            _ => false,
        };
        let waits = matches!(
            argument.kind,
            Kind::Number | Kind::Text | Kind::OpenText | Kind::Open
        ) || matches!(argument.word, Word::If | Word::Select | Word::Case)
            || argument.word.is_function()
            || judge.injected(index);
        !foreign && expression && waits
    } else if super::starts_with_ignore_case(name, b"benchmark") {
        argument.kind == Kind::Number && judge.at(index + 3).kind != Kind::Close
    } else {
        !foreign
    };
    if sure {
        judge.found(&rules::TIME, index, index + 3);
    }
}

/// Text functions: a chain of character codes, or hexadecimal text.
fn text(judge: &mut Judge<'_, '_>, index: usize) {
    let name = judge.text(judge.at(index));
    let code = is_code(name);
    let argument = judge.at(index + 2);
    let after = judge.at(index + 4);
    if code && argument.kind == Kind::Number && judge.at(index + 3).kind == Kind::Close {
        let next = judge.at(index + 5);
        // A spreadsheet joins text by `&`, no database does.
        let chained = matches!(after.kind, Kind::Arith | Kind::Bars)
            && judge.text(after) != b"&"
            && next.is(Word::Sharedfn)
            && is_code(judge.text(next));
        if chained || in_expression(judge, index) {
            judge.found(&rules::ENCODED, index, index + 6);
        }
    }
    let joins = name.len() >= 6 && super::starts_with_ignore_case(name, b"concat")
        || super::starts_with_ignore_case(name, b"group_concat");
    if joins {
        let hexadecimal = judge
            .text(argument)
            .get(..2)
            .is_some_and(|h| h.eq_ignore_ascii_case(b"0x"));
        // OData nests `concat(concat(City, ', '), Country)`: a chain of columns encodes nothing.
        let columns = super::starts_with_ignore_case(judge.text(argument), b"concat")
            && judge.at(index + 4).kind == Kind::Name;
        let calls =
            argument.word.is_sql_function() && judge.at(index + 3).kind == Kind::Open && !columns;
        let informs = argument.is(Word::Session);
        if hexadecimal || calls || informs && judge.at(index + 3).kind == Kind::Open {
            judge.found(&rules::ENCODED, index, index + 4);
        }
    }
}

fn is_code(name: &[u8]) -> bool {
    [b"char".as_slice(), b"chr", b"nchar"]
        .iter()
        .any(|code| name.eq_ignore_ascii_case(code))
}

/// `@@version` and its like.
pub fn variable(judge: &mut Judge<'_, '_>, index: usize) {
    let text = judge.text(judge.at(index));
    let Some(name) = text.strip_prefix(b"@@") else {
        return;
    };
    let name = name
        .strip_prefix(b"global.")
        .or(name.strip_prefix(b"GLOBAL."))
        .unwrap_or(name);
    if VARIABLES
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
    {
        judge.found(&rules::CATALOG, index, index + 1);
    }
}

/// A catalogue's name at `index`.
pub fn catalog(judge: &mut Judge<'_, '_>, index: usize) {
    let before = judge.before(index);
    let mut read = matches!(
        before.word,
        Word::From | Word::Join | Word::Into | Word::Update
    );
    // from a, sysobjects
    read |= before.kind == Kind::Comma
        && (1..6).any(|back| {
            index
                .checked_sub(back)
                .is_some_and(|i| judge.at(i).is(Word::From))
        });
    if read {
        judge.found(&rules::CATALOG, index, index + 1);
    } else {
        judge.found(&rules::FRAGMENT, index, index + 1);
    }
}

/// A stored procedure's name at `index`.
pub fn procedure(judge: &mut Judge<'_, '_>, index: usize) {
    let before = judge.before(index);
    let name = judge.text(judge.at(index));
    let called = before.is(Word::Execute)
        || before.is(Word::Call)
        || matches!(before.kind, Kind::Dot | Kind::Semicolon);
    let system = super::starts_with_ignore_case(name, b"xp_") || name.contains(&b'.');
    if called || system {
        judge.found(&rules::PROCEDURE, index, index + 1);
    } else if operand(judge.tokens, index + 1).is_some_and(|o| o.class == Class::Constant) {
        judge.found(&rules::FRAGMENT, index, index + 2);
    }
}

/// PostgreSQL's cast at `index`: behind a call or a string it is nothing that people write.
pub fn cast(judge: &mut Judge<'_, '_>, index: usize) {
    let before = judge.before(index);
    if matches!(before.kind, Kind::Close | Kind::Text | Kind::Prefix) {
        judge.found(&rules::FUNCTION, index.saturating_sub(1), index + 1);
    }
}
