//! Where a separator cuts a value off: what stands to the left of it tells a parameter from a text.

use super::super::ascii::{at, before, from};
use super::operand::{self, Operand};
use super::vocabulary::{self, Weight};
use super::word;

/// Whether the line break at `i` cuts a one-word value off, so that the command on the next line stands alone: `10.0.0.1` LF
/// `id`. A list of words has words on its lines, too: a name that may be one needs an address before it.
pub fn cuts_a_value(bytes: &[u8], i: usize, weight: Weight) -> bool {
    let left = bytes.get(..i).unwrap_or_default().trim_ascii_end();
    let one_word =
        !left.is_empty() && left.len() <= 64 && left.iter().all(|byte| byte.is_ascii_graphic());
    one_word && (weight == Weight::Distinct || is_address(left))
}

/// Whether all that stands before the separator at `i` is an address: `10.0.0.1;date`, `shop.example|hostname`.
pub fn cuts_an_address(bytes: &[u8], i: usize) -> bool {
    i <= 64 && is_address(bytes.get(..i).unwrap_or_default().trim_ascii())
}

/// A host's name or number: labels with dots between them, and no file's name.
fn is_address(text: &[u8]) -> bool {
    let dots = text.iter().filter(|byte| **byte == b'.').count();
    dots > 0
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':'))
        && (dots == 3
            && text
                .iter()
                .all(|byte| byte.is_ascii_digit() || *byte == b'.')
            || text.last().is_some_and(u8::is_ascii_lowercase)
                && text.first().is_some_and(u8::is_ascii_alphanumeric))
}

/// A command's name at `start` with nothing behind it, however ordinary it is: its end.
pub fn last_word(bytes: &[u8], start: usize) -> Option<usize> {
    let word = word::read(bytes, start);
    (vocabulary::weight(word.name()).is_some()
        && !word.capitals
        && operand::after(bytes, word.end) == Operand::End)
        .then_some(word.end)
}

/// Whether a number, or a name with a dot in it, ends at `i`.
pub fn named_file_or_number(bytes: &[u8], i: usize) -> bool {
    let left = bytes.get(i.saturating_sub(6)..i).unwrap_or_default();
    before(bytes, i).is_ascii_digit()
        || before(bytes, i).is_ascii_alphabetic() && left.contains(&b'.')
}

/// Whether the keyword before the bracket at `open` asks a condition as C and its kin do: no `then` or `do` of a shell behind it.
#[inline(never)]
pub fn is_a_condition(bytes: &[u8], keyword: &[u8], open: usize) -> bool {
    const WINDOW: usize = 256;
    let follows = match keyword {
        b"if" => &b"then"[..],
        b"while" | b"until" => b"do",
        _ => return false,
    };
    let rest = from(bytes, open);
    let rest = rest.get(..WINDOW).unwrap_or(rest);
    !memchr::memmem::find_iter(rest, follows).any(|i| {
        matches!(before(rest, i), b' ' | b';' | b'\n' | b'\t' | b'+')
            && !at(rest, i + follows.len()).is_ascii_alphanumeric()
    })
}

/// How many lines of several words make a document, and how many words do so in fewer.
const LINES: usize = 3;
const WORDS: usize = 8;

/// Whether the line break at `i` stands in a document: lines of several words before it. What is injected by a line break
/// follows a value, which is a word or two.
#[inline(never)]
pub fn is_in_a_document(bytes: &[u8], i: usize) -> bool {
    const WINDOW: usize = 512;
    let left = bytes.get(i.saturating_sub(WINDOW)..i).unwrap_or_default();
    let (mut all, mut lines, mut words) = (0, 0, 0);
    for line in left.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii();
        let in_line = words_of(line);
        all += usize::from(!line.is_empty());
        if in_line > 1 {
            lines += 1;
            words += in_line;
        }
    }
    lines >= LINES || lines > 1 && words >= WORDS || lines > 0 && all >= 2 * LINES
}

/// How many words a line has, at most: its blanks, and what a script without blanks says in as many bytes.
fn words_of(line: &[u8]) -> usize {
    const BYTES_OF_A_WORD: usize = 9;
    if line.len() < 5 {
        return 0;
    }
    let (mut blanks, mut wide) = (0, 0);
    for byte in line {
        blanks += usize::from(*byte == b' ');
        wide += usize::from(*byte >= 0x80);
    }
    1 + blanks + wide / BYTES_OF_A_WORD
}

/// Whether the `;` at `i` parts two quoted cells of a table: `"mon";"do";"fri"`. A command's word has something behind it, and
/// one sign before it.
#[inline(never)]
pub fn parts_cells(bytes: &[u8], i: usize) -> bool {
    const WINDOW: usize = 128;
    if before(bytes, i) != b'"' || at(bytes, i + 1) != b'"' {
        return false;
    }
    let cell = from(bytes, i + 2);
    let cell = cell.get(..WINDOW).unwrap_or(cell);
    let Some(close) = memchr::memchr(b'"', cell) else {
        return false;
    };
    let left = bytes.get(i.saturating_sub(WINDOW)..i).unwrap_or_default();
    matches!(at(cell, close + 1), b';' | b'\r' | b'\n' | 0)
        && memchr::memmem::find_iter(left, b"\";\"").nth(1).is_some()
}

/// Whether the pipe at `i` is a border of a table's row: cells between blanks, and a border at both ends of the line. A shell
/// cannot end a line so.
pub fn is_a_row(bytes: &[u8], i: usize) -> bool {
    const WINDOW: usize = 512;
    // The pipe itself is one of the borders: most pipes end here.
    if !matches!(before(bytes, i), 0 | b' ' | b'\t' | b'\n')
        || !matches!(at(bytes, i + 1), 0 | b' ' | b'\t' | b'\r' | b'\n')
    {
        return false;
    }
    let left = bytes.get(i.saturating_sub(WINDOW)..i).unwrap_or_default();
    let start = memchr::memrchr(b'\n', left).map_or(left.len(), |end| left.len() - end - 1);
    let line = from(bytes, i - start).trim_ascii_start();
    if line.first() != Some(&b'|') {
        return false;
    }
    let line = line.get(..2 * WINDOW).unwrap_or(line);
    let length = memchr::memchr(b'\n', line).unwrap_or(line.len());
    let line = line.get(..length).unwrap_or_default().trim_ascii_end();
    line.last() == Some(&b'|')
        && line.iter().filter(|byte| **byte == b'|').count() > 2
        && (0..line.len())
            .filter(|at_pipe| at(line, *at_pipe) == b'|')
            .all(|at_pipe| {
                let inner_left = at_pipe == 0 || before(line, at_pipe) == b' ';
                let inner_right = at_pipe + 1 == line.len() || at(line, at_pipe + 1) == b' ';
                inner_left && inner_right
            })
}

/// Whether the value is one call of `tar` that lists or unpacks a file, with no sign of a shell and no option by which tar runs
/// or fetches anything: what people look up, and paste where they ask for help. Behind a separator it is a command.
pub fn only_unpacks(bytes: &[u8]) -> bool {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/');
    let mut words = bytes
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    words.next() == Some(b"tar")
        && words.next().is_some_and(|options| {
            let letters = options.strip_prefix(b"-").unwrap_or(options);
            matches!(letters.len(), 2..=4)
                && letters.iter().all(|letter| b"ftvxzj".contains(letter))
        })
        && words.all(|word| word == b"-C" || !word.starts_with(b"-") && word.iter().all(plain))
}

/// Whether `copy` and one plain name in quotes are a line, as definitions of locales include one another (POSIX, chapter 7). A
/// shell copies two names.
#[inline(never)]
pub fn includes(bytes: &[u8], name: &[u8], end: usize) -> bool {
    const NAME: usize = 32;
    let Some(quoted) = from(bytes, end).strip_prefix(b" \"") else {
        return false;
    };
    let length = quoted
        .iter()
        .take(NAME)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | b'-'))
        .count();
    name == b"copy"
        && length > 0
        && at(quoted, length) == b'"'
        && matches!(at(quoted, length + 1), b'\n' | b'\r' | 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_tables_and_pipes() {
        assert!(is_a_row(b"| id | name |", 0));
        assert!(is_a_row(b"a\n| id | 5 |\n", 2));
        assert!(!is_a_row(b"|id|", 0));
        assert!(!is_a_row(b"| id |", 0));
        assert!(!is_a_row(b"x | id | name |", 2));
    }

    #[test]
    fn an_archive_is_unpacked_and_nothing_run() {
        assert!(only_unpacks(b"tar -xzf seats-4.2.tar.gz -C /opt"));
        assert!(only_unpacks(b"tar tvf seats.tar"));
        for other in [
            &b"tar -cf /tmp/a.tar /var/www"[..],
            b"tar -xf a.tar --to-command=sh",
            b"tar -xf a.tar -I sh",
            b"tar -xf host:a.tar",
            b"tar -xf a.tar;id",
            b"tar -xf $(id)",
            b"tar -xf a.tar\nid",
            b"/bin/tar -xf a.tar",
            b"tar",
        ] {
            assert!(!only_unpacks(other), "{}", other.escape_ascii());
        }
    }

    #[test]
    fn conditions_and_documents() {
        assert!(is_a_condition(b"if (!date) {", b"if", 3));
        assert!(!is_a_condition(b"if (id); then ls; fi", b"if", 3));
        assert!(is_a_condition(b"if (date) q.then(go)", b"if", 3));
        let note = b"dear all,\nwe open at nine.\nbring your tickets.\ncat";
        assert!(is_in_a_document(note, note.len() - 4));
        assert!(!is_in_a_document(b"10.0.0.1\nid", 8));
        assert!(!is_in_a_document(b"a b\nc d\ne\n\nid", 10));
        let table = b"hall 7\nrow\n1\n2\n3\n4\ncopy";
        assert!(is_in_a_document(table, table.len() - 5));
        assert!(!is_in_a_document(b"1\n2\n3\n4\n5\n6\nid", 11));
        let cells = b"\"mon\";\"tue\";\"wed\";\"do\";\"fri\"";
        assert!(parts_cells(cells, 17));
        assert!(!parts_cells(cells, 5));
        assert!(!parts_cells(b"x\";\"id\"", 2));
    }

    #[test]
    fn what_a_separator_cuts_off() {
        assert!(cuts_an_address(b"10.0.0.1;date", 8));
        assert!(cuts_an_address(b"shop.example|hostname", 12));
        assert!(!cuts_an_address(b"price;date", 5));
        assert!(cuts_a_value(b"10.0.0.1\nid", 8, Weight::Terse));
        assert!(cuts_a_value(b"x\nwhoami", 1, Weight::Distinct));
        assert!(!cuts_a_value(b"dog\ncat", 3, Weight::Terse));
        assert!(!cuts_a_value(b"two words\nwhoami", 9, Weight::Distinct));
    }
}
