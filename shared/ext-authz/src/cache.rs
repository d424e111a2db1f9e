//! Remembered verdicts: answers of the service, kept whole in a table of shared data.

use std::net::IpAddr;

use backstop_http::{Headers, NormalizedPath};
use backstop_policy::ConfigError;
use backstop_table::{Change, Changed, Layout, Record, Seed, SharedData, Table, Unavailable};

use crate::answer::Decision;
use crate::config;
use crate::key::{self, Part};
use crate::verdict::Verdict;

/// Bytes of a record's value: the answer's length, then the answer.
pub const VALUE: usize = 236;
/// The longest answer that is kept.
pub const MAX_ANSWER: usize = VALUE - 2;
/// Records of a shard.
const PLACES: u32 = 16;

/// Nanoseconds that each verdict holds; 0 is not at all.
#[derive(Clone, Copy, Debug)]
struct Ttl {
    none: u64,
    throttle: u64,
    challenge: u64,
    block: u64,
}

/// The verdict cache.
#[derive(Clone, Debug)]
pub struct Cache {
    parts: Vec<Part>,
    ttl: Ttl,
    layout: Layout,
}

/// What a request's verdict is remembered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheKey(u128);

/// What became of an answer that was to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is remembered; another one may have given way.
    Yes {
        /// Whether one did before its time was over.
        displaced: bool,
    },
    /// Verdicts of this kind are not remembered.
    NotThisVerdict,
    /// It is longer than [`MAX_ANSWER`].
    TooLong,
    /// Other workers wrote all the time.
    Contended,
}

impl Cache {
    /// Compiles `cache`.
    ///
    /// # Errors
    /// What is wrong, at its JSON path.
    pub fn compile(config: &config::Cache) -> Result<Self, ConfigError> {
        if config.key.is_empty() || config.key.len() > 8 {
            return Err(ConfigError::at(
                "cache.key",
                "one to eight parts: with none, one client's verdict would be everybody's",
            ));
        }
        if config
            .key
            .iter()
            .all(|part| matches!(part, config::KeyPart::Path(_)))
        {
            return Err(ConfigError::at(
                "cache.key",
                "`path` alone would make one client's verdict everybody's",
            ));
        }
        let mut parts = Vec::with_capacity(config.key.len());
        for (index, part) in config.key.iter().enumerate() {
            parts.push(Part::compile(format_args!("cache.key[{index}]"), part)?);
        }
        Ok(Self {
            parts,
            ttl: Ttl {
                none: config.ttl.none.nanos(),
                throttle: config.ttl.throttle.nanos(),
                challenge: config.ttl.challenge.nanos(),
                block: config.ttl.block.nanos(),
            },
            layout: Layout::of(config.slots.0, PLACES),
        })
    }

    /// What makes it this cache and no other after a reconfiguration: its size.
    pub(crate) fn identity(&self) -> [u8; 8] {
        let mut bytes = [0; 8];
        let parts = self
            .layout
            .shards
            .to_le_bytes()
            .into_iter()
            .chain(self.layout.places.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = from;
        }
        bytes
    }

    /// The table of this cache, at keys that begin with `prefix`.
    pub fn table(&self, prefix: &[u8]) -> Table<VALUE> {
        // None is worth more than another: the one that is over soonest gives way.
        Table::new(prefix, self.layout, |_| 0)
    }

    /// Bytes of shared data that the answers take.
    pub const fn bytes(&self) -> usize {
        self.layout.bytes::<VALUE>()
    }

    /// Whether the client's address is a part of the key.
    pub fn needs_client(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Address))
    }

    /// What the verdict on a request is remembered by; `None` if it is not.
    pub fn key(
        &self,
        seed: Seed,
        event_type: &str,
        headers: &Headers,
        path: &NormalizedPath<'_>,
        client: Option<IpAddr>,
    ) -> Option<CacheKey> {
        let mut hasher = seed.hasher();
        hasher.field(u8::MAX, event_type.as_bytes());
        key::hash(&self.parts, headers, path, client, hasher).map(CacheKey)
    }

    /// The remembered answer, if there is one.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn get(
        &self,
        table: &Table<VALUE>,
        shared: &impl SharedData,
        key: CacheKey,
        now: u64,
    ) -> Result<Option<Decision>, Unavailable> {
        let Some(record) = table.get(shared, key.0, now)? else {
            return Ok(None);
        };
        let answer = record
            .value
            .split_first_chunk::<2>()
            .and_then(|(len, rest)| rest.get(..usize::from(u16::from_le_bytes(*len))));
        Ok(answer.and_then(|bytes| Decision::read_grpc(bytes).ok()))
    }

    /// Remembers an answer whose verdict is `verdict`.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn put(
        &self,
        table: &Table<VALUE>,
        shared: &impl SharedData,
        key: CacheKey,
        decision: &Decision,
        verdict: Verdict,
        now: u64,
    ) -> Result<Kept, Unavailable> {
        let ttl = match verdict {
            Verdict::None => self.ttl.none,
            Verdict::Throttle(_) => self.ttl.throttle,
            Verdict::Challenge => self.ttl.challenge,
            Verdict::Block => self.ttl.block,
            Verdict::Denied => 0,
        };
        if ttl == 0 {
            return Ok(Kept::NotThisVerdict);
        }
        let answer = decision.to_bytes();
        let mut value = [0; VALUE];
        let (len, place) = value.split_at_mut(2);
        let Some(place) = place.get_mut(..answer.len()) else {
            return Ok(Kept::TooLong);
        };
        place.copy_from_slice(&answer);
        len.copy_from_slice(&(answer.len() as u16).to_le_bytes());
        let record = Record {
            until: now.saturating_add(ttl),
            value,
        };
        Ok(
            match table.change(shared, key.0, now, |_| Change::Put(record))? {
                Changed::Written { displaced } => Kept::Yes {
                    displaced: displaced.is_some(),
                },
                Changed::Contended | Changed::Kept => Kept::Contended,
            },
        )
    }
}
