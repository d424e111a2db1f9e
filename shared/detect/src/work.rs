//! How much may be done for one request.

/// What is left of a request's allowance, in steps.
///
/// A step is about what one detector takes to look at one byte of dense text: twenty to fifty units of fuel in the
/// deployed module. Whoever reads bytes again (behind an anchor, in another form, in a document within a value) pays again, so
/// that a request's cost is bounded whatever its values make detectors do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    left: u64,
}

impl Work {
    /// An allowance of this many steps.
    pub const fn of(steps: u64) -> Self {
        Self { left: steps }
    }

    /// No bound: for whoever inspects a single value of a known length.
    pub const fn unbounded() -> Self {
        Self::of(u64::MAX)
    }

    /// Takes `steps`; answers whether they were there. Where they were not, nothing is left.
    pub fn spend(&mut self, steps: usize) -> bool {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        let enough = steps < self.left;
        self.left = self.left.saturating_sub(steps);
        enough
    }

    /// Whether nothing is left.
    pub const fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Steps that are left.
    pub const fn left(&self) -> u64 {
        self.left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone() {
        let mut work = Work::of(10);
        assert!(work.spend(9));
        assert_eq!((work.left(), work.is_spent()), (1, false));
        assert!(!work.spend(1));
        assert!(work.is_spent());
        assert!(!work.spend(0));
        assert!(!Work::of(3).spend(usize::MAX));
        assert!(Work::unbounded().spend(usize::MAX / 2));
    }
}
