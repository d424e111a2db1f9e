//! JSON: keys and strings with their JSON pointers.
//!
//! A loop over tokens with a stack of open containers. Numbers, `true`, `false` and `null` hold nothing to find and
//! are not visited; any other bare word is. Tolerated, because some server tolerates it: several values in a row
//! (NDJSON), comments, single quotes, bare words as keys and values, trailing commas, control characters in strings.
//! At anything else the reading ends and the rest is visited as text.

use std::ops::ControlFlow;

use backstop_http::Kind;

use crate::cursor::Cursor;
use crate::escape::unescape_json;
use crate::graphql;
use crate::report::{Malformed, Violation};
use crate::sink::Sink;

/// Buffers of the JSON reader.
#[derive(Debug, Default)]
pub(crate) struct Json {
    /// JSON pointer (RFC 6901) of the value at hand.
    pointer: Vec<u8>,
    open: Vec<Container>,
    text: Vec<u8>,
    graphql: Vec<u8>,
}

/// An open array or object.
#[derive(Clone, Copy, Debug)]
struct Container {
    is_array: bool,
    /// Length of the container's own pointer.
    pointer_len: usize,
    /// Position of the current element, in an array.
    index: u32,
}

/// What may come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    /// A key, or the object's end.
    Key,
    /// A value (or the array's end).
    Value,
    /// A comma or the container's end; outside of containers, another value.
    Separator,
}

/// How a reading ended: what is broken, and from where on the text is unread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) malformed: Option<Malformed>,
    pub(crate) unread: Option<usize>,
}

impl Outcome {
    fn note(&mut self, violation: Violation, offset: usize) {
        self.malformed = self.malformed.or(Some(Malformed { violation, offset }));
    }
}

impl Json {
    /// Visits keys and strings. The caller visits the unread rest.
    pub(crate) fn walk(
        &mut self,
        body: &[u8],
        max_depth: usize,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<(), Outcome> {
        self.pointer.clear();
        self.open.clear();
        let mut cursor = Cursor::new(body);
        let mut outcome = Outcome::default();
        let mut expect = Expect::Value;
        // Containers beyond the depth that is tracked.
        let mut untracked = 0_usize;
        // Where the last value began: what follows it wrongly is read together with it.
        let mut value_at = 0;
        loop {
            cursor.take_while(is_space);
            let Some(byte) = cursor.peek() else { break };
            let at = cursor.offset();
            match byte {
                b'{' | b'[' => {
                    if expect == Expect::Key
                        || (expect == Expect::Separator && self.in_container(untracked))
                    {
                        outcome.note(Violation::Syntax, at);
                        outcome.unread = Some(if expect == Expect::Key { at } else { value_at });
                        break;
                    }
                    cursor.skip(1);
                    value_at = at;
                    if untracked > 0 || self.open.len() >= max_depth {
                        outcome.note(Violation::TooDeep, at);
                        untracked += 1;
                        expect = Expect::Value;
                    } else {
                        expect = self.open(byte == b'[');
                    }
                }
                b'}' | b']' => {
                    if untracked > 0 {
                        untracked -= 1;
                    } else if !self.close(byte == b']') {
                        outcome.note(Violation::Syntax, at);
                        outcome.unread = Some(at);
                        break;
                    }
                    cursor.skip(1);
                    expect = Expect::Separator;
                }
                b',' => {
                    if expect != Expect::Separator || !self.in_container(untracked) {
                        outcome.note(Violation::Syntax, at);
                    }
                    cursor.skip(1);
                    expect = if untracked > 0 {
                        Expect::Value
                    } else {
                        self.next()
                    };
                }
                b'/' if matches!(cursor.rest(), [_, b'/' | b'*', ..]) => {
                    outcome.note(Violation::NonStandard, at);
                    let line = matches!(cursor.rest(), [_, b'/', ..]);
                    cursor.skip(2);
                    let (comment, _) = cursor.take_until(if line { b"\n" } else { b"*/" });
                    sink.put(Kind::TextBody, b"", comment)?;
                }
                b'"' | b'\'' => {
                    let in_container = self.in_container(untracked);
                    if expect == Expect::Separator && (in_container || byte == b'\'') {
                        outcome.note(Violation::Syntax, at);
                        outcome.unread = Some(value_at);
                        break;
                    }
                    if byte == b'\'' {
                        outcome.note(Violation::NonStandard, at);
                    }
                    cursor.skip(1);
                    let string = take_string(&mut cursor, byte);
                    if !string.closed {
                        outcome.note(Violation::UnexpectedEnd, body.len());
                    }
                    let text = if string.escaped {
                        unescape_json(string.raw, &mut self.text);
                        self.text.as_slice()
                    } else {
                        string.raw
                    };
                    if (expect == Expect::Key || untracked > 0) && takes_colon(&mut cursor) {
                        let parent = self
                            .open
                            .last()
                            .map_or(0, |container| container.pointer_len);
                        if untracked == 0 {
                            self.pointer.truncate(parent);
                        }
                        sink.put(Kind::JsonKey, &self.pointer, text)?;
                        if untracked == 0 {
                            push_token(&mut self.pointer, text);
                        }
                        expect = Expect::Value;
                    } else {
                        if expect == Expect::Key {
                            outcome.note(Violation::Syntax, at);
                        }
                        value_at = at;
                        visit_string(&self.pointer, text, &mut self.graphql, sink)?;
                        expect = Expect::Separator;
                    }
                }
                _ => {
                    let word = cursor.take_while(is_word);
                    let standard = is_standard(word);
                    let in_container = self.in_container(untracked);
                    let misplaced = expect == Expect::Separator && in_container;
                    if word.is_empty() || misplaced || (!standard && !in_container) {
                        outcome.note(Violation::Syntax, at);
                        outcome.unread = Some(if expect == Expect::Separator {
                            value_at
                        } else {
                            at
                        });
                        break;
                    }
                    if (expect == Expect::Key || untracked > 0) && takes_colon(&mut cursor) {
                        outcome.note(Violation::NonStandard, at);
                        let parent = self
                            .open
                            .last()
                            .map_or(0, |container| container.pointer_len);
                        if untracked == 0 {
                            self.pointer.truncate(parent);
                        }
                        sink.put(Kind::JsonKey, &self.pointer, word)?;
                        if untracked == 0 {
                            push_token(&mut self.pointer, word);
                        }
                        expect = Expect::Value;
                        continue;
                    }
                    if expect == Expect::Key {
                        outcome.note(Violation::Syntax, at);
                        outcome.unread = Some(at);
                        break;
                    }
                    value_at = at;
                    if !standard {
                        outcome.note(Violation::NonStandard, at);
                        sink.put(Kind::Json, &self.pointer, word)?;
                    }
                    expect = Expect::Separator;
                }
            }
        }
        if outcome.unread.is_none() && self.in_container(untracked) {
            outcome.note(Violation::UnexpectedEnd, body.len());
        }
        ControlFlow::Continue(outcome)
    }

    fn in_container(&self, untracked: usize) -> bool {
        untracked > 0 || !self.open.is_empty()
    }

    fn open(&mut self, is_array: bool) -> Expect {
        self.open.push(Container {
            is_array,
            pointer_len: self.pointer.len(),
            index: 0,
        });
        if is_array {
            self.pointer.extend_from_slice(b"/0");
            Expect::Value
        } else {
            Expect::Key
        }
    }

    /// `false` when no container, or one of the other kind, is open.
    fn close(&mut self, is_array: bool) -> bool {
        match self.open.pop() {
            Some(container) if container.is_array == is_array => {
                self.pointer.truncate(container.pointer_len);
                true
            }
            _ => false,
        }
    }

    /// After a comma.
    fn next(&mut self) -> Expect {
        let Some(container) = self.open.last_mut() else {
            return Expect::Value;
        };
        self.pointer.truncate(container.pointer_len);
        if !container.is_array {
            return Expect::Key;
        }
        container.index = container.index.saturating_add(1);
        push_index(&mut self.pointer, container.index);
        Expect::Value
    }
}

/// A string as spelled, without its quotes.
struct RawString<'a> {
    raw: &'a [u8],
    escaped: bool,
    closed: bool,
}

/// Takes a string whose opening quote has been taken.
fn take_string<'a>(cursor: &mut Cursor<'a>, quote: u8) -> RawString<'a> {
    let rest = cursor.rest();
    let mut escaped = false;
    let mut end = 0;
    while let Some(tail) = rest.get(end..) {
        let Some(at) = tail
            .iter()
            .position(|byte| *byte == quote || *byte == b'\\')
        else {
            break;
        };
        end += at;
        if tail.get(at) == Some(&quote) {
            let raw = cursor.take(end);
            cursor.skip(1);
            return RawString {
                raw,
                escaped,
                closed: true,
            };
        }
        escaped = true;
        end += 2;
    }
    RawString {
        raw: cursor.take(usize::MAX),
        escaped,
        closed: false,
    }
}

/// Skips space and a colon, if a colon is next.
fn takes_colon(cursor: &mut Cursor<'_>) -> bool {
    cursor.take_while(is_space);
    cursor.skip_if(b":")
}

fn visit_string(
    pointer: &[u8],
    text: &[u8],
    scratch: &mut Vec<u8>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    if pointer.ends_with(b"/query")
        && graphql::looks_like_document(text)
        && graphql::walk(text, scratch, sink)?
    {
        return ControlFlow::Continue(());
    }
    sink.put(Kind::Json, pointer, text)
}

/// Space of JSON, and the record separator of JSON text sequences (RFC 7464).
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x1e)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'.' | b'+' | b'-') || byte >= 0x80
}

/// A number or a literal of JSON. Numbers by their characters only: nothing can be hidden in those.
fn is_standard(word: &[u8]) -> bool {
    match word {
        b"true" | b"false" | b"null" => true,
        [b'-' | b'0'..=b'9', ..] => {
            word.iter()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'))
                && !word.windows(2).any(|pair| pair == b"--")
        }
        _ => false,
    }
}

/// Appends `/token` with `~` and `/` escaped.
fn push_token(pointer: &mut Vec<u8>, token: &[u8]) {
    pointer.push(b'/');
    if !token.iter().any(|byte| matches!(byte, b'~' | b'/')) {
        pointer.extend_from_slice(token);
        return;
    }
    for byte in token {
        match byte {
            b'~' => pointer.extend_from_slice(b"~0"),
            b'/' => pointer.extend_from_slice(b"~1"),
            byte => pointer.push(*byte),
        }
    }
}

fn push_index(pointer: &mut Vec<u8>, index: u32) {
    pointer.push(b'/');
    let start = pointer.len();
    let mut rest = index;
    loop {
        pointer.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if let Some(digits) = pointer.get_mut(start..) {
        digits.reverse();
    }
}
