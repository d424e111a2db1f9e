//! Calls that run code or commands: a function's name in front of `(`, judged with its first argument.

use super::super::ascii::{at, before, has, in_table};
use super::operand::{self, Operand};
use super::vocabulary::{self, Weight};
use super::word;

/// Functions that have no business in a value whatever their arguments (PHP manual, Node.js and Python references).
#[rustfmt::skip]
const ALWAYS: &[&str] = &[
    "__import__", "array_map_exec", "base64_decode", "call_user_func", "call_user_func_array", "create_function",
    "execsync", "file_put_contents", "get_defined_vars", "getallheaders", "gzinflate", "gzuncompress", "highlight_file",
    "move_uploaded_file", "mb_send_mail", "passthru", "pcntl_exec", "php_uname", "phpinfo", "popen", "proc_open",
    "shell_exec", "show_source", "spawnsync", "str_rot13",
];

/// Functions whose names are ordinary: their argument decides.
#[rustfmt::skip]
const ARGUMENT: &[&str] = &[
    "array_filter", "array_map", "assert", "chr", "die", "dir", "eval", "exec", "exit", "file_get_contents", "fopen", "function",
    "include", "include_once", "ini_set", "md5", "open", "preg_replace", "print", "print_r", "printf", "readfile",
    "require", "require_once", "scandir", "sleep", "spawn", "system", "unlink", "usort", "var_dump",
];

/// A call whose `(` stands at `open`: the start of its name, if it is one that attacks are made of.
pub fn call_at(bytes: &[u8], open: usize) -> Option<usize> {
    let mut end = open;
    while end > 0 && open - end < 4 && matches!(before(bytes, end), b' ' | b'\'' | b'"') {
        end -= 1;
    }
    let spaced = end != open;
    let mut start = end;
    while end - start < 24 && {
        let byte = before(bytes, start);
        byte.is_ascii_alphanumeric() || byte == b'_'
    } {
        start -= 1;
    }
    let mut scratch = [0; 24];
    let len = super::super::ascii::lower(bytes.get(start..end)?, &mut scratch)?;
    let name = scratch.get(..len)?;
    if name.len() < 3 {
        return None;
    }
    let left = before(bytes, start);
    if left.is_ascii_alphanumeric() || left == b'_' || left >= 0x80 {
        return None;
    }
    let argument = open + 1;
    if ALWAYS.contains(&core::str::from_utf8(name).ok()?) {
        return (!spaced || name.contains(&b'_')).then_some(start);
    }
    if !in_table(ARGUMENT, name) {
        return None;
    }
    runs_code(bytes, name, argument, left == b'.').then_some(start)
}

/// Whether the first argument at `i` is a command, a request array, a substitution or another call that runs.
fn runs_code(bytes: &[u8], name: &[u8], i: usize, method: bool) -> bool {
    let i = word::skip_blanks(bytes, i);
    match at(bytes, i) {
        b'`' => true,
        b'$' => {
            has(bytes, i, b"$_")
                || matches!(name, b"eval" | b"assert" | b"system" | b"exec") && !method
        }
        b'@' => matches!(name, b"eval" | b"assert"),
        b'\'' | b'"' | b'\\' => {
            let start = i + 1 + usize::from(matches!(at(bytes, i + 1), b'\'' | b'"'));
            match name {
                b"system" | b"exec" | b"spawn" | b"open" => {
                    let word = word::read(bytes, start);
                    let operand = operand::after(bytes, word.end);
                    word.folder
                        || vocabulary::weight(word.name()).is_some_and(|weight| {
                            operand != Operand::Attached
                                || weight > Weight::Ordinary
                                    && matches!(at(bytes, word.end), b'\'' | b'"' | b'\\')
                        })
                }
                b"include" | b"require" | b"include_once" | b"require_once" | b"fopen"
                | b"readfile" | b"file_get_contents" => {
                    at(bytes, start) == b'/'
                        || has(bytes, start, b"../..")
                        || has(bytes, start, b"http")
                        || has(bytes, start, b"php:")
                        || name == b"file_get_contents"
                }
                b"ini_set" => true,
                b"unlink" | b"md5" => !method,
                _ => false,
            }
        }
        b'0'..=b'9' if name == b"print" => !method && product(bytes, i),
        b'0'..=b'9' => {
            matches!(name, b"md5" | b"sleep") && !method && number(bytes, i)
                || name == b"chr" && has(bytes, i + 2, b").")
        }
        _ => {
            let rest = super::super::ascii::from(bytes, i);
            let len = rest
                .iter()
                .take(24)
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            if rest.get(len) != Some(&b'(') {
                return has(rest, 0, b"__file__") || has(rest, 0, b"__import__");
            }
            let mut scratch = [0; 24];
            rest.get(..len)
                .and_then(|inner| super::super::ascii::lower(inner, &mut scratch))
                .and_then(|len| scratch.get(..len))
                .is_some_and(|inner| {
                    ALWAYS.iter().any(|known| known.as_bytes() == inner)
                        || matches!(
                            inner,
                            b"md5"
                                | b"chr"
                                | b"system"
                                | b"exec"
                                | b"eval"
                                | b"print"
                                | b"getcwd"
                                | b"compile"
                                | b"base64"
                                | b"request"
                                | b"sha1"
                        )
                })
        }
    }
}

/// A number and no unit behind it: `sleep (8 hours)` is what people need.
fn number(bytes: &[u8], i: usize) -> bool {
    let rest = super::super::ascii::from(bytes, i);
    let digits = rest
        .iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    !at(rest, word::skip_blanks(rest, digits)).is_ascii_alphabetic()
}

/// Two long numbers multiplied, which a probe looks for in the answer.
fn product(bytes: &[u8], i: usize) -> bool {
    let rest = super::super::ascii::from(bytes, i);
    let digits = |text: &[u8]| {
        text.iter()
            .take(12)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let first = digits(rest);
    first > 2 && at(rest, first) == b'*' && digits(super::super::ascii::from(rest, first + 1)) > 2
}

#[cfg(test)]
mod tests {
    use super::super::super::ascii::is_sorted;
    use super::*;

    fn any(text: &str) -> bool {
        (0..text.len()).any(|i| text.as_bytes()[i] == b'(' && call_at(text.as_bytes(), i).is_some())
    }

    #[test]
    fn the_table_that_is_searched_is_sorted() {
        assert!(is_sorted(ARGUMENT));
    }

    #[test]
    fn calls_and_their_look_alikes() {
        for text in [
            "phpinfo()",
            "x');system('id');//",
            "print(`id`)",
            "eval($_POST[a])",
            "print(md5(31337))",
            "shell_exec('x')",
            "exec(\"whoami\")",
            "include('/etc/hosts')",
        ] {
            assert!(any(text), "{text}");
        }
        for text in [
            "print(\"hello\")",
            "the system (old) fails",
            "regex.exec('abc')",
            "open('door')",
            "exec(query)",
            "function(a, b)",
            "eval(data)",
            "require('react')",
            "I need sleep (8 hours)",
        ] {
            assert!(!any(text), "{text}");
        }
    }
}
