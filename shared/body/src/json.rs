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
    is_space, is_standard, is_word, plain_key, plain_length, plain_string, take_string, takes_colon,
};
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
    /// Containers open beyond the depth that is tracked: of these, neither kind nor place is known.
    untracked: usize,
    expect: Expect,
    /// Where the last value began: what follows it wrongly is left unread together with it.
    value_at: usize,
    outcome: Outcome,
}

impl Reading<'_, '_, '_> {
    #[inline]
    fn in_container(&self) -> bool {
        self.untracked > 0 || !self.buffers.open.is_empty()
    }

    /// Whether a comma or the container's end is due.
    #[inline]
    fn separator_is_due(&self) -> bool {
        self.expect == Expect::Separator && self.in_container()
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
    fn quoted(&mut self) -> ControlFlow<()> {
        if self.untracked > 0 || self.expect == Expect::Separator {
            return self.string(b'"');
        }
        if self.expect == Expect::Key
            && self.sink.skips_plain_names
            && let Some(object) = self.buffers.open.last()
            && let Some((key, after)) = plain_key(self.cursor.rest())
        {
            self.buffers.pointer.truncate(object.pointer_len);
            push_plain(&mut self.buffers.pointer, key);
            self.sink.values += 1;
            self.cursor.go_to(after);
            self.expect = Expect::Value;
            return ControlFlow::Continue(());
        }
        let Some((text, after)) = plain_string(self.cursor.rest()) else {
            return self.string(b'"');
        };
        let Json {
            pointer,
            open,
            graphql,
            ..
        } = &mut *self.buffers;
        if self.expect == Expect::Value {
            self.value_at = self.cursor.offset();
            self.cursor.go_to(after);
            self.expect = Expect::Separator;
            return visit_string(pointer, text, graphql, self.sink);
        }
        let [b':', after @ ..] = after else {
            return self.string(b'"');
        };
        self.cursor.go_to(after);
        self.expect = Expect::Value;
        visit_key(pointer, open.last(), text, self.sink)
    }

    #[inline(never)]
    fn string(&mut self, quote: u8) -> ControlFlow<()> {
        let standard = quote == b'"';
        if self.expect == Expect::Separator && (!standard || self.in_container()) {
            self.give_up();
            return ControlFlow::Continue(());
        }
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
fn visit_string(
    pointer: &[u8],
    text: &[u8],
    scratch: &mut Vec<u8>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    if matches!(pointer, [.., b'/', b'q', b'u', b'e', b'r', b'y'])
        && graphql::looks_like_document(text)
        && graphql::walk(text, scratch, sink)?
    {
        return ControlFlow::Continue(());
    }
    sink.put(Kind::Json, pointer, text)
}

#[cfg(test)]
mod tests;
