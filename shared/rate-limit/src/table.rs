//! The buckets of one limit: shards in shared data, changed by compare-and-swap.

use crate::bucket::{Rate, Short, Time};
use crate::config::OnFull;
use crate::shard::{Clock, Fingerprint, HEADER, Place, Shard, Slot, WAY};
use crate::shared_data::{SharedData, Stored, Unavailable, Written, load_or_create};

/// How often a write that met another one is tried again. Each failure is another worker's success, and a worker is
/// between reading and writing for a small part of its time.
pub(crate) const ATTEMPTS: usize = 32;

const PREFIX: &[u8; 20] = b"backstop.rate-limit/";
pub(crate) const KEY_LEN: usize = PREFIX.len() + 16 + 4;

/// How many shards and ways a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) shards: u32,
    pub(crate) ways: u32,
}

impl Layout {
    /// At least `slots` buckets, `ways` to a shard.
    pub(crate) const fn of(slots: u32, ways: u32) -> Self {
        if slots <= ways {
            return Self {
                shards: 1,
                ways: if slots == 0 { 1 } else { slots },
            };
        }
        Self {
            shards: slots.div_ceil(ways),
            ways,
        }
    }

    /// Bytes of all values together.
    pub(crate) const fn bytes(self) -> usize {
        self.shards as usize * (HEADER + WAY * self.ways as usize)
    }
}

/// One limit's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) id: u128,
    pub(crate) layout: Layout,
    pub(crate) rate: Rate,
    pub(crate) on_full: OnFull,
}

/// A key's shard and its fingerprint there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Address {
    key: [u8; KEY_LEN],
    fingerprint: Fingerprint,
}

/// What a bucket has to say about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There are enough tokens: the bucket after they are taken.
    Enough { slot: Slot, after: Time },
    /// There are not.
    Short { slot: Slot, short: Short },
    /// The table is full, and the configuration lets pass what it has no room for.
    Uncounted,
    /// The table is full, and the configuration refuses what it has no room for.
    NoRoom,
}

/// A shard as it was read, and the answer for one key in it.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) answer: Answer,
    pub(crate) clock: Clock,
    /// The bucket as it is.
    pub(crate) full_at: Time,
    shard: Shard,
    cas: u32,
}

/// What became of taking tokens.
#[derive(Debug)]
pub(crate) enum Taken {
    /// They are taken: the slot, and the bucket afterwards.
    Done { slot: Slot, after: Time },
    /// Nothing was to be taken, or every attempt met another write: the request passes uncounted.
    Uncounted { contended: bool },
    /// Somebody else took them meanwhile.
    Refused(Reading),
}

/// The key of a table's shard in shared data.
pub(crate) fn shard_key(table: u128, shard: u32) -> [u8; KEY_LEN] {
    let mut key = [0; KEY_LEN];
    let parts = PREFIX
        .iter()
        .copied()
        .chain(table.to_le_bytes())
        .chain(shard.to_le_bytes());
    for (to, from) in key.iter_mut().zip(parts) {
        *to = from;
    }
    key
}

impl Table {
    /// Where a key with this hash lives.
    pub(crate) fn address(&self, hash: u128) -> Address {
        let bytes = hash.to_le_bytes();
        let low = u64::from(hash as u32);
        // The upper half of a 32 by 32 bit product: even over any number of shards, and less than it.
        let shard = ((low * u64::from(self.layout.shards)) >> 32) as u32;
        let mut fingerprint = [0; 12];
        for (to, from) in fingerprint.iter_mut().zip(bytes.iter().skip(4)) {
            *to = *from;
        }
        Address {
            key: shard_key(self.id, shard),
            fingerprint,
        }
    }

    /// Looks, takes nothing.
    pub(crate) fn read(
        &self,
        shared: &impl SharedData,
        address: &Address,
        wall: u64,
        cost: Time,
    ) -> Result<Reading, Unavailable> {
        let Stored { value, cas } = load_or_create(shared, &address.key, b"")?;
        let mut shard = Shard::open(value, self.layout.ways as usize);
        let clock = shard.clock(wall);
        let (slot, full_at) = match shard.find(&address.fingerprint, clock.now) {
            Place::Held(at, full_at) => (Some(Slot::Way(at)), full_at),
            Place::Free(at) => (Some(Slot::Way(at)), Time::default()),
            Place::None => match self.on_full {
                OnFull::ShareBucket => (Some(Slot::Shared), shard.shared_bucket()),
                OnFull::Allow | OnFull::Deny => (None, Time::default()),
            },
        };
        let answer = match slot {
            Some(slot) => match self.rate.take(full_at, clock.now, cost) {
                Ok(after) => Answer::Enough { slot, after },
                Err(short) => Answer::Short { slot, short },
            },
            None if self.on_full == OnFull::Allow => Answer::Uncounted,
            None => Answer::NoRoom,
        };
        Ok(Reading {
            answer,
            clock,
            full_at,
            shard,
            cas,
        })
    }

    /// Takes what `reading` offers; reads again as long as others write in between.
    pub(crate) fn take(
        &self,
        shared: &impl SharedData,
        address: &Address,
        wall: u64,
        cost: Time,
        mut reading: Reading,
    ) -> Result<Taken, Unavailable> {
        for _ in 0..ATTEMPTS {
            let (slot, after) = match reading.answer {
                Answer::Enough { slot, after } => (slot, after),
                Answer::Uncounted => return Ok(Taken::Uncounted { contended: false }),
                Answer::Short { .. } | Answer::NoRoom => return Ok(Taken::Refused(reading)),
            };
            reading
                .shard
                .put(slot, &address.fingerprint, after, reading.clock.now);
            match shared.set(&address.key, reading.shard.as_bytes(), reading.cas)? {
                Written::Done => return Ok(Taken::Done { slot, after }),
                Written::Conflict => reading = self.read(shared, address, wall, cost)?,
            }
        }
        Ok(match reading.answer {
            Answer::Short { .. } | Answer::NoRoom => Taken::Refused(reading),
            Answer::Enough { .. } | Answer::Uncounted => Taken::Uncounted { contended: true },
        })
    }

    /// Puts back what was taken from `slot`. Answers whether that succeeded: if not, the client waits a little longer.
    pub(crate) fn give_back(
        &self,
        shared: &impl SharedData,
        address: &Address,
        slot: Slot,
        cost: Time,
    ) -> Result<bool, Unavailable> {
        for _ in 0..ATTEMPTS {
            let Some(Stored { value, cas }) = shared.get(&address.key)? else {
                return Ok(true);
            };
            let mut shard = Shard::open(value, self.layout.ways as usize);
            let (slot, full_at) = match slot {
                Slot::Shared => (Slot::Shared, shard.shared_bucket()),
                // By key, not by position: another key may have the place by now, which means that the bucket was full.
                Slot::Way(_) => match shard.find(&address.fingerprint, 0) {
                    Place::Held(at, full_at) => (Slot::Way(at), full_at),
                    Place::Free(_) | Place::None => return Ok(true),
                },
            };
            let before = self.rate.give_back(full_at, cost);
            shard.put(slot, &address.fingerprint, before, 0);
            if shared.set(&address.key, shard.as_bytes(), cas)? == Written::Done {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets a shard whose clock was found set back go on from there. If another worker writes first, it does so, too.
    pub(crate) fn keep_clock(
        &self,
        shared: &impl SharedData,
        address: &Address,
        reading: &Reading,
    ) -> Result<(), Unavailable> {
        if reading.clock.set_back {
            shared.set(&address.key, reading.shard.as_bytes(), reading.cas)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_hold_what_is_asked_for() {
        for (slots, ways, shards, kept, bytes) in [
            (16_384, 64, 256, 64, 403_456),
            (1, 64, 1, 1, 64),
            (64, 64, 1, 64, 1_576),
            (65, 64, 2, 64, 3_152),
        ] {
            let layout = Layout::of(slots, ways);
            assert_eq!((layout.shards, layout.ways), (shards, kept));
            assert_eq!(layout.bytes(), bytes);
        }
    }

    #[test]
    fn every_hash_has_a_shard_and_tables_have_different_ones() {
        let table = |id| Table {
            id,
            layout: Layout::of(300, 3),
            rate: Rate::new(1, 1, 1),
            on_full: OnFull::Deny,
        };
        for hash in [0, 1, u128::MAX, u128::from(u32::MAX)] {
            let key = table(1).address(hash).key;
            assert!((0..100).any(|shard| shard_key(1, shard) == key));
            assert_ne!(key, table(2).address(hash).key);
        }
        assert_eq!(table(1).address(u128::from(u32::MAX)).key, shard_key(1, 99));
    }
}
