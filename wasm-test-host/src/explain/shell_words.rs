//! A command line split the way a POSIX shell does it, with `$'…'` as browsers write it.

/// The words of `line`.
///
/// # Errors
/// A quote that is not closed.
pub(super) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => word.get_or_insert_default().push_str(&single(&mut chars)?),
            '"' => word.get_or_insert_default().push_str(&double(&mut chars)?),
            '$' if chars.next_if_eq(&'\'').is_some() => {
                word.get_or_insert_default().push_str(&ansi_c(&mut chars)?)
            }
            '\\' => match chars.next() {
                Some('\n') => {}
                Some('\r') => {
                    chars.next_if_eq(&'\n');
                }
                Some(c) => word.get_or_insert_default().push(c),
                None => {}
            },
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn unclosed(quote: &str) -> String {
    format!("a {quote} that is not closed")
}

fn single(chars: &mut Chars<'_>) -> Result<String, String> {
    let mut out = String::new();
    for c in chars {
        if c == '\'' {
            return Ok(out);
        }
        out.push(c);
    }
    Err(unclosed("'"))
}

fn double(chars: &mut Chars<'_>) -> Result<String, String> {
    let mut out = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(out),
            '\\' => match chars.next() {
                Some('\n') => {}
                Some(c @ ('"' | '\\' | '$' | '`')) => out.push(c),
                Some(c) => out.extend(['\\', c]),
                None => {}
            },
            c => out.push(c),
        }
    }
    Err(unclosed("\""))
}

/// `$'…'`: C escapes, and the `\u0021` that Chrome writes.
fn ansi_c(chars: &mut Chars<'_>) -> Result<String, String> {
    let mut out = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\'' => return Ok(out),
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('x') => out.push(hex(chars, 2)),
                Some('u') => out.push(hex(chars, 4)),
                Some(c) => out.push(c),
                None => {}
            },
            c => out.push(c),
        }
    }
    Err(unclosed("$'"))
}

fn hex(chars: &mut Chars<'_>, most: usize) -> char {
    let mut value = 0;
    for _ in 0..most {
        match chars.peek().and_then(|c| c.to_digit(16)) {
            Some(digit) => {
                value = value * 16 + digit;
                chars.next();
            }
            None => break,
        }
    }
    char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (line, words) in [
            ("a  b\tc\n", &["a", "b", "c"][..]),
            ("'a b' \"c d\" e\\ f", &["a b", "c d", "e f"]),
            ("a'b'\"c\"d", &["abcd"]),
            ("'it'\\''s'", &["it's"]),
            ("\"a\\\"b\\\\c\\d\"", &["a\"b\\c\\d"]),
            ("$'a\\'b\\n\\u0021\\x41'", &["a'b\n!A"]),
            ("a \\\n  b \\\r\n c", &["a", "b", "c"]),
            ("'' \"\"", &["", ""]),
            ("$x", &["$x"]),
            ("", &[]),
        ] {
            assert_eq!(split(line).unwrap(), words, "{line:?}");
        }
        for line in ["'a", "\"a", "$'a"] {
            assert!(split(line).unwrap_err().ends_with("is not closed"));
        }
    }
}
