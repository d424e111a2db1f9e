//! What a scan reports: which rule, where, what matched, after which decodings.

use std::ops::Range;

use backstop_http::{Kind, Place};

use crate::{Chain, Rule, lead};

/// The most bytes of a match that a finding keeps (the legacy log line's limit).
pub const MAX_MATCHED: usize = 100;
/// The most bytes of a place's name that a finding keeps.
pub const MAX_NAME: usize = 64;
/// The most findings that one request keeps.
pub const MAX_FINDINGS: usize = 32;

/// One rule that matched one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The kind of place the value came from.
    pub kind: Kind,
    /// The place's name, at most [`MAX_NAME`] bytes of it.
    pub name: Vec<u8>,
    /// What matched in the decoded form: at most [`MAX_MATCHED`] bytes, cut at a UTF-8 boundary.
    pub matched: Vec<u8>,
    /// The decodings after which it matched.
    pub chain: Chain,
}

impl Finding {
    /// Where the value came from.
    pub fn place(&self) -> Place<'_> {
        Place::new(self.kind, &self.name)
    }
}

/// The findings of one request.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    dropped: u32,
}

impl Findings {
    /// An empty list.
    pub const fn new() -> Self {
        Self {
            list: Vec::new(),
            dropped: 0,
        }
    }

    /// The findings, in the order they were made.
    pub fn as_slice(&self) -> &[Finding] {
        &self.list
    }

    /// How many findings there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many findings did not fit in.
    pub const fn dropped(&self) -> u32 {
        self.dropped
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.dropped = 0;
    }

    /// Says of every finding that its value came from `place`: that of the document which they were all found in.
    pub fn relocate(&mut self, place: Place<'_>) {
        for finding in &mut self.list {
            finding.kind = place.kind;
            finding.name = cut(place.name, MAX_NAME).to_vec();
        }
    }

    /// Keeps the findings that `keep` accepts.
    pub fn retain(&mut self, keep: impl FnMut(&Finding) -> bool) {
        self.list.retain(keep);
    }

    /// Puts the findings from position `from` on into the order in which they are to be read.
    pub(crate) fn order_from(&mut self, from: usize) {
        if let Some(fresh) = self.list.get_mut(from..).filter(|fresh| fresh.len() > 1) {
            // Stable: of equals, the first found leads.
            fresh.sort_by_key(|finding| lead::place(finding.rule));
        }
    }

    /// Whether a finding from position `from` on is of `rule`.
    pub(crate) fn has_since(&self, from: usize, rule: &Rule) -> bool {
        self.list
            .iter()
            .skip(from)
            .any(|finding| finding.rule == rule)
    }

    pub(crate) fn push(
        &mut self,
        rule: &'static Rule,
        place: Place<'_>,
        chain: Chain,
        form: &[u8],
        span: Range<usize>,
    ) {
        if self.list.len() >= MAX_FINDINGS {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let matched = form.get(span).unwrap_or(form);
        self.list.push(Finding {
            rule,
            kind: place.kind,
            name: cut(place.name, MAX_NAME).to_vec(),
            matched: cut(matched, MAX_MATCHED).to_vec(),
            chain,
        });
    }
}

/// At most `limit` bytes, not ending in the middle of a UTF-8 character.
fn cut(bytes: &[u8], limit: usize) -> &[u8] {
    if bytes.len() <= limit {
        return bytes;
    }
    let mut end = limit;
    // A character has at most three continuation bytes; more is not UTF-8 and is cut where the limit says.
    while end > 0 && limit - end < 3 && bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    if bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end = limit;
    }
    bytes.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_respects_characters_and_survives_what_is_none() {
        assert_eq!(cut(b"abc", 3), b"abc");
        assert_eq!(cut(b"abcd", 3), b"abc");
        assert_eq!(cut("ab한".as_bytes(), 3), b"ab");
        assert_eq!(cut("ab한".as_bytes(), 4), b"ab");
        assert_eq!(cut(&[0x80; 9], 5), [0x80; 5]);
        assert_eq!(cut(&[0x80; 9], 0), []);
    }
}
