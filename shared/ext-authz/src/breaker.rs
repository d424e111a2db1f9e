//! The circuit breaker: one for all workers, in one small record of shared data.
//!
//! Closed, every request asks the service. After so many failures in a row it opens: for a while nobody asks. Then one
//! request, and only one, is let through as a probe: if it succeeds the breaker closes, else it stays open for another while.
//! Each change is a compare-and-swap, so two workers cannot both become the probe. A probe whose worker vanished is given up
//! when its time to answer is over.

use core::time::Duration;

use backstop_table::{SharedData, Stored, Unavailable, Written, load_or_create};

/// How often a change that met another worker's is tried again.
const ATTEMPTS: usize = 32;
const TAG: &[u8; 4] = b"BCB1";
const LEN: usize = 32;

/// The breaker's record.
///
/// Layout, little-endian: tag and version (4), phase (4: 0 closed, 1 open, 2 probing), failures in a row (8), generation (8),
/// nanoseconds of the clock until which the phase holds (8). What is not such a record is a closed breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    phase: Phase,
    /// One more with each change of phase: outcomes of calls that began in an earlier one say nothing any more.
    generation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Closed { failures: u64 },
    Open { until: u64 },
    Probing { until: u64 },
}

/// Leave to ask the service; to be handed back with what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket {
    generation: u64,
    /// Whether it is the one that finds out.
    pub probe: bool,
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallOutcome {
    /// The service gave a verdict.
    Success,
    /// It did not.
    Failure,
    /// Nobody waited for it: the client left.
    Abandoned,
}

/// What a change of phase was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// Closed to open, or probing to open.
    Opened,
    /// Probing to closed.
    Closed,
}

/// When the breaker opens, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Failures in a row that open it.
    pub failures: u64,
    /// How long it stays open.
    pub open_for: Duration,
    /// How long a probe may take before another request may be one.
    pub probe_for: Duration,
}

impl Default for State {
    fn default() -> Self {
        Self {
            phase: Phase::Closed { failures: 0 },
            generation: 0,
        }
    }
}

impl State {
    /// Reads the record.
    pub fn read(bytes: &[u8]) -> Self {
        Self::parse(bytes).unwrap_or_default()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; LEN] = bytes.try_into().ok()?;
        let (tag, rest) = bytes.split_first_chunk::<4>()?;
        let (phase, rest) = rest.split_first_chunk::<4>()?;
        let (failures, rest) = rest.split_first_chunk::<8>()?;
        let (generation, rest) = rest.split_first_chunk::<8>()?;
        let until = u64::from_le_bytes(*rest.first_chunk::<8>()?);
        if tag != TAG {
            return None;
        }
        let phase = match u32::from_le_bytes(*phase) {
            0 => Phase::Closed {
                failures: u64::from_le_bytes(*failures),
            },
            1 => Phase::Open { until },
            2 => Phase::Probing { until },
            _ => return None,
        };
        Some(Self {
            phase,
            generation: u64::from_le_bytes(*generation),
        })
    }

    /// The record.
    pub fn to_bytes(self) -> [u8; LEN] {
        let (phase, failures, until) = match self.phase {
            Phase::Closed { failures } => (0_u32, failures, 0),
            Phase::Open { until } => (1, 0, until),
            Phase::Probing { until } => (2, 0, until),
        };
        let mut bytes = [0; LEN];
        let parts = TAG
            .iter()
            .copied()
            .chain(phase.to_le_bytes())
            .chain(failures.to_le_bytes())
            .chain(self.generation.to_le_bytes())
            .chain(until.to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = from;
        }
        bytes
    }

    const fn next(self, phase: Phase) -> Self {
        Self {
            phase,
            generation: self.generation.wrapping_add(1),
        }
    }

    /// Whether a request may ask at `now`; if so, with what ticket, and the state that has to be there before it does.
    pub fn admit(self, now: u64, settings: &Settings) -> Option<(Ticket, Option<Self>)> {
        match self.phase {
            Phase::Closed { .. } => Some((
                Ticket {
                    generation: self.generation,
                    probe: false,
                },
                None,
            )),
            Phase::Open { until } | Phase::Probing { until } if now >= until => {
                let probing = self.next(Phase::Probing {
                    until: now.saturating_add(nanos(settings.probe_for)),
                });
                let ticket = Ticket {
                    generation: probing.generation,
                    probe: true,
                };
                Some((ticket, Some(probing)))
            }
            Phase::Open { .. } | Phase::Probing { .. } => None,
        }
    }

    /// What the state becomes by the outcome of a call; `None` if it stays. With it, the change of phase.
    pub fn report(
        self,
        ticket: Ticket,
        outcome: CallOutcome,
        now: u64,
        settings: &Settings,
    ) -> Option<(Self, Option<Transition>)> {
        if ticket.generation != self.generation {
            return None;
        }
        let open = || {
            self.next(Phase::Open {
                until: now.saturating_add(nanos(settings.open_for)),
            })
        };
        match (self.phase, outcome) {
            (Phase::Closed { failures: 0 }, CallOutcome::Success)
            | (Phase::Closed { .. }, CallOutcome::Abandoned)
            | (Phase::Open { .. }, _) => None,
            (Phase::Closed { .. }, CallOutcome::Success) => Some((
                Self {
                    phase: Phase::Closed { failures: 0 },
                    ..self
                },
                None,
            )),
            (Phase::Closed { failures }, CallOutcome::Failure) => {
                let failures = failures.saturating_add(1);
                if failures >= settings.failures {
                    return Some((open(), Some(Transition::Opened)));
                }
                Some((
                    Self {
                        phase: Phase::Closed { failures },
                        ..self
                    },
                    None,
                ))
            }
            (Phase::Probing { .. }, CallOutcome::Success) => Some((
                self.next(Phase::Closed { failures: 0 }),
                Some(Transition::Closed),
            )),
            (Phase::Probing { .. }, CallOutcome::Failure) => {
                Some((open(), Some(Transition::Opened)))
            }
            // Nothing was found out: the next request may.
            (Phase::Probing { .. }, CallOutcome::Abandoned) => {
                Some((self.next(Phase::Open { until: now }), None))
            }
        }
    }

    /// Whether the service is asked as if there were no breaker.
    pub const fn is_closed(self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// The breaker of one service, at its key in shared data.
#[derive(Clone, Debug)]
pub struct Breaker {
    key: Vec<u8>,
    settings: Settings,
}

impl Breaker {
    /// The breaker at `key`.
    pub const fn new(key: Vec<u8>, settings: Settings) -> Self {
        Self { key, settings }
    }

    /// Whether a request may ask the service at `now`, in nanoseconds of a clock that all workers share. One read as long as
    /// it is closed or open.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn admit(&self, shared: &impl SharedData, now: u64) -> Result<Option<Ticket>, Unavailable> {
        for _ in 0..ATTEMPTS {
            let Stored { value, cas } = load_or_create(shared, &self.key, b"")?;
            match State::read(&value).admit(now, &self.settings) {
                None => return Ok(None),
                Some((ticket, None)) => return Ok(Some(ticket)),
                Some((ticket, Some(next))) => {
                    if shared.set(&self.key, &next.to_bytes(), cas)? == Written::Done {
                        return Ok(Some(ticket));
                    }
                }
            }
        }
        // Others were faster every time, and one of them is the probe.
        Ok(None)
    }

    /// Takes a ticket back.
    ///
    /// # Errors
    /// When the host has no shared data.
    pub fn report(
        &self,
        shared: &impl SharedData,
        ticket: Ticket,
        outcome: CallOutcome,
        now: u64,
    ) -> Result<Option<Transition>, Unavailable> {
        for _ in 0..ATTEMPTS {
            let Stored { value, cas } = load_or_create(shared, &self.key, b"")?;
            let Some((next, transition)) =
                State::read(&value).report(ticket, outcome, now, &self.settings)
            else {
                return Ok(None);
            };
            if shared.set(&self.key, &next.to_bytes(), cas)? == Written::Done {
                return Ok(transition);
            }
        }
        // One failure is not counted; a probe whose outcome is lost is given up when its time is over.
        Ok(None)
    }
}
