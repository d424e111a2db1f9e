//! HEADER_INJECTION: a line break, and what stands on the line behind it.
//!
//! Where a value belongs on one line (path, query, cookie, header) every line is looked at. In texts (form fields, JSON
//! strings, XML texts) line breaks are honest: there only a first line that is one word, followed directly by a response header,
//! is taken for a value that somebody appended lines to.

pub mod anchors;
mod place;
pub mod rules;

use backstop_http::Kind;
use backstop_http::scan::{find, find_either};

use crate::{Hits, Input, Rule};

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    features != 0
}

/// The longest first line that is taken for a one-word value in a text.
const MAX_WORD: usize = 512;
/// The most line breaks that are looked at in one value.
const MAX_BREAKS: usize = 256;
/// How far behind a line break its request line is looked for.
const MAX_LINE: usize = 2048;

/// Parses the value and records what it is.
pub fn detect(input: &Input<'_>, hits: &mut Hits) {
    let bytes = input.bytes;
    if place::is_document(input.place.kind) {
        return;
    }
    let one_line = place::is_one_line(&input.place);
    if one_line && matches!(input.place.kind, Kind::Path | Kind::QueryName) {
        let inner = bytes.trim_ascii_end();
        let inside = find_either(b'\r', b'\n', inner);
        if let Some(at) = inside.or_else(|| find(b'\r', bytes)) {
            hits.push(&rules::NEWLINE, at..bytes.len());
        }
    } else if one_line
        && bytes.contains(&b'\r')
        && bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
    {
        hits.push(&rules::BLANK, 0..bytes.len());
    }
    if let Some(at) = cookie_behind_another_end(bytes, one_line) {
        hits.push(&rules::SET_COOKIE, at..bytes.len());
    }
    let mut breaks = Breaks { bytes, at: 0 };
    for (index, line) in breaks.by_ref().take(MAX_BREAKS).enumerate() {
        if let Some(rule) = nested(&line) {
            hits.push(rule, line.at..bytes.len());
        }
        let first_word = index == 0 && is_word(line.before);
        if !one_line && index == 0 && ends_a_request_line(&line) {
            hits.push(&rules::SMUGGLE, line.at..bytes.len());
        }
        if !one_line && !first_word {
            continue;
        }
        if let Some(rule) = judge(&line, one_line, first_word)
            && (one_line || !is_a_component(bytes))
        {
            hits.push(rule, line.at..bytes.len());
        }
    }
}

/// A run of CR and LF, and what is around it.
struct Break<'a> {
    at: usize,
    before: &'a [u8],
    run: &'a [u8],
    after: &'a [u8],
}

struct Breaks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Breaks<'a> {
    type Item = Break<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..)?;
        let at = self.at + find_either(b'\r', b'\n', rest)?;
        let (before, tail) = self.bytes.split_at_checked(at)?;
        let length = tail
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n' | b' ' | b'\t'))
            .count();
        let (run, after) = tail.split_at_checked(length)?;
        self.at = at + length;
        Some(Break {
            at,
            before,
            run,
            after,
        })
    }
}

/// One word on one line: an identifier, a URL, an address. A blank or two behind it are of the attack's making.
fn is_word(before: &[u8]) -> bool {
    let before = before.strip_suffix(b" ").unwrap_or(before);
    before.len() <= MAX_WORD
        && !before
            .iter()
            .any(|byte| byte.is_ascii_whitespace() || matches!(byte, b'{' | b'}' | b';'))
        && before.last() != Some(&b':')
}

/// Whether the value is a card or a calendar (RFC 6350, RFC 5545): its lines are fields, as those of a header are. None of them
/// sets a cookie or answers a request.
#[inline(never)]
fn is_a_component(bytes: &[u8]) -> bool {
    const ENDS: [(&[u8], &[u8]); 2] = [
        (b"BEGIN:VCARD", b"END:VCARD"),
        (b"BEGIN:VCALENDAR", b"END:VCALENDAR"),
    ];
    const FOREIGN: [&[u8]; 6] = [
        b"Content-",
        b"HTTP/",
        b"Host:",
        b"Location: http",
        b"Set-Cookie",
        b"Transfer-",
    ];
    let value = bytes.trim_ascii();
    ENDS.iter()
        .any(|(start, end)| value.starts_with(start) && value.ends_with(end))
        && !value
            .split(|byte| matches!(byte, b'\r' | b'\n'))
            .any(|line| {
                let line = line.trim_ascii_start();
                FOREIGN.iter().any(|name| starts_with(line, name)) || is_request_line(line)
            })
}

/// `%0` CR LF `d`: the break sits in an escape for a break.
fn nested(line: &Break<'_>) -> Option<&'static Rule> {
    let is_end = |byte: Option<&u8>| matches!(byte, Some(b'a' | b'A' | b'd' | b'D'));
    let split_digits = line.before.ends_with(b"%0") && is_end(line.after.first());
    let split_sign = line.before.ends_with(b"%")
        && line.after.first() == Some(&b'0')
        && is_end(line.after.get(1));
    (split_digits || split_sign).then_some(&rules::NESTED)
}

fn judge(line: &Break<'_>, one_line: bool, first_word: bool) -> Option<&'static Rule> {
    if is_status_line(line.after) {
        return Some(&rules::SPLIT);
    }
    if is_request_line(line.after) {
        return Some(&rules::SMUGGLE);
    }
    let broken = line.run.contains(&b'\r');
    if one_line && first_word_of_request(line.before) {
        return Some(&rules::SMUGGLE);
    }
    if (one_line || first_word)
        && (broken && is_protocol_command(line.after) || is_envelope(line.after))
        || broken && (one_line || line.before.is_empty()) && is_mail_command(line.after)
    {
        return Some(&rules::MAIL);
    }
    let blank = line.run.iter().filter(|byte| **byte == b'\n').count() > 1;
    if one_line && first_word && blank && line.run.contains(&b'\r') && is_markup(line.after) {
        return Some(&rules::SPLIT);
    }
    let (name, value) = field(line.after)?;
    let name = name.to_ascii_lowercase();
    if name == b"set-cookie" {
        return Some(&rules::SET_COOKIE);
    }
    if matches!(name.as_slice(), b"bcc" | b"cc" | b"to" | b"reply-to") {
        return (first_word
            && (line.before.contains(&b'@') || name == b"bcc" || name == b"reply-to")
            && value.contains(&b'@'))
        .then_some(&rules::MAIL);
    }
    if name == b"subject" && first_word && line.before.contains(&b'@') {
        return Some(&rules::MAIL);
    }
    // A note of several lines has labels, too: a plain word is a header's name where one line is all that belongs there.
    let injected = is_header(&name, value)
        || one_line
            && first_word
            // A CR by itself ends no line of an honest text.
            && (is_made_up(&name)
                || broken && !line.run.contains(&b'\n')
                || (broken || line.before.is_empty()) && is_short(&name, line.before));
    if !injected && first_word && broken {
        return Some(&rules::ANY_FIELD);
    }
    injected.then(
        || match (line.run.contains(&b'\r'), line.run.contains(&b'\n')) {
            (true, false) => &rules::CR_ONLY,
            (false, _) => &rules::LF_ONLY,
            (true, true) => &rules::CRLF,
        },
    )
}

/// `HTTP/1.1 200`: RFC 9112 section 4.
fn is_status_line(line: &[u8]) -> bool {
    let Some((protocol, rest)) = line.split_at_checked(5) else {
        return false;
    };
    protocol.eq_ignore_ascii_case(b"http/")
        && rest.first().is_some_and(u8::is_ascii_digit)
        && rest
            .iter()
            .take(8)
            .skip_while(|byte| byte.is_ascii_digit() || **byte == b'.')
            .skip_while(|byte| byte.is_ascii_whitespace())
            .any(u8::is_ascii_digit)
}

/// `GET /x HTTP/1.1`: RFC 9112 section 3.
fn is_request_line(line: &[u8]) -> bool {
    const METHODS: [&[u8]; 9] = [
        b"GET ",
        b"POST ",
        b"PUT ",
        b"HEAD ",
        b"DELETE ",
        b"PATCH ",
        b"OPTIONS ",
        b"TRACE ",
        b"CONNECT ",
    ];
    METHODS.iter().any(|method| line.starts_with(method))
        && line
            .get(..line.len().min(MAX_LINE))
            .unwrap_or_default()
            .split(|byte| matches!(byte, b'\r' | b'\n'))
            .next()
            .is_some_and(|line| line.windows(6).any(|window| window == b" HTTP/"))
}

/// ` HTTP/1.1` before the break: the value ends the request line itself.
fn first_word_of_request(before: &[u8]) -> bool {
    let tail = before
        .len()
        .checked_sub(9)
        .and_then(|start| before.get(start..));
    matches!(tail, Some([b' ', version @ ..]) if version.starts_with(b"HTTP/1."))
}

/// A command of the protocols that break lines as HTTP does: SMTP (RFC 5321), Redis.
fn is_protocol_command(line: &[u8]) -> bool {
    const COMMANDS: [&[u8]; 6] = [
        b"EHLO ",
        b"HELO ",
        b"FLUSHALL",
        b"CONFIG SET ",
        b"SLAVEOF ",
        b"REPLICAOF ",
    ];
    COMMANDS.iter().any(|command| starts_with(line, command))
}

/// Whom a mail is from and for, in SMTP.
fn is_envelope(line: &[u8]) -> bool {
    starts_with(line, b"RCPT TO:") || starts_with(line, b"MAIL FROM:")
}

/// A command that is all of its line (SMTP's, RFC 5321; IMAP's, RFC 9051, behind its tag), in capitals as clients write them.
fn is_mail_command(line: &[u8]) -> bool {
    const ALONE: [&[u8]; 4] = [b"DATA", b"NOOP", b"QUIT", b"RSET"];
    const TAGGED: [&[u8]; 15] = [
        b"APPEND",
        b"AUTHENTICATE",
        b"CAPABILITY",
        b"COPY",
        b"CREATE",
        b"EXAMINE",
        b"EXPUNGE",
        b"FETCH",
        b"LOGIN",
        b"LOGOUT",
        b"NOOP",
        b"RENAME",
        b"SEARCH",
        b"SELECT",
        b"STORE",
    ];
    let end = line
        .iter()
        .take(80)
        .position(|byte| matches!(byte, b'\r' | b'\n'));
    let line = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
    if ALONE.contains(&line) {
        return true;
    }
    let mut words = line.split(|byte| *byte == b' ');
    let (tag, command) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let letters = tag
        .iter()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let digits = tag.get(letters..).unwrap_or_default();
    (1..=2).contains(&letters)
        && (1..=6).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && TAGGED.contains(&command)
}

fn starts_with(line: &[u8], command: &[u8]) -> bool {
    line.get(..command.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(command))
}

/// ` HTTP/1.1` and a field behind it in a text, though the first line is no request line: it was to become the end of one.
fn ends_a_request_line(line: &Break<'_>) -> bool {
    line.before.len() <= MAX_WORD
        && first_word_of_request(line.before)
        && !is_request_line(line.before)
        && line.before.iter().filter(|byte| **byte == b' ').count() == 1
        && field(line.after).is_some_and(|(name, value)| {
            is_header(&name.to_ascii_lowercase(), value) || name.eq_ignore_ascii_case(b"host")
        })
}

/// `Set-Cookie:` behind a sign at which some servers end a line: NUL, the vertical tab and the form feed, NEL, the separators of
/// Unicode (UAX 14). On one line also a whole cookie glued to what stands before it: the break was lost on the way.
fn cookie_behind_another_end(bytes: &[u8], one_line: bool) -> Option<usize> {
    const ENDS: [&[u8]; 6] = [
        b"\0",
        b"\x0b",
        b"\x0c",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xa9",
    ];
    memchr::memchr_iter(b':', bytes)
        .take(MAX_BREAKS)
        .find_map(|colon| {
            let (before, after) = bytes.split_at_checked(colon)?;
            let start = before.len().checked_sub(b"set-cookie".len())?;
            let (before, name) = before.split_at_checked(start)?;
            if !name.eq_ignore_ascii_case(b"set-cookie") {
                return None;
            }
            let end = ENDS.iter().find(|end| before.ends_with(end));
            let glued = one_line && before.last().is_some_and(u8::is_ascii_graphic);
            match end {
                Some(end) => Some(start - end.len()),
                None => (glued && is_cookie(after.get(1..)?)).then_some(start),
            }
        })
}

/// `name=value`, and nothing before the name.
fn is_cookie(after: &[u8]) -> bool {
    let name = after
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        .count();
    name > 0
        && after.get(name) == Some(&b'=')
        && after.get(name + 1).is_some_and(u8::is_ascii_graphic)
}

/// A tag opens: `<script`, `<!DOCTYPE`.
fn is_markup(after: &[u8]) -> bool {
    matches!(after, [b'<', b'!' | b'a'..=b'z' | b'A'..=b'Z', ..])
}

/// The name and value of the header field at the start of `line`. White space and CRs before the colon are let pass, as
/// lenient parsers do.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = line
        .iter()
        .take(64)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        .count();
    let (name, rest) = line.split_at_checked(length)?;
    if !name.first()?.is_ascii_alphabetic() {
        return None;
    }
    let gap = rest
        .iter()
        .take(8)
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
        .count();
    let value = rest.get(gap..)?.strip_prefix(b":")?;
    Some((name, value))
}

/// A name that nobody knows, behind one word: a compound, or what testers call it.
fn is_made_up(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 8] = [
        b"crlf",
        b"evil",
        b"foo",
        b"hacked",
        b"header",
        b"injected",
        b"injection",
        b"test",
    ];
    let compound = name
        .split(|byte| *byte == b'-')
        .all(|part| part.len() > 2 && part.iter().all(u8::is_ascii_alphabetic));
    NAMES.contains(&name) || compound && name.contains(&b'-')
}

/// Names of header fields that are plain words (RFC 9110, RFC 9111, RFC 8288). A note has the same for its labels (`Date:`),
/// so the line before has to be what a redirect or a language is: an address, a path, a few letters.
fn is_short(name: &[u8], before: &[u8]) -> bool {
    const NAMES: [&[u8]; 11] = [
        b"age", b"allow", b"date", b"expires", b"host", b"link", b"origin", b"server", b"status",
        b"te", b"via",
    ];
    NAMES.contains(&name)
        && (before.len() <= 4 && before.is_ascii()
            || before
                .iter()
                .any(|byte| matches!(byte, b'/' | b'.' | b'=' | b'%')))
}

/// Whether a field is one that an attacker injects: names that prose does not use as a label. `Location` is also what a
/// calendar entry says, so its value has to be a URL.
fn is_header(name: &[u8], value: &[u8]) -> bool {
    const PREFIXES: [&[u8]; 14] = [
        b"access-control-",
        b"accept-",
        b"cache-control",
        b"content-",
        b"if-",
        b"last-modified",
        b"proxy-",
        b"remote-",
        b"sec-",
        b"strict-transport-",
        b"transfer-encoding",
        b"user-agent",
        b"www-authenticate",
        b"x-",
    ];
    const NAMES: [&[u8]; 15] = [
        b"authorization",
        b"connection",
        b"etag",
        b"keep-alive",
        b"p3p",
        b"referer",
        b"upgrade",
        b"vary",
        b"contentlength",
        b"contenttype",
        b"cookie",
        b"mime-version",
        b"pragma",
        b"refresh",
        b"set-cookie2",
    ];
    if name == b"location" {
        let value = value.trim_ascii_start();
        return value.first() == Some(&b'/')
            || value
                .iter()
                .take(16)
                .take_while(|byte| !byte.is_ascii_whitespace())
                .any(|byte| *byte == b':');
    }
    if name.starts_with(b"x-ray") {
        return false;
    }
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
