//! Which tables a plugin has made, so that those that no configuration uses any more give their memory back.
//!
//! Shared data has no removal, and another listener may still run the configuration that this one replaces. What makes it
//! safe all the same: a shard whose buckets are all full says nothing, so emptying it loses nothing, whoever uses it. What
//! stays is the name of the key.

use crate::shard::Shard;
use crate::shared_data::{SharedData, Stored, Unavailable, Written, load_or_create};
use crate::table::{ATTEMPTS, KEY_LEN, Layout, shard_key};

/// The most tables that are remembered.
const MAX_TABLES: usize = 1024;
const RECORD: usize = 24;

/// A table, as far as it takes to find its shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: u128,
    pub(crate) layout: Layout,
}

/// The list of one plugin's tables, at its key in shared data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registry {
    key: [u8; KEY_LEN],
}

impl Registry {
    pub(crate) fn of(namespace: u128) -> Self {
        // A shard number that no table has.
        Self {
            key: shard_key(namespace, u32::MAX),
        }
    }

    /// Notes tables that are in use.
    pub(crate) fn add(&self, shared: &impl SharedData, used: &[Entry]) -> Result<(), Unavailable> {
        self.change(shared, |entries| {
            for entry in used {
                if !entries.contains(entry) {
                    entries.push(*entry);
                }
            }
            // The oldest go; their memory stays as it is.
            let excess = entries.len().saturating_sub(MAX_TABLES);
            entries.drain(..excess);
        })
    }

    /// Empties the idle shards of all tables but `used`, and forgets tables that are empty. Answers how many other tables
    /// still have clients with less than full buckets.
    pub(crate) fn reclaim(
        &self,
        shared: &impl SharedData,
        used: &[Entry],
        wall: u64,
    ) -> Result<usize, Unavailable> {
        let Some(Stored { value, .. }) = shared.get(&self.key)? else {
            return Ok(0);
        };
        let mut empty = Vec::new();
        let mut busy = 0;
        for entry in read(&value).filter(|entry| !used.contains(entry)) {
            if empty_idle_shards(shared, entry, wall)? {
                empty.push(entry);
            } else {
                busy += 1;
            }
        }
        if !empty.is_empty() {
            self.change(shared, |entries| {
                entries.retain(|entry| !empty.contains(entry));
            })?;
        }
        Ok(busy)
    }

    fn change(
        &self,
        shared: &impl SharedData,
        change: impl Fn(&mut Vec<Entry>),
    ) -> Result<(), Unavailable> {
        for _ in 0..ATTEMPTS {
            let Stored { value, cas } = load_or_create(shared, &self.key, b"")?;
            let before: Vec<Entry> = read(&value).collect();
            let mut after = before.clone();
            change(&mut after);
            if after == before || shared.set(&self.key, &written(&after), cas)? == Written::Done {
                return Ok(());
            }
        }
        // Not noted: the table's memory stays when it is no longer used.
        Ok(())
    }
}

/// Answers whether all shards are empty now.
fn empty_idle_shards(
    shared: &impl SharedData,
    entry: Entry,
    wall: u64,
) -> Result<bool, Unavailable> {
    let mut all = true;
    for number in 0..entry.layout.shards {
        let key = shard_key(entry.id, number);
        let Some(Stored { value, cas }) = shared.get(&key)? else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        let mut shard = Shard::open(value, entry.layout.ways as usize);
        let now = shard.clock(wall).now;
        all &= shard.is_idle(now) && shared.set(&key, b"", cas)? == Written::Done;
    }
    Ok(all)
}

fn read(value: &[u8]) -> impl Iterator<Item = Entry> {
    value.as_chunks::<RECORD>().0.iter().filter_map(|record| {
        let (id, rest) = record.split_first_chunk::<16>()?;
        let (shards, rest) = rest.split_first_chunk::<4>()?;
        let (ways, _) = rest.split_first_chunk::<4>()?;
        Some(Entry {
            id: u128::from_le_bytes(*id),
            layout: Layout {
                shards: u32::from_le_bytes(*shards),
                ways: u32::from_le_bytes(*ways),
            },
        })
    })
}

fn written(entries: &[Entry]) -> Vec<u8> {
    let mut value = Vec::with_capacity(entries.len() * RECORD);
    for entry in entries {
        value.extend_from_slice(&entry.id.to_le_bytes());
        value.extend_from_slice(&entry.layout.shards.to_le_bytes());
        value.extend_from_slice(&entry.layout.ways.to_le_bytes());
    }
    value
}
