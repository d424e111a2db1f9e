//! Token buckets in exact integers.
//!
//! A bucket is one number, GCRA's *theoretical arrival time*: the moment at which it will be full again. Taking a token
//! moves it on by the time that one token takes to come back, `fillInterval / tokensPerFill`. That time is rarely a
//! whole number of nanoseconds, so moments carry a fraction in units of 1/`tokensPerFill` nanosecond: nothing is ever
//! rounded, and over any time `t` a bucket gives at most `maxTokens + t * tokensPerFill / fillInterval` tokens.

/// A moment or a span: nanoseconds, and a fraction in units of 1/`tokensPerFill` nanosecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time {
    pub(crate) nanos: u64,
    /// Below `tokensPerFill`.
    pub(crate) fraction: u32,
}

impl Time {
    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self { nanos, fraction: 0 }
    }
}

/// How fast a bucket fills and how much it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    tokens_per_fill: u32,
    fill_nanos: u64,
    pub(crate) max_tokens: u32,
    /// The time from empty to full.
    capacity: Time,
}

/// Not enough tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    /// Nanoseconds until there are enough, rounded up.
    pub(crate) wait: u64,
}

impl Rate {
    /// Nothing may be zero.
    pub(crate) fn new(tokens_per_fill: u32, fill_nanos: u64, max_tokens: u32) -> Self {
        let mut rate = Self {
            tokens_per_fill: tokens_per_fill.max(1),
            fill_nanos: fill_nanos.max(1),
            max_tokens,
            capacity: Time::default(),
        };
        rate.capacity = rate.time_of(max_tokens);
        rate
    }

    /// The time in which `tokens` come back.
    pub(crate) fn time_of(&self, tokens: u32) -> Time {
        let ticks = u128::from(tokens) * u128::from(self.fill_nanos);
        let unit = u128::from(self.tokens_per_fill);
        Time {
            nanos: u64::try_from(ticks / unit).unwrap_or(u64::MAX),
            // Below `tokens_per_fill`, which is a u32.
            fraction: (ticks % unit) as u32,
        }
    }

    /// The time from empty to full in whole seconds, rounded up.
    pub(crate) fn window_seconds(&self) -> u64 {
        seconds(
            self.capacity
                .nanos
                .saturating_add(u64::from(self.capacity.fraction > 0)),
        )
    }

    /// Takes what `cost` is the time of from a bucket that is full at `full_at`; the bucket afterwards.
    pub(crate) fn take(&self, full_at: Time, now: u64, cost: Time) -> Result<Time, Short> {
        let empty = self.plus(Time::from_nanos(now), self.capacity);
        let after = self.plus(self.settled(full_at, now), cost);
        if after <= empty {
            return Ok(after);
        }
        let over = self.minus(after, empty);
        Err(Short {
            wait: over.nanos.saturating_add(u64::from(over.fraction > 0)),
        })
    }

    /// Puts back what was taken.
    pub(crate) fn give_back(&self, full_at: Time, cost: Time) -> Time {
        self.minus(full_at, cost)
    }

    /// Whole tokens in the bucket.
    pub(crate) fn remaining(&self, full_at: Time, now: u64) -> u32 {
        let empty = self.plus(Time::from_nanos(now), self.capacity);
        let left = self.minus(empty, self.settled(full_at, now));
        let ticks =
            u128::from(left.nanos) * u128::from(self.tokens_per_fill) + u128::from(left.fraction);
        u32::try_from(ticks / u128::from(self.fill_nanos)).unwrap_or(self.max_tokens)
    }

    /// Neither fuller than full nor emptier than empty.
    fn settled(&self, full_at: Time, now: u64) -> Time {
        let now = Time::from_nanos(now);
        full_at.clamp(now, self.plus(now, self.capacity))
    }

    fn plus(&self, a: Time, b: Time) -> Time {
        let fraction = u64::from(a.fraction) + u64::from(b.fraction);
        let unit = u64::from(self.tokens_per_fill);
        let (carry, fraction) = if fraction >= unit {
            (1, fraction - unit)
        } else {
            (0, fraction)
        };
        Time {
            nanos: a.nanos.saturating_add(b.nanos).saturating_add(carry),
            fraction: fraction as u32,
        }
    }

    /// `a - b`, or nothing where that would be negative.
    fn minus(&self, a: Time, b: Time) -> Time {
        if a <= b {
            return Time::default();
        }
        let (borrow, fraction) = if a.fraction >= b.fraction {
            (0, a.fraction - b.fraction)
        } else {
            let unit = u64::from(self.tokens_per_fill);
            let borrowed = u64::from(a.fraction) + unit - u64::from(b.fraction);
            (1, borrowed as u32)
        };
        Time {
            nanos: a.nanos.saturating_sub(b.nanos).saturating_sub(borrow),
            fraction,
        }
    }
}

/// Whole seconds, rounded up.
pub(crate) const fn seconds(nanos: u64) -> u64 {
    nanos.div_ceil(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// How many single tokens a bucket gives at `now`, and the bucket afterwards.
    fn drain(rate: &Rate, mut full_at: Time, now: u64) -> (u32, Time) {
        let one = rate.time_of(1);
        let mut taken = 0;
        while let Ok(after) = rate.take(full_at, now, one) {
            full_at = after;
            taken += 1;
        }
        (taken, full_at)
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_its_rate() {
        // Three per second does not divide a second into whole nanoseconds.
        let rate = Rate::new(3, SECOND, 5);
        let start = 1_000 * SECOND;
        let (taken, mut full_at) = drain(&rate, Time::default(), start);
        assert_eq!(taken, 5);
        assert_eq!(rate.remaining(full_at, start), 0);
        for second in 1..=1000 {
            let (taken, after) = drain(&rate, full_at, start + second * SECOND);
            assert_eq!(taken, 3, "second {second}");
            full_at = after;
        }
    }

    #[test]
    fn the_wait_is_exact_to_the_nanosecond() {
        let rate = Rate::new(3, SECOND, 5);
        let (_, full_at) = drain(&rate, Time::default(), SECOND);
        let short = rate.take(full_at, SECOND, rate.time_of(1)).unwrap_err();
        assert_eq!(short.wait, 333_333_334);
        assert!(
            rate.take(full_at, SECOND + short.wait - 1, rate.time_of(1))
                .is_err()
        );
        assert!(
            rate.take(full_at, SECOND + short.wait, rate.time_of(1))
                .is_ok()
        );
    }

    #[test]
    fn what_is_given_back_was_never_taken() {
        let rate = Rate::new(7, SECOND, 9);
        let now = 50 * SECOND;
        let cost = rate.time_of(4);
        let before = rate.take(Time::default(), now, rate.time_of(2)).unwrap();
        let after = rate.take(before, now, cost).unwrap();
        assert_eq!(rate.give_back(after, cost), before);
        assert_eq!(rate.remaining(before, now), 7);
    }

    #[test]
    fn remaining_is_what_can_be_taken() {
        for (tokens, fill, max) in [
            (1, SECOND, 1),
            (50, SECOND, 100),
            (7, 60 * SECOND, 20),
            (1_000_000_000, 1_000_000, 1_000),
        ] {
            let rate = Rate::new(tokens, fill, max);
            let now = SECOND * 1_000;
            let mut full_at = Time::default();
            for left in (0..max).rev() {
                full_at = rate.take(full_at, now, rate.time_of(1)).unwrap();
                assert_eq!(rate.remaining(full_at, now), left);
            }
            assert!(rate.take(full_at, now, rate.time_of(1)).is_err());
        }
    }

    #[test]
    fn the_ends_of_the_number_range_do_not_overflow() {
        let rate = Rate::new(1, 366 * 24 * 3600 * SECOND, 1);
        for now in [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            let after = rate.take(Time::from_nanos(u64::MAX), now, rate.time_of(1));
            assert!(rate.remaining(Time::from_nanos(u64::MAX), now) <= 1);
            if now < u64::MAX / 2 {
                assert!(after.is_err(), "{now}");
            }
        }
        let fast = Rate::new(u32::MAX, 1, u32::MAX);
        assert_eq!(
            fast.time_of(u32::MAX),
            Time {
                nanos: 1,
                fraction: 0
            }
        );
        assert_eq!(fast.remaining(Time::default(), 5), u32::MAX);
    }
}
