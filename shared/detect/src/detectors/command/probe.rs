//! Whole values that are one statement of some language and nothing else, as probes for `eval` send it: a sum to be printed, a
//! text to be repeated, a wait.

use std::ops::Range;

use backstop_http::Kind;

use super::super::ascii::{at, from, has};
use crate::Input;

/// The longest value that is taken for a probe, in bytes.
const SHORT: usize = 128;

/// What makes a program wait, with the bracket that its time follows.
const WAITS: [&[u8]; 7] = [
    b"thread.sleep(",
    b"java.lang.thread.sleep(",
    b"system.threading.thread.sleep(",
    b"time.sleep(",
    b"usleep(",
    b"select(undef,undef,undef,",
    b"select(undef, undef, undef, ",
];

/// What makes a program print.
const PRINTS: [&[u8]; 14] = [
    b"console.log",
    b"echo",
    b"out.print",
    b"out.println",
    b"print",
    b"print_r",
    b"printf",
    b"println",
    b"puts",
    b"response.write",
    b"str",
    b"system.out.println",
    b"typeof",
    b"var_dump",
];

/// What the place says of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// A parameter: nobody sends code in it.
    Parameter,
    /// A document's: lines of programs are told of in it, a lone wait, or what stands as far to the right as its block does.
    Document,
    /// A frame of an error report, a line of a recorded program.
    Recorded,
}

impl Text {
    /// What `input` is by its place.
    pub fn of(input: &Input<'_>) -> Self {
        const RECORDED: usize = 6;
        let levels = input.place.name.iter().filter(|byte| **byte == b'/');
        match input.place.kind {
            Kind::Json if levels.count() >= RECORDED => Self::Recorded,
            Kind::Json | Kind::Multipart | Kind::TextBody | Kind::XmlText => Self::Document,
            _ => Self::Parameter,
        }
    }
}

/// The statement that the value is: where it stands.
pub fn statement(bytes: &[u8], text: impl Fn() -> Text) -> Option<Range<usize>> {
    if bytes.len() > SHORT {
        return None;
    }
    let start = opening(bytes);
    // Nearly every value shows with two letters that it is none.
    if !may_begin(bytes, start) {
        return None;
    }
    let text = text();
    let indented = bytes.starts_with(b"  ") || bytes.starts_with(b"\t");
    if text == Text::Recorded || text == Text::Document && indented {
        return None;
    }
    let mut i = start;
    if has(bytes, i, b"import ") {
        i += bytes
            .iter()
            .skip(i)
            .position(|byte| matches!(byte, b';' | b'\n'))?
            + 1;
    }
    let told = text == Text::Document && i == 0;
    let end = if told { None } else { wait(bytes, i) };
    let end = end.or_else(|| print(bytes, i))?;
    closes(from(bytes, end), start > 0).then_some(start..end)
}

/// Whether the first two letters are those of a name above, or of `import`.
fn may_begin(bytes: &[u8], i: usize) -> bool {
    let second = at(bytes, i + 1).to_ascii_lowercase();
    match at(bytes, i).to_ascii_lowercase() {
        b'c' => second == b'o',
        b'e' => second == b'c',
        b'i' => second == b'm',
        b'j' => second == b'a',
        b'o' => second == b'u',
        b'p' => matches!(second, b'r' | b'u'),
        b'r' => second == b'e',
        b's' => matches!(second, b'e' | b't' | b'y'),
        b't' => matches!(second, b'h' | b'i' | b'y'),
        b'u' => second == b's',
        b'v' => second == b'a',
        _ => false,
    }
}

/// Skips what ends the statement that the application has: a number, quotes, brackets, signs.
fn opening(bytes: &[u8]) -> usize {
    let sign = |byte: &u8| {
        matches!(
            byte,
            b'\''
                | b'"'
                | b')'
                | b'}'
                | b']'
                | b';'
                | b'&'
                | b'|'
                | b'.'
                | b'+'
                | b'@'
                | b'\n'
                | b'\r'
                | b'\t'
                | b' '
                | b'0'..=b'9'
        )
    };
    let letter = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes
            .get(1)
            .is_some_and(|byte| matches!(byte, b'\'' | b'"' | b')'));
    let letter = usize::from(letter);
    letter
        + from(bytes, letter)
            .iter()
            .take_while(|byte| sign(byte))
            .count()
}

/// Whether nothing follows but what closes the application's statement, or cuts it where the value has broken out of it.
fn closes(rest: &[u8], out: bool) -> bool {
    let sign = |byte: &u8| {
        matches!(
            byte,
            b'\''
                | b'"'
                | b')'
                | b'}'
                | b';'
                | b'&'
                | b'|'
                | b'.'
                | b'+'
                | b'#'
                | b'/'
                | b'-'
                | b'?'
                | b'>'
                | b' '
                | b'\n'
                | b'\r'
        )
    };
    let signs = rest.iter().take_while(|byte| sign(byte)).count();
    let (signs, behind) = rest.split_at_checked(signs).unwrap_or_default();
    let cut = || {
        signs.contains(&b'#')
            || [b"//", b"--"]
                .iter()
                .any(|mark| signs.windows(2).any(|two| two == *mark))
    };
    behind.is_empty() || out && cut()
}

/// `Thread.sleep(5000)`: its end.
fn wait(bytes: &[u8], i: usize) -> Option<usize> {
    let name = WAITS.iter().find(|name| has(bytes, i, name))?;
    let time = i + name.len();
    let digits = from(bytes, time)
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'/' | b'.'))
        .count();
    (digits > 0 && at(bytes, time + digits) == b')').then_some(time + digits + 1)
}

/// `print(31*17)`, `echo 123456+654321;`, `print 'ab'x5`: its end.
fn print(bytes: &[u8], i: usize) -> Option<usize> {
    let name = PRINTS
        .iter()
        .filter(|name| {
            has(bytes, i, name) && matches!(at(bytes, i + name.len()), b'(' | b' ' | b'\'' | b'"')
        })
        .max_by_key(|name| name.len())?;
    let argument = i + name.len();
    let gap = from(bytes, argument)
        .iter()
        .take(2)
        .take_while(|byte| matches!(byte, b' ' | b'('))
        .count();
    let bracket = from(bytes, argument)
        .iter()
        .take(gap)
        .any(|byte| *byte == b'(');
    let start = argument + gap;
    // A name that other words have, too, is a call.
    if matches!(*name, b"str" | b"typeof" | b"puts") && !bracket {
        return None;
    }
    if *name == b"typeof" {
        let digits = digits(bytes, start);
        let sum = at(bytes, start + digits) == b')' && at(bytes, start + digits + 1) == b'+';
        let end = start + digits + 2;
        return (digits > 0 && sum).then(|| end + self::digits(bytes, end));
    }
    sum(bytes, start, bracket).or_else(|| repeated(bytes, start))
}

/// Two numbers and a sign that computes: a product in brackets, or long numbers, which nobody has printed for him.
fn sum(bytes: &[u8], i: usize, bracket: bool) -> Option<usize> {
    const LONG: usize = 3;
    let first = digits(bytes, i);
    let sign = at(bytes, i + first);
    let second = digits(bytes, i + first + 1);
    let product = bracket && sign == b'*' && first > 0 && second > 0;
    let long = matches!(sign, b'*' | b'+') && first >= LONG && second >= LONG;
    (product || long).then_some(i + first + 1 + second)
}

/// A literal that is repeated or put together: `'ab'x5`, `'ab'*5`, `'a'.'b'`, `str_repeat('ab',5)`, `new String("ab",5)`.
fn repeated(bytes: &[u8], i: usize) -> Option<usize> {
    let call = [&b"str_repeat("[..], b"new string("]
        .iter()
        .find(|call| has(bytes, i, call))
        .map_or(0, |call| call.len());
    let close = literal(bytes, i + call)?;
    let sign = at(bytes, close);
    let next = close + 1;
    let counted = match (call > 0, sign) {
        (true, b',') | (false, b'x' | b'*') => digits(bytes, next),
        (false, b'.') => literal(bytes, next)? - next,
        _ => 0,
    };
    (counted > 0).then_some(next + counted)
}

/// The end of a short literal of letters at `i`.
fn literal(bytes: &[u8], i: usize) -> Option<usize> {
    let quote = at(bytes, i);
    if !matches!(quote, b'\'' | b'"') {
        return None;
    }
    let letters = from(bytes, i + 1)
        .iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    (at(bytes, i + 1 + letters) == quote).then_some(i + letters + 2)
}

fn digits(bytes: &[u8], i: usize) -> usize {
    from(bytes, i)
        .iter()
        .take(20)
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_may_begin() {
        for name in WAITS.iter().chain(&PRINTS).chain(&[&b"import "[..]]) {
            assert!(may_begin(name, 0), "{}", name.escape_ascii());
        }
    }

    #[test]
    fn probes_and_what_people_write() {
        for text in [
            "print 4711+8150",
            "echo 4711+8150;",
            "1;print 4711+8150;",
            "print(41*17)",
            "a');print_r('x'.'y');//",
            "print 'abc'x7",
            "print(\"abc\"*7)",
            "echo str_repeat('abc',7);",
            "Response.Write(new String(\"abc\",7))",
            "Response.Write(4711+8150)",
            "Thread.sleep(7000);",
            "';Thread.Sleep(7000);//",
            "import time;time.sleep(7000/1000);",
            "&& select(undef,undef,undef,7);",
            "typeof(41)+17",
            "str(41*17)",
        ] {
            assert!(
                statement(text.as_bytes(), || Text::Parameter).is_some(),
                "{text}"
            );
        }
        assert!(statement(b"  print(7*7)", || Text::Document).is_none());
        assert!(statement(b"  print(7*7)", || Text::Parameter).is_some());
        assert!(statement(b"print(7*7)", || Text::Recorded).is_none());
        assert!(statement(b"Thread.sleep(7000);", || Text::Document).is_none());
        assert!(statement(b"';Thread.sleep(7000);// it", || Text::Document).is_some());
        for text in [
            "print 2+2",
            "print 4711 tickets",
            "print(hall)",
            "echo 24/7",
            "Thread.sleep(7000) waits too long",
            "time.sleep(x)",
            "print 'seat'",
            "console.log('a', 'b')",
            "str(7)",
            "typeof x",
            "100+200",
            "select(undef)",
            "Thread.sleep(7000); // it waits",
        ] {
            assert!(
                statement(text.as_bytes(), || Text::Parameter).is_none(),
                "{text}"
            );
        }
    }
}
