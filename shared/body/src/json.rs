//! JSON: keys and strings with their JSON pointers.
//!
//! A loop over tokens with a stack of open containers. Numbers, `true`, `false` and `null` hold nothing to find and
//! are not visited; any other bare word is. Tolerated, because some server tolerates it: several values in a row
//! (NDJSON), comments, single quotes, bare words as keys and values, trailing commas, control characters in strings.
//! At anything else the reading ends and the rest is visited as text.

mod pointer;
mod token;

use std::ops::ControlFlow;

use backstop_http::Kind;

use self::pointer::{next_index, push_plain, push_token};
pub use self::token::MAX_PLAIN_NAME;
use self::token::{
    is_space, is_standard, is_word, plain_key, plain_length, plain_string, skip_space, take_string,
    takes_colon,
};
use crate::cursor::Cursor;
use crate::escape::unescape_json;
use crate::graphql;
use crate::nested::opens;
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

/// Bytes of a pointer that most documents do with.
const POINTER: usize = 64;

/// An open array or object.
#[derive(Clone, Copy, Debug)]
struct Container {
    is_array: bool,
    /// Length of the container's own pointer.
    pointer_len: usize,
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
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    pub(crate) fn walk(
        &mut self,
        body: &[u8],
        max_depth: usize,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<(), Outcome> {
        self.pointer.clear();
        self.pointer.reserve(POINTER);
        self.open.clear();
        let mut reading = Reading {
            buffers: self,
            cursor: Cursor::new(body),
            sink,
            max_depth,
            pending: None,
            untracked: 0,
            expect: Expect::Value,
            value_at: 0,
            outcome: Outcome::default(),
        };
        while reading.outcome.unread.is_none() {
            let Some(byte) = reading.cursor.peek() else {
                break;
            };
            match byte {
                b'"' => reading.quoted()?,
                b',' => reading.comma(),
                b'{' | b'[' => reading.open(byte == b'['),
                b'}' | b']' => reading.close(byte == b']'),
                byte if is_space(byte) => {
                    reading.cursor.take_while(is_space);
                }
                b'\'' => reading.string(b'\'')?,
                b'/' if matches!(reading.cursor.rest(), [_, b'/' | b'*', ..]) => {
                    reading.comment()?
                }
                _ if reading.plain() => {}
                _ => reading.word()?,
            }
        }
        if reading.outcome.unread.is_none() && reading.in_container() {
            reading.outcome.note(Violation::UnexpectedEnd, body.len());
        }
        ControlFlow::Continue(reading.outcome)
    }
}

/// The state of one reading.
struct Reading<'a, 's, 'v> {
    buffers: &'s mut Json,
    cursor: Cursor<'a>,
    sink: &'s mut Sink<'v>,
    max_depth: usize,
    /// The plain key of the value at hand, as long as the pointer lacks it: most values are passed without a place.
    pending: Option<&'a [u8]>,
    /// Containers open beyond the depth that is tracked: of these, neither kind nor place is known.
    untracked: usize,
    expect: Expect,
    /// Where the last value began: what follows it wrongly is left unread together with it.
    value_at: usize,
    outcome: Outcome,
}

impl<'a> Reading<'a, '_, '_> {
    #[inline]
    fn in_container(&self) -> bool {
        self.untracked > 0 || !self.buffers.open.is_empty()
    }

    /// Whether a comma or the container's end is due.
    #[inline]
    fn separator_is_due(&self) -> bool {
        self.expect == Expect::Separator && self.in_container()
    }

    /// Makes the pointer that of the value at hand.
    #[inline]
    fn locate(&mut self) {
        let Some(key) = self.pending.take() else {
            return;
        };
        let object = self.buffers.open.last().map_or(0, |it| it.pointer_len);
        self.buffers.pointer.truncate(object);
        push_plain(&mut self.buffers.pointer, key);
    }

    fn note(&mut self, violation: Violation) {
        self.outcome.note(violation, self.cursor.offset());
    }

    /// Ends the reading before what is next; after a value, before that value.
    fn give_up(&mut self) {
        self.note(Violation::Syntax);
        let here = self.cursor.offset();
        self.outcome.unread = Some(if self.expect == Expect::Separator {
            self.value_at
        } else {
            here
        });
    }

    fn open(&mut self, is_array: bool) {
        if self.expect == Expect::Key || self.separator_is_due() {
            return self.give_up();
        }
        self.locate();
        self.value_at = self.cursor.offset();
        self.expect = Expect::Value;
        if self.untracked > 0 || self.buffers.open.len() >= self.max_depth {
            self.note(Violation::TooDeep);
            self.untracked += 1;
        } else {
            let pointer_len = self.buffers.pointer.len();
            self.buffers.open.push(Container {
                is_array,
                pointer_len,
            });
            if is_array {
                self.buffers.pointer.extend_from_slice(b"/0");
            } else {
                self.expect = Expect::Key;
            }
        }
        self.cursor.skip(1);
    }

    fn close(&mut self, is_array: bool) {
        self.pending = None;
        if self.untracked > 0 {
            self.untracked -= 1;
        } else {
            match self.buffers.open.pop() {
                Some(container) if container.is_array == is_array => {
                    self.buffers.pointer.truncate(container.pointer_len);
                }
                _ => return self.give_up(),
            }
        }
        self.cursor.skip(1);
        self.expect = Expect::Separator;
    }

    fn comma(&mut self) {
        if !self.separator_is_due() {
            self.note(Violation::Syntax);
        }
        self.cursor.skip(1);
        self.expect = Expect::Value;
        self.pending = None;
        let Some(container) = self.buffers.open.last().filter(|_| self.untracked == 0) else {
            return;
        };
        if container.is_array {
            // What was nested in the element is closed, so its index is the last step.
            next_index(&mut self.buffers.pointer, container.pointer_len + 1);
        } else {
            self.buffers.pointer.truncate(container.pointer_len);
            self.expect = Expect::Key;
        }
    }

    /// No reader makes a value of a comment, but not every reader agrees on what is one.
    fn comment(&mut self) -> ControlFlow<()> {
        self.note(Violation::NonStandard);
        let is_line = self.cursor.rest().starts_with(b"//");
        self.cursor.skip(2);
        let (comment, _) = self.cursor.take_until(if is_line { b"\n" } else { b"*/" });
        self.sink.put(Kind::TextBody, b"", comment)
    }

    /// A string in double quotes. Nearly all hold no escape and stand where one is due.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn quoted(&mut self) -> ControlFlow<()> {
        if self.untracked > 0 || self.expect == Expect::Separator {
            return self.string(b'"');
        }
        if self.expect == Expect::Key
            && self.sink.skips_plain_names
            && let Some(object) = self.buffers.open.last()
        {
            let object = object.pointer_len;
            if self.plain_members()? {
                return ControlFlow::Continue(());
            }
            self.buffers.pointer.truncate(object);
        }
        let Some((text, after)) = plain_string(self.cursor.rest()) else {
            return self.string(b'"');
        };
        if self.expect == Expect::Value {
            let value = self.cursor.rest();
            if self.may_be_graphql() || opens(text) || !self.sink.passes(text) {
                return self.visit(text, value, after);
            }
            self.value_at = self.cursor.offset();
            self.cursor.go_to(after);
            self.expect = Expect::Separator;
            self.sink.values += usize::from(!text.is_empty());
            return ControlFlow::Continue(());
        }
        let Json { pointer, open, .. } = &mut *self.buffers;
        let [b':', after @ ..] = after else {
            return self.string(b'"');
        };
        self.cursor.go_to(after);
        self.expect = Expect::Value;
        visit_key(pointer, open.last(), text, self.sink)
    }

    /// Takes members of an object, plain key and plain value, one after another, up to the first one that needs a look. `false`
    /// where a key is due that is not plain.
    #[inline]
    #[cfg_attr(target_arch = "wasm32", target_feature(enable = "simd128"))]
    fn plain_members(&mut self) -> ControlFlow<(), bool> {
        self.pending = None;
        let mut rest = self.cursor.rest();
        loop {
            let Some((key, value)) = plain_key(rest) else {
                self.cursor.go_to(rest);
                return ControlFlow::Continue(false);
            };
            self.sink.values += 1;
            let value = skip_space(value);
            let (text, after) = if value.first() == Some(&b'"') {
                (plain_string(value), None)
            } else {
                (None, plain_length(value).and_then(|end| value.get(end..)))
            };
            if let Some((text, after)) = text
                && (key == b"query" || opens(text) || !self.sink.passes(text))
            {
                self.pending = Some(key);
                self.visit(text, value, after)?;
                return ControlFlow::Continue(true);
            }
            let Some(after) = text.map(|(_, after)| after).or(after) else {
                self.pending = Some(key);
                self.expect = Expect::Value;
                self.cursor.go_to(value);
                return ControlFlow::Continue(true);
            };
            self.sink.values += usize::from(text.is_some_and(|(text, _)| !text.is_empty()));
            if let [b',', next @ ..] = after
                && let next @ [b'"', ..] = skip_space(next)
            {
                rest = next;
                continue;
            }
            self.value_at = self.cursor.offset_of(value);
            self.expect = Expect::Separator;
            self.cursor.go_to(after);
            return ControlFlow::Continue(true);
        }
    }

    /// Visits the string that begins at `value` and is followed by `after`.
    fn visit(&mut self, text: &[u8], value: &[u8], after: &'a [u8]) -> ControlFlow<()> {
        self.locate();
        self.value_at = self.cursor.offset_of(value);
        self.expect = Expect::Separator;
        self.cursor.go_to(after);
        let Json {
            pointer, graphql, ..
        } = &mut *self.buffers;
        visit_string(pointer, text, graphql, self.sink)
    }

    #[inline(never)]
    fn string(&mut self, quote: u8) -> ControlFlow<()> {
        let standard = quote == b'"';
        if self.expect == Expect::Separator && (!standard || self.in_container()) {
            self.give_up();
            return ControlFlow::Continue(());
        }
        self.locate();
        let at = self.cursor.offset();
        if !standard {
            self.note(Violation::NonStandard);
        }
        self.cursor.skip(1);
        let string = take_string(&mut self.cursor, quote);
        if !string.closed {
            self.note(Violation::UnexpectedEnd);
        }
        let is_key = self.takes_key_colon();
        let Json {
            pointer,
            open,
            text,
            graphql,
        } = &mut *self.buffers;
        let value = if string.escaped {
            unescape_json(string.raw, text);
            text.as_slice()
        } else {
            string.raw
        };
        if is_key {
            self.expect = Expect::Value;
            return visit_key(
                pointer,
                open.last().filter(|_| self.untracked == 0),
                value,
                self.sink,
            );
        }
        if self.expect == Expect::Key {
            self.outcome.note(Violation::Syntax, at);
        }
        self.value_at = at;
        self.expect = Expect::Separator;
        visit_string(pointer, value, graphql, self.sink)
    }

    /// Takes a number or a literal where a value is due: they hold nothing to find. `false` where it is another word, or
    /// where it may be a key.
    #[inline]
    fn plain(&mut self) -> bool {
        if self.expect != Expect::Value || self.untracked > 0 {
            return false;
        }
        let Some(length) = plain_length(self.cursor.rest()) else {
            return false;
        };
        self.value_at = self.cursor.offset();
        self.cursor.skip(length);
        self.expect = Expect::Separator;
        true
    }

    /// A number, a literal, or a bare word.
    fn word(&mut self) -> ControlFlow<()> {
        self.locate();
        let at = self.cursor.offset();
        let mut after = self.cursor;
        let word = after.take_while(is_word);
        let standard = is_standard(word);
        if word.is_empty() || self.separator_is_due() || (!standard && !self.in_container()) {
            self.give_up();
            return ControlFlow::Continue(());
        }
        let before = std::mem::replace(&mut self.cursor, after);
        if self.takes_key_colon() {
            self.outcome.note(Violation::NonStandard, at);
            self.expect = Expect::Value;
            let Json { pointer, open, .. } = &mut *self.buffers;
            return visit_key(
                pointer,
                open.last().filter(|_| self.untracked == 0),
                word,
                self.sink,
            );
        }
        if self.expect == Expect::Key {
            self.cursor = before;
            self.give_up();
            return ControlFlow::Continue(());
        }
        self.value_at = at;
        self.expect = Expect::Separator;
        if standard {
            return ControlFlow::Continue(());
        }
        self.outcome.note(Violation::NonStandard, at);
        self.sink.put(Kind::Json, &self.buffers.pointer, word)
    }

    /// Whether a string here is one that may be a GraphQL document.
    #[inline]
    fn may_be_graphql(&self) -> bool {
        match self.pending {
            Some(key) => key == b"query",
            None => is_query(&self.buffers.pointer),
        }
    }

    /// Takes the colon that makes a key of the string or word before it, where a key may be.
    fn takes_key_colon(&mut self) -> bool {
        (self.expect == Expect::Key || self.untracked > 0) && takes_colon(&mut self.cursor)
    }
}

/// Visits a key by the pointer of its object, and makes the pointer that of its value. Without an object that is
/// tracked, the pointer stays.
#[inline]
fn visit_key(
    pointer: &mut Vec<u8>,
    object: Option<&Container>,
    key: &[u8],
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let Some(object) = object else {
        return sink.put(Kind::JsonKey, pointer, key);
    };
    pointer.truncate(object.pointer_len);
    sink.put(Kind::JsonKey, pointer, key)?;
    push_token(pointer, key);
    ControlFlow::Continue(())
}

#[inline]
fn is_query(pointer: &[u8]) -> bool {
    pointer.ends_with(b"/query")
}

#[inline]
fn visit_string(
    pointer: &[u8],
    text: &[u8],
    scratch: &mut Vec<u8>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    if is_query(pointer)
        && graphql::looks_like_document(text)
        && graphql::walk(text, scratch, sink)?
    {
        return ControlFlow::Continue(());
    }
    sink.put(Kind::Json, pointer, text)
}

#[cfg(test)]
mod tests;
