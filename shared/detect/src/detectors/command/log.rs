//! Lines of traces and statements that begin with a command's name.

use super::super::ascii::{at, from};
use super::word::{self, Word};

/// Whether `word` begins a frame of a stack trace (`at App.main(App.java:5)`) or a clause of SQL over several lines
/// (`WHERE $__timeFilter(t)`: what Windows has by that name knows no such variables).
pub fn is_line(bytes: &[u8], word: &Word, behind_line: bool) -> bool {
    match word.name() {
        b"at" => behind_line && is_stack_frame(from(bytes, word.end)),
        b"where" => at(bytes, word::skip_blanks(bytes, word.end)) == b'$',
        _ => false,
    }
}

/// Whether the line that follows `at` is a frame of a stack trace (Java, JavaScript, .NET): it ends in its source's place,
/// `(App.java:5)`, `(<anonymous>)`, `app.js:1:2`.
fn is_stack_frame(rest: &[u8]) -> bool {
    let line = rest.get(..512).unwrap_or(rest);
    let line = line
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default()
        .trim_ascii_end();
    let numbered = || {
        let mut parts = line.rsplit(|byte| *byte == b':');
        let mut number = || {
            parts
                .next()
                .is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
        };
        number() && number()
    };
    // `at -f x.sh 10:00`: an option, and a time at the end.
    !line.trim_ascii_start().starts_with(b"-") && (line.ends_with(b")") || numbered())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_and_clauses() {
        let line = |text: &str| is_line(text.as_bytes(), &word::read(text.as_bytes(), 0), true);
        for text in [
            "at eval (eval at <anonymous> (https://example.com/a.js:1:1), <anonymous>:1:1)",
            "at com.example.App.<init>(App.java:5)\n\tat",
            "at app.js:1:2\r\n",
            "WHERE $__timeFilter(t)",
        ] {
            assert!(line(text), "{text}");
        }
        for text in [
            "at now < x.sh",
            "at -f x.sh 10:00 ",
            "where /r c:",
            "cat $x",
        ] {
            assert!(!line(text), "{text}");
        }
    }
}
