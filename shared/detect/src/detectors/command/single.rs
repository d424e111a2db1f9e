//! Whole values: a bare command in a parameter that is named for commands, a serialised object, a typed JSON object.

use backstop_http::Kind;

use super::super::ascii::{at, ends, find, from, has};
use super::anchors::CODE;
use super::vocabulary::{self, Weight};
use super::{Sink, rules, word};
use crate::{Input, Level};

/// Parameters that are named for commands.
const NAMED: &[&[u8]] = &[
    b"cmd", b"command", b"exec", b"execute", b"run", b"shell", b"system", b"ping", b"rce",
    b"do_cmd", b"_cmd",
];

/// Looks at the value as a whole; `open` is where it starts behind quotes and blanks.
pub fn look(input: &Input<'_>, open: usize, sink: &mut Sink<'_, '_>) {
    let bytes = input.bytes;
    if input.place.kind == Kind::MultipartFilename && runs_on_a_server(bytes) {
        sink.push(&rules::UPLOAD, 0..bytes.len());
    }
    if is_a_pickle(from(bytes, open)) {
        sink.push(&rules::OBJECT, open..bytes.len());
    }
    // The marks of all others are anchors of code.
    if input.features & CODE == 0 {
        return;
    }
    match at(bytes, open) {
        b'r' | b'R' if from(bytes, open).starts_with(b"rO0AB") => {
            sink.push(&rules::JAVA_SERIALIZED, open..open + 5);
        }
        // The same bytes at the two other offsets that base64 has.
        b'K' | b'C'
            if from(bytes, open).starts_with(b"KztAAU")
                || from(bytes, open).starts_with(b"Cs7QAF") =>
        {
            sink.push(&rules::JAVA_SERIALIZED, open..open + 6);
        }
        0xac if from(bytes, open).starts_with(b"\xac\xed\x00\x05") => {
            sink.push(&rules::JAVA_SERIALIZED, open..open + 4);
        }
        _ => {}
    }
    if from(bytes, open).starts_with(b"AAEAAAD/////") {
        sink.push(&rules::OBJECT, open..bytes.len());
    }
    if matches!(
        input.place.kind,
        Kind::QueryName | Kind::FormName | Kind::MultipartName
    ) && let Some(found) = memchr::memmem::find(bytes, b"[#")
        && at(bytes, found + 2).is_ascii_lowercase()
    {
        sink.push(&rules::PHP, found..bytes.len());
    }
    if input.level > Level::One && is_a_class_of_java(bytes) {
        sink.push(&rules::JAVA_CLASS, 0..bytes.len());
    }
    if let Some(found) = php_object(bytes) {
        sink.push(&rules::PHP_OBJECT, found..found + 2);
    }
    if let Some(found) = typed(input) {
        sink.push(&rules::FASTJSON, found..bytes.len());
    }
}

/// Whether the value is a Python pickle that calls something: protocol 0 by name, protocols 2 to 4 in base64.
fn is_a_pickle(bytes: &[u8]) -> bool {
    const CALLS: [&[u8]; 6] = [
        b"cos\nsystem\n",
        b"cposix\nsystem\n",
        b"cnt\nsystem\n",
        b"csubprocess\n",
        b"c__builtin__\n",
        b"cbuiltins\n",
    ];
    match bytes.first() {
        Some(b'c') => CALLS.iter().any(|call| bytes.starts_with(call)),
        // Protocols 2 and 3 with the opcode that names what is called.
        Some(b'g') => {
            [&b"gASV"[..], b"gANj", b"gAJj"]
                .iter()
                .any(|start| bytes.starts_with(start))
                && bytes.len() > 24
        }
        _ => false,
    }
}

/// Whether an uploaded file's name is that of a script or of a server's configuration.
fn runs_on_a_server(name: &[u8]) -> bool {
    const SUFFIXES: &[&[u8]] = &[
        b".asa",
        b".ashx",
        b".asp",
        b".aspx",
        b".cer",
        b".cfm",
        b".cgi",
        b".htaccess",
        b".jsp",
        b".jspa",
        b".jspf",
        b".jspx",
        b".phar",
        b".php",
        b".php3",
        b".php4",
        b".php5",
        b".php7",
        b".php8",
        b".phps",
        b".pht",
        b".phtml",
        b".shtml",
        b".user.ini",
        b"web.config",
    ];
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    let name = name.trim_ascii_end();
    let name = name.strip_suffix(b".").unwrap_or(name);
    SUFFIXES.iter().any(|suffix| ends(name, suffix))
}

/// `whoami` and nothing else.
pub fn bare(input: &Input<'_>, open: usize, sink: &mut Sink<'_, '_>) {
    let bytes = input.bytes;
    if bytes.len() > 32 {
        return;
    }
    let word = word::read(bytes, open);
    let closed = from(bytes, word.end)
        .iter()
        .all(|byte| matches!(byte, b'\'' | b'"' | b' ' | b'\n' | b'\r' | b';' | 0));
    let Some(weight) = vocabulary::weight(word.name()).filter(|_| closed) else {
        return;
    };
    let name = input.place.name;
    let named = !matches!(
        input.place.kind,
        Kind::Path | Kind::QueryName | Kind::FormName | Kind::CookieName | Kind::JsonKey
    ) && NAMED.iter().any(|known| {
        name.eq_ignore_ascii_case(known) || input.place.kind == Kind::Json && json_name(name, known)
    });
    if named && weight > Weight::Ordinary {
        sink.push(&rules::PARAMETER, 0..word.end);
    } else if weight == Weight::Distinct && input.level > Level::One {
        sink.push(&rules::NAMED, 0..word.end);
    }
}

/// Whether a JSON pointer ends in `/name`.
fn json_name(pointer: &[u8], name: &[u8]) -> bool {
    ends(pointer, name)
        && pointer
            .len()
            .checked_sub(name.len() + 1)
            .is_some_and(|slash| pointer.get(slash) == Some(&b'/'))
}

/// `java.io.FileReader` and nothing else; what is thrown is named in logs.
fn is_a_class_of_java(bytes: &[u8]) -> bool {
    (has(bytes, 0, b"java.") || has(bytes, 0, b"javax."))
        && bytes.len() <= 80
        && !ends(bytes, b"exception")
        && !ends(bytes, b"error")
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$'))
}

/// `O:4:"User":…` or `C:11:"…":`: where a serialised PHP object starts.
fn php_object(bytes: &[u8]) -> Option<usize> {
    let window = bytes.get(..bytes.len().min(4096))?;
    for colon in memchr::memchr_iter(b':', window).take(64) {
        let Some(i) = colon.checked_sub(1) else {
            continue;
        };
        if !matches!(at(bytes, i), b'O' | b'C') {
            continue;
        }
        let digits = from(bytes, i + 2)
            .iter()
            .take(6)
            .take_while(|byte| byte.is_ascii_digit() || **byte == b'+')
            .count();
        let k = i + 2 + digits;
        let quote = k + 1 + usize::from(at(bytes, k + 1) == b'\\');
        if digits > 0
            && at(bytes, k) == b':'
            && matches!(at(bytes, quote), b'"')
            && (at(bytes, quote + 1).is_ascii_alphabetic()
                || matches!(at(bytes, quote + 1), b'\\' | b'_'))
        {
            return Some(i);
        }
    }
    None
}

/// `@type` with a Java class: the class's start.
fn typed(input: &Input<'_>) -> Option<usize> {
    let bytes = input.bytes;
    if input.place.kind == Kind::Json {
        return (json_name(input.place.name, b"@type") && java_class(bytes, 0)).then_some(0);
    }
    let start = memchr::memmem::find(bytes, b"\"@type\"")? + 7;
    let rest = from(bytes, start);
    let value = rest.iter().take(8).position(|byte| *byte == b'"')?;
    java_class(bytes, start + value + 1).then_some(start)
}

fn java_class(bytes: &[u8], i: usize) -> bool {
    [
        &b"java."[..],
        b"javax.",
        b"com.",
        b"org.",
        b"lcom.",
        b"ljava.",
        b"[com.",
        b"[java.",
    ]
    .iter()
    .any(|root| has(bytes, i, root))
        && !from(bytes, i)
            .iter()
            .take(64)
            .take_while(|byte| **byte != b'"')
            .any(|byte| *byte == b'/')
}

/// Whether a function whose `()` stands at `i` calls itself twice: a fork bomb.
pub fn forks(bytes: &[u8], i: usize, body: &[u8]) -> bool {
    let start = bytes
        .get(..i)
        .unwrap_or_default()
        .iter()
        .rev()
        .take(16)
        .take_while(|byte| {
            !byte.is_ascii_whitespace() && !matches!(byte, b';' | b'"' | b'\'' | b'=')
        })
        .count();
    let Some(name) = bytes.get(i - start..i).filter(|name| !name.is_empty()) else {
        return false;
    };
    let Some(end) = find(body, b"}", 64) else {
        return false;
    };
    let inner = body.get(..end).unwrap_or_default();
    let twice = inner
        .windows(name.len())
        .filter(|found| *found == name)
        .count()
        >= 2;
    twice && inner.iter().any(|byte| matches!(byte, b'|' | b'&'))
}
