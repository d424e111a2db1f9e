//! The decision on one request.

use std::net::IpAddr;
use std::rc::Rc;

use backstop_http::{Headers, NormalizedPath, client_address};

use crate::config::{Mode, OnUnavailable};
use crate::decision::{Check, Decision, Event, Outcome};
use crate::key::{self, Part, Request};
use crate::listeners::Listeners;
use crate::policy::{CompiledLimit, Policy};
use crate::registry::{Entry, Registry};
use crate::shard::Slot;
use crate::shared_data::{SharedData, Unavailable};
use crate::table::{Address, Answer, Reading, Table, Taken};
use backstop_table::{KeyHasher, Seed};

/// Where the seed is kept that keys are hashed with.
const SEED: &[u8] = b"backstop.rate-limit/seed";

/// What a decision asks its surroundings for.
pub trait Host: SharedData {
    /// The client's address as the proxy vouches for it (Envoy's `source.address`, `8.8.8.8:0`). Asked at most once per
    /// request, and only if a limit or the list of trusted clients needs it.
    fn source_address(&self) -> Option<Vec<u8>>;

    /// The proxy's clock in nanoseconds. Asked at most once per request, and only if a limit applies. It may be set
    /// back and forth; a clock that only goes forward is better where there is one.
    fn clock_nanos(&self) -> u64;

    /// The port that the request came to (Envoy's `destination.port`). Asked at most once per request, and only if a limit
    /// applies and the configuration names no namespace.
    fn listener_port(&self) -> Option<u16>;
}

/// Limits and the tables that they count in.
#[derive(Debug)]
pub struct Limiter {
    policy: Policy,
    listeners: Listeners,
    /// The process's secret, and whose the buckets are.
    owner: KeyHasher,
    registry: Registry,
}

/// Where one limit counts.
#[derive(Debug)]
pub(crate) struct Counter {
    table: Table,
    hasher: KeyHasher,
}

/// One limit's part in a decision that is being made.
struct Stake<'a> {
    limit: &'a CompiledLimit,
    /// Its mode for this client.
    mode: Mode,
    table: &'a Table,
    address: Address,
    check: Check,
    /// What was read and not yet taken.
    reading: Option<Reading>,
    /// Where tokens were taken.
    taken: Option<Slot>,
}

impl Limiter {
    /// Puts limits to their tables. `plugin` names the plugin (its root id and name): plugins of different names
    /// never meet, unless their configurations name the same namespace. `random` is fresh random bytes, which become the process's secret if it has none yet.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn open(
        policy: Policy,
        plugin: &[u8],
        shared: &impl SharedData,
        random: [u8; 16],
    ) -> Result<Self, Unavailable> {
        let mut owner = Seed::agree(shared, SEED, random)?.hasher();
        match &policy.namespace {
            None => owner.field(0, plugin),
            Some(namespace) => owner.field(1, namespace.as_bytes()),
        }
        Ok(Self {
            policy,
            listeners: Listeners::default(),
            owner,
            registry: Registry::of(owner.finish()),
        })
    }

    /// The tables for the request.
    fn counters(&self, host: &impl Host) -> Rc<[Counter]> {
        let port = match self.policy.namespace {
            None => host.listener_port(),
            Some(_) => None,
        };
        self.listeners.counters(port, |port| {
            let counter = |limit: &CompiledLimit| {
                let mut hasher = self.owner;
                hasher.field(0, &limit.identity);
                if let Some(port) = port {
                    hasher.field(2, &port.to_le_bytes());
                }
                let table = Table {
                    id: hasher.finish(),
                    layout: limit.layout,
                    rate: limit.rate,
                    on_full: self.policy.on_full,
                };
                Counter { table, hasher }
            };
            let counters: Rc<[Counter]> = self.policy.limits.iter().map(counter).collect();
            // Without shared data there is nothing to note; the request will find out.
            let _ = self.registry.add(host, &entries(&counters));
            counters
        })
    }

    /// Gives back the memory of tables that earlier configurations of this plugin have left, as far as every bucket in
    /// them is full again at `wall_nanos` of the proxy's clock. Answers how many are left: while there are any, this is
    /// worth another call, at a time of the caller's choice. One call reads every shard of these tables.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn reclaim(&self, shared: &impl SharedData, wall_nanos: u64) -> Result<usize, Unavailable> {
        let all = self.listeners.all();
        let used: Vec<Entry> = all.iter().flat_map(|counters| entries(counters)).collect();
        self.registry.reclaim(shared, &used, wall_nanos)
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
        let mut request = Request {
            headers,
            path: &path,
            client: None,
        };
        let applies = |limit: &&CompiledLimit| limit.requests.covers(headers, &path);
        let limits = || self.policy.limits.iter();
        let limited = limits().any(|limit| applies(&limit));
        let global = self.policy.global.as_ref();
        let global = global.filter(|global| global.applies(request));
        if !(limited || global.is_some())
            || self
                .policy
                .exempt
                .iter()
                .any(|requests| requests.exempts(headers, &path))
        {
            return Decision::default();
        }
        let asked = global.is_some_and(|global| global.needs_client(request));
        request.client = self.client(host, asked, limits().filter(applies));
        let mut decision = Decision {
            client: request.client,
            ..Decision::default()
        };
        if let Some(client) = request.client
            && self.policy.trusted.contains(client)
        {
            return decision;
        }
        decision.shadow = !self.policy.rollout.enforces(request.client);
        if limited {
            decision.checks = self.checks(host, request, &decision, applies);
        }
        if !decision.is_limited() {
            decision.question = global.and_then(|global| global.question(request));
        }
        decision
    }

    /// What the limits of this proxy say.
    fn checks(
        &self,
        host: &impl Host,
        request: Request<'_>,
        decision: &Decision,
        applies: impl Fn(&&CompiledLimit) -> bool,
    ) -> Vec<Check> {
        let wall = host.clock_nanos();
        let counters = self.counters(host);
        let mut stakes = Vec::with_capacity(self.policy.limits.len());
        for (position, (limit, counter)) in self.policy.limits.iter().zip(&*counters).enumerate() {
            if !applies(&limit) {
                continue;
            }
            if let Some(hash) = key::hash(&limit.key, request, counter.hasher) {
                let mut stake = Stake::new(position, limit, &counter.table, hash);
                stake.mode = decision.mode(limit.mode);
                self.read(host, &mut stake, wall);
                stakes.push(stake);
            }
        }
        self.settle(host, wall, &mut stakes);
        stakes.into_iter().map(|stake| stake.check).collect()
    }

    /// The client's address, if anything depends on it.
    fn client<'a>(
        &self,
        host: &impl Host,
        asked: bool,
        mut limits: impl Iterator<Item = &'a CompiledLimit>,
    ) -> Option<IpAddr> {
        let needed = asked
            || self.policy.rollout.asks()
            || !self.policy.trusted.is_empty()
            || limits.any(|limit| limit.key.iter().any(Part::needs_client));
        if !needed {
            return None;
        }
        client_address(&host.source_address()?)
    }

    /// Reads one limit's bucket.
    fn read(&self, host: &impl Host, stake: &mut Stake<'_>, wall: u64) {
        match stake
            .table
            .read(host, &stake.address, wall, stake.limit.cost)
        {
            Ok(reading) => stake.see(host, reading),
            Err(Unavailable) => stake.fail(self.policy.on_unavailable),
        }
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
                if stake.mode == mode {
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

fn entries(counters: &[Counter]) -> Vec<Entry> {
    let entry = |counter: &Counter| Entry {
        id: counter.table.id,
        layout: counter.table.layout,
    };
    counters.iter().map(entry).collect()
}

fn refused(stakes: &[Stake<'_>]) -> bool {
    stakes
        .iter()
        .any(|stake| stake.check.outcome == Outcome::Limited)
}

impl<'a> Stake<'a> {
    fn new(position: usize, limit: &'a CompiledLimit, table: &'a Table, hash: u128) -> Self {
        Self {
            limit,
            mode: limit.mode,
            address: table.address(hash),
            table,
            check: Check {
                limit: position,
                outcome: Outcome::NotTaken,
                event: None,
                wait_nanos: 0,
                bucket: None,
            },
            reading: None,
            taken: None,
        }
    }

    /// What the limit says to a request that it does not let pass.
    const fn refusal(&self) -> Outcome {
        match self.mode {
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
