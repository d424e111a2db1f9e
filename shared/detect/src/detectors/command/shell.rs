//! Shell grammar: a separator, a substitution or the start of the value, and a command behind it.

use std::ops::Range;

use super::super::ascii::{at, before, from, has, is_blank};
use super::leave::{follows_a_value, leads, tail_of_a_short_value};
use super::log;
use super::operand::{self, Operand};
use super::vocabulary::{self, Weight};
use super::word::{self, Word};
use super::{address, lines, subcommand, windows};

/// How a command is joined to what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// `;`
    Semicolon,
    /// `|`, `||`
    Pipe,
    /// `&`, `&&`
    Ampersand,
    /// A line break.
    Newline,
    /// A backtick that opens.
    Backtick,
    /// `$(`, `<(`, `>(`
    Substitution,
    /// The start of the value.
    Start,
    /// The start of a parameter's name, which a scanner's `&` made out of a command.
    NameStart,
}

/// A command found behind a join.
#[derive(Clone, Debug)]
pub struct Found {
    /// From the join to the end of the name.
    pub span: Range<usize>,
    /// Whether the name was disguised.
    pub disguised: bool,
    /// How much its name proves.
    pub weight: Option<Weight>,
}

/// The join at `i`, and where the command behind it would start.
pub fn join_at(bytes: &[u8], i: usize) -> Option<(Join, usize)> {
    let next = at(bytes, i + 1);
    match at(bytes, i) {
        b';' if !ends_a_reference(bytes, i) => Some((Join::Semicolon, i + 1)),
        b'|' => Some((Join::Pipe, i + 1 + usize::from(next == b'|'))),
        b'&' => Some((Join::Ampersand, i + 1 + usize::from(next == b'&'))),
        b'\n' => Some((Join::Newline, i + 1)),
        // Two or three backticks are a fence of a text, one opens a command.
        b'`' if next != b'`' && before(bytes, i) != b'`' => Some((Join::Backtick, i + 1)),
        b'$' | b'<' | b'>' if next == b'(' => Some((Join::Substitution, i + 2)),
        _ => None,
    }
}

/// Whether the `;` at `i` ends a character reference (`&quot;`), which the next decoding takes away.
fn ends_a_reference(bytes: &[u8], i: usize) -> bool {
    let start = i.saturating_sub(9);
    bytes.get(start..i).is_some_and(|before| {
        before
            .iter()
            .rposition(|byte| *byte == b'&')
            .is_some_and(|amp| {
                let name = from(before, amp + 1);
                name.len() > 1
                    && name
                        .iter()
                        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'#')
            })
    })
}

/// Looks for a command behind a join at `at_join` whose command would start at `start`.
pub fn command_behind(bytes: &[u8], join: Join, at_join: usize, start: usize) -> Option<Found> {
    prefixed_command_behind(bytes, join, at_join, start, &mut 0)
}

/// The same; adds to `reads` how many words it read.
pub fn prefixed_command_behind(
    bytes: &[u8],
    join: Join,
    at_join: usize,
    start: usize,
    reads: &mut usize,
) -> Option<Found> {
    let mut i = start;
    // What may stand between a join and the name, and the commands that run other commands.
    for _ in 0..4 {
        i = opening(bytes, i);
        if !word::may_start(at(bytes, i)) {
            return None;
        }
        *reads += 1;
        let word = word::read(bytes, i);
        if word.name().is_empty() {
            return None;
        }
        let weight = vocabulary::weight(word.name());
        if weight.is_some() && !word.capitals && vocabulary::is_prefix(word.name()) {
            let next = word::skip_blanks(bytes, word.end);
            if next > word.end {
                // `if (!done) {`: a condition of another language, unless the shell's own word follows.
                if at(bytes, next) == b'(' && lines::is_a_condition(bytes, word.name(), next) {
                    return None;
                }
                *reads += 1;
                let inner = word::read(bytes, opening(bytes, next));
                // `if set to 5`, `start cut here`: prose begins so, too.
                let as_a = if vocabulary::is_a_word(word.name()) {
                    Join::Backtick
                } else {
                    Join::Substitution
                };
                if runs(bytes, &inner, as_a, next) {
                    return Some(found(at_join, &inner));
                }
                if vocabulary::is_prefix(inner.name()) {
                    i = next;
                    continue;
                }
            }
        }
        return runs(bytes, &word, join, at_join).then(|| found(at_join, &word));
    }
    None
}

fn found(at_join: usize, word: &Word) -> Found {
    Found {
        span: at_join..word.end,
        disguised: word.broken > 0 || word.glob,
        weight: vocabulary::weight(word.name()),
    }
}

/// Whether nothing but a command line reads so, whatever stands around it: what only commands take behind a command's name. Lines
/// of a text begin with many a name.
#[inline(never)]
pub fn is_unmistakable(bytes: &[u8], found: &Found) -> bool {
    match operand::after(bytes, found.span.end) {
        Operand::Option | Operand::Address | Operand::Redirect => true,
        Operand::File => {
            let operand = word::skip_blanks(bytes, found.span.end);
            let rooted = matches!(at(bytes, operand), b'/' | b'~' | b'.');
            match found.weight {
                Some(Weight::Distinct) => true,
                Some(Weight::Terse) => rooted,
                _ => false,
            }
        }
        _ => false,
    }
}

/// Skips blanks and what may open a command: `(`, `{`, `!`, `@`, `,`.
fn opening(bytes: &[u8], mut i: usize) -> usize {
    for _ in 0..4 {
        i = word::skip_blanks(bytes, i);
        match at(bytes, i) {
            b'(' | b'{' | b'!' | b'@' | b',' => i += 1,
            b'\n' => i += 1,
            b'.' if at(bytes, i + 1) == b' ' => i += 2,
            b'$' if at(bytes, i + 1).is_ascii_lowercase() && at(bytes, i + 2) == b' ' => i += 3,
            _ => break,
        }
    }
    i
}

/// Whether `word`, joined by `join`, is a command that runs.
fn runs(bytes: &[u8], word: &Word, join: Join, at_join: usize) -> bool {
    if word.glob {
        return word.folder && word::glob_names_a_tool(word.name());
    }
    if log::is_line(bytes, word, join == Join::Newline) {
        return false;
    }
    let Some(weight) = vocabulary::weight(word.name()) else {
        // `lib/seat/bin/print.js`: a file of a project, which a shell finds in one place only.
        let project = join == Join::Start && at(bytes, at_join).is_ascii_alphanumeric();
        return word.folder
            && !(project && at(bytes, at_join + 1) != b':')
            && tool_folder(bytes, word)
            && operand::after(bytes, word.end) != Operand::Attached;
    };
    let operand = operand::after(bytes, word.end);
    // `data:image/jpeg;base64,/9j/`: how an address that is its own data is written (RFC 2397), not a list of arguments.
    if join == Join::Semicolon && address::is_data(bytes, word, at_join) {
        return false;
    }
    // A password with `;w<` in it: `w` reads nothing.
    if word.name() == b"w" && word.broken == 0 && !word.folder && at(bytes, word.end) == b'<' {
        return false;
    }
    // A name that somebody took the trouble to break up is meant to run.
    // One letter behind a backslash is a class of a regular expression (`\w`).
    if word.broken > 0 && word.name().len() < 2 {
        return false;
    }
    // Two letters around a backslash, with nothing before them, are short for many things.
    let is_short = join == Join::Start && !word.paired && word.name().len() < 3;
    if word.broken > 0 && weight > Weight::Ordinary && operand != Operand::Attached && !is_short {
        return true;
    }
    if word.folder && tool_folder(bytes, word) {
        return operand != Operand::Attached;
    }
    // A folder that no command lives in makes a path of it.
    if word.folder && weight != Weight::Distinct {
        return false;
    }
    // `at 5`, `as v2.1`, a frame of a stack trace: no file is an argument of these.
    let telling = match operand {
        Operand::Option | Operand::Redirect => true,
        Operand::File | Operand::Address | Operand::Variable => {
            !matches!(word.name(), b"as" | b"at" | b"go")
        }
        Operand::Word => takes_a_word(bytes, word),
        _ => false,
    };
    // Unix names are in lower case; Windows does not care.
    if word.capitals
        && weight != Weight::Distinct
        && !(vocabulary::is_windows(word.name()) && telling)
    {
        return false;
    }
    if word.capitals && matches!(operand, Operand::Word | Operand::Number | Operand::Quoted) {
        return false;
    }
    let closes = matches!(operand, Operand::End | Operand::Separator);
    match join {
        // A text of many lines has a word on a line of its own.
        Join::Newline if closes => {
            (operand == Operand::End || is_blank(from(bytes, word.end)))
                && (leads(bytes, at_join)
                    || weight > Weight::Ordinary && lines::cuts_a_value(bytes, at_join, weight))
        }
        Join::Start => {
            (weight > Weight::Ordinary && telling)
                || (operand == Operand::Separator
                    && weight == Weight::Distinct
                    && !word.capitals
                    && word::blank(bytes, word.end).is_none())
                || (operand == Operand::Separator
                    && weight > Weight::Ordinary
                    && followed_by_command(bytes, word.end))
                || (weight == Weight::Ordinary && bare_line(word, operand))
        }
        Join::NameStart => {
            let next = at(bytes, word.end);
            weight > Weight::Ordinary
                && (word::blank(bytes, word.end).is_some()
                    || matches!(next, b',' | b';' | b'|' | b'>')
                    || at_join_is_blank(bytes))
        }
        Join::Backtick | Join::Substitution => {
            telling
                || weight > Weight::Ordinary
                    && operand != Operand::Attached
                    && (operand != Operand::Word
                        || weight == Weight::Distinct
                        || join == Join::Substitution)
                || closes && join == Join::Substitution
                || closes && !word.capitals && leads(bytes, at_join)
        }
        _ if weight == Weight::Distinct => operand != Operand::Attached,
        // `fax 02-555-0144; mail box@hall.example`: without anything to read `mail` sends nothing.
        Join::Semicolon | Join::Ampersand | Join::Newline
            if word.name() == b"mail" && word.broken == 0 && address::is_mail(bytes, word.end) =>
        {
            false
        }
        // A value that starts with `;cat` starts with a command, whatever follows.
        Join::Semicolon if at_join == 0 && word::blank(bytes, 1).is_none() && !word.capitals => {
            operand != Operand::Attached
        }
        Join::Semicolon | Join::Pipe | Join::Ampersand | Join::Newline => {
            let quoted = operand == Operand::Quoted
                && !(join == Join::Newline && lines::includes(bytes, word.name(), word.end));
            if telling || quoted && weight == Weight::Terse {
                return join != Join::Pipe
                    || weight > Weight::Ordinary
                    || !subcommand::sorts(bytes, word, operand);
            }
            match weight {
                Weight::Terse if operand == Operand::Number => {
                    operand::number_ends(bytes, word.end)
                        && (matches!(word.name(), b"kill" | b"ping" | b"sleep")
                            || word::blank(bytes, at_join + 1).is_none()
                            || leads(bytes, at_join))
                }
                Weight::Terse if closes => {
                    join == Join::Semicolon && follows_a_value(bytes, at_join)
                        || at(bytes, at_join + 1) == at(bytes, at_join)
                        || leads(bytes, at_join)
                        || tail_of_a_short_value(bytes, at_join, word.end)
                }
                _ => {
                    closes
                        && !word.capitals
                        && (leads(bytes, at_join) || lines::cuts_an_address(bytes, at_join))
                }
            }
        }
    }
}

/// Whether the word behind a tool's name is one that this tool takes.
fn takes_a_word(bytes: &[u8], word: &Word) -> bool {
    let start = word::skip_blanks(bytes, word.end);
    subcommand::takes(word.name(), operand::token(bytes, start))
        || word.name() == b"powershell" && windows::cmdlet(bytes, start).is_some()
}

/// Whether the value starts with a blank, as a parameter's name does when a scanner's `& id` was cut in two.
fn at_join_is_blank(bytes: &[u8]) -> bool {
    matches!(at(bytes, 0), b' ' | b'\t' | b'\n')
}

/// An alias at `i`: `alias x=`, `alias 'x'=`.
pub fn alias(bytes: &[u8], i: usize) -> Option<usize> {
    if !has(bytes, i, b"alias ") {
        return None;
    }
    let rest = from(bytes, i + 6).trim_ascii_start();
    let name = rest
        .iter()
        .take(24)
        .take_while(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'\'' | b'"')
        })
        .count();
    (name > 0 && at(rest, name) == b'=' && at(rest, name + 1) != b' ').then_some(i + 6)
}

/// A command of SQLite's shell behind the `;` at `i`: `;.shell id`.
pub fn dot_command(bytes: &[u8], i: usize) -> Option<usize> {
    const COMMANDS: &[&[u8]] = &[
        b"archive",
        b"backup",
        b"clone",
        b"databases",
        b"dump",
        b"excel",
        b"import",
        b"load",
        b"log",
        b"once",
        b"output",
        b"read",
        b"restore",
        b"save",
        b"schema",
        b"sh ",
        b"shell",
        b"system",
        b"tables",
        b"trace",
    ];
    let skipped = from(bytes, i + 1)
        .iter()
        .take(8)
        .take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b'\\'))
        .count();
    let mut k = i + 1 + skipped;
    k += usize::from(skipped > 0 && at(bytes, k) == b'n');
    if at(bytes, k) != b'.' {
        return None;
    }
    k += 1;
    k += from(bytes, k)
        .iter()
        .take(2)
        .take_while(|byte| matches!(byte, b'\\' | b'\'' | b'"'))
        .count();
    COMMANDS
        .iter()
        .find(|name| {
            has(bytes, k, name)
                && (name.ends_with(b" ") || !at(bytes, k + name.len()).is_ascii_alphanumeric())
        })
        .map(|name| k + name.len())
}

/// Whether the folder before the name is one that commands live in.
fn tool_folder(bytes: &[u8], word: &Word) -> bool {
    let start = word.end.saturating_sub(word.name().len() + 48);
    let raw = bytes.get(start..word.end).unwrap_or_default();
    raw.iter().enumerate().any(|(i, byte)| match byte {
        b'/' if i >= 3 && has(raw, i - 3, b"bin") => true,
        b'/' => match at(raw, i + 1) | 0x20 {
            b'u' => has(raw, i, b"/usr/bin"),
            b't' => has(raw, i, b"/tmp/"),
            b'd' => has(raw, i, b"/dev/shm/"),
            _ => false,
        },
        b'\\' => has(raw, i, b"\\system32\\"),
        _ => false,
    })
}

/// Whether another command follows the first one, so that the value is a command line.
fn followed_by_command(bytes: &[u8], end: usize) -> bool {
    let i = word::skip_blanks(bytes, end);
    join_at(bytes, i).is_some_and(|(join, start)| {
        let next = word::read(bytes, opening(bytes, start));
        join != Join::Newline
            && (at(bytes, start) == 0
                || vocabulary::weight(next.name()).is_some_and(|weight| weight > Weight::Ordinary)
                    && (!next.capitals || vocabulary::is_windows(next.name()))
                    && operand::after(bytes, next.end) != Operand::Word)
    })
}

/// An ordinary word that starts the value and is followed by what only a command takes.
fn bare_line(word: &Word, operand: Operand) -> bool {
    match word.name() {
        b"curl" | b"ftp" | b"tftp" => matches!(operand, Operand::Address | Operand::Option),
        b"bash" | b"sh" | b"zsh" | b"dash" | b"perl" | b"php" | b"python" | b"python2"
        | b"python3" | b"ruby" | b"lua" | b"node" | b"powershell" | b"ssh" | b"docker" | b"sed"
        | b"grep" | b"less" | b"head" | b"more" | b"passwd" | b"gzip" | b"mysql" | b"sqlite3"
        | b"telnet" | b"openssl" | b"find" | b"tail" | b"sort" | b"strings" => {
            matches!(operand, Operand::Option | Operand::File | Operand::Redirect)
        }
        b"touch" => operand == Operand::File,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(text: &str) -> bool {
        let bytes = text.as_bytes();
        command_behind(bytes, Join::Start, 0, 0).is_some()
            || (0..bytes.len()).any(|i| {
                join_at(bytes, i)
                    .is_some_and(|(join, start)| command_behind(bytes, join, i, start).is_some())
            })
    }

    #[test]
    fn commands_behind_joins() {
        for text in [
            ";id",
            "x; whoami",
            "10.0.0.1|ls",
            "a || ping -c 3 10.1.1.1",
            "\"&& cat /etc/hosts",
            "$(sleep 5)",
            "`uname -a`",
            "a;c'a't /etc/hosts",
            "a;/???/c?t /etc/hosts",
            "x\nwget http://h/x -O y",
            "$(echo $(id))",
            "ls;id",
            "cat /etc/issue",
            "a;{cat,/etc/hosts}",
            "x;sudo -n whoami",
            "1 | type c:\\x",
            "x;cat${IFS}/etc/issue",
        ] {
            assert!(any(text), "{text}");
        }
    }

    #[test]
    fn sentences_queries_and_lists() {
        for text in [
            "fish & chips; cat and dog",
            "rock | roll",
            "AT&T; Q&A; R&D",
            "(Windows NT 10.0; Win64; x64)",
            "{app=\"x\"} |= \"error\" | json | line_format \"{{.msg}}\"",
            "get|list|watch|find",
            "name|id|date",
            "python; php; ruby",
            "sort=name;order=asc",
            "use `find` or `sort` here",
            "time flies; date night",
            "id=5&type=3&cat=8",
            "top 10 songs",
            "&quot;id&quot;",
            "text/html;q=0.9,*/*;q=0.8",
        ] {
            assert!(!any(text), "{text}");
        }
    }
}
