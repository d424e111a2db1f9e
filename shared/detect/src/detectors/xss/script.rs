//! JavaScript in a value: names that open a dialogue, run a string or reach the page, in the places where code has them.

use std::ops::Range;

use super::ascii::{
    at, before, from, is_gap, is_identifier, is_one_of, is_quote, last_solid, starts_with,
};
use super::rules::{
    CLIENT_TEMPLATE, DOM_SINK, EVAL, JS_BREAKOUT, JS_DIALOG, JS_GADGET, JS_IN_TEXT,
};
use crate::{Hits, Rule};

/// The longest name that means anything here.
const LONGEST: usize = 20;

/// A value of several lines and this length is a text, where code is a quotation as a rule: there a name counts only with
/// the signs around it that break out of a string.
const TEXT: usize = 240;

/// Whether `bytes` is a text of several lines rather than a field.
pub fn is_text(bytes: &[u8]) -> bool {
    bytes.len() > TEXT && memchr::memchr_iter(b'\n', bytes).nth(1).is_some()
}

/// Finds names that are used as code and records what they do.
pub fn scan(bytes: &[u8], hits: &mut Hits) {
    let text = is_text(bytes);
    let mut position = 0;
    let mut found = 0;
    while let Some(word) = next_word(bytes, position) {
        position = word.end;
        if word.len() > LONGEST || word.len() < 3 {
            continue;
        }
        let Some(rule) = judge(bytes, &word) else {
            continue;
        };
        let broken_out = breaks_out(bytes, &word);
        if broken_out {
            hits.push(&JS_BREAKOUT, word.clone());
        }
        if in_template(bytes, word.start) {
            hits.push(&CLIENT_TEMPLATE, word.clone());
        } else if text {
            hits.push(&JS_IN_TEXT, word);
        } else {
            hits.push(rule, word);
        }
        found += 1;
        if found == 64 {
            return;
        }
    }
}

/// The next run of identifier characters from `position` on.
fn next_word(bytes: &[u8], position: usize) -> Option<Range<usize>> {
    let start = position
        + from(bytes, position)
            .iter()
            .position(|byte| is_identifier(*byte))?;
    let length = from(bytes, start)
        .iter()
        .take_while(|byte| is_identifier(**byte))
        .count();
    Some(start..start + length)
}

fn judge(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    let name = bytes.get(word.clone())?;
    let first = name.first()?.to_ascii_lowercase();
    match first {
        b'a' if name.eq_ignore_ascii_case(b"alert") => dialog(bytes, word),
        b'a' if name == b"atob" => before_string(bytes, word).then_some(&EVAL),
        b'p' if name.eq_ignore_ascii_case(b"prompt") => dialog(bytes, word),
        b'p' if name == b"parent" => object(bytes, word),
        b'c' if name.eq_ignore_ascii_case(b"confirm") => dialog(bytes, word),
        b'c' if name == b"constructor" => gadget(bytes, word),
        b'm' if name.eq_ignore_ascii_case(b"msgbox") => dialog(bytes, word),
        b'e' if is_one_of(name, &[b"eval", b"execscript"]) => called(bytes, word).then_some(&EVAL),
        b's' if is_one_of(name, &[b"settimeout", b"setinterval", b"setimmediate"]) => {
            called(bytes, word).then_some(&EVAL)
        }
        b's' if is_one_of(name, &[b"self"]) => object(bytes, word),
        b's' if name == b"sessionStorage" => storage(bytes, word),
        b'l' if name == b"localStorage" => storage(bytes, word),
        b'l' if name == b"location" => location(bytes, word),
        b'f' if name.eq_ignore_ascii_case(b"fromcharcode") => Some(&JS_GADGET),
        b'f' if name == b"frames" => object(bytes, word),
        b'f' if name == b"fetch" => before_string(bytes, word).then_some(&DOM_SINK),
        b'i' if name == b"import" => before_string(bytes, word).then_some(&EVAL),
        b'i' if name.eq_ignore_ascii_case(b"innerhtml") => {
            assigned(bytes, word.end).then_some(&DOM_SINK)
        }
        b'f' if name == b"Function" => function(bytes, word),
        b'd' if name.eq_ignore_ascii_case(b"document") => document(bytes, word),
        b'w' | b't' | b'g' if is_one_of(name, &[b"window", b"top", b"this", b"globalthis"]) => {
            object(bytes, word)
        }
        b'r' if name == b"Reflect" => reflect(bytes, word),
        b'x' if name == b"XMLHttpRequest" => Some(&DOM_SINK),
        b'_' if name == b"__defineGetter__" || name == b"__proto__" => {
            called_or_indexed(bytes, word).then_some(&JS_GADGET)
        }
        b'u' if name == b"unescape" => before_string(bytes, word).then_some(&EVAL),
        b'v' if name == b"valueOf" => assigned(bytes, word.end).then_some(&JS_GADGET),
        b'c' if name == b"call" => tagged(bytes, word).then_some(&JS_GADGET),
        _ => None,
    }
}

/// The position behind white space and comments.
fn behind_gaps(bytes: &[u8], mut position: usize) -> usize {
    for _ in 0..4 {
        let gaps = from(bytes, position)
            .iter()
            .take(16)
            .take_while(|byte| is_gap(**byte))
            .count();
        position += gaps;
        if !from(bytes, position).starts_with(b"/*") {
            break;
        }
        let window = bytes.get(position + 2..).unwrap_or_default();
        let window = window.get(..64).unwrap_or(window);
        let Some(end) = memchr::memmem::find(window, b"*/") else {
            break;
        };
        position += end + 4;
    }
    position
}

/// Whether the name is called: `alert(`, `` alert` ``, `alert?.(`, `alert.call(`, with comments in between. A space before
/// the bracket is prose unless code stands before the name.
fn called(bytes: &[u8], word: &Range<usize>) -> bool {
    let next = behind_gaps(bytes, word.end);
    let rest = from(bytes, next);
    if matches!(rest.first(), Some(b'(' | b'`')) {
        return match at(bytes, word.end) {
            Some(byte) if is_gap(byte) => behind_code(bytes, word.start),
            _ => !is_defined_here(bytes, word.start),
        };
    }
    [
        &b"?.("[..],
        b".call(",
        b".call`",
        b".apply(",
        b".apply`",
        b".bind(",
    ]
    .iter()
    .any(|call| rest.starts_with(call))
}

/// Whether `function ` stands before the name.
fn is_defined_here(bytes: &[u8], start: usize) -> bool {
    bytes
        .get(..start)
        .is_some_and(|head| head.ends_with(b"function ") || head.ends_with(b"def "))
}

/// Whether what stands before a name is a sign of code and not a word.
fn behind_code(bytes: &[u8], start: usize) -> bool {
    match last_solid(bytes, start).and_then(|last| at(bytes, last)) {
        None => start == 0,
        Some(byte) => {
            !byte.is_ascii_alphanumeric() && byte.is_ascii() && !matches!(byte, b'.' | b',' | b')')
        }
    }
}

fn called_or_indexed(bytes: &[u8], word: &Range<usize>) -> bool {
    called(bytes, word) || matches!(at(bytes, word.end), Some(b'[' | b'.'))
}

/// Whether a call with a string as its first argument follows.
fn before_string(bytes: &[u8], word: &Range<usize>) -> bool {
    at(bytes, word.end) == Some(b'(')
        && at(bytes, behind_gaps(bytes, word.end + 1)).is_some_and(is_quote)
        || at(bytes, word.end) == Some(b'`')
}

/// Whether `=` follows that assigns.
fn assigned(bytes: &[u8], end: usize) -> bool {
    let equals = behind_gaps(bytes, end);
    at(bytes, equals) == Some(b'=') && at(bytes, equals + 1) != Some(b'=')
}

/// `` .call` ``: a tagged template that calls.
fn tagged(bytes: &[u8], word: &Range<usize>) -> bool {
    last_solid(bytes, word.start).and_then(|last| at(bytes, last)) == Some(b'.')
        && at(bytes, behind_gaps(bytes, word.end)) == Some(b'`')
}

fn dialog(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    if called(bytes, word) {
        return Some(&JS_DIALOG);
    }
    let open = before(bytes, word.start);
    let close = at(bytes, word.end);
    let handed_on = open == Some(b'(')
        && close == Some(b')')
        && (at(bytes, word.end + 1) == Some(b'(')
            || at(bytes, word.end + 1) == Some(b'`')
            || word
                .start
                .checked_sub(1)
                .and_then(|open| before(bytes, open))
                .is_some_and(is_identifier));
    let thrown = open == Some(b'=')
        && matches!(close, Some(b';' | b'}' | b','))
        && find_throw(bytes, word.end);
    let spliced = open == Some(b'{')
        && close == Some(b'}')
        && word
            .start
            .checked_sub(2)
            .and_then(|dollar| at(bytes, dollar))
            == Some(b'$');
    (handed_on || thrown || spliced).then_some(&JS_DIALOG)
}

/// Whether `throw` follows shortly.
fn find_throw(bytes: &[u8], end: usize) -> bool {
    let rest = from(bytes, end);
    memchr::memmem::find(rest.get(..64).unwrap_or(rest), b"throw").is_some()
}

/// `Function('…')`, `new Function`.
fn function(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    let created =
        bytes.get(..word.start)?.trim_ascii_end().ends_with(b"new") && called(bytes, word);
    (created || before_string(bytes, word)).then_some(&EVAL)
}

/// `constructor.constructor`, `.constructor(`, `['constructor']`, `constructor['…']`.
fn gadget(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    let rest = from(bytes, word.end);
    let member = matches!(before(bytes, word.start), Some(b'.'));
    let quoted = before(bytes, word.start).is_some_and(is_quote)
        && rest.first().copied().is_some_and(is_quote);
    let indexed = quoted && at(bytes, word.end + 1) == Some(b']');
    let chained = [
        &b".constructor"[..],
        b".prototype",
        b"['",
        b"[\"",
        b".call",
        b".name",
    ]
    .iter()
    .any(|tail| rest.starts_with(tail));
    let assigned = quoted
        && word
            .start
            .checked_sub(2)
            .and_then(|equals| at(bytes, equals))
            == Some(b'=');
    (indexed || chained || assigned || member && rest.first() == Some(&b'(')).then_some(&JS_GADGET)
}

fn reflect(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    at(bytes, word.end)
        .is_some_and(|byte| byte == b'.')
        .then_some(&JS_GADGET)
        .filter(|_| at(bytes, word.end + 1).is_some_and(|byte| byte.is_ascii_lowercase()))
}

fn storage(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    matches!(at(bytes, word.end), Some(b'.' | b'[')).then_some(&DOM_SINK)
}

/// A window object: indexed with a string or an expression (a gadget), or a member that leaves or opens a page (a sink).
fn object(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    const MEMBERS: &[&[u8]] = &[
        b"location",
        b"open",
        b"name",
        b"alert",
        b"eval",
        b"document",
        b"opener",
        b"onerror",
        b"parent",
        b"top",
    ];
    if before(bytes, word.start).is_some_and(|byte| byte == b'.' || byte == b'-') {
        return None;
    }
    let next = behind_gaps(bytes, word.end);
    match at(bytes, next)? {
        b'[' => {
            let key = at(bytes, behind_gaps(bytes, next + 1))?;
            // `this['x']` is any object's member.
            let this = bytes.get(word.clone()) == Some(b"this");
            let spelled =
                is_quote(key) || matches!(key, b'/' | b'(' | b'!' | b'+' | b'~' | b'\\' | b'[');
            (spelled && (!this || joined(bytes, next))).then_some(&JS_GADGET)
        }
        b'.' if bytes.get(word.clone()) != Some(b"this") => {
            let member = member(bytes, next + 1, next > word.end)?;
            let spaced = next > word.end;
            (is_one_of(member, MEMBERS) && !(spaced && behind_prose(bytes, word.start)))
                .then_some(&DOM_SINK)
        }
        _ => None,
    }
}

/// Whether the index that opens at `open` is put together or is a dialogue's name.
fn joined(bytes: &[u8], open: usize) -> bool {
    let rest = from(bytes, open);
    let window = rest.get(..64).unwrap_or(rest);
    let index = window
        .split(|byte| *byte == b']')
        .next()
        .unwrap_or_default();
    memchr::memchr(b'+', index).is_some()
        || [&b"alert"[..], b"eval"]
            .iter()
            .any(|name| memchr::memmem::find(index, name).is_some())
}

/// Whether a word stands before a name.
fn behind_prose(bytes: &[u8], start: usize) -> bool {
    last_solid(bytes, start)
        .and_then(|last| at(bytes, last))
        .is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// The member's name behind a dot. `spaced` says that there was space before the dot; space behind it alone is the end of a
/// sentence.
fn member(bytes: &[u8], start: usize, spaced: bool) -> Option<&[u8]> {
    let name_start = behind_gaps(bytes, start);
    if name_start > start && !spaced && at(bytes, start).is_some_and(is_gap) {
        return None;
    }
    let name = from(bytes, name_start);
    let length = name.iter().take_while(|byte| is_identifier(**byte)).count();
    name.get(..length)
}

fn document(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    const MEMBERS: &[&[u8]] = &[
        b"cookie",
        b"domain",
        b"write",
        b"writeln",
        b"location",
        b"url",
        b"documenturi",
        b"baseuri",
        b"referrer",
        b"createelement",
        b"getelementbyid",
        b"getelementsbytagname",
        b"getelementsbyname",
        b"queryselector",
        b"queryselectorall",
        b"body",
        b"forms",
        b"scripts",
        b"defaultview",
        b"documentelement",
        b"execcommand",
        b"addeventlistener",
        b"createevent",
        b"implementation",
        b"styleSheets",
        b"head",
        b"title",
        b"vulnerable",
    ];
    let next = behind_gaps(bytes, word.end);
    match at(bytes, next)? {
        b'.' => {
            let name = member(bytes, next + 1, next > word.end)?;
            let plain = is_one_of(
                name,
                &[
                    b"body",
                    b"head",
                    b"title",
                    b"url",
                    b"domain",
                    b"location",
                    b"forms",
                ],
            );
            // `document.title` in a template language or a query is a field of somebody's document.
            (is_one_of(name, MEMBERS)
                && !(plain && is_field(bytes, word.start, next + 1 + name.len())))
            .then_some(&DOM_SINK)
        }
        b'[' => at(bytes, behind_gaps(bytes, next + 1))
            .is_some_and(|key| is_quote(key) || key == b'/')
            .then_some(&JS_GADGET),
        _ => None,
    }
}

/// Whether a member is read by itself, as a field path is, and not used as code.
fn is_field(bytes: &[u8], start: usize, end: usize) -> bool {
    let lone = |byte: Option<u8>| {
        byte.is_none_or(|byte| {
            is_gap(byte) || matches!(byte, b':' | b',' | b'"' | b'}' | b'.' | b'*')
        })
    };
    lone(at(bytes, end))
        && before(bytes, start)
            .is_none_or(|byte| is_gap(byte) || matches!(byte, b'.' | b',' | b'"' | b'{' | b'$'))
}

/// `location=` with an address or code, `location.href=`, `location.replace(`.
fn location(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    const MEMBERS: &[&[u8]] = &[
        b"href", b"replace", b"assign", b"hash", b"search", b"reload",
    ];
    let before = before(bytes, word.start);
    if before == Some(b'-') || before == Some(b'_') || before == Some(b'@') {
        return None;
    }
    let next = behind_gaps(bytes, word.end);
    match at(bytes, next)? {
        b'.' => {
            let name = member(bytes, next + 1, next > word.end)?;
            let end = next + 1 + name.len();
            let used = matches!(
                at(bytes, behind_gaps(bytes, end)),
                Some(b'=' | b'(' | b'.' | b'`' | b')' | b'[')
            ) || before.is_some();
            (is_one_of(name, MEMBERS) && used && !is_field(bytes, word.start, end))
                .then_some(&DOM_SINK)
        }
        b'=' if next == word.end && before != Some(b'&') && before != Some(b'?') => {
            let value = from(bytes, next + 1);
            let value = value
                .split_first()
                .filter(|(quote, _)| is_quote(**quote))
                .map_or(value, |(_, rest)| rest);
            let address = [
                &b"javascript"[..],
                b"//",
                b"http://",
                b"https://",
                b"name",
                b"location",
                b"\\",
            ]
            .iter()
            .any(|start| starts_with(value, start));
            address.then_some(&DOM_SINK)
        }
        b'(' if next == word.end && matches!(before, Some(b'.' | b'=' | b';')) => Some(&DOM_SINK),
        _ => None,
    }
}

/// Whether the name stands in `{{ … }}`, looking back as far as such an expression may be long.
fn in_template(bytes: &[u8], start: usize) -> bool {
    let Some(window) = bytes.get(start.saturating_sub(256)..start) else {
        return false;
    };
    let open = memchr::memmem::rfind(window, b"{{");
    let close = memchr::memmem::rfind(window, b"}}");
    open.is_some_and(|open| close.is_none_or(|close| close < open))
        && memchr::memmem::find(from(bytes, start), b"}}").is_some()
}

/// Whether a string ends before the name (`';`, `"-`, `')`) and what follows the call is made harmless (`//`, `-"`, the end).
fn breaks_out(bytes: &[u8], word: &Range<usize>) -> bool {
    let mut quote = None;
    let mut operator = false;
    let start = word.start.saturating_sub(12);
    for byte in bytes
        .get(start..word.start)
        .unwrap_or_default()
        .iter()
        .rev()
    {
        match byte {
            b';' | b'-' | b'+' | b'*' | b'/' | b'%' | b'^' | b'&' | b'|' | b',' | b'?' | b':'
            | b'<' | b'>' | b'=' | b'!' | b'~' => {
                operator = true;
            }
            b')' | b'}' | b']' | b'(' | b'{' | b' ' | b'\t' | b'.' => {}
            byte if is_quote(*byte) => {
                quote = Some(*byte);
                break;
            }
            _ => break,
        }
    }
    let (Some(quote), true) = (quote, operator) else {
        return false;
    };
    let rest = from(bytes, word.end);
    let rest = rest.get(..128).unwrap_or(rest);
    let Some(close) = memchr::memchr2(b')', b'`', rest) else {
        return rest.len() < 128 && rest.contains(&b'(');
    };
    let tail = from(rest, close + 1);
    let solid = tail
        .iter()
        .position(|byte| !matches!(byte, b' ' | b';' | b')' | b'}' | b'\t' | b'`'))
        .unwrap_or(tail.len());
    match from(tail, solid) {
        [] => true,
        [b'/', b'/' | b'*', ..] | [b'<', b'!', ..] => true,
        [operator, next, ..] => {
            *operator == quote
                || matches!(
                    operator,
                    b'-' | b'+' | b'*' | b'|' | b'&' | b'^' | b'%' | b','
                ) && *next == quote
        }
        [last] => *last == quote,
    }
}
