//! What follows the quote that closes the application's own literal.

use super::grammar::{comparison, operand};
use super::judge::Judge;
use super::token::{Kind, Token};
use super::words::Word;
use super::{languages, rules};

/// How many tokens are looked through for the end of the value.
const REACH: usize = 32;

/// The token at `index` is a [`Kind::Prefix`]: what follows it?
pub fn judge(judge: &mut Judge<'_, '_>, index: usize) {
    languages::judge(judge);
    let closed = index + 1;
    let after = closed + usize::from(judge.at(closed).kind == Kind::Close);
    let token = judge.at(after);
    match token.kind {
        Kind::Comment => comment(judge, after),
        Kind::Comma => values(judge, after),
        Kind::Semicolon => {
            javascript(judge, after + 1);
            if let Some(end) = ends_cut(judge, after + 1).filter(|end| *end > after + 1) {
                judge.found(&rules::STACKED, 0, end + 1);
            } else {
                judge.found(&rules::FRAGMENT, 0, after + 1);
            }
        }
        Kind::Bars | Kind::Ampersands => {
            javascript(judge, after + 1);
            reopened(judge, after);
        }
        Kind::Compare => {
            computed(judge, after);
            reopened(judge, after);
        }
        Kind::Star | Kind::Arith => {
            computed(judge, after);
            if judge.text(token) != b"&" || judge.at(after + 1).kind != Kind::Name {
                reopened(judge, after);
            }
        }
        Kind::Word => word(judge, after),
        Kind::Name => name(judge, after),

        _ => {}
    }
}

/// `' desc--`, `' lines terminated by 0x41`: words that go on with a query, though they are no words of the vocabulary.
fn name(judge: &mut Judge<'_, '_>, index: usize) {
    let text = |index: usize| judge.text(judge.at(index));
    let is = |index: usize, words: &[&str]| {
        words
            .iter()
            .any(|word| text(index).eq_ignore_ascii_case(word.as_bytes()))
    };
    // MySQL's SELECT … INTO OUTFILE writes what stands here into the file.
    let written = is(index, &["lines", "fields", "columns"])
        && is(index + 1, &["terminated", "starting", "enclosed"])
        && judge.at(index + 2).is(Word::By)
        && judge.at(index + 3).is_constant();
    let sorted = is(index, &["asc", "desc"])
        && judge.at(index + 1).kind == Kind::Comment
        && ends_cut(judge, index + 1).is_some();
    if sorted && is_value(judge) {
        judge.found(&rules::COMMENT, 0, index + 2);
    }
    if written {
        judge.found(&rules::CLAUSE, index, index + 4);
    }
}

/// `'-0--`, `'=0#`: an operator, a constant and a comment that cuts.
fn computed(judge: &mut Judge<'_, '_>, index: usize) {
    let constant = judge.at(index + 1).is_constant() && judge.at(index + 2).kind == Kind::Comment;
    if constant && let Some(end) = ends_cut(judge, index + 1) {
        judge.found(&rules::COMMENT, 0, end + 1);
    }
}

/// Whether the application's literal is one word: prose before the quote makes an apostrophe likely.
fn is_one_word(judge: &Judge<'_, '_>) -> bool {
    let prefix = judge.text(judge.at(0));
    let words = prefix
        .split(|b| b.is_ascii_whitespace())
        .filter(|w| !w.is_empty());
    words.take(2).count() < 2
}

/// Whether what stands before the quote may be a value. Code and markup before a quote make it a string's.
pub fn is_value(judge: &Judge<'_, '_>) -> bool {
    const CODE: &[u8] = b"=(<[{,:;|}#!?*&>\\";
    is_one_word(judge) && !judge.text(judge.at(0)).iter().any(|b| CODE.contains(b))
}

/// The comment at `index` cuts: what is behind it?
fn comment(judge: &mut Judge<'_, '_>, index: usize) {
    let token = judge.at(index);
    let tail = tail(judge, token);
    let spaced = judge
        .text(judge.at(0))
        .iter()
        .rev()
        .nth(1)
        .is_some_and(u8::is_ascii_whitespace);
    let tight = !token.spaced && !spaced;
    let empty = judge.at(0).end == 1;
    let again = tail.iter().any(|b| matches!(b, b'\'' | b'"' | b'`'));
    let sure = match words_in(tail) {
        0 if empty => judge.text(judge.at(0)) != b"`",
        0 => is_value(judge) || tight && !again && judge.text(token) != b"#",
        // '--option' is a quoted option.
        1 => is_value(judge) && !(empty && tight && !tail.starts_with(b" ")) && !again,
        _ => false,
    };
    if sure {
        judge.found(&rules::COMMENT, 0, index + 1);
    } else {
        judge.found(&rules::LOOSE_COMMENT, 0, index + 1);
    }
}

/// What the comment `token` hides.
fn tail<'a>(judge: &Judge<'a, '_>, token: Token) -> &'a [u8] {
    let mark = if judge.text(token).starts_with(b"#") {
        1
    } else {
        2
    };
    judge
        .bytes
        .get(token.start as usize + mark..)
        .unwrap_or_default()
}

/// How many words `tail` has, at most two.
pub fn words_in(tail: &[u8]) -> usize {
    tail.split(|b| !b.is_ascii_alphanumeric() && *b != b'_' && *b < 0x80)
        .filter(|w| !w.is_empty())
        .take(2)
        .count()
}

/// Whether the value ends in a comment that cuts nothing the client wrote.
pub fn ends_cut(judge: &Judge<'_, '_>, from: usize) -> Option<usize> {
    for index in from..from + REACH {
        let token = judge.at(index);
        match token.kind {
            Kind::End => return None,
            Kind::Comment => {
                let tail = tail(judge, token);
                let allowed = usize::from(judge.text(token).starts_with(b"-"));
                if words_in(tail) <= allowed {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}

/// `(select …) --`: a value in brackets and a comment behind it.
pub fn bracketed(judge: &mut Judge<'_, '_>) {
    let Some(end) = ends_cut(judge, 1) else {
        return;
    };
    let telling = (0..end).any(|i| {
        let word = judge.at(i).word;
        word.is_logic() || matches!(word, Word::Select | Word::Binary | Word::Case)
    });
    let cut =
        judge.text(judge.at(end)) == b"--" && tail(judge, judge.at(end)).trim_ascii().is_empty();
    if telling && cut && judge.before(end).kind == Kind::Close {
        judge.found(&rules::COMMENT, 0, end + 1);
    }
}

/// `'='`, `'||'a'||'`, `'+(…)+'`: an operator here, and at the end an operator and the quote again.
fn reopened(judge: &mut Judge<'_, '_>, index: usize) {
    for end in index + 1..index + REACH {
        let token = judge.at(end);
        if token.kind == Kind::OpenText {
            let mut before = judge.before(end);
            // `1')>('0`: the bracket that was closed is opened again, too.
            if before.kind == Kind::Open && judge.at(1).kind == Kind::Close && end > index + 1 {
                before = judge.at(end - 2);
            }
            let operator = matches!(
                before.kind,
                Kind::Compare | Kind::Arith | Kind::Star | Kind::Bars | Kind::Ampersands
            ) || before.word.is_logic()
                || before.is(Word::Like)
                || judge.text(before) == b"!";
            let same = judge.text(token).first() == judge.text(judge.at(0)).last();
            if operator
                && same
                && is_value(judge)
                && computes(judge, index, end)
                && is_short_word(judge, token)
            {
                judge.found(&rules::QUOTES, 0, end + 1);
            }
            return;
        }
        if token.kind == Kind::End {
            return;
        }
    }
}

/// Whether the tokens between compute something: a quoted path, tag or star does not.
fn computes(judge: &Judge<'_, '_>, from: usize, end: usize) -> bool {
    let quoted = judge.at(0).end == 1;
    if end == from + 1 {
        let star =
            judge.at(from).kind == Kind::Star && judge.text(judge.at(end)).first() == Some(&b'"');
        return !(quoted && star);
    }
    // Markup, paths, and mail's =?utf-8?q?…?= are quoted whole.
    if quoted
        && (judge.text(judge.at(from)).starts_with(b"<")
            || matches!(judge.text(judge.at(from)), b"/" | b">" | b"?")
            || (from..end).any(|i| judge.text(judge.at(i)) == b"?"))
    {
        return false;
    }
    (from..end).any(|i| {
        let token = judge.at(i);
        matches!(
            token.kind,
            Kind::Bars | Kind::Ampersands | Kind::Number | Kind::Text | Kind::Open
        ) || token.kind == Kind::Compare && !matches!(judge.text(token), b"<" | b">")
            || token.word.is_logic()
            || token.word.compares()
            || token.is(Word::Null)
    })
}

fn is_short_word(judge: &Judge<'_, '_>, token: Token) -> bool {
    let text = judge.text(token).trim_ascii_end();
    let word = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'%' | b'-' | b'.' | b'@') || *b >= 0x80
    };
    text.len() <= 32 && text.iter().skip(1).all(word)
}

/// Whether `token` is a short regular expression without spaces.
fn is_pattern(judge: &Judge<'_, '_>, token: Token) -> bool {
    let text = judge.text(token);
    let sign = |byte: &u8| matches!(byte, b'^' | b'.' | b'[');
    text.len() <= 32 && text.get(1).is_some_and(sign) && !text.iter().any(u8::is_ascii_whitespace)
}

fn word(judge: &mut Judge<'_, '_>, index: usize) {
    let token = judge.at(index);
    let next = judge.at(index + 1);
    if token.word.is_logic() || token.word.compares() || token.is(Word::Not) {
        // x'or'y
        let string = comparison(judge.tokens, index).map_or(index + 1, |(next, _, _)| next);
        let text = judge.at(string);
        // The quote that reopens is the one that the application closes.
        let same = judge.text(text).first() == judge.text(judge.at(0)).last();
        if text.kind == Kind::OpenText && same && judge.at(string + 1).kind == Kind::End {
            // 'or' alone is a quoted word.
            let inside = judge.text(text).get(1).copied().unwrap_or(b' ');
            let quoted = judge.at(0).end == 1 && !token.spaced && !inside.is_ascii_alphanumeric();
            let pattern = token.is(Word::Like) && is_pattern(judge, text);
            if is_one_word(judge) && (is_short_word(judge, text) || pattern) && !quoted {
                judge.found(&rules::QUOTES, 0, string + 1);
            } else {
                judge.found(&rules::FRAGMENT, 0, string + 1);
            }
        }
        let sign = matches!(next.kind, Kind::Bars | Kind::Ampersands);
        if sign {
            judge.found(&rules::BOOLEAN, 0, index + 2);
        }
        if token.word.is_logic() {
            javascript(judge, index + 1);
            if judge.at(index + 1).kind != Kind::OpenText {
                reopened(judge, index);
            }
            truncated(judge, index);
        }
    }
    // ' collate x='
    if token.is(Word::Collate) && judge.at(index + 2).kind == Kind::Compare {
        reopened(judge, index + 2);
    }
    let keyword = token.word.is_logic()
        || token.word.is_clause()
        || token.word.compares()
        || token.word.is_statement()
        || matches!(
            token.word,
            Word::Not | Word::Div | Word::Collate | Word::Setop | Word::As | Word::Join
        );
    if keyword && let Some(end) = ends_cut(judge, index + 1) {
        judge.found(&rules::COMMENT, 0, end + 1);
    }
    if token.word.is_statement() && token.word != Word::If && next.kind != Kind::End {
        judge.found(&rules::FRAGMENT, 0, index + 2);
    }
}

/// `' or x<`: the comparison's right side was cut off.
fn truncated(judge: &mut Judge<'_, '_>, index: usize) {
    let Some(left) = operand(judge.tokens, index + 1) else {
        return;
    };
    let operator = judge.at(left.next);
    if judge.at(left.next + 1).kind != Kind::End {
        return;
    }
    match operator.kind {
        Kind::Compare if judge.text(operator) != b"?" => {
            judge.found(&rules::BOOLEAN, 0, left.next + 1)
        }
        Kind::Arith | Kind::Other | Kind::Compare => {
            judge.found(&rules::FRAGMENT, 0, left.next + 1)
        }
        _ => {}
    }
}

/// `',null,null)--`: the rest of a list of values.
fn values(judge: &mut Judge<'_, '_>, index: usize) {
    let mut next = index;
    let mut items = 0;
    while judge.at(next).kind == Kind::Comma && next < index + REACH {
        let Some(item) = operand(judge.tokens, next + 1) else {
            break;
        };
        if item.class == super::grammar::Class::Column {
            assigned(judge, next + 1);
            break;
        }
        items += 1;
        next = item.next;
    }
    if items == 0 || !is_value(judge) {
        return;
    }
    let after = judge.at(next);
    let closed = judge.before(next).kind == Kind::Close;
    if after.kind == Kind::Comment || closed && (after.stops() || after.kind == Kind::Comma) {
        judge.found(&rules::VALUES, 0, next + 1);
    } else if after.stops() {
        judge.found(&rules::FRAGMENT, 0, next);
    }
}

/// `',role='admin'--`: further assignments of an UPDATE. The first column is at `index`.
fn assigned(judge: &mut Judge<'_, '_>, index: usize) {
    let mut column = index;
    while column < index + REACH {
        let name = matches!(judge.at(column).kind, Kind::Name | Kind::Word);
        if !name || judge.text(judge.at(column + 1)) != b"=" {
            return;
        }
        let Some(value) = operand(judge.tokens, column + 2) else {
            return;
        };
        let after = judge.at(value.next);
        if value.class < super::grammar::Class::Constant || !is_value(judge) {
            return;
        }
        if after.is(Word::Where)
            || after.kind == Kind::Comment && ends_cut(judge, value.next).is_some()
        {
            judge.found(&rules::VALUES, 0, value.next + 1);
        }
        if after.kind != Kind::Comma {
            return;
        }
        column = value.next + 1;
    }
}

/// Server-side JavaScript behind a number, where the query has no quotes: `1; return true`, `1||this`. The sign is at `index`.
pub fn javascript_behind_a_number(judge: &mut Judge<'_, '_>, index: usize) {
    let begins = judge.first && (index == 0 || index == 1 && judge.at(0).kind == Kind::Number);
    if !begins {
        return;
    }
    let next = judge.at(index + 1);
    let after = judge.at(index + 2);
    let ends = |token: Token| token.kind == Kind::Semicolon || token.stops();
    let returns =
        judge.text(next) == b"return" && after.is(Word::Bool) && ends(judge.at(index + 3));
    let itself = judge.at(index).kind == Kind::Bars
        && index == 1
        && (judge.text(next) == b"this" && ends(after)
            || next.kind == Kind::Bang
                && judge.text(after) == b"this"
                && ends(judge.at(index + 3)));
    if returns || itself {
        judge.found(&rules::JAVASCRIPT, 0, index + 3);
    }
}

/// Server-side JavaScript: `'; return true; var x='`, `' || this.a == 1//`.
fn javascript(judge: &mut Judge<'_, '_>, index: usize) {
    const STATEMENTS: [&[u8]; 9] = [
        b"return",
        b"var",
        b"let",
        b"while",
        b"throw",
        b"function",
        b"sleep",
        b"this",
        b"db",
    ];
    let index = index + usize::from(judge.at(index).kind == Kind::Bang);
    let token = judge.at(index);
    let name = judge.text(token);
    // `'||this'`: the object itself is always true.
    if name == b"this" && judge.at(index + 1).kind == Kind::OpenText && is_value(judge) {
        judge.found(&rules::JAVASCRIPT, 0, index + 2);
    }
    let first = name.split(|b| *b == b'.').next().unwrap_or_default();
    let dotted = first.len() < name.len();
    let code = STATEMENTS.contains(&first) && (dotted || first != b"this" && first != b"db");
    if !code {
        return;
    }
    let ends = (index + 1..index + REACH)
        .map(|i| judge.at(i))
        .find(|t| matches!(t.kind, Kind::End | Kind::OpenText))
        .is_some_and(|t| {
            t.kind == Kind::OpenText || judge.bytes.ends_with(b"//") || judge.bytes.contains(&b'=')
        });
    let behind = judge.at(index + 1);
    if ends || dotted || matches!(behind.kind, Kind::Open | Kind::Number) || behind.is(Word::Bool) {
        judge.found(&rules::JAVASCRIPT, 0, index + 1);
    }
}
