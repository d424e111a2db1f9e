//! The block list: clients that are refused for a while, and clients whose detections are counted.
//!
//! Both are records of one table in shared data. A record's value, 12 bytes: what it is (1 blocked, 0 counted), why it is
//! listed, one byte unused, then nine counters: hits in the newest ninth part and the eight before, each an eighth of the
//! window long. The newest part follows from when the record is over: nine parts after it began. So hits that are at most a
//! window apart are always counted together, and hits that are more than nine eighths of it apart never.

use std::net::IpAddr;

use backstop_http::{CidrSet, network};
use backstop_policy::ConfigError;
use backstop_policy::answer::is_field_name;
use backstop_table::{Change, Changed, Layout, Record, Seed, SharedData, Table, Unavailable};

use crate::config::{self, Category, Mode, Scope};
use crate::endpoint::Endpoint;

/// Bytes of a record's value.
const VALUE: usize = 12;
/// Records of a shard.
const PLACES: u32 = 64;
/// Parts of the window beside the newest.
const PARTS: u64 = 8;

/// Why a client is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The configuration lists it.
    Entry,
    /// A BLOCK verdict.
    Verdict,
    /// A detection of a category that lists at one hit.
    Detection,
    /// Several detections in the window.
    Threshold,
}

impl Why {
    /// The word in logs and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Verdict => "verdict",
            Self::Detection => "detection",
            Self::Threshold => "threshold",
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Entry => 0,
            Self::Verdict => 1,
            Self::Detection => 2,
            Self::Threshold => 3,
        }
    }

    const fn of_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Verdict,
            2 => Self::Detection,
            3 => Self::Threshold,
            _ => Self::Entry,
        }
    }
}

/// Who is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// An address, as Envoy vouches for it.
    Address(IpAddr),
    /// A session, by its cookie's value.
    Session(&'a [u8]),
}

/// What became of a report about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed {
    /// Reports of this kind list nobody.
    NotFed,
    /// The address is a proxy's in front: it stands for all its clients, and is not listed.
    TrustedProxy,
    /// It counts; so many hits are in the window now.
    Counted(u32),
    /// It is listed from now on.
    Listed(Why),
    /// It is listed already.
    AlreadyListed,
    /// Other workers wrote all the time: nothing is counted.
    Contended,
}

/// A report's outcome, and whether another client had to give way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// What became of it.
    pub fed: Fed,
    /// Who gave way before its time was over.
    pub displaced: Option<Displaced>,
}

/// Who gave way where there was no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Displaced {
    /// A client whose detections were counted.
    Counted,
    /// A listed client, which may come again.
    Blocked,
}

/// The block list, compiled.
#[derive(Clone, Debug)]
pub struct BlockList {
    /// Whether listed clients are refused.
    pub mode: Mode,
    /// Which of their requests are.
    pub scope: Scope,
    /// The cookie that names a session.
    pub session_cookie: Option<Vec<u8>>,
    /// Where new entries are told.
    pub notify: Option<Endpoint>,
    list_address_on_block: bool,
    ttl: u64,
    v4: u32,
    v6: u32,
    at_once: Vec<Category>,
    /// Hits that list; `None` if hits are not counted.
    count: Option<u32>,
    /// The categories whose hits count.
    counted: Vec<Category>,
    /// Nanoseconds of an eighth of the window.
    part: u64,
    trusted: CidrSet,
    entries: CidrSet,
    table: Table<VALUE>,
}

impl BlockList {
    /// Compiles `blockList`, for a filter that enforces or only reports: then the list only reports, too.
    ///
    /// # Errors
    /// What is wrong, at its JSON path.
    pub fn compile(config: &config::BlockList, filter: Mode) -> Result<Self, ConfigError> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let plain = |byte: u8| letter(byte) || matches!(byte, b'-' | b'_' | b'.');
        if config.name.len() > 64
            || !config.name.bytes().next().is_some_and(letter)
            || !config.name.bytes().all(plain)
        {
            return Err(ConfigError::at(
                "blockList.name",
                "lower-case letters, digits, `-`, `_` and `.`; at most 64",
            ));
        }
        if config.ttl.nanos() == 0 {
            return Err(ConfigError::at("blockList.ttl", "more than 0"));
        }
        let window = config.threshold.window.nanos();
        if window == 0 {
            return Err(ConfigError::at("blockList.threshold.window", "more than 0"));
        }
        if let Some(cookie) = &config.session_cookie
            && !is_field_name(cookie)
        {
            return Err(ConfigError::at(
                "blockList.sessionCookie",
                "not a cookie's name",
            ));
        }
        let part = window.div_ceil(PARTS);
        let layout = Layout::of(config.slots.0, PLACES);
        let mode = match filter {
            Mode::Enforce => config.mode,
            Mode::Report => Mode::Report,
        };
        // What only reports must not get anybody refused elsewhere.
        let kind = match mode {
            Mode::Enforce => "",
            Mode::Report => "report/",
        };
        let prefix = format!(
            "backstop.block-list/{}/{}x{}/{kind}",
            config.name, layout.shards, layout.places
        );
        let counted = if config.threshold.categories.is_empty() {
            Category::ALL.to_vec()
        } else {
            config.threshold.categories.clone()
        };
        Ok(Self {
            mode,
            scope: config.scope,
            session_cookie: config
                .session_cookie
                .as_ref()
                .map(|name| name.as_bytes().to_vec()),
            notify: config.notify.as_ref().map(Endpoint::compile).transpose()?,
            list_address_on_block: config.list_address_on_block,
            ttl: config.ttl.nanos(),
            v4: config.address.ipv4_prefix_length.0,
            v6: config.address.ipv6_prefix_length.0,
            at_once: config.categories.clone(),
            count: config.threshold.enabled.then_some(config.threshold.count.0),
            counted,
            part,
            trusted: cidrs("blockList.trustedProxies", &config.trusted_proxies)?,
            entries: cidrs("blockList.entries", &config.entries)?,
            table: Table::new(prefix.as_bytes(), layout, rank),
        })
    }

    /// Bytes of shared data that the list takes.
    pub const fn bytes(&self) -> usize {
        self.table.bytes()
    }

    /// Whether one hit of this category lists.
    pub fn lists_at_once(&self, category: Category) -> bool {
        self.at_once.contains(&category)
    }

    /// Whether hits of this category are counted.
    pub fn counts(&self, category: Category) -> bool {
        self.count.is_some() && self.counted.contains(&category)
    }

    /// Whether a client is listed at `now`, and why.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn lookup(
        &self,
        shared: &impl SharedData,
        seed: Seed,
        subject: Subject<'_>,
        now: u64,
    ) -> Result<Option<Why>, Unavailable> {
        if let Subject::Address(address) = subject {
            if self.entries.contains(address) {
                return Ok(Some(Why::Entry));
            }
            if self.trusted.contains(address) {
                return Ok(None);
            }
        }
        let record = self.table.get(shared, self.hash(seed, subject), now)?;
        Ok(record.and_then(|record| blocked(&record)))
    }

    /// A detection of the WAF, about the client at `address`.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn detection(
        &self,
        shared: &impl SharedData,
        seed: Seed,
        address: IpAddr,
        category: Category,
        now: u64,
    ) -> Result<Report, Unavailable> {
        if self.lists_at_once(category) {
            return self.list(shared, seed, Subject::Address(address), Why::Detection, now);
        }
        match self.count {
            Some(count) if self.counts(category) => self.hit(shared, seed, address, count, now),
            _ => Ok(Report::plain(Fed::NotFed)),
        }
    }

    /// A BLOCK verdict about a client.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn verdict(
        &self,
        shared: &impl SharedData,
        seed: Seed,
        subject: Subject<'_>,
        now: u64,
    ) -> Result<Report, Unavailable> {
        if matches!(subject, Subject::Address(_)) && !self.list_address_on_block {
            return Ok(Report::plain(Fed::NotFed));
        }
        self.list(shared, seed, subject, Why::Verdict, now)
    }

    fn list(
        &self,
        shared: &impl SharedData,
        seed: Seed,
        subject: Subject<'_>,
        why: Why,
        now: u64,
    ) -> Result<Report, Unavailable> {
        if self.is_trusted(subject) {
            return Ok(Report::plain(Fed::TrustedProxy));
        }
        let mut fed = Fed::Listed(why);
        let changed = self
            .table
            .change(shared, self.hash(seed, subject), now, |held| {
                let already = held.as_ref().and_then(blocked);
                fed = already.map_or(Fed::Listed(why), |_| Fed::AlreadyListed);
                match held {
                    // A little longer is not worth a write.
                    Some(held)
                        if already.is_some()
                            && held.until.saturating_sub(now) > self.ttl - self.ttl / 16 =>
                    {
                        Change::Keep
                    }
                    _ => Change::Put(self.entry(already.unwrap_or(why), now)),
                }
            })?;
        Ok(Report::of(fed, changed))
    }

    fn hit(
        &self,
        shared: &impl SharedData,
        seed: Seed,
        address: IpAddr,
        count: u32,
        now: u64,
    ) -> Result<Report, Unavailable> {
        let subject = Subject::Address(address);
        if self.is_trusted(subject) {
            return Ok(Report::plain(Fed::TrustedProxy));
        }
        let newest = now / self.part;
        let mut fed = Fed::Counted(1);
        let changed = self
            .table
            .change(shared, self.hash(seed, subject), now, |held| {
                if held.as_ref().and_then(blocked).is_some() {
                    fed = Fed::AlreadyListed;
                    return Change::Keep;
                }
                let mut counts = held.map_or([0; 9], |held| self.hits(&held, newest));
                if let Some(first) = counts.first_mut() {
                    *first = first.saturating_add(1);
                }
                let hits = counts.iter().map(|count| u32::from(*count)).sum();
                if hits >= count {
                    fed = Fed::Listed(Why::Threshold);
                    return Change::Put(self.entry(Why::Threshold, now));
                }
                fed = Fed::Counted(hits);
                let mut value = [0; VALUE];
                for (to, from) in value.iter_mut().skip(3).zip(counts) {
                    *to = from;
                }
                Change::Put(Record {
                    until: newest.saturating_add(PARTS + 1).saturating_mul(self.part),
                    value,
                })
            })?;
        Ok(Report::of(fed, changed))
    }

    /// A record's counters, as they are when `newest` is the newest part.
    fn hits(&self, held: &Record<VALUE>, newest: u64) -> [u8; 9] {
        let was = (held.until / self.part).saturating_sub(PARTS + 1);
        let age = usize::try_from(newest.saturating_sub(was)).unwrap_or(usize::MAX);
        let mut counts = [0; 9];
        for (to, from) in counts.iter_mut().skip(age).zip(held.value.iter().skip(3)) {
            *to = *from;
        }
        counts
    }

    fn entry(&self, why: Why, now: u64) -> Record<VALUE> {
        let mut value = [0; VALUE];
        for (to, from) in value.iter_mut().zip([1, why.byte()]) {
            *to = from;
        }
        Record {
            until: now.saturating_add(self.ttl),
            value,
        }
    }

    fn is_trusted(&self, subject: Subject<'_>) -> bool {
        matches!(subject, Subject::Address(address) if self.trusted.contains(address))
    }

    fn hash(&self, seed: Seed, subject: Subject<'_>) -> u128 {
        let mut hasher = seed.hasher();
        match subject {
            Subject::Address(address) => match network(address, self.v4, self.v6) {
                IpAddr::V4(network) => hasher.field(4, &network.octets()),
                IpAddr::V6(network) => hasher.field(6, &network.octets()),
            },
            Subject::Session(value) => hasher.field(1, value),
        }
        hasher.finish()
    }
}

impl Report {
    const fn plain(fed: Fed) -> Self {
        Self {
            fed,
            displaced: None,
        }
    }

    fn of(fed: Fed, changed: Changed<VALUE>) -> Self {
        match changed {
            Changed::Contended => Self::plain(Fed::Contended),
            Changed::Kept => Self::plain(fed),
            Changed::Written { displaced } => Self {
                fed,
                displaced: displaced.map(|record| match blocked(&record) {
                    Some(_) => Displaced::Blocked,
                    None => Displaced::Counted,
                }),
            },
        }
    }
}

/// Why the record's client is listed; `None` if its hits are only counted.
fn blocked(record: &Record<VALUE>) -> Option<Why> {
    match record.value {
        [1, why, ..] => Some(Why::of_byte(why)),
        _ => None,
    }
}

/// Clients that are only counted give way before listed ones.
const fn rank(value: &[u8; VALUE]) -> u8 {
    let [kind, ..] = value;
    *kind
}

fn cidrs(at: &str, list: &[String]) -> Result<CidrSet, ConfigError> {
    for (index, network) in list.iter().enumerate() {
        CidrSet::parse([network])
            .map_err(|error| ConfigError::at(format_args!("{at}[{index}]"), error))?;
    }
    CidrSet::parse(list).map_err(|error| ConfigError::at(at, error))
}
