//! JavaScript in a value: names that open a dialogue, run a string or reach the page, in the places where code has them.

use std::ops::Range;

use backstop_http::scan::Set;

use super::super::sieve::Sieve;
use super::ascii::{
    at, before, from, is_gap, is_identifier, is_one_of, is_quote, last_solid, starts_with,
};
use super::objects;
use super::prose;
use super::rules::{
    CLIENT_TEMPLATE, DOM_SINK, EVAL, JS_BREAKOUT, JS_DIALOG, JS_GADGET, JS_IN_TEXT,
};
use crate::{Hits, Rule};

/// A value of several lines and this length is a text, where code is a quotation as a rule: there a name counts only with
/// the signs around it that break out of a string.
const TEXT: usize = 240;

/// What judging a name costs, in steps of [`Work`](crate::Work).
const STEPS_OF_A_WORD: usize = 7;
/// What judging one with an index behind it costs.
const STEPS_OF_AN_INDEX: usize = 200;

/// Whether `bytes` is a text of several lines rather than a field: long, or with a fenced block of code (CommonMark 4.5).
pub fn is_text(bytes: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', bytes).nth(1).is_some() && (bytes.len() > TEXT || has_fence(bytes))
}

/// Whether a line begins with the backticks that open a fenced block, and another with those that close it.
fn has_fence(bytes: &[u8]) -> bool {
    let mut fences = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"```"));
    fences.next().is_some() && fences.next().is_some()
}

/// Whether anything is called, indexed, assigned or taken from an object: what code does, and a sentence with its names in it
/// does not. The full stop of a sentence has a blank or nothing behind it, and no blank before it.
pub fn has_signs(bytes: &[u8]) -> bool {
    static SIGNS: Set = Set::of(b"([{=<>`.");
    SIGNS.positions(bytes).any(|i| {
        at(bytes, i) != Some(b'.')
            || at(bytes, i + 1).is_some_and(|next| !next.is_ascii_whitespace())
            || before(bytes, i).is_none_or(|previous| previous.is_ascii_whitespace())
    })
}

/// Finds names that are used as code and records what they do.
pub fn scan(bytes: &[u8], hits: &mut Hits) {
    let text = is_text(bytes);
    let mut position = 0;
    let mut found = 0;
    while let Some(word) = next_word(bytes, position) {
        position = word.end;
        if word.len() < 3 {
            continue;
        }
        let known = bytes
            .get(word.clone())
            .is_some_and(|name| NAMES.may_hold(name));
        let indexed = known && at(bytes, behind_gaps(bytes, word.end)) == Some(b'[');
        let steps = if indexed {
            STEPS_OF_AN_INDEX
        } else {
            STEPS_OF_A_WORD
        };
        if !hits.spend(steps) {
            return;
        }
        let rule = known.then(|| judge(bytes, &word)).flatten();
        let Some(rule) = rule.or_else(|| is_remainder(bytes, &word).then_some(&JS_DIALOG)) else {
            continue;
        };
        let broken_out = breaks_out(bytes, &word);
        if broken_out {
            hits.push(&JS_BREAKOUT, word.clone());
        }
        if in_template(bytes, word.start) {
            hits.push(&CLIENT_TEMPLATE, word.clone());
        } else if text || prose::mentions(bytes, &word) {
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
    let rest = from(bytes, position);
    let gap = rest.iter().position(|byte| is_identifier(*byte))?;
    let word = from(rest, gap);
    let length = word
        .iter()
        .position(|byte| !is_identifier(*byte))
        .unwrap_or(word.len());
    let start = position + gap;
    Some(start..start + length)
}

fn judge(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    let name = bytes.get(word.clone())?;
    let first = name.first()?.to_ascii_lowercase();
    match first {
        b'a' if name.eq_ignore_ascii_case(b"alert") => dialog(bytes, word),
        b'a' if name == b"atob" => before_string(bytes, word).then_some(&EVAL),
        b'p' if name.eq_ignore_ascii_case(b"prompt") => dialog(bytes, word),
        b'p' if name == b"parent" => objects::object(bytes, word),
        b'c' if name.eq_ignore_ascii_case(b"confirm") => dialog(bytes, word),
        b'c' if name == b"constructor" => objects::gadget(bytes, word),
        b'm' if name.eq_ignore_ascii_case(b"msgbox") => dialog(bytes, word),
        b'e' if is_one_of(name, &[b"eval", b"execscript"]) => {
            (evaluates(bytes, word) || is_alias(bytes, word)).then_some(&EVAL)
        }
        b's' if is_one_of(name, &[b"settimeout", b"setinterval", b"setimmediate"]) => {
            evaluates(bytes, word).then_some(&EVAL)
        }
        b'g' if is_one_of(name, &[b"getscript", b"globaleval"]) => {
            evaluates(bytes, word).then_some(&EVAL)
        }
        b's' if name == b"self" => objects::object(bytes, word),
        b's' if name == b"sessionStorage" => objects::storage(bytes, word),
        b'l' if name == b"localStorage" => objects::storage(bytes, word),
        b'l' if name == b"location" => objects::location(bytes, word),
        b'f' if name.eq_ignore_ascii_case(b"fromcharcode") => Some(&JS_GADGET),
        b'f' if name == b"frames" => objects::object(bytes, word),
        b'f' if name == b"fetch" => before_string(bytes, word).then_some(&DOM_SINK),
        b'i' if name == b"import" => before_string(bytes, word).then_some(&EVAL),
        b'i' if name.eq_ignore_ascii_case(b"innerhtml") => {
            assigned(bytes, word.end).then_some(&DOM_SINK)
        }
        b'f' if name == b"Function" => function(bytes, word),
        b'd' if name.eq_ignore_ascii_case(b"document") => objects::document(bytes, word),
        b'w' if name == b"with" => from(bytes, word.end)
            .starts_with(b"(document)")
            .then_some(&DOM_SINK),
        b'w' | b't' | b'g' if is_one_of(name, &[b"window", b"top", b"this", b"globalthis"]) => {
            objects::object(bytes, word)
        }
        b'r' if name == b"Reflect" => objects::reflect(bytes, word),
        b'x' if name == b"XMLHttpRequest" => is_created(bytes, word).then_some(&DOM_SINK),
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
pub fn behind_gaps(bytes: &[u8], mut position: usize) -> usize {
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
            Some(byte) if is_gap(byte) => {
                behind_code(bytes, word.start) && starts_argument(bytes, next)
            }
            // `alert(s)` is a plural, `confirm(ed)` a form of the word.
            _ => {
                !is_defined_here(bytes, word.start)
                    && ![&b"(s)"[..], b"(ed)"]
                        .iter()
                        .any(|ending| rest.starts_with(ending))
            }
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

/// Whether the bracket at `open` holds what a call has and prose has not: nothing, or a literal, and its end.
fn starts_argument(bytes: &[u8], open: usize) -> bool {
    at(bytes, open) == Some(b'`')
        || at(bytes, behind_gaps(bytes, open + 1)).is_some_and(|byte| {
            is_quote(byte)
                || byte.is_ascii_digit()
                || matches!(byte, b'/' | b'(' | b')' | b'[' | b'{')
        })
        || [
            &b"document"[..],
            b"window",
            b"string",
            b"location",
            b"this",
            b"xss",
        ]
        .iter()
        .any(|name| starts_with(from(bytes, behind_gaps(bytes, open + 1)), name))
}

/// Whether the name is called with something: `eval()` is how a text writes a function's name, and Markdown sets a name
/// between backticks.
fn evaluates(bytes: &[u8], word: &Range<usize>) -> bool {
    let set_in_code = at(bytes, word.end) == Some(b'`')
        && word.start > 0
        && at(bytes, word.start - 1) == Some(b'`');
    called(bytes, word) && !set_in_code && !from(bytes, word.end).starts_with(b"()")
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
    let thrown = is_alias(bytes, word);
    let spliced = open == Some(b'{')
        && close == Some(b'}')
        && word
            .start
            .checked_sub(2)
            .and_then(|dollar| at(bytes, dollar))
            == Some(b'$');
    (handed_on || thrown || spliced).then_some(&JS_DIALOG)
}

/// Whether the name is assigned to another one that is called, or thrown to: `a=alert;a(1)`, `onerror=alert;throw 1`.
fn is_alias(bytes: &[u8], word: &Range<usize>) -> bool {
    if before(bytes, word.start) != Some(b'=')
        || !matches!(at(bytes, word.end), Some(b';' | b'}' | b','))
    {
        return false;
    }
    let assigned = bytes.get(..word.start - 1).unwrap_or_default();
    if assigned.ends_with(b"onerror") {
        return true;
    }
    let rest = from(bytes, word.end);
    let rest = rest.get(..64).unwrap_or(rest);
    rest.contains(&b'(') || rest.contains(&b'`') || memchr::memmem::find(rest, b"throw").is_some()
}

/// All names that [`judge`] knows: nearly every word is none.
static NAMES: Sieve = {
    let mut sieve = Sieve::EMPTY;
    let mut names: &[&[u8]] = &[
        b"alert",
        b"atob",
        b"prompt",
        b"parent",
        b"confirm",
        b"constructor",
        b"msgbox",
        b"eval",
        b"execscript",
        b"settimeout",
        b"setinterval",
        b"setimmediate",
        b"getscript",
        b"globaleval",
        b"self",
        b"sessionstorage",
        b"localstorage",
        b"location",
        b"fromcharcode",
        b"frames",
        b"fetch",
        b"import",
        b"innerhtml",
        b"function",
        b"document",
        b"with",
        b"window",
        b"top",
        b"this",
        b"globalthis",
        b"reflect",
        b"xmlhttprequest",
        b"__definegetter__",
        b"__proto__",
        b"unescape",
        b"valueof",
        b"call",
    ];
    while let [name, rest @ ..] = names {
        sieve = sieve.with(name);
        names = rest;
    }
    sieve
};

/// A dialogue with a number at the end of a value, glued to what stood before it: what is left of a probe whose tags a
/// filter took out.
fn is_remainder(bytes: &[u8], word: &Range<usize>) -> bool {
    if at(bytes, word.end) != Some(b'(') {
        return false;
    }
    let glued = bytes.get(word.clone()).is_some_and(|name| {
        name.ends_with(b"alert") || name.ends_with(b"prompt") || name.ends_with(b"confirm")
    });
    let Some(arguments) = from(bytes, word.end).strip_prefix(b"(").filter(|_| glued) else {
        return false;
    };
    let digits = arguments
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    digits > 0 && from(arguments, digits) == b")"
}

/// `Function('…')`, `new Function`.
fn function(bytes: &[u8], word: &Range<usize>) -> Option<&'static Rule> {
    let created = is_created(bytes, word) && called(bytes, word);
    (created || before_string(bytes, word)).then_some(&EVAL)
}

/// Whether `new` stands before the name.
fn is_created(bytes: &[u8], word: &Range<usize>) -> bool {
    last_solid(bytes, word.start)
        .and_then(|last| bytes.get(..=last))
        .is_some_and(|head| head.ends_with(b"new"))
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
