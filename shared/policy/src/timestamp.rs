//! Time as logs show it.

use std::fmt;

/// A moment, displayed as RFC 3339 in UTC with milliseconds: `2026-11-22T16:56:34.123Z`.
pub struct Timestamp {
    /// Milliseconds since 1970.
    pub unix_millis: u64,
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.unix_millis / 1000;
        let (year, month, day) = civil(seconds / 86_400);
        // By hand: the line of every refused request has one, and `write!` with eight fields costs ten times this.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        for (end, value) in [
            (4, year),
            (7, month),
            (10, day),
            (13, seconds / 3600 % 24),
            (16, seconds / 60 % 60),
            (19, seconds % 60),
            (23, self.unix_millis % 1000),
        ] {
            put(text.get_mut(..end).unwrap_or_default(), value);
        }
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

/// Writes a number's digits over the zeros at the end of `text`; a year beyond 9999 loses what has no place.
fn put(text: &mut [u8], mut value: u64) {
    for digit in text.iter_mut().rev() {
        if value == 0 || !digit.is_ascii_digit() {
            return;
        }
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Year, month and day of a day since 1970, by counting 400-year eras that begin in March (after Howard Hinnant's
/// `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_rfc_3339() {
        for (unix_millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_366_594_007, "2026-11-22T16:56:34.007Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(Timestamp { unix_millis }.to_string(), text);
        }
    }
}
