//! Shards by hash, changed by compare-and-swap.

use crate::shard::{Fingerprint, HEADER, PLACE, Record, Shard};
use crate::shared_data::{SharedData, Stored, Unavailable, Written, load_or_create};

/// How often a write that met another one is tried again. Each failure is another worker's success, and a worker is
/// between reading and writing for a small part of its time.
const ATTEMPTS: usize = 32;

/// How many shards a table has, and how many places each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Values of shared data.
    pub shards: u32,
    /// Records in each.
    pub places: u32,
}

impl Layout {
    /// At least `slots` records, `places` to a shard.
    pub const fn of(slots: u32, places: u32) -> Self {
        let places = if places == 0 { 1 } else { places };
        if slots <= places {
            return Self {
                shards: 1,
                places: if slots == 0 { 1 } else { slots },
            };
        }
        Self {
            shards: slots.div_ceil(places),
            places,
        }
    }

    /// Bytes of all values together, when each shard has been written once; records have `N` bytes of their own.
    pub const fn bytes<const N: usize>(self) -> usize {
        self.shards as usize * (HEADER + (PLACE + N) * self.places as usize)
    }
}

/// A table of records with `N` bytes each.
#[derive(Clone, Debug)]
pub struct Table<const N: usize> {
    /// Before the shard's number in its key.
    prefix: Vec<u8>,
    layout: Layout,
    /// Which record gives way where there is no room: the lowest.
    rank: fn(&[u8; N]) -> u8,
}

/// What is to become of a key's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<const N: usize> {
    /// It stays, or there still is none.
    Keep,
    /// It is this from now on.
    Put(Record<N>),
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed<const N: usize> {
    /// Nothing was to be changed.
    Kept,
    /// It is written.
    Written {
        /// The record of another key that gave way to it before its time was over.
        displaced: Option<Record<N>>,
    },
    /// Every attempt met another worker's write: nothing is changed.
    Contended,
}

impl<const N: usize> Table<N> {
    /// The table at the keys that begin with `prefix`. Tables whose layout or `N` differ must not share one: they would
    /// empty each other's shards.
    pub fn new(prefix: &[u8], layout: Layout, rank: fn(&[u8; N]) -> u8) -> Self {
        Self {
            prefix: prefix.to_vec(),
            layout,
            rank,
        }
    }

    /// How large it is.
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// Bytes of shared data that the records take, when all shards have been written once.
    pub const fn bytes(&self) -> usize {
        self.layout.bytes::<N>()
    }

    /// The record of the key with this hash at `now`.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn get(
        &self,
        shared: &impl SharedData,
        hash: u128,
        now: u64,
    ) -> Result<Option<Record<N>>, Unavailable> {
        let (key, fingerprint) = self.address(hash);
        let Some(stored) = shared.get(&key)? else {
            return Ok(None);
        };
        let shard = Shard::open(stored.value, self.layout.places);
        Ok(shard.find(&fingerprint, now).map(|(_, record)| record))
    }

    /// Changes the record of the key with this hash by `change`, which sees what is there and is asked again when another
    /// worker wrote meanwhile.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn change(
        &self,
        shared: &impl SharedData,
        hash: u128,
        now: u64,
        mut change: impl FnMut(Option<Record<N>>) -> Change<N>,
    ) -> Result<Changed<N>, Unavailable> {
        let (key, fingerprint) = self.address(hash);
        for _ in 0..ATTEMPTS {
            let Stored { value, cas } = load_or_create(shared, &key, b"")?;
            let mut shard = Shard::open(value, self.layout.places);
            let held = shard.find(&fingerprint, now);
            let Change::Put(record) = change(held.map(|(_, record)| record)) else {
                return Ok(Changed::Kept);
            };
            let place = match held {
                Some((at, _)) => Some((at, None)),
                None => shard.room(&fingerprint, now, self.rank),
            };
            let Some((at, displaced)) = place else {
                return Ok(Changed::Kept);
            };
            shard.put(at, &fingerprint, &record);
            if shared.set(&key, shard.as_bytes(), cas)? == Written::Done {
                return Ok(Changed::Written { displaced });
            }
        }
        Ok(Changed::Contended)
    }

    /// How many records are not over: reads the whole table.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn live(&self, shared: &impl SharedData, now: u64) -> Result<usize, Unavailable> {
        let mut live = 0;
        for number in 0..self.layout.shards {
            if let Some(stored) = shared.get(&self.key(number))? {
                live += Shard::<N>::open(stored.value, self.layout.places).live(now);
            }
        }
        Ok(live)
    }

    fn key(&self, shard: u32) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.prefix.len() + 4);
        key.extend_from_slice(&self.prefix);
        key.extend_from_slice(&shard.to_le_bytes());
        key
    }

    /// The key of a hash's shard, and its fingerprint there.
    fn address(&self, hash: u128) -> (Vec<u8>, Fingerprint) {
        let low = u64::from(hash as u32);
        // The upper half of a 32 by 32 bit product: even over any number of shards, and less than it.
        let shard = ((low * u64::from(self.layout.shards)) >> 32) as u32;
        let mut fingerprint = [0; 12];
        for (to, from) in fingerprint
            .iter_mut()
            .zip(hash.to_le_bytes().iter().skip(4))
        {
            *to = *from;
        }
        // An unused place has the fingerprint of zeros, but its time is over: no key is found there.
        (self.key(shard), fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_hold_what_is_asked_for() {
        for (slots, places, shards, kept, bytes) in [
            (16_384, 64, 256, 64, 528_384),
            (1, 64, 1, 1, 48),
            (0, 0, 1, 1, 48),
            (65, 64, 2, 64, 4_128),
        ] {
            let layout = Layout::of(slots, places);
            assert_eq!((layout.shards, layout.places), (shards, kept));
            assert_eq!(layout.bytes::<12>(), bytes);
        }
    }
}
