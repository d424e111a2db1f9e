//! Reading a declaration: words, literals and white space, never farther than a window behind its start.

/// How far a declaration is read.
const WINDOW: usize = 1024;

/// A position within the window of one declaration.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// Reads `bytes` from `start` on.
    pub fn new(bytes: &'a [u8], start: usize) -> Self {
        let rest = bytes.get(start..).unwrap_or_default();
        Self {
            rest: rest.get(..WINDOW).unwrap_or(rest),
        }
    }

    /// What was not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Skips white space and comments; answers whether there was any.
    pub fn space(&mut self) -> bool {
        let before = self.rest.len();
        loop {
            self.rest = self.rest.trim_ascii_start();
            let Some(comment) = self.rest.strip_prefix(b"<!--") else {
                return self.rest.len() < before;
            };
            let end = memchr::memmem::find(comment, b"-->").map_or(comment.len(), |end| end + 3);
            self.rest = comment.get(end..).unwrap_or_default();
        }
    }

    /// Takes `literal` (lower case) without regard to case.
    pub fn take(&mut self, literal: &[u8]) -> bool {
        match self.rest.split_at_checked(literal.len()) {
            Some((head, rest)) if head.eq_ignore_ascii_case(literal) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// Takes a name: everything up to white space, a quote, a bracket or the end of the declaration.
    pub fn name(&mut self) -> &'a [u8] {
        let length = self
            .rest
            .iter()
            .position(|byte| {
                byte.is_ascii_whitespace()
                    || matches!(byte, b'"' | b'\'' | b'>' | b'<' | b'[' | b'=')
            })
            .unwrap_or(self.rest.len());
        let (name, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, b""));
        self.rest = rest;
        name
    }

    /// Takes a literal in quotes, or what there is of it. Quotes may be doubled or escaped, as lists and exports have them.
    pub fn literal(&mut self) -> Option<&'a [u8]> {
        let mut rest = self.rest.strip_prefix(b"\\").unwrap_or(self.rest);
        let (quote, behind) = rest.split_first()?;
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        rest = match behind.split_first() {
            Some((second, doubled))
                if second == quote
                    && doubled
                        .first()
                        .is_some_and(|byte| !byte.is_ascii_whitespace() && *byte != b'>') =>
            {
                doubled
            }
            _ => behind,
        };
        let length = memchr::memchr(*quote, rest).unwrap_or(rest.len());
        let (literal, rest) = rest.split_at_checked(length)?;
        self.rest = rest.get(1..).unwrap_or_default();
        Some(literal.strip_suffix(b"\\").unwrap_or(literal))
    }
}
