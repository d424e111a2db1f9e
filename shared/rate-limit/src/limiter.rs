//! The decision on one request.

use std::net::IpAddr;

use backstop_http::{Headers, NormalizedPath, client_address};

use crate::config::{Mode, OnUnavailable};
use crate::decision::{Check, Decision, Event, Outcome};
use crate::key::{self, Part, Request};
use crate::policy::{CompiledLimit, Policy};
use crate::registry::{Entry, Registry};
use crate::seed::{KeyHasher, Seed};
use crate::shard::Slot;
use crate::shared_data::{SharedData, Unavailable};
use crate::table::{Address, Answer, Reading, Table, Taken};

/// What a decision asks its surroundings for.
pub trait Host: SharedData {
    /// The client's address as the proxy vouches for it (Envoy's `source.address`, `8.8.8.8:0`). Asked at most once per
    /// request, and only if a limit or the list of trusted clients needs it.
    fn source_address(&self) -> Option<Vec<u8>>;

    /// The proxy's clock in nanoseconds. Asked at most once per request, and only if a limit applies. It may be set
    /// back and forth; a clock that only goes forward is better where there is one.
    fn clock_nanos(&self) -> u64;
}

/// Limits and the tables that they count in.
#[derive(Debug)]
pub struct Limiter {
    policy: Policy,
    counters: Vec<Counter>,
    registry: Registry,
}

/// Where one limit counts.
#[derive(Debug)]
struct Counter {
    table: Table,
    hasher: KeyHasher,
}

/// One limit's part in a decision that is being made.
struct Stake<'a> {
    limit: &'a CompiledLimit,
    table: &'a Table,
    address: Address,
    check: Check,
    /// What was read and not yet taken.
    reading: Option<Reading>,
    /// Where tokens were taken.
    taken: Option<Slot>,
}

impl Limiter {
    /// Puts limits to their tables. `namespace` names the plugin (its root id and name): plugins of different
    /// names never meet. `random` is fresh random bytes, which become the process's secret if it has none yet.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn open(
        policy: Policy,
        namespace: &[u8],
        shared: &impl SharedData,
        random: [u8; 16],
    ) -> Result<Self, Unavailable> {
        let seed = Seed::agree(shared, random)?;
        let counters = policy
            .limits
            .iter()
            .map(|limit| {
                let mut hasher = seed.hasher();
                hasher.field(0, namespace);
                hasher.field(0, &limit.identity);
                let table = Table {
                    id: hasher.finish(),
                    layout: limit.layout,
                    rate: limit.rate,
                    on_full: policy.on_full,
                };
                Counter { table, hasher }
            })
            .collect();
        let mut hasher = seed.hasher();
        hasher.field(0, namespace);
        let limiter = Self {
            policy,
            counters,
            registry: Registry::of(hasher.finish()),
        };
        limiter.registry.add(shared, &limiter.tables())?;
        Ok(limiter)
    }

    /// Gives back the memory of tables that earlier configurations of this plugin have left, as far as every bucket in
    /// them is full again at `wall_nanos` of the proxy's clock. Answers how many are left: while there are any, this is
    /// worth another call, at a time of the caller's choice. One call reads every shard of these tables.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn reclaim(&self, shared: &impl SharedData, wall_nanos: u64) -> Result<usize, Unavailable> {
        self.registry.reclaim(shared, &self.tables(), wall_nanos)
    }

    fn tables(&self) -> Vec<Entry> {
        self.counters
            .iter()
            .map(|counter| Entry {
                id: counter.table.id,
                layout: counter.table.layout,
            })
            .collect()
    }

    /// What the limits were compiled from.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Decides on a request, and takes its tokens if it passes.
    ///
    /// All limits are read before any is changed, so a request that is refused mostly changes nothing. Between reading
    /// and taking, other workers may take; what has been taken is then given back. For that moment, and no more than once
    /// per other worker, such a request may cost another one its admission; it never admits one too many.
    pub fn decide(&self, host: &impl Host, headers: &Headers) -> Decision {
        let path = NormalizedPath::new(headers.path());
        let applies =
            |(limit, _): &(&CompiledLimit, &Counter)| limit.requests.covers(headers, &path);
        let pairs = || self.policy.limits.iter().zip(&self.counters);
        if !pairs().any(|pair| applies(&pair))
            || self
                .policy
                .exempt
                .iter()
                .any(|requests| requests.exempts(headers, &path))
        {
            return Decision::default();
        }
        let client = self.client(host, pairs().filter(applies).map(|(limit, _)| limit));
        if client.is_some_and(|client| self.policy.trusted.contains(client)) {
            return Decision {
                checks: Vec::new(),
                client,
            };
        }
        let request = Request {
            headers,
            path: &path,
            client,
        };
        let wall = host.clock_nanos();
        let mut stakes = Vec::with_capacity(self.policy.limits.len());
        for (position, pair) in pairs().enumerate() {
            if !applies(&pair) {
                continue;
            }
            let (limit, counter) = pair;
            if let Some(hash) = key::hash(&limit.key, request, counter.hasher) {
                let address = counter.table.address(hash);
                stakes.push(self.stake(host, position, limit, &counter.table, address, wall));
            }
        }
        self.settle(host, wall, &mut stakes);
        Decision {
            checks: stakes.into_iter().map(|stake| stake.check).collect(),
            client,
        }
    }

    /// The client's address, if anything depends on it.
    fn client<'a>(
        &self,
        host: &impl Host,
        mut limits: impl Iterator<Item = &'a CompiledLimit>,
    ) -> Option<IpAddr> {
        let needed = !self.policy.trusted.is_empty()
            || limits.any(|limit| limit.key.iter().any(Part::needs_client));
        if !needed {
            return None;
        }
        client_address(&host.source_address()?)
    }

    /// Reads one limit's bucket.
    fn stake<'a>(
        &self,
        host: &impl Host,
        position: usize,
        limit: &'a CompiledLimit,
        table: &'a Table,
        address: Address,
        wall: u64,
    ) -> Stake<'a> {
        let mut stake = Stake {
            limit,
            table,
            address,
            check: Check {
                limit: position,
                outcome: Outcome::NotTaken,
                event: None,
                wait_nanos: 0,
                bucket: None,
            },
            reading: None,
            taken: None,
        };
        match table.read(host, &address, wall, limit.cost) {
            Ok(reading) => stake.see(host, reading),
            Err(Unavailable) => stake.fail(self.policy.on_unavailable),
        }
        stake
    }

    /// Takes from all, or from none.
    fn settle(&self, host: &impl Host, wall: u64, stakes: &mut [Stake<'_>]) {
        let on_unavailable = self.policy.on_unavailable;
        for mode in [Mode::Enforce, Mode::Shadow] {
            let mut next = 0;
            while !refused(stakes) {
                let Some(stake) = stakes.get_mut(next) else {
                    break;
                };
                next += 1;
                if stake.limit.mode == mode {
                    stake.take(host, wall, on_unavailable);
                }
            }
        }
        if refused(stakes) {
            for stake in stakes {
                stake.give_back(host);
            }
        }
    }
}

fn refused(stakes: &[Stake<'_>]) -> bool {
    stakes
        .iter()
        .any(|stake| stake.check.outcome == Outcome::Limited)
}

impl Stake<'_> {
    /// What the limit says to a request that it does not let pass.
    const fn refusal(&self) -> Outcome {
        match self.limit.mode {
            Mode::Enforce => Outcome::Limited,
            Mode::Shadow => Outcome::WouldLimit,
        }
    }

    /// Notes what a bucket says, and keeps the reading if tokens can be taken by it.
    fn see(&mut self, host: &impl Host, reading: Reading) {
        let refusal = self.refusal();
        let check = &mut self.check;
        let bucket = (reading.full_at, reading.clock.now);
        match reading.answer {
            Answer::Enough { slot, .. } => {
                check.event = (slot == Slot::Shared).then_some(Event::SharedBucket);
                check.bucket = Some(bucket);
                self.reading = Some(reading);
                return;
            }
            Answer::Uncounted => {
                check.event = Some(Event::FullAllowed);
                self.reading = Some(reading);
                return;
            }
            Answer::Short { slot, short } => {
                check.event = (slot == Slot::Shared).then_some(Event::SharedBucket);
                check.bucket = Some(bucket);
                check.wait_nanos = short.wait;
            }
            Answer::NoRoom => check.event = Some(Event::FullDenied),
        }
        check.outcome = refusal;
        // Losing this write to another worker's, or to a host that fails, changes nothing for this request.
        let _ = self.table.keep_clock(host, &self.address, &reading);
    }

    /// The host has no shared data.
    fn fail(&mut self, on_unavailable: OnUnavailable) {
        self.reading = None;
        self.check.event = Some(Event::Unavailable);
        self.check.outcome = match on_unavailable {
            OnUnavailable::Allow => Outcome::Allowed,
            OnUnavailable::Deny => self.refusal(),
        };
    }

    /// Takes what was offered, if anything was.
    fn take(&mut self, host: &impl Host, wall: u64, on_unavailable: OnUnavailable) {
        let Some(reading) = self.reading.take() else {
            return;
        };
        let now = reading.clock.now;
        match self
            .table
            .take(host, &self.address, wall, self.limit.cost, reading)
        {
            Ok(Taken::Done { slot, after }) => {
                self.check.outcome = Outcome::Allowed;
                self.check.bucket = Some((after, now));
                self.taken = Some(slot);
            }
            Ok(Taken::Uncounted { contended }) => {
                self.check.outcome = Outcome::Allowed;
                if contended {
                    self.check.event = Some(Event::Contended);
                }
            }
            Ok(Taken::Refused(reading)) => self.see(host, reading),
            Err(Unavailable) => self.fail(on_unavailable),
        }
    }

    /// Undoes what was taken for a request that another limit refuses.
    fn give_back(&mut self, host: &impl Host) {
        if self.check.outcome == Outcome::Allowed {
            self.check.outcome = Outcome::NotTaken;
        }
        let Some(slot) = self.taken.take() else {
            return;
        };
        let given = self
            .table
            .give_back(host, &self.address, slot, self.limit.cost);
        if given != Ok(true) {
            self.check.event = Some(Event::NotGivenBack);
        }
        if let Some((full_at, _)) = &mut self.check.bucket {
            *full_at = self.table.rate.give_back(*full_at, self.limit.cost);
        }
    }
}
