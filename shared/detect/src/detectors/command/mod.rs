//! COMMAND_INJECTION: shell grammar, cmd.exe and PowerShell, and code of the languages behind a web server.
//!
//! A separator is no finding: what stands behind it has to be a command, with what a command takes. A name that is also
//! an English word needs an argument that only a command has; a name that is nothing else needs none.

mod address;
/// What the prefilter looks for on this detector's behalf.
pub mod anchors;
mod calls;
mod disguise;
mod expansion;
mod leave;
mod lines;
mod log;
mod marks;
mod operand;
mod place;
mod probe;
pub mod rules;
mod shell;
mod single;
mod subcommand;
mod template;
pub(crate) mod text;
mod vocabulary;
mod windows;
mod word;

use std::ops::Range;

use backstop_http::Kind;

use super::ascii::{at, before, find, from, has, is_word};
use crate::{Hits, Input, Level, Rule};
use marks::{Language, Role};
use shell::Join;
use template::Expression;

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    features != 0
}

/// How far behind a backtick the one that closes it is looked for.
const LONGEST_SPAN: usize = 1024;

/// What a sign costs that may begin something, in steps of [`Work`](crate::Work), and what one that joins commands costs more.
const STEPS_OF_A_SIGN: usize = 10;
const STEPS_OF_A_JOIN: usize = 12;
/// What comparing a word with the marks costs.
const STEPS_OF_A_MARK: usize = 14;
/// What reading a command's name and its operand costs.
const STEPS_OF_A_COMMAND: usize = 160;
/// What looking for the lines before a line costs.
const STEPS_OF_A_DOCUMENT: usize = 320;
/// What looking for what gives a variable its value costs.
const STEPS_OF_A_VARIABLE: usize = 60;
/// What looking into a template expression costs.
const STEPS_OF_AN_EXPRESSION: usize = 60;

/// Parses the value and records what it is.
pub fn detect(input: &Input<'_>, hits: &mut Hits) {
    let mut sink = Sink {
        hits,
        level: input.level,
        bytes: input.bytes,
        input,
        text: None,
        expressions: MAX_EXPRESSIONS,
        trace: None,
        fence: None,
        document: false,
    };
    start(input, &mut sink);
    let bytes = input.bytes;
    // Every mark of a language is an anchor of its own kind.
    if input.features & anchors::CODE != 0 {
        scan(bytes, &mut sink);
        return;
    }
    // Without marks only signs count, and most of a text has none.
    for i in marks::SIGNS.positions(bytes) {
        if !sink.hits.spend(STEPS_OF_A_SIGN) {
            return;
        }
        sign(bytes, i, at(bytes, i), before(bytes, i), &mut sink);
    }
}

/// Looks at the signs and at the words.
fn scan(bytes: &[u8], sink: &mut Sink<'_, '_>) {
    let mut previous = 0;
    for (i, byte) in bytes.iter().copied().enumerate() {
        match marks::role(byte) {
            Role::Plain => {}
            Role::Word if !is_word(previous) => word(bytes, i, sink),
            Role::Word => {}
            Role::Sign => {
                if !sink.hits.spend(STEPS_OF_A_SIGN) {
                    return;
                }
                sign(bytes, i, byte, previous, sink);
            }
        }
        previous = byte;
    }
}

/// Passes findings on, except that an article that quotes a command counts at level 2 only.
struct Sink<'a, 'h> {
    hits: &'h mut Hits,
    input: &'a Input<'a>,
    level: Level,
    bytes: &'a [u8],
    /// Whether the value is a text, or of a kind that is taken for one. Nearly no value has anything to ask it for.
    text: Option<bool>,
    /// How many more template expressions are looked into: each costs a search through its window.
    expressions: usize,
    trace: Option<bool>,
    fence: Option<bool>,
    /// Whether a line was found to be one of many.
    document: bool,
}

/// The most template expressions that are looked into in one value.
const MAX_EXPRESSIONS: usize = 512;

impl Sink<'_, '_> {
    fn push(&mut self, rule: &'static Rule, span: Range<usize>) {
        if self.hits.has(rule) {
            return;
        }
        let (input, bytes) = (self.input, self.bytes);
        // Only a text that sets code apart quotes commands: words alone do not hide one.
        let text = *self.text.get_or_insert_with(|| {
            place::names_a_step(input)
                || place::is_a_script(input)
                || place::names_a_tool(input)
                || lines::only_unpacks(bytes)
                || text::quotes_code(bytes) && text::is_text(bytes)
        }) || (*rule == rules::BACKTICK || *rule == rules::NEWLINE)
            && (*self.fence.get_or_insert_with(|| text::fenced(bytes))
                || text::marks_code(bytes, span.start));
        self.hits
            .push(if text { &rules::IN_TEXT } else { rule }, span);
    }
}

/// What a value is by its start: a command line, a serialised object, a bare command in a parameter for commands.
fn start(input: &Input<'_>, sink: &mut Sink<'_, '_>) {
    let bytes = input.bytes;
    if let Some(span) = probe::statement(bytes, || probe::Text::of(input)) {
        sink.push(&rules::CALL, span);
    }
    let open = bytes
        .iter()
        .take(4)
        .take_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b'\'' | b'"' | b'+'))
        .count();
    let join = match input.place.kind {
        Kind::QueryName | Kind::FormName => Join::NameStart,
        Kind::Path | Kind::CookieName | Kind::JsonKey => {
            single::look(input, open, sink);
            single::bare(input, open, sink);
            return;
        }
        // The first word is no command, alone or not.
        _ if open == 0 && word::is_plain_before(bytes, 0, b" :,") => {
            single::look(input, open, sink);
            return;
        }
        _ => Join::Start,
    };
    let found = shell::command_behind(bytes, Join::Start, 0, open)
        .or_else(|| (open > 0).then(|| shell::command_behind(bytes, Join::Start, 0, 0))?)
        .or_else(|| (join != Join::Start).then(|| shell::command_behind(bytes, join, 0, open))?);
    if let Some(found) = found {
        let rule = if found.disguised {
            &rules::DISGUISED
        } else {
            &rules::COMMON
        };
        sink.push(rule, found.span);
    } else if let Some(end) =
        disguise::name(bytes, 0).or_else(|| (open > 0).then(|| disguise::name(bytes, open))?)
    {
        sink.push(&rules::DISGUISED, 0..end);
    } else if let Some(end) = shell::alias(bytes, open) {
        sink.push(&rules::COMMON, open..end);
    } else if let Some(end) = windows::control(bytes, open) {
        sink.push(&rules::WINDOWS, open..end);
    } else if let Some(end) = windows::cmdlet(bytes, open) {
        sink.push(&rules::POWERSHELL, open..end);
    }
    single::look(input, open, sink);
    single::bare(input, open, sink);
}

/// A word that starts at `i`.
fn word(bytes: &[u8], i: usize, sink: &mut Sink<'_, '_>) {
    if marks::may_start(bytes, i)
        && sink.hits.spend(STEPS_OF_A_MARK)
        && let Some((language, end)) = marks::mark_at(bytes, i)
    {
        mark(bytes, language, i..end, sink);
    }
}

/// What stands at a byte that is neither letter nor digit.
fn sign(bytes: &[u8], i: usize, byte: u8, previous: u8, sink: &mut Sink<'_, '_>) {
    match byte {
        b'|' if windows::linked(bytes, i) => sink.push(&rules::WINDOWS, i..bytes.len()),
        b';' | b'|' | b'&' | b'\n' | b'`' => join(bytes, i, sink),
        b'$' | b'<' | b'>' if at(bytes, i + 1) == b'(' => join(bytes, i, sink),
        b'(' => call(bytes, i, sink),
        // Ruby's and Perl's literal that runs.
        b'%' if at(bytes, i + 1) == b'x' && matches!(at(bytes, i + 2), b'(' | b'{' | b'[') => {
            if let Some(found) = shell::command_behind(bytes, Join::Substitution, i, i + 3) {
                sink.push(&rules::CALL, found.span);
            } else if has(bytes, i + 3, b"#{") {
                // What is computed inside it is run.
                sink.push(&rules::CALL, i..i + 5);
            }
        }
        b'/' => {
            if has(bytes, i, b"/dev/tcp/") || has(bytes, i, b"/dev/udp/") {
                sink.push(&rules::REVERSE_SHELL, i..i + 9);
            } else if !previous.is_ascii_alphanumeric() {
                let mut steps = 0;
                let end = disguise::path(bytes, i, &mut steps);
                if !sink.hits.spend(steps) {
                    return;
                }
                if let Some(end) = end {
                    sink.push(&rules::DISGUISED, i..end);
                }
            }
        }
        _ => {}
    }
    if byte == b'#' && marks::ognl(bytes, i, previous) {
        sink.push(&rules::JAVA, i..i + 1);
    }
    if byte == b'$' && (marks::chain(bytes, i) || expansion::hides(bytes, i).is_some()) {
        sink.push(&rules::DISGUISED, i..i + 2);
    }
    if matches!(byte, b'<') {
        tag(bytes, i, sink);
    }
    if sink.expressions > 0
        && template::opens(bytes, i)
        && {
            sink.expressions -= 1;
            sink.hits.spend(STEPS_OF_AN_EXPRESSION)
        }
        && let Some((expression, span)) = template::expression_at(bytes, i)
    {
        let rule = match expression {
            Expression::Arithmetic => &rules::TEMPLATE_ARITHMETIC,
            Expression::Object => &rules::TEMPLATE_OBJECT,
            Expression::Directive => &rules::TEMPLATE_DIRECTIVE,
        };
        sink.push(rule, span);
    }
    if byte == b'%'
        && let Some(end) = windows::variable(bytes, i)
    {
        sink.push(&rules::WINDOWS, i..end);
    }
    if byte == b'$' && sink.level > Level::One {
        let next = at(bytes, i + 1);
        if next == b'{' || next == b'(' && at(bytes, i + 2) == b'(' {
            sink.push(&rules::VARIABLE, i..i + 2);
        }
    }
    let starts = match byte {
        b'_' => !previous.is_ascii_alphabetic() && previous != b'_',
        b'$' | b'!' => previous != byte,
        _ => false,
    };
    if starts {
        word(bytes, i, sink);
    }
}

/// A separator or a substitution, with what it runs.
fn join(bytes: &[u8], i: usize, sink: &mut Sink<'_, '_>) {
    let Some((join, start)) = shell::join_at(bytes, i) else {
        return;
    };
    // The second sign of `||` and `&&` starts nothing of its own.
    if matches!(join, Join::Pipe | Join::Ampersand) && before(bytes, i) == at(bytes, i)
        || !sink.hits.spend(STEPS_OF_A_JOIN)
    {
        return;
    }
    if word::is_plain(bytes, word::skip_blanks(bytes, start)) {
        return;
    }
    // What no second backtick closes runs nothing.
    if join == Join::Backtick && find(from(bytes, start), b"`", LONGEST_SPAN).is_none() {
        return;
    }
    // What nothing below begins with needs no look: most joins are a sign between two blanks or signs.
    let first = at(bytes, word::skip_blanks(bytes, start));
    if matches!(first, b';' | b')') {
        return;
    }
    let named = first.is_ascii_alphabetic();
    let mut reads = 0;
    let found = shell::prefixed_command_behind(bytes, join, i, start, &mut reads);
    if !sink.hits.spend(reads * STEPS_OF_A_COMMAND) {
        return;
    }
    if let Some(found) = found {
        if join == Join::Pipe && lines::is_a_row(bytes, i)
            || join == Join::Semicolon && lines::parts_cells(bytes, i)
        {
            return;
        }
        if !found.disguised
            && behind_a_line(bytes, join, &found.span)
            && !shell::is_unmistakable(bytes, &found)
            && in_a_document(bytes, i, sink)
        {
            sink.hits.push(&rules::IN_TEXT, found.span);
            return;
        }
        let rule = match join {
            _ if found.disguised => &rules::DISGUISED,
            Join::Semicolon => &rules::SEMICOLON,
            Join::Pipe => &rules::PIPE,
            Join::Ampersand => &rules::AMPERSAND,
            Join::Newline => &rules::NEWLINE,
            Join::Backtick => &rules::BACKTICK,
            Join::Substitution => &rules::DOLLAR_PAREN,
            Join::Start | Join::NameStart => &rules::COMMON,
        };
        sink.push(rule, found.span);
    } else if named
        && sink.hits.spend(windows::steps(bytes, start))
        && let Some(end) = windows::control(bytes, start)
    {
        if join != Join::Newline || !in_a_document(bytes, i, sink) {
            sink.push(&rules::WINDOWS, i..end);
        }
    } else if named && let Some(end) = windows::cmdlet(bytes, start) {
        if join != Join::Newline || !in_a_document(bytes, i, sink) {
            sink.push(&rules::POWERSHELL, i..end);
        }
    } else if join == Join::Semicolon
        && let Some(end) = shell::dot_command(bytes, i)
    {
        sink.push(&rules::SEMICOLON, i..end);
    } else if first == b'$'
        && sink.hits.spend(STEPS_OF_A_VARIABLE)
        && let Some(end) = expansion::variable_runs(bytes, i, start)
    {
        sink.push(&rules::DISGUISED, i..end);
    } else if join != Join::Pipe
        && let Some(end) = expansion::script(bytes, start)
    {
        sink.push(&rules::SEMICOLON, i..end);
    } else if sink.level > Level::One
        && bytes.get(..i) != Some(b"amp")
        && let Some(end) = lines::last_word(bytes, start)
    {
        sink.push(&rules::JOINED, i..end);
    }
}

/// Whether a command stands on a line of its own: behind a line break, or behind a `;` that ends a line.
fn behind_a_line(bytes: &[u8], join: Join, span: &Range<usize>) -> bool {
    join == Join::Newline
        || join == Join::Semicolon
            && from(bytes, span.start + 1)
                .iter()
                .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))
                == Some(&b'\n')
}

/// Whether the line at `i` is one of many. What follows a document is in it.
fn in_a_document(bytes: &[u8], i: usize, sink: &mut Sink<'_, '_>) -> bool {
    if !sink.document && sink.hits.spend(STEPS_OF_A_DOCUMENT) {
        sink.document = lines::is_in_a_document(bytes, i);
    }
    sink.document
}

/// A parenthesis: a call, or a function definition as shellshock and fork bombs write it.
fn call(bytes: &[u8], i: usize, sink: &mut Sink<'_, '_>) {
    if let Some(start) = calls::call_at(bytes, i) {
        sink.push(&rules::CALL, start..i + 1);
        return;
    }
    if at(bytes, i + 1) != b')' {
        return;
    }
    let body = from(bytes, i + 2).trim_ascii_start();
    let Some(body) = body.strip_prefix(b"{") else {
        return;
    };
    let after = body.trim_ascii_start();
    if matches!(at(after, 0), b':' | b'_')
        && matches!(at(after, 1), b';' | b' ')
        && find(after, b"}", 16).is_some()
    {
        sink.push(&rules::SHELLSHOCK, i..i + 3);
    } else if single::forks(bytes, i, after) {
        sink.push(&rules::FORK_BOMB, i..i + 3);
    }
}

/// A tag that opens code.
fn tag(bytes: &[u8], i: usize, sink: &mut Sink<'_, '_>) {
    if has(bytes, i, b"<!--#") {
        const DIRECTIVES: [&[u8]; 6] = [
            b"exec",
            b"include",
            b"echo",
            b"printenv",
            b"config",
            b"fsize",
        ];
        if DIRECTIVES.iter().any(|name| has(bytes, i + 5, name)) {
            sink.push(&rules::SSI, i..i + 5);
        }
        return;
    }
    const EDGE: [&[u8]; 4] = [
        b"<esi:include",
        b"<esi:inline",
        b"<esi:assign",
        b"<esi:vars",
    ];
    if EDGE.iter().any(|name| has(bytes, i, name)) {
        sink.push(&rules::SSI, i..i + 5);
        return;
    }
    let opens = match at(bytes, i + 2) {
        b'p' | b'P' => has(bytes, i, b"<?php"),
        b'=' => at(bytes, i + 1) == b'?',
        // A short tag: code has a call, a variable or a statement's end.
        b' ' | b'\n' | b'\t' | b'\r' => {
            at(bytes, i + 1) == b'?' && {
                let inner = from(bytes, i + 3);
                [&b"$"[..], b"(", b"echo "]
                    .iter()
                    .any(|sign| find(inner, sign, 40).is_some())
                    && find(inner, b"?>", 400).is_some()
            }
        }
        _ => false,
    };
    if opens {
        sink.push(&rules::PHP_TAG, i..i + 3);
    }
}

/// A mark of a language.
fn mark(bytes: &[u8], language: Language, span: Range<usize>, sink: &mut Sink<'_, '_>) {
    let rule = match language {
        Language::Java => &rules::JAVA,
        Language::ClassLoader => &rules::CLASS_LOADER,
        Language::Php => &rules::PHP,
        Language::Node => &rules::NODE,
        Language::Python => &rules::PYTHON,
        Language::Object => &rules::OBJECT,
        Language::PowerShell => &rules::POWERSHELL,
        Language::Prototype => &rules::PROTOTYPE,
        Language::Argument => &rules::ARGUMENT,
    };
    // `private java.lang.Object` in a stack trace has frames around it; an exploit has not.
    if language == Language::Java
        && *sink
            .trace
            .get_or_insert_with(|| memchr::memmem::find(bytes, b"\n\tat ").is_some())
    {
        return;
    }
    sink.push(rule, span);
}

#[cfg(test)]
mod tests;
