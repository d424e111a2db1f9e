//! A reader that knows on which line it is, and a line splitter that never holds more than a bound.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::ops::Range;
use std::rc::Rc;

/// Counts the line feeds that are read from it. Has a buffer of its own, because serde_json reads byte by byte.
pub(super) struct CountLines<R> {
    inner: R,
    buffer: Box<[u8]>,
    /// What of the buffer is filled and not yet read.
    rest: Range<usize>,
    line: Rc<Cell<u64>>,
}

impl<R: Read> CountLines<R> {
    /// Wraps `inner`; the cell holds the current line, from 1.
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let line = Rc::new(Cell::new(1));
        let counter = Rc::clone(&line);
        let buffer = vec![0; 64 * 1024].into_boxed_slice();
        (
            Self {
                inner,
                buffer,
                rest: 0..0,
                line,
            },
            counter,
        )
    }
}

impl<R: Read> Read for CountLines<R> {
    #[inline]
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = 0..self.inner.read(&mut self.buffer)?;
        }
        let given = &self.buffer[self.rest.clone()];
        let n = given.len().min(out.len());
        let given = &given[..n];
        out[..n].copy_from_slice(given);
        let feeds = given.iter().filter(|byte| **byte == b'\n').count();
        if feeds > 0 {
            self.line.set(self.line.get() + feeds as u64);
        }
        self.rest.start += n;
        Ok(n)
    }
}

/// What [`next_line`] read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end.
    Whole,
    /// A line longer than the limit: read to its end and thrown away.
    TooLong,
    /// Nothing more.
    End,
}

/// Reads one line into `line`, without its end, keeping at most `limit` bytes in memory.
pub(super) fn next_line(
    reader: &mut impl BufRead,
    line: &mut Vec<u8>,
    limit: usize,
) -> io::Result<Line> {
    line.clear();
    let mut too_long = false;
    let mut any = false;
    loop {
        let available = match reader.fill_buf() {
            Ok(available) => available,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if available.is_empty() {
            break;
        }
        any = true;
        let (part, used, ended) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (&available[..at], at + 1, true),
            None => (available, available.len(), false),
        };
        if !too_long && line.len() + part.len() <= limit {
            line.extend_from_slice(part);
        } else {
            too_long = true;
            line.clear();
        }
        reader.consume(used);
        if ended {
            break;
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(match (any, too_long) {
        (false, _) => Line::End,
        (true, true) => Line::TooLong,
        (true, false) => Line::Whole,
    })
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn all(input: &[u8], buffer: usize, limit: usize) -> Vec<Option<Vec<u8>>> {
        let mut reader = BufReader::with_capacity(buffer, input);
        let mut line = Vec::new();
        let mut seen = Vec::new();
        loop {
            match next_line(&mut reader, &mut line, limit).unwrap() {
                Line::Whole => seen.push(Some(line.clone())),
                Line::TooLong => seen.push(None),
                Line::End => return seen,
            }
        }
    }

    #[test]
    fn lines_are_the_same_whatever_the_buffer() {
        for buffer in 1..12 {
            assert_eq!(
                all(b"one\r\n\ntwo\nthree", buffer, 100),
                [
                    Some(b"one".to_vec()),
                    Some(b"".to_vec()),
                    Some(b"two".to_vec()),
                    Some(b"three".to_vec())
                ]
            );
        }
    }

    #[test]
    fn a_line_beyond_the_limit_is_told_apart_and_the_next_is_whole() {
        for buffer in 1..12 {
            assert_eq!(
                all(b"12345\n123456\n1\n", buffer, 5),
                [Some(b"12345".to_vec()), None, Some(b"1".to_vec())]
            );
        }
    }

    #[test]
    fn lines_are_counted_as_they_are_read() {
        let (mut reader, line) = CountLines::new(&b"a\nb\nc"[..]);
        let mut byte = [0];
        let mut seen = Vec::new();
        while reader.read(&mut byte).unwrap() > 0 {
            seen.push((char::from(byte[0]), line.get()));
        }
        assert_eq!(seen, [('a', 1), ('\n', 2), ('b', 2), ('\n', 3), ('c', 3)]);
        let (mut reader, line) = CountLines::new(&b"a\nb\nc"[..]);
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!((all.as_slice(), line.get()), (&b"a\nb\nc"[..], 3));
    }
}
