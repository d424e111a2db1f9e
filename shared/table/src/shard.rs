//! One shard: a fixed number of records with a time to live, in one value of shared data.
//!
//! Layout, little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | tag and version, `BTB1` |
//! | 4 | number of places |
//! | 4 | bytes of a value |
//! | 4 | zero |
//! | 20 + value, per place | fingerprint of the key (12), when the record's time is over (8, nanoseconds), value |
//!
//! A place that nobody uses has a record whose time was over at 0: no different from one that ran out.

const TAG: &[u8; 4] = b"BTB1";
/// Bytes before the first place.
pub const HEADER: usize = 16;
/// Bytes of a place beside its value.
pub const PLACE: usize = 20;

/// 96 bits of a key's hash.
pub type Fingerprint = [u8; 12];

/// What a key has in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<const N: usize> {
    /// When it is over, in nanoseconds of the clock that the table is asked with.
    pub until: u64,
    /// What it says.
    pub value: [u8; N],
}

/// A shard's bytes, of the right length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shard<const N: usize> {
    bytes: Vec<u8>,
}

impl<const N: usize> Shard<N> {
    const LEN: usize = PLACE + N;

    /// Takes over what was stored; what is not a shard of so many places is an empty one.
    pub(crate) fn open(stored: Vec<u8>, places: u32) -> Self {
        let len = HEADER + Self::LEN * places as usize;
        let mut header = [0; HEADER];
        let parts = TAG
            .iter()
            .copied()
            .chain(places.to_le_bytes())
            .chain((N as u32).to_le_bytes());
        for (to, from) in header.iter_mut().zip(parts) {
            *to = from;
        }
        if stored.len() == len && stored.starts_with(&header) {
            return Self { bytes: stored };
        }
        let mut bytes = Vec::with_capacity(len);
        bytes.extend_from_slice(&header);
        bytes.resize(len, 0);
        Self { bytes }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A key's place, and its record if that is not over.
    pub(crate) fn find(&self, key: &Fingerprint, now: u64) -> Option<(usize, Record<N>)> {
        let (at, record) = self
            .places()
            .enumerate()
            .find(|(_, place)| place.starts_with(key))
            .and_then(|(at, place)| Some((at, read(place)?)))?;
        (record.until > now).then_some((at, record))
    }

    /// The place for a new key: its own old one, else one whose record is over, else the one that `rank` sets lowest, the
    /// sooner over the lower. With it, the record that gives way, if that is not over.
    pub(crate) fn room(
        &self,
        key: &Fingerprint,
        now: u64,
        rank: fn(&[u8; N]) -> u8,
    ) -> Option<(usize, Option<Record<N>>)> {
        let mut best: Option<(usize, (u8, u64), Record<N>)> = None;
        for (at, place) in self.places().enumerate() {
            let record = read(place)?;
            if place.starts_with(key) {
                return Some((at, None));
            }
            let order = if record.until <= now {
                (0, record.until)
            } else {
                (rank(&record.value).saturating_add(1), record.until)
            };
            if best.as_ref().is_none_or(|(_, lowest, _)| order < *lowest) {
                best = Some((at, order, record));
            }
        }
        best.map(|(at, _, record)| (at, (record.until > now).then_some(record)))
    }

    /// Puts a record into a place.
    pub(crate) fn put(&mut self, at: usize, key: &Fingerprint, record: &Record<N>) {
        let places = self.bytes.get_mut(HEADER..).unwrap_or_default();
        if let Some(place) = places.chunks_exact_mut(Self::LEN).nth(at) {
            let parts = key
                .iter()
                .copied()
                .chain(record.until.to_le_bytes())
                .chain(record.value);
            for (to, from) in place.iter_mut().zip(parts) {
                *to = from;
            }
        }
    }

    /// How many records are not over.
    pub(crate) fn live(&self, now: u64) -> usize {
        self.places()
            .filter_map(read::<N>)
            .filter(|record| record.until > now)
            .count()
    }

    fn places(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes
            .get(HEADER..)
            .unwrap_or_default()
            .chunks_exact(Self::LEN)
    }
}

fn read<const N: usize>(place: &[u8]) -> Option<Record<N>> {
    let (_, rest) = place.split_at_checked(12)?;
    let (until, value) = rest.split_first_chunk::<8>()?;
    Some(Record {
        until: u64::from_le_bytes(*until),
        value: *value.first_chunk::<N>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(until: u64, value: u8) -> Record<2> {
        Record {
            until,
            value: [value, 0],
        }
    }

    #[test]
    fn a_value_of_another_shape_is_an_empty_shard() {
        let fresh = Shard::<2>::open(Vec::new(), 3);
        assert_eq!(fresh.as_bytes().len(), 16 + 3 * 22);
        let mut used = fresh.clone();
        used.put(1, &[7; 12], &record(9, 1));
        let bytes = used.as_bytes().to_vec();
        assert_eq!(Shard::<2>::open(bytes.clone(), 3), used);
        assert_eq!(used.live(8), 1);
        for other in [&bytes[1..], &bytes[..bytes.len() - 1], b"x"] {
            assert_eq!(Shard::<2>::open(other.to_vec(), 3), fresh);
        }
        let mut other_version = bytes.clone();
        other_version[3] = b'2';
        assert_eq!(Shard::<2>::open(other_version, 3), fresh);
        // As many bytes, but other places and values.
        let wide = Shard::<46>::open(bytes, 1);
        assert_eq!(wide.live(0), 0);
    }

    #[test]
    fn a_record_is_there_until_its_time_is_over() {
        let mut shard = Shard::<2>::open(Vec::new(), 2);
        shard.put(1, &[7; 12], &record(10, 5));
        assert_eq!(shard.find(&[7; 12], 9), Some((1, record(10, 5))));
        assert_eq!(shard.find(&[7; 12], 10), None);
        assert_eq!(shard.find(&[0; 12], 9), None, "an unused place is no key's");
        assert_eq!(shard.room(&[7; 12], 10, |_| 0), Some((1, None)));
    }

    #[test]
    fn what_gives_way_is_over_then_lowest_then_soonest() {
        let mut shard = Shard::<2>::open(Vec::new(), 4);
        for (at, until, rank) in [(0, 50, 1), (1, 40, 1), (2, 60, 0), (3, 70, 0)] {
            shard.put(at, &[at as u8 + 1; 12], &record(until, rank));
        }
        let room = |now| shard.room(&[9; 12], now, |value| value[0]);
        assert_eq!(room(10), Some((2, Some(record(60, 0)))));
        assert_eq!(room(40), Some((1, None)));
        assert_eq!(room(65), Some((1, None)));
        let none = Shard::<2>::open(Vec::new(), 0);
        assert_eq!(none.room(&[9; 12], 0, |_| 0), None);
    }
}
