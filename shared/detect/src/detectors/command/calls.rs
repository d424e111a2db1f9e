//! Calls that run code or commands: a function's name in front of `(`, judged with its first argument.

use backstop_http::scan;

use super::super::ascii::{at, before, find, from, has, in_table};
use super::super::sieve::Sieve;
use super::operand::{self, Operand};
use super::vocabulary::{self, Weight};
use super::word;

/// Functions that have no business in a value whatever their arguments (PHP manual, Node.js and Python references).
#[rustfmt::skip]
const ALWAYS: &[&str] = &[
    "__import__", "array_map_exec", "base64_decode", "call_user_func", "call_user_func_array", "create_function",
    "execsync", "file_put_contents", "get_defined_vars", "getallheaders", "gzinflate", "gzuncompress", "hex2bin", "highlight_file",
    "move_uploaded_file", "mb_send_mail", "passthru", "pcntl_exec", "php_uname", "phpinfo", "popen", "popen2", "popen3", "proc_open", "putenv",
    "shell_exec", "show_source", "spawnsync", "str_rot13",
];

/// Functions whose names are ordinary: their argument decides.
#[rustfmt::skip]
const ARGUMENT: &[&str] = &[
    "array_filter", "array_map", "assert", "chr", "command", "die", "dir", "dl", "eval", "exec", "execute", "exit", "file_get_contents", "fopen", "function",
    "include", "include_once", "ini_set", "md5", "open", "preg_replace", "print", "print_r", "printf", "qx", "readfile",
    "require", "require_once", "scandir", "sleep", "spawn", "system", "unlink", "usort", "var_dump", "while",
];

/// All of them: most words before a parenthesis are none.
static KNOWN: Sieve = {
    let mut sieve = Sieve::EMPTY;
    let mut tables: &[&[&str]] = &[ALWAYS, ARGUMENT];
    while let [table, others @ ..] = tables {
        let mut names = *table;
        while let [name, rest @ ..] = names {
            sieve = sieve.with(name.as_bytes());
            names = rest;
        }
        tables = others;
    }
    sieve
};

/// A call whose `(` stands at `open`: the start of its name, if it is one that attacks are made of.
pub fn call_at(bytes: &[u8], open: usize) -> Option<usize> {
    let mut end = open;
    while end > 0 && open - end < 4 && matches!(before(bytes, end), b' ' | b'\'' | b'"') {
        end -= 1;
    }
    if before(bytes, open) == b')' {
        return computed(bytes, open);
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
    let left = before(bytes, start);
    // PHP calls what a variable names: only a value that gives it its name is taken for one.
    if left == b'$' && !name.is_empty() {
        let raw = bytes.get(start - 1..end)?;
        return (matches!(at(bytes, open + 1), b'\'' | b'"' | b'$')
            && names_a_function(bytes.get(..start)?, raw))
        .then_some(start - 1);
    }
    if name.len() < 2 {
        return None;
    }
    if left.is_ascii_alphanumeric() || left == b'_' || left >= 0x80 {
        return None;
    }
    if !KNOWN.may_hold(name) {
        return None;
    }
    let argument = open + 1;
    if ALWAYS.contains(&core::str::from_utf8(name).ok()?) {
        return (!spaced || name.contains(&b'_')).then_some(start);
    }
    if !in_table(ARGUMENT, name) {
        return None;
    }
    if name == b"while" {
        return waits(bytes.get(..start)?).then_some(start);
    }
    // Groovy runs a literal: `"id".execute()`.
    if name == b"execute" {
        return (left == b'.'
            && matches!(before(bytes, start - 1), b'\'' | b'"')
            && at(bytes, argument) == b')')
            .then_some(start);
    }
    // Go's name for it: `exec.Command("id")`.
    if name == b"command" {
        let package = bytes.get(..start)?.ends_with(b"exec.");
        return (package && runs_code(bytes, b"exec", argument, true)).then_some(start);
    }
    (runs_code(bytes, name, argument, left == b'.')
        || matches!(
            name,
            b"array_map" | b"array_filter" | b"usort" | b"preg_replace" | b"die"
        ) && given_code(from(bytes, argument), name))
    .then_some(start)
}

/// Whether a loop that only looks at the clock stands before its `while`: `do{b=new Date();}`. What code of a page says on several
/// lines, a probe says on one.
fn waits(left: &[u8]) -> bool {
    const REACH: usize = 64;
    let window = from(left, left.len().saturating_sub(REACH)).trim_ascii_end();
    let Some(body) = window.strip_suffix(b"}") else {
        return false;
    };
    let opened = body.iter().rposition(|byte| *byte == b'{').unwrap_or(0);
    let (head, inner) = body.split_at_checked(opened).unwrap_or_default();
    super::super::ascii::ends(head.trim_ascii_end(), b"do")
        && find(inner, b"new date()", REACH).is_some()
        && !inner.contains(&b'\n')
}

/// Names that a function is called by, in quotes, when it is handed to another one.
const HANDED: &[&[u8]] = &[
    b"'system",
    b"\"system",
    b"'exec",
    b"\"exec",
    b"'passthru",
    b"\"passthru",
    b"'shell_exec",
    b"\"shell_exec",
    b"'assert",
    b"\"assert",
    b"'eval",
    b"\"eval",
    b"'phpinfo",
    b"\"phpinfo",
];

/// Whether the arguments hand over a function that runs commands, or text put together as probes do.
fn given_code(arguments: &[u8], name: &[u8]) -> bool {
    if name == b"die" {
        return concatenates(arguments.get(..arguments.len().min(40)).unwrap_or_default());
    }
    HANDED
        .iter()
        .any(|handed| find(arguments, handed, 48).is_some())
}

/// Whether two literals are put together with PHP's dot: `'sys'.'tem'`.
fn concatenates(text: &[u8]) -> bool {
    text.windows(3)
        .any(|three| matches!(three, [b'\'' | b'"', b'.', b'\'' | b'"']))
}

/// A call of what parentheses before `open` compute: `('sys'.'tem')(`, `(system)(`.
fn computed(bytes: &[u8], open: usize) -> Option<usize> {
    const LONGEST: usize = 48;
    let close = open - 1;
    let window = bytes.get(close.saturating_sub(LONGEST)..close)?;
    let start = close - window.len() + memchr::memrchr(b'(', window)?;
    let inner = bytes.get(start + 1..close)?.trim_ascii();
    let mut scratch = [0; 24];
    let named = super::super::ascii::lower(inner, &mut scratch)
        .and_then(|len| scratch.get(..len))
        .is_some_and(|name| {
            matches!(name, b"system" | b"exec" | b"assert" | b"eval")
                || ALWAYS.iter().any(|known| known.as_bytes() == name)
        });
    (named || concatenates(inner) && matches!(inner.first(), Some(b'\'' | b'"'))).then_some(start)
}

/// Whether `variable` (with its `$`) is given a name in quotes: `$f='sys'.'tem'`.
fn names_a_function(left: &[u8], variable: &[u8]) -> bool {
    let window = from(left, left.len().saturating_sub(160));
    // Most calls of what a variable names stand where nothing is assigned.
    if scan::find(b'=', window).is_none() {
        return false;
    }
    memchr::memmem::find_iter(window, variable)
        .take(4)
        .any(|found| {
            let value = from(window, found + variable.len()).trim_ascii_start();
            value.strip_prefix(b"=").is_some_and(|value| {
                let value = value.trim_ascii_start();
                matches!(value.first(), Some(b'\'' | b'"'))
                    && (concatenates(value) || HANDED.iter().any(|handed| has(value, 0, handed)))
            })
        })
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
        // Python runs what stands in the literal.
        quote @ (b'\'' | b'"')
            if name == b"exec" && (has(bytes, i + 1, b"import ") || has(bytes, i, &[quote; 3])) =>
        {
            true
        }
        b'\'' | b'"' | b'\\' => {
            let start = i + 1 + usize::from(matches!(at(bytes, i + 1), b'\'' | b'"'));
            match name {
                b"require" if used_at_once(from(bytes, start)) => true,
                b"system" | b"exec" | b"spawn" | b"open" | b"qx" => {
                    // A pipe in front makes Perl and Ruby run what they were to open.
                    if name == b"open" && at(bytes, start) == b'|' {
                        return true;
                    }
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
                b"dl" => !method && at(bytes, start) == b'/',
                b"unlink" | b"md5" => !method,
                _ => false,
            }
        }
        b'0'..=b'9' if name == b"print" => !method && product(bytes, i),
        b'0'..=b'9' => {
            matches!(name, b"md5" | b"sleep") && !method && number(bytes, i) && !aside(bytes, i)
                || name == b"chr" && chained(bytes, i)
        }
        _ => {
            let rest = from(bytes, i);
            // `system(id)`: PHP takes a bare word for its own name.
            if matches!(name, b"system" | b"exec" | b"qx")
                && !method
                && before(bytes, i) == b'('
                && before(bytes, i - 1) != b' '
            {
                let word = word::read(bytes, i);
                if at(bytes, word.end) == b')'
                    && vocabulary::weight(word.name())
                        .is_some_and(|weight| weight > Weight::Ordinary)
                {
                    return true;
                }
            }
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

/// An aside of a sentence: a blank before the parenthesis, and more than a number in it: `a good sleep (2+2=4)`.
fn aside(bytes: &[u8], i: usize) -> bool {
    let open = bytes
        .get(..i)
        .and_then(|left| memchr::memrchr(b'(', left))
        .unwrap_or(0);
    let digits = from(bytes, i)
        .iter()
        .take(16)
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b' '))
        .count();
    before(bytes, open) == b' ' && !matches!(at(bytes, i + digits), b')' | b'-' | b'#' | 0)
}

/// A number and no unit behind it: `sleep (8 hours)` is what people need.
fn number(bytes: &[u8], i: usize) -> bool {
    let rest = from(bytes, i);
    let digits = rest
        .iter()
        .take(24)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    !at(rest, word::skip_blanks(rest, digits)).is_ascii_alphabetic()
}

/// Node's modules of files, processes and sockets, used in the same breath: `fs').readFileSync(`.
fn used_at_once(module: &[u8]) -> bool {
    const MODULES: [&[u8]; 6] = [b"fs", b"net", b"vm", b"child_process", b"http", b"os"];
    const METHODS: [&[u8]; 15] = [
        b"read",
        b"write",
        b"unlink",
        b"exec",
        b"spawn",
        b"run",
        b"socket",
        b"createconn",
        b"open",
        b"append",
        b"chmod",
        b"rename",
        b"platform",
        b"hostname",
        b"userinfo",
    ];
    MODULES
        .iter()
        .filter(|name| has(module, 0, name))
        .any(|name| {
            let rest = from(module, name.len());
            matches!(rest, [b'\'' | b'"', b')', b'.', method @ ..]
                if METHODS.iter().any(|known| has(method, 0, known)))
        })
}

/// `chr(115).`: the character is put together with the next one.
fn chained(bytes: &[u8], i: usize) -> bool {
    let digits = from(bytes, i)
        .iter()
        .take(4)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    has(bytes, i + digits, b").")
}

/// Two long numbers multiplied, which a probe looks for in the answer.
fn product(bytes: &[u8], i: usize) -> bool {
    let rest = from(bytes, i);
    let digits = |text: &[u8]| {
        text.iter()
            .take(12)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let first = digits(rest);
    first > 2 && at(rest, first) == b'*' && digits(from(rest, first + 1)) > 2
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
