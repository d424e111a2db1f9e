//! What only a shell expands: a variable that runs, a slice of a variable, a quote with escapes, a sum.

use backstop_http::scan::Set;

use super::super::ascii::{at, from, has};
use super::word;

/// Variables that hold a shell.
const SHELLS: &[&[u8]] = &[b"0", b"BASH", b"SHELL"];

/// A variable behind the join at `i` that runs as a command: one that holds a shell, with an option, or one that the value
/// itself has assigned. `start` is where the command would start; answers where the variable ends.
pub fn variable_runs(bytes: &[u8], i: usize, start: usize) -> Option<usize> {
    let start = word::skip_blanks(bytes, start);
    if at(bytes, start) != b'$' {
        return None;
    }
    let braces = usize::from(at(bytes, start + 1) == b'{');
    let open = start + 1 + braces;
    let length = from(bytes, open)
        .iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let name = bytes
        .get(open..open + length)
        .filter(|name| !name.is_empty())?;
    let end = open + length + braces;
    if SHELLS.contains(&name) {
        let option = word::skip_blanks(bytes, end);
        return (option > end && matches!(at(bytes, option), b'-' | b'<')).then_some(end);
    }
    assigned(bytes.get(..i)?, name).then_some(end)
}

/// Whether `name=` stands where a shell assigns: at the start of the value or behind a separator, and not as `$name=`.
fn assigned(left: &[u8], name: &[u8]) -> bool {
    let window = from(left, left.len().saturating_sub(256));
    // Signs are found sixteen bytes at a time; who has many of them has few names before them.
    EQUALS.positions(window).any(|equals| {
        let before_sign = window.get(..equals).unwrap_or_default();
        before_sign.strip_suffix(name).is_some_and(|left| {
            matches!(
                left.last(),
                None | Some(0 | b';' | b'&' | b'|' | b' ' | b'\n')
            )
        }) && !matches!(at(window, equals + 1), b' ' | b'=')
    })
}

/// What stands between a variable and what it is given.
static EQUALS: Set = Set::of(b"=");

/// An expansion at `i` (a `$`) that hides letters: `${PATH:0:1}`, `$'\x69'`; or a sum of numbers, as probes have: `$((4*9))`.
pub fn hides(bytes: &[u8], i: usize) -> Option<usize> {
    match at(bytes, i + 1) {
        b'{' => slice(bytes, i),
        b'\'' => {
            let escape = at(bytes, i + 2) == b'\\'
                && (at(bytes, i + 3) == b'x' && at(bytes, i + 4).is_ascii_hexdigit()
                    || at(bytes, i + 3).is_ascii_digit() && at(bytes, i + 4).is_ascii_digit());
            escape.then_some(i + 5)
        }
        b'(' if at(bytes, i + 2) == b'(' => {
            let sum = from(bytes, i + 3);
            let length = sum.iter().take(32).position(|byte| *byte == b')')?;
            let inner = sum.get(..length)?;
            (inner.first().is_some_and(u8::is_ascii_digit)
                && inner.last().is_some_and(u8::is_ascii_digit)
                && inner.iter().any(|byte| matches!(byte, b'*' | b'+' | b'-'))
                && inner
                    .iter()
                    .all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'+' | b'-' | b' '))
                && at(sum, length + 1) == b')')
                .then_some(i + 5 + length)
        }
        _ => None,
    }
}

/// `${NAME:0:1}`: an offset and a length in numbers.
fn slice(bytes: &[u8], i: usize) -> Option<usize> {
    let rest = from(bytes, i + 2);
    let name = rest
        .iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_uppercase() || **byte == b'_')
        .count();
    if name == 0 || at(rest, name) != b':' {
        return None;
    }
    let close = rest.iter().take(48).position(|byte| *byte == b'}')?;
    let numbers = rest.get(name + 1..close)?;
    let colon = numbers.iter().position(|byte| *byte == b':')?;
    let number = |text: &[u8]| {
        !text.is_empty()
            && text
                .iter()
                .all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b' '))
    };
    (number(numbers.get(..colon)?) && number(numbers.get(colon + 1..)?)).then_some(i + 3 + close)
}

/// A script by a relative path behind a join: `./x.sh`, `~/x.py`.
pub fn script(bytes: &[u8], start: usize) -> Option<usize> {
    if !has(bytes, start, b"./") && !has(bytes, start, b"~/") {
        return None;
    }
    let name = from(bytes, start)
        .iter()
        .take(64)
        .take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/' | b'-' | b'_' | b'~')
        })
        .count();
    let path = bytes.get(start..start + name)?;
    [&b".sh"[..], b".py", b".pl", b".elf"]
        .iter()
        .any(|suffix| super::super::ascii::ends(path, suffix))
        .then_some(start + name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expansions_of_a_shell() {
        for text in [
            "${PATH:0:1}",
            "${HOME:-1:1}",
            "$'\\x69\\x64'",
            "$'\\151'",
            "$((31337*3))",
            "$((1 + 1))",
        ] {
            assert!(hides(text.as_bytes(), 0).is_some(), "{text}");
        }
        for text in [
            "${var:csv}",
            "${size}",
            "${PATH}",
            "${A:b:c}",
            "$('x')",
            "$'s",
            "$((a+b))",
            "$((5))",
            "$(1)",
        ] {
            assert!(hides(text.as_bytes(), 0).is_none(), "{text}");
        }
    }

    #[test]
    fn variables_that_run() {
        for (text, i) in [
            ("x;$SHELL -c id", 1),
            ("x;a=id;$a", 6),
            ("x;${BASH} -c id", 1),
        ] {
            assert!(variable_runs(text.as_bytes(), i, i + 1).is_some(), "{text}");
        }
        for (text, i) in [
            ("x;$SHELL", 1),
            ("$a=1;$a", 4),
            ("x;$b", 1),
            ("a == 1;$a", 6),
        ] {
            assert!(variable_runs(text.as_bytes(), i, i + 1).is_none(), "{text}");
        }
        assert!(script(b"./run.sh", 0).is_some());
        assert!(script(b"./app.js", 0).is_none());
    }
}
