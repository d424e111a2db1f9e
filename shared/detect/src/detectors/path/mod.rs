//! PATH_TRAVERSAL: dot segments in every spelling, files of the system, file schemes, probes for dot files.
//!
//! What a value *is* decides: a value that is a path, or the path of the request itself, has no business with `..` or
//! `/etc/`; a text that mentions one is a text, and counts at level 2.

/// What the prefilter looks for on this detector's behalf.
pub mod anchors;
mod class;
mod dots;
mod files;
mod probe;
pub mod rules;
mod walk;
mod wrapper;

use std::cell::Cell;
use std::mem;
use std::ops::Range;

use backstop_http::Kind;
use backstop_http::scan::find;

use super::ascii::{at, before, ends, from, has};
use super::command::text;
use crate::{Hits, Input, Level, Rule};
use files::File;
use walk::Walk;

/// Whether the prefilter's features (this category's six bits) make a closer look worth while.
pub const fn wants(features: u8) -> bool {
    features != 0
}

/// What reading a segment of dots costs, in steps of [`Work`](crate::Work).
const STEPS_OF_A_DOT: usize = 30;
/// What comparing a name with a file that proves something costs.
const STEPS_OF_A_NAME: usize = 30;

/// Parses the value and records what it is.
pub fn detect(input: &Input<'_>, hits: &mut Hits) {
    let bytes = input.bytes;
    let shape = Shape::of(input);
    let mut found = Walk::default();
    let mut slash_end = 0;
    let mut skip = 0;
    let schemes = memchr::memchr(b':', bytes).is_some();
    let mut compared = 0;
    let mut previous = 0;
    let mut left = class::BOUNDARY;
    let mut next = 0;
    while let Some(byte) = bytes.get(next).copied() {
        let i = next;
        next += 1;
        let class = class::of(byte);
        let before = mem::replace(&mut left, class);
        let after_slash = i > 0 && slash_end == i;
        let starts = before & class::BOUNDARY != 0 || after_slash;
        let follows = starts || found.end == i || previous == b'.';
        let scheme = schemes && class & class::LETTER != 0 && before & class::WORD == 0;
        let (slashes, dots) = (class & class::SLASH != 0, class & class::DOT != 0);
        // Within a word nothing starts.
        if !(slashes || dots || follows || scheme) {
            previous = byte;
            if class & class::INNER != 0 && slash_end <= i && found.end <= i {
                let inner = |byte: &&u8| class::of(**byte) & class::INNER != 0;
                next += from(bytes, next).iter().take_while(inner).count();
            }
            continue;
        }
        if slashes
            && slash_end <= i
            && let Some((length, _)) = dots::slash(bytes, i)
        {
            slash_end = i + length;
        }
        if dots && i >= skip && !hits.spend(STEPS_OF_A_DOT) {
            return;
        }
        if dots && i >= skip && (starts || attached(bytes, i, input.place.kind)) {
            match dots::segment_or_rest(bytes, i, after_slash) {
                Ok(segment) => {
                    found.add(bytes, &segment, i);
                    if segment.slash.is_some() {
                        slash_end = segment.end;
                    }
                    skip = segment.end;
                }
                Err(rest) => skip = rest,
            }
        }
        if follows
            && files::may_start(byte, at(bytes, i + 1))
            && let Some((file, end)) = files::proof(bytes, i, &mut compared)
            && (starts || after_dots(bytes, i))
        {
            let behind_dots = found.end > 0 && same_path(bytes, found.end, i);
            push_file(input, &shape, file, i..end, behind_dots, hits);
        }
        if compared > 0 {
            if !hits.spend(compared * STEPS_OF_A_NAME) {
                return;
            }
            compared = 0;
        }
        if scheme && let Some(end) = wrapper::at_word(bytes, i, previous) {
            hits.push(shape.rule(&rules::WRAPPER), i..end);
        }
        previous = byte;
    }
    found.judge(input, &shape, hits);
    absolute(input, &shape, hits);
    nul(input, hits);
    probed(input, hits);
}

/// What kind of value it is.
struct Shape<'a> {
    bytes: &'a [u8],
    /// The value is a path and nothing else: no blank, no quote or bracket inside. Once that was asked.
    path: Cell<Option<bool>>,
    /// The value is the request's own path.
    own: bool,
    /// Whether people read it, once that was asked.
    text: Cell<Option<bool>>,
}

impl<'a> Shape<'a> {
    const fn of(input: &Input<'a>) -> Self {
        Self {
            bytes: input.bytes,
            path: Cell::new(None),
            own: matches!(input.place.kind, Kind::Path),
            text: Cell::new(None),
        }
    }

    /// Whether it is a path and nothing else. Reads all of it, the first time.
    fn is_path(&self) -> bool {
        let path = self
            .path
            .get()
            .unwrap_or_else(|| self.own || self.reads_as_path());
        self.path.set(Some(path));
        path
    }

    fn reads_as_path(&self) -> bool {
        let inner = self.bytes.trim_ascii().trim_prefix_suffix(|byte| {
            matches!(
                byte,
                b'"' | b'\'' | b'[' | b']' | b'(' | b')' | 0 | b';' | b'`'
            )
        });
        !inner.is_empty()
            && !inner.iter().any(|byte| {
                byte.is_ascii_whitespace()
                    || matches!(
                        byte,
                        b'"' | b'\'' | b'<' | b'>' | b'(' | b')' | b'{' | b'}' | b'`'
                    )
            })
    }

    /// Whether it is a text that people read. Reads all of it, the first time.
    fn is_text(&self) -> bool {
        let text = self.text.get().unwrap_or_else(|| text::is_text(self.bytes));
        self.text.set(Some(text));
        text
    }

    /// `rule` as it is, or its shadow of level 2 in a text that people read.
    fn rule(&self, rule: &'static Rule) -> &'static Rule {
        if !self.is_path() && self.is_text() {
            &rules::IN_TEXT
        } else {
            rule
        }
    }
}

/// Taking bytes off both ends.
trait Trim {
    /// The bytes without those at either end that `unwanted` names.
    fn trim_prefix_suffix(&self, unwanted: fn(u8) -> bool) -> &Self;
}

impl Trim for [u8] {
    fn trim_prefix_suffix(&self, unwanted: fn(u8) -> bool) -> &[u8] {
        let start = self.iter().take_while(|byte| unwanted(**byte)).count();
        let rest = from(self, start);
        let end = rest
            .iter()
            .rev()
            .take_while(|byte| unwanted(**byte))
            .count();
        rest.get(..rest.len() - end).unwrap_or_default()
    }
}

/// `name../`: dots glued to a name, which an alias without its slash resolves, in the request's path; or `%` and `*` before them.
fn attached(bytes: &[u8], i: usize, kind: Kind) -> bool {
    if at(bytes, i) != b'.' || before(bytes, i) == b'.' {
        return false;
    }
    let previous = before(bytes, i);
    match previous {
        b'%' | b'*' | b'-' | b'_' | b'^' | b'~' | b'$' => true,
        _ if !previous.is_ascii() && !ends_a_syllable(bytes, i) => true,
        _ if !previous.is_ascii() || previous.is_ascii_alphanumeric() => {
            // A second dot segment behind it makes a traversal of it anywhere.
            let second = dots::segment(bytes, i, false);
            second.is_some_and(|segment| {
                segment.dots == 2
                    && (kind == Kind::Path && !ends_a_syllable(bytes, i)
                        || dots::segment(bytes, segment.end, true).is_some())
            })
        }
        _ => false,
    }
}

/// Whether a letter of an East Asian script ends at `i`, perhaps still percent-encoded: whoever writes them trails off with two
/// dots (`좋아요../`).
fn ends_a_syllable(bytes: &[u8], i: usize) -> bool {
    let left = bytes.get(..i).unwrap_or_default();
    match left {
        [.., 0xe3..=0xed, 0x80..=0xbf, 0x80..=0xbf] => !ends(left, "\u{3002}".as_bytes()),
        [.., b'%', b'E' | b'e', _, b'%', high, _, b'%', low, _] => {
            let continues = |digit: &u8| matches!(digit, b'8' | b'9' | b'a' | b'b' | b'A' | b'B');
            continues(high) && continues(low) && !ends(left, b"%e3%80%82")
        }
        _ => false,
    }
}

/// Whether what stands from `end` to `i` can be a part of one path: a page that links to `../index` may name a file elsewhere.
fn same_path(bytes: &[u8], end: usize, i: usize) -> bool {
    const WINDOW: usize = 256;
    let between = bytes.get(end..i).unwrap_or_default();
    between.len() <= WINDOW
        && !between
            .iter()
            .any(|byte| matches!(byte, b' ' | b'\n' | b'<' | b'>' | b'"' | b'`'))
}

/// Whether three dots or more stand right before `i`, as in `/........etc/passwd`.
fn after_dots(bytes: &[u8], i: usize) -> bool {
    bytes.get(..i).is_some_and(|left| ends(left, b"..")) || !before(bytes, i).is_ascii()
}

/// Whether a value of this kind stands in a document of many, as a build's or a page's references do.
const fn in_a_document(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Json | Kind::XmlText | Kind::XmlAttribute | Kind::Multipart
    )
}

/// A file that is proof: in a path always, in a text when it is one that only attacks name.
fn push_file(
    input: &Input<'_>,
    shape: &Shape<'_>,
    file: File,
    span: Range<usize>,
    behind_dots: bool,
    hits: &mut Hits,
) {
    let bytes = input.bytes;
    let name = bytes.get(span.clone()).unwrap_or_default();
    let absolute = dots::slash(bytes, span.start.saturating_sub(1)).is_some();
    let (rule, anywhere) = match file {
        File::Unix => (
            &rules::UNIX_FILE,
            !ends(name, b"hosts") && !ends(name, b"issue") && !ends(name, b"group"),
        ),
        File::Windows => (
            &rules::WINDOWS_FILE,
            !has(name, 0, b"desktop") && !has(name, 0, b"system.ini"),
        ),
        File::Java => (&rules::JAVA_FILE, false),
        File::Credentials => (&rules::CREDENTIALS, false),
        File::Settings => (&rules::SETTINGS, false),
    };
    let kind = input.place.kind;
    let names_a_file = match file {
        // A repository's API names such files all day; an attack asks for them by a path or in a parameter.
        File::Settings => {
            kind == Kind::Path
                || behind_dots
                || absolute && !matches!(kind, Kind::Header | Kind::JsonKey)
                || matches!(kind, Kind::Query | Kind::Form) && at(name, 0) == b'.'
        }
        File::Unix => absolute || behind_dots || span.start == 0 || anywhere,
        // A manifest's mount, a commit's list of files.
        File::Credentials => behind_dots || kind != Kind::Json || pointer_levels(input) < DEEP,
        File::Windows | File::Java => true,
    };
    if !names_a_file {
        hits.push(&rules::IN_TEXT, span);
    } else if shape.is_path() || behind_dots || anywhere && !shape.is_text() {
        hits.push(rule, span);
    } else {
        hits.push(&rules::IN_TEXT, span);
    }
}

/// Levels of JSON from which on names of files are data of machines about machines.
const DEEP: usize = 4;

/// How deep in its document a JSON value is.
fn pointer_levels(input: &Input<'_>) -> usize {
    input
        .place
        .name
        .iter()
        .filter(|byte| **byte == b'/')
        .count()
}

/// A value that is an absolute path into the system, or onto a drive.
fn absolute(input: &Input<'_>, shape: &Shape<'_>, hits: &mut Hits) {
    let bytes = input.bytes;
    let open = bytes
        .iter()
        .take(4)
        .take_while(|byte| matches!(byte, b'"' | b'\'' | b' ' | b'>' | b'<'))
        .count();
    let kind = input.place.kind;
    if matches!(
        kind,
        Kind::Path | Kind::Header | Kind::CookieName | Kind::TextBody | Kind::RawBody
    ) {
        return;
    }
    let drive = at(bytes, open).is_ascii_alphabetic()
        && at(bytes, open + 1) == b':'
        && matches!(at(bytes, open + 2), b'\\' | b'/')
        && (at(bytes, open + 3) != b'/' || at(bytes, open + 4).is_ascii_alphanumeric());
    if drive {
        let rest = from(bytes, open + 3);
        let own =
            has(rest, 0, b"fakepath") || has(rest, 0, b"users") || kind == Kind::MultipartFilename;
        let own = own || files::asset(bytes);
        if !own && !bytes.contains(&b'\n') && rest.first().is_some_and(u8::is_ascii_alphanumeric) {
            hits.push(&rules::DRIVE, open..open + 3);
        }
        return;
    }
    if dots::slash(bytes, open).is_none() {
        return;
    }
    let line = !bytes.contains(&b'\n') && shape.is_path()
        || at(bytes, open) == b'/'
            && bytes.iter().filter(|byte| **byte == b' ').count() <= 2
            && bytes.len() < 200;
    if !line {
        return;
    }
    // Deep inside a document a path is data about files (a log search, a scan's report), at its top it is a parameter.
    let nested = kind == Kind::Json && pointer_levels(input) > 1;
    // What a dashboard is shown for (Grafana's `var-mountpoint`): its values are labels of what is watched.
    let label = kind == Kind::Query && input.place.name.starts_with(b"var-");
    let rule = if nested || label {
        &rules::IN_TEXT
    } else {
        &rules::SYSTEM_FOLDER
    };
    if let Some(end) = files::root(bytes, open) {
        hits.push(rule, open..end);
    } else {
        let path = bytes
            .trim_ascii()
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default();
        let folders = path
            .iter()
            .filter(|byte| matches!(byte, b'/' | b'\\'))
            .count();
        if folders >= 2 && files::log_or_configuration(path) {
            hits.push(rule, open..bytes.len());
        }
    }
}

/// A NUL that cuts a name short.
fn nul(input: &Input<'_>, hits: &mut Hits) {
    let bytes = input.bytes;
    if bytes.len() > 512
        || matches!(
            input.place.kind,
            Kind::Multipart | Kind::RawBody | Kind::TextBody | Kind::Header
        )
    {
        return;
    }
    let Some(cut) = find(0, bytes) else {
        return;
    };
    let printable = bytes
        .iter()
        .all(|byte| *byte == 0 || (0x20..0x7f).contains(byte));
    let (left, right) = (bytes.get(..cut).unwrap_or_default(), from(bytes, cut + 1));
    let named = left.iter().any(|byte| matches!(byte, b'/' | b'\\' | b'.'));
    let right = right.trim_prefix_suffix(|byte| byte == 0);
    let extension = at(right, 0) == b'.' && at(right, 1).is_ascii_alphanumeric();
    if printable && !left.is_empty() && (extension || named && right.is_empty()) {
        hits.push(&rules::NUL, cut..cut + 1);
    }
}

/// A request for what scanners ask for, a copy that an editor or an administrator left, another machine's share.
fn probed(input: &Input<'_>, hits: &mut Hits) {
    const COPIES: &[&[u8]] = &[
        b".bak", b".old", b".swp", b".orig", b".save", b".sql", b".sql.gz", b".zip", b".tar.gz",
    ];
    let bytes = input.bytes;
    let whole = 0..bytes.len();
    if probe::share(bytes) && !matches!(input.place.kind, Kind::Header | Kind::TextBody) {
        hits.push(&rules::SHARE, whole.clone());
    }
    if let Some(start) = probe::data_stream(bytes) {
        hits.push(&rules::SOURCE_COPY, start..bytes.len());
    }
    if !matches!(input.place.kind, Kind::Path | Kind::Query) {
        return;
    }
    if let Some(start) = probe::script_copy(bytes) {
        hits.push(&rules::SOURCE_COPY, start..bytes.len());
    }
    if input.place.kind == Kind::Path && probe::asks_for_a_file(bytes) {
        hits.push(&rules::SETTINGS, whole.clone());
    }
    if input.level > Level::One && COPIES.iter().any(|suffix| ends(bytes, suffix)) {
        hits.push(&rules::BACKUP, whole);
    }
}

#[cfg(test)]
mod tests;
