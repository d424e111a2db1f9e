//! A reader that knows on which line it is, and a line splitter that never holds more than a bound.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// Counts the line feeds that pass through it.
pub(super) struct CountLines<R> {
    inner: R,
    line: Rc<Cell<u64>>,
}

impl<R: Read> CountLines<R> {
    /// Wraps `inner`; the cell holds the current line, from 1.
    pub(super) fn new(inner: R) -> (Self, Rc<Cell<u64>>) {
        let line = Rc::new(Cell::new(1));
        let counter = Rc::clone(&line);
        (Self { inner, line }, counter)
    }
}

impl<R: Read> Read for CountLines<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        let feeds = buf.iter().take(n).filter(|byte| **byte == b'\n').count();
        self.line.set(self.line.get() + feeds as u64);
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
    fn lines_are_counted() {
        let (mut reader, line) = CountLines::new(&b"a\nb\nc"[..]);
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(line.get(), 3);
    }
}
