//! The secret that keys are hashed with.

use core::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

use crate::shared_data::{SharedData, Unavailable, load_or_create};

/// A random secret of the proxy's process. Nobody outside knows it, so nobody can choose addresses or cookies that meet in
/// one shard; all workers know it, so all find the same record.
#[derive(Clone, Copy)]
pub struct Seed(u64, u64);

impl Seed {
    /// The process's seed at `key`: `candidate`, or what another worker has put there before.
    ///
    /// # Errors
    /// When the host has no shared data, or something else is at that key.
    pub fn agree(
        shared: &impl SharedData,
        key: &[u8],
        candidate: [u8; 16],
    ) -> Result<Self, Unavailable> {
        let stored = load_or_create(shared, key, &candidate)?;
        let (first, rest) = stored.value.split_first_chunk::<8>().ok_or(Unavailable)?;
        let (second, _) = rest.split_first_chunk::<8>().ok_or(Unavailable)?;
        Ok(Self(
            u64::from_le_bytes(*first),
            u64::from_le_bytes(*second),
        ))
    }

    /// A hash under this seed.
    pub fn hasher(self) -> KeyHasher {
        KeyHasher(SipHasher24::new_with_keys(self.0, self.1))
    }
}

/// Not shown: whoever reads a log could choose keys that meet.
impl core::fmt::Debug for Seed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// SipHash-2-4 with 128 bits over a sequence of fields, each with its length: `("a", "bc")` is not `("ab", "c")`.
#[derive(Clone, Copy)]
pub struct KeyHasher(SipHasher24);

impl KeyHasher {
    /// Adds a field of a kind.
    pub fn field(&mut self, kind: u8, bytes: &[u8]) {
        let mut head = (bytes.len() as u64).to_le_bytes();
        // Lengths stay far below 2^56.
        if let Some(last) = head.last_mut() {
            *last = kind;
        }
        self.0.write(&head);
        self.0.write(bytes);
    }

    /// The hash.
    pub fn finish(self) -> u128 {
        self.0.finish128().as_u128()
    }
}

impl core::fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeyHasher(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let hash = |fields: &[(u8, &[u8])]| {
            let mut hasher = Seed(1, 2).hasher();
            for (kind, bytes) in fields {
                hasher.field(*kind, bytes);
            }
            hasher.finish()
        };
        let hashes = [
            hash(&[(1, b"a"), (1, b"bc")]),
            hash(&[(1, b"ab"), (1, b"c")]),
            hash(&[(1, b"abc")]),
            hash(&[(2, b"abc")]),
            hash(&[(1, b"abc"), (1, b"")]),
            hash(&[]),
            Seed(2, 1).hasher().finish(),
        ];
        for (at, one) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(one), "{at}");
        }
        assert_eq!(hash(&[(1, b"abc")]), hashes[2]);
    }
}
