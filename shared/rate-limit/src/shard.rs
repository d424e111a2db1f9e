//! One shard of a table: a fixed number of buckets and a clock, in one value of shared data.
//!
//! Layout, little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | tag and version, `BRL1` |
//! | 4 | number of ways |
//! | 8 | the latest moment of the shard's clock |
//! | 8 | how far the shard's clock is ahead of the proxy's |
//! | 12 | when the shared bucket is full, for keys that find no place |
//! | 4 | zero |
//! | 24 per way | fingerprint of the key (12), when its bucket is full (8 nanoseconds, 4 fraction) |
//!
//! A place that nobody uses has a bucket that was full at time 0: no different from one whose client went quiet, so
//! both are the first to be given away.

use crate::bucket::Time;

const TAG: &[u8; 4] = b"BRL1";
/// Bytes before the first way.
pub(crate) const HEADER: usize = 40;
/// Bytes per way.
pub(crate) const WAY: usize = 24;

/// How far the proxy's clock may run behind the shard's before it counts as set back. Below that, it is a worker that read
/// the clock earlier and wrote later.
pub(crate) const TOLERANCE: u64 = 1_000_000_000;

/// The latest time that is believed (the year 2262): a clock that shows nonsense once must not use up the numbers.
const LAST_WALL: u64 = u64::MAX / 2;

/// 96 bits of a key's hash.
pub(crate) type Fingerprint = [u8; 12];

/// Where a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Way(usize),
    /// The bucket that keys without a place share.
    Shared,
}

/// Where a key's bucket is or may be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is there.
    Held(usize, Time),
    /// It is not there: its bucket is full, and may take the place of another full one.
    Free(usize),
    /// It is not there, and no bucket is full.
    None,
}

/// The shard's time for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    pub(crate) now: u64,
    /// The proxy's clock was set back: the shard has to be written, so that its own goes on from here.
    pub(crate) set_back: bool,
}

/// A shard's bytes, of the right length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    bytes: Vec<u8>,
}

impl Shard {
    /// Takes over what was stored; what is not a shard of so many ways is an empty one.
    pub(crate) fn open(stored: Vec<u8>, ways: usize) -> Self {
        let len = HEADER + WAY * ways;
        let ways_bytes = (ways as u32).to_le_bytes();
        let known = stored.len() == len
            && stored
                .strip_prefix(TAG)
                .is_some_and(|rest| rest.starts_with(&ways_bytes));
        if known {
            return Self { bytes: stored };
        }
        let mut bytes = Vec::with_capacity(len);
        bytes.extend_from_slice(TAG);
        bytes.extend_from_slice(&ways_bytes);
        bytes.resize(len, 0);
        Self { bytes }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The shard's time when the proxy's clock shows `wall`. It never goes back: a step back of the proxy's clock stops it
    /// for [`TOLERANCE`] at most, and is then made up for.
    pub(crate) fn clock(&mut self, wall: u64) -> Clock {
        let latest = self.number(8);
        let shown = wall.min(LAST_WALL).saturating_add(self.number(16));
        if latest.saturating_sub(shown) <= TOLERANCE {
            return Clock {
                now: shown.max(latest),
                set_back: false,
            };
        }
        self.put_number(16, latest.saturating_sub(wall.min(LAST_WALL)));
        Clock {
            now: latest,
            set_back: true,
        }
    }

    /// Looks a key up, or the place of the bucket that has been full for the longest.
    pub(crate) fn find(&self, fingerprint: &Fingerprint, now: u64) -> Place {
        let (mut free, mut free_at) = (0, u64::MAX);
        // Whole words, since a comparison of twelve bytes is a call.
        let Some(wanted) = fingerprint.first_chunk::<8>() else {
            return Place::None;
        };
        let wanted = u64::from_le_bytes(*wanted);
        for (at, way) in self.ways().iter().enumerate() {
            let [key, middle, last] = words(way);
            if key == wanted && way.starts_with(fingerprint) {
                return Place::Held(at, read_time(way.get(12..).unwrap_or_default()));
            }
            // The nanoseconds, from byte 12 on.
            let full_at = middle >> 32 | last << 32;
            if full_at < free_at {
                (free, free_at) = (at, full_at);
            }
        }
        let full_at = self
            .ways()
            .get(free)
            .map_or(Time::from_nanos(u64::MAX), |way| {
                read_time(way.get(12..).unwrap_or_default())
            });
        if full_at <= Time::from_nanos(now) {
            Place::Free(free)
        } else {
            Place::None
        }
    }

    /// When the shared bucket is full.
    pub(crate) fn shared_bucket(&self) -> Time {
        read_time(self.bytes.get(24..36).unwrap_or_default())
    }

    /// Puts a key's bucket into a slot, at the shard's time `now`.
    pub(crate) fn put(&mut self, slot: Slot, fingerprint: &Fingerprint, full_at: Time, now: u64) {
        self.put_number(8, self.number(8).max(now));
        let mut bytes = [0; WAY];
        let (key, time) = bytes.split_at_mut(12);
        key.copy_from_slice(fingerprint);
        write_time(time, full_at);
        match slot {
            Slot::Way(at) => {
                let ways = self.bytes.get_mut(HEADER..).unwrap_or_default();
                if let Some(way) = ways.as_chunks_mut::<WAY>().0.get_mut(at) {
                    *way = bytes;
                }
            }
            Slot::Shared => {
                if let Some(place) = self.bytes.get_mut(24..36) {
                    write_time(place, full_at);
                }
            }
        }
    }

    /// Whether every bucket is full, so that nothing is lost with the whole shard.
    pub(crate) fn is_idle(&self, now: u64) -> bool {
        let now = Time::from_nanos(now);
        self.shared_bucket() <= now
            && self
                .ways()
                .iter()
                .all(|way| read_time(way.get(12..).unwrap_or_default()) <= now)
    }

    fn ways(&self) -> &[[u8; WAY]] {
        self.bytes
            .get(HEADER..)
            .unwrap_or_default()
            .as_chunks::<WAY>()
            .0
    }

    fn number(&self, at: usize) -> u64 {
        self.bytes
            .get(at..)
            .and_then(|bytes| bytes.first_chunk::<8>())
            .map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    fn put_number(&mut self, at: usize, number: u64) {
        if let Some(place) = self
            .bytes
            .get_mut(at..)
            .and_then(|bytes| bytes.first_chunk_mut::<8>())
        {
            *place = number.to_le_bytes();
        }
    }
}

/// A way as three numbers.
fn words(way: &[u8; WAY]) -> [u64; 3] {
    let (words, _) = way.as_chunks::<8>();
    match words {
        [a, b, c] => [
            u64::from_le_bytes(*a),
            u64::from_le_bytes(*b),
            u64::from_le_bytes(*c),
        ],
        _ => [0; 3],
    }
}

/// Eight bytes of nanoseconds, four of the fraction.
fn read_time(bytes: &[u8]) -> Time {
    match bytes.split_first_chunk::<8>() {
        Some((nanos, rest)) => Time {
            nanos: u64::from_le_bytes(*nanos),
            fraction: rest
                .first_chunk::<4>()
                .map_or(0, |fraction| u32::from_le_bytes(*fraction)),
        },
        None => Time::default(),
    }
}

fn write_time(bytes: &mut [u8], time: Time) {
    if let Some((nanos, rest)) = bytes.split_first_chunk_mut::<8>() {
        *nanos = time.nanos.to_le_bytes();
        if let Some(fraction) = rest.first_chunk_mut::<4>() {
            *fraction = time.fraction.to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn key(number: u8) -> Fingerprint {
        [number; 12]
    }

    #[test]
    fn a_value_of_another_shape_is_an_empty_shard() {
        let fresh = Shard::open(Vec::new(), 2);
        assert_eq!(fresh.as_bytes().len(), 40 + 2 * 24);
        let mut used = fresh.clone();
        used.put(Slot::Way(1), &key(7), Time::from_nanos(9), 5);
        let bytes = used.as_bytes().to_vec();
        assert_eq!(Shard::open(bytes.clone(), 2), used);
        assert_eq!(Shard::open(bytes.clone(), 3), Shard::open(Vec::new(), 3));
        assert_eq!(Shard::open(bytes[1..].to_vec(), 2), fresh);
        let mut other_version = bytes;
        other_version[3] = b'2';
        assert_eq!(Shard::open(other_version, 2), fresh);
    }

    #[test]
    fn the_bucket_that_has_been_full_for_longest_gives_its_place() {
        let mut shard = Shard::open(Vec::new(), 3);
        for (at, full_at) in [(0, 50), (1, 40), (2, 60)] {
            shard.put(
                Slot::Way(at),
                &key(at as u8 + 1),
                Time::from_nanos(full_at),
                0,
            );
        }
        assert_eq!(shard.find(&key(3), 0), Place::Held(2, Time::from_nanos(60)));
        assert_eq!(shard.find(&key(9), 39), Place::None);
        assert_eq!(shard.find(&key(9), 40), Place::Free(1));
        assert!(!shard.is_idle(59));
        assert!(shard.is_idle(60));
        shard.put(
            Slot::Shared,
            &key(9),
            Time {
                nanos: 70,
                fraction: 1,
            },
            0,
        );
        assert_eq!(
            shard.shared_bucket(),
            Time {
                nanos: 70,
                fraction: 1
            }
        );
        assert!(!shard.is_idle(70));
        assert!(shard.is_idle(71));
        assert_eq!(shard.find(&key(1), 0), Place::Held(0, Time::from_nanos(50)));
    }

    #[test]
    fn the_clock_never_goes_back_and_does_not_stop() {
        let mut shard = Shard::open(Vec::new(), 1);
        let mut at = |wall: u64| {
            let clock = shard.clock(wall);
            shard.put(Slot::Way(0), &key(1), Time::default(), clock.now);
            clock
        };
        assert_eq!(at(5000 * SECOND).now, 5000 * SECOND);
        // A worker that read the clock a little earlier.
        assert_eq!(at(5000 * SECOND - 10).now, 5000 * SECOND);
        assert_eq!(at(5000 * SECOND + 10).now, 5000 * SECOND + 10);
        // Set back by an hour: goes on from where it was.
        let back = at(1400 * SECOND);
        assert_eq!((back.now, back.set_back), (5000 * SECOND + 10, true));
        let next = at(1403 * SECOND);
        assert_eq!((next.now, next.set_back), (5003 * SECOND + 10, false));
        assert_eq!(at(0).now, 5003 * SECOND + 10);
        assert_eq!(at(SECOND).now, 5004 * SECOND + 10);
        let nonsense = at(u64::MAX).now;
        assert_eq!(at(2 * SECOND).now, nonsense);
        assert_eq!(at(3 * SECOND).now, nonsense + SECOND);
    }
}
