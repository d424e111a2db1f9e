//! A position in a body.

use backstop_http::scan;

/// Reads bytes forward; never beyond the end, never back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    length: usize,
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            length: bytes.len(),
            rest: bytes,
        }
    }

    /// Offset of the next byte.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.length - self.rest.len()
    }

    /// Offset of `rest`, an end of what is left or was.
    #[inline]
    pub(crate) fn offset_of(&self, rest: &[u8]) -> usize {
        self.length - rest.len()
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    #[inline]
    pub(crate) fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// Goes on at `rest`, an end of what is left.
    #[inline]
    pub(crate) fn go_to(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    /// Everything from here on.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes `count` bytes, or as many as there are.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .unwrap_or((self.rest, b""));
        self.rest = rest;
        taken
    }

    /// Takes bytes while `wanted`.
    #[inline]
    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let count = self.rest.iter().position(|byte| !wanted(*byte));
        self.take(count.unwrap_or(usize::MAX))
    }

    /// Takes what comes before `end` and skips `end`. Everything, and `false`, when there is no `end`.
    pub(crate) fn take_until(&mut self, end: &[u8]) -> (&'a [u8], bool) {
        match find(self.rest, end) {
            Some(count) => {
                let taken = self.take(count);
                self.skip(end.len());
                (taken, true)
            }
            None => (self.take(usize::MAX), false),
        }
    }

    #[inline]
    pub(crate) fn skip_if(&mut self, prefix: &[u8]) -> bool {
        let found = self.rest.starts_with(prefix);
        if found {
            self.skip(prefix.len());
        }
        found
    }
}

/// Where `needle`, a few bytes, first occurs.
pub(crate) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, others) = needle.split_first()?;
    let mut from = 0;
    loop {
        let at = from + scan::find(*first, haystack.get(from..)?)?;
        from = at + 1;
        if haystack.get(from..)?.starts_with(others) {
            return Some(at);
        }
    }
}
