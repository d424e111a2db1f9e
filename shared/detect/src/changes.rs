//! Where a later form of a value differs from the one before it. A decoding changes a few bytes of a long text: only what is
//! around them is worth another look.

use std::ops::Range;

/// From this length on, a form between the first and the last is looked at only where it changed.
pub const LONG: usize = 4096;
/// How much before and behind a change is looked at with it: what begins there shall end there.
const AROUND: usize = 1024;
/// How much at either end of a piece is only there to be read with the rest: what is found in it was there before.
const MARGIN: usize = 512;
/// How many bytes have to be alike for the two forms to go on together.
const ALIKE: usize = 16;
/// The most bytes that spell one sign, and that a sign is written with.
const LONGEST_SPELLING: usize = 40;
const LONGEST_SIGN: usize = 4;

/// A part of a form, with what is new in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it is in the form.
    pub range: Range<usize>,
    /// Where, in the piece, something may be that was not there before.
    pub new: Range<usize>,
}

/// The parts of `after` that hold its changes from `before`, in their order. What is in none of them stands in `before`, byte
/// for byte, with what is around it.
pub fn pieces<'a>(before: &'a [u8], after: &'a [u8]) -> Pieces<'a> {
    Pieces {
        before,
        after,
        length: after.len(),
        next: None,
    }
}

/// See [`pieces`].
#[derive(Debug)]
pub struct Pieces<'a> {
    /// What is left to compare.
    before: &'a [u8],
    after: &'a [u8],
    /// Of the whole form.
    length: usize,
    /// Changes that are near each other, so far.
    next: Option<Range<usize>>,
}

impl Pieces<'_> {
    /// Where the next change begins and ends in the later form.
    fn change(&mut self) -> Option<Range<usize>> {
        let alike = common_prefix(self.before, self.after);
        let (_, before) = self.before.split_at_checked(alike)?;
        let (_, after) = self.after.split_at_checked(alike)?;
        if before.is_empty() && after.is_empty() {
            return None;
        }
        let start = self.length - after.len();
        (self.before, self.after) = together(before, after).unwrap_or_default();
        Some(start..self.length - self.after.len())
    }

    fn piece(&self, changed: Range<usize>) -> Piece {
        let start = changed.start.saturating_sub(AROUND);
        let end = changed.end.saturating_add(AROUND).min(self.length);
        Piece {
            range: start..end,
            new: if start == 0 { 0 } else { MARGIN }..if end == self.length {
                end - start
            } else {
                end - start - MARGIN
            },
        }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        while let Some(change) = self.change() {
            match &mut self.next {
                Some(near) if change.start - near.end <= 2 * AROUND => near.end = change.end,
                next => {
                    if let Some(changed) = next.replace(change) {
                        return Some(self.piece(changed));
                    }
                }
            }
        }
        self.next.take().map(|changed| self.piece(changed))
    }
}

/// How many bytes two texts begin with alike.
fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let ((left, _), (right, _)) = (a.as_chunks::<ALIKE>(), b.as_chunks::<ALIKE>());
    let whole = left.iter().zip(right).take_while(|(a, b)| a == b).count() * ALIKE;
    let rest = a.iter().zip(b).skip(whole);
    whole + rest.take_while(|(a, b)| a == b).count()
}

/// What is left of two texts, that begin otherwise, from where on they are alike again: behind one sign and what spells it, or
/// at the end of both.
fn together<'a>(before: &'a [u8], after: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    (0..=LONGEST_SPELLING)
        .filter_map(|length| before.get(length..))
        .find_map(|before| {
            let alike = |after: &&[u8]| match before.get(..ALIKE) {
                Some(head) => after.starts_with(head),
                None => before == *after,
            };
            (0..=LONGEST_SIGN)
                .filter_map(|length| after.get(length..))
                .find(alike)
                .map(|after| (before, after))
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words without a repetition, so that a place is known by what stands there.
    fn words(from: usize, count: usize) -> String {
        (from..from + count)
            .map(|number| format!("row {number:05} "))
            .collect()
    }

    #[test]
    fn a_piece_is_what_is_around_a_change() {
        let (start, end) = (words(0, 400), words(400, 400));
        let before = format!("{start}a\\x27b{end}");
        let after = format!("{start}a'b{end}");
        let at = start.len() + 1;
        assert_eq!(
            pieces(before.as_bytes(), after.as_bytes()).collect::<Vec<_>>(),
            [Piece {
                range: at - AROUND..at + 1 + AROUND,
                new: MARGIN..2 * AROUND + 1 - MARGIN,
            }]
        );
    }

    #[test]
    fn changes_near_each_other_are_one_piece_and_the_ends_have_no_margin() {
        let middle = words(0, 100);
        let far = words(200, 800);
        let before = format!("%41{middle}%42{middle}{far}%43");
        let after = format!("A{middle}B{middle}{far}C");
        let found: Vec<_> = pieces(before.as_bytes(), after.as_bytes()).collect();
        let [first, last] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(first.range, 0..middle.len() + 2 + AROUND);
        assert_eq!(first.new, 0..first.range.end - MARGIN);
        assert_eq!(last.range, after.len() - 1 - AROUND..after.len());
        assert_eq!(last.new, MARGIN..last.range.len());
    }

    #[test]
    fn what_never_is_alike_again_is_all_new() {
        let (before, after) = (words(0, 600), words(700, 600));
        let whole = format!("{}{after}", words(650, 300));
        let found: Vec<_> = pieces(
            format!("{}{before}", words(650, 300)).as_bytes(),
            whole.as_bytes(),
        )
        .collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].range.end, whole.len());
        assert_eq!(pieces(b"", b"").count(), 0);
        assert_eq!(pieces(b"abc", b"abc").count(), 0);
        assert_eq!(pieces(b"abc", b"").count(), 1);
    }

    proptest! {
        /// Whatever the two are: what no piece shows, with as much around it as a margin has, stands in the earlier form.
        #[test]
        fn what_is_in_no_piece_was_there_before(
            runs in prop::collection::vec((prop::sample::select(vec!["ab", "a", "row 7 ", "\\n", "%41"]), 1usize..900), 1..12),
            cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..4), 0..6),
        ) {
            let before: Vec<u8> = runs.iter().flat_map(|(text, times)| text.repeat(*times).into_bytes()).collect();
            let mut after = before.clone();
            for (at, length) in &cuts {
                let at = at.index(after.len());
                after.drain(at..(at + length).min(after.len()));
                after.insert(at.min(after.len()), b'x');
            }
            let mut shown = 0;
            for piece in pieces(&before, &after) {
                prop_assert!(piece.range.end <= after.len() && piece.new.end <= piece.range.len());
                // A border of the old and the new parts is in the margin that they share.
                let old = &after[shown..piece.range.start + piece.new.start];
                prop_assert!(old.is_empty() || before.windows(old.len()).any(|part| part == old), "{shown}");
                shown = piece.range.start + piece.new.end;
            }
            let old = &after[shown.min(after.len())..];
            prop_assert!(old.is_empty() || before.windows(old.len()).any(|part| part == old));
        }
    }
}
