//! The clock of a gateway: time passes only when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A virtual clock. Clones share the same time. Guests read it as wall clock and as monotonic clock.
#[derive(Clone, Debug)]
pub struct VirtualClock {
    nanos: Arc<AtomicU64>,
}

impl VirtualClock {
    /// Where a gateway's clock stands unless told otherwise: 2026-01-01T00:00:00Z.
    pub const DEFAULT_UNIX_SECONDS: u64 = 1_767_225_600;

    /// A clock that stands at this many seconds since the Unix epoch.
    pub fn at(unix_seconds: u64) -> Self {
        Self::at_nanos(unix_seconds.saturating_mul(1_000_000_000))
    }

    /// A clock that stands at this many nanoseconds since the Unix epoch.
    pub fn at_nanos(unix_nanos: u64) -> Self {
        Self {
            nanos: Arc::new(AtomicU64::new(unix_nanos)),
        }
    }

    /// Nanoseconds since the Unix epoch.
    pub fn now_nanos(&self) -> u64 {
        self.nanos.load(Ordering::Relaxed)
    }

    /// Lets time pass. Timers and time-outs that are due by then fire at the gateway's next
    /// [`tick`](crate::Gateway::tick) or request.
    pub fn advance(&self, by: Duration) {
        self.advance_to(self.now_nanos().saturating_add(nanos(by)));
    }

    /// Moves forward to that instant; never back.
    pub(crate) fn advance_to(&self, unix_nanos: u64) {
        self.nanos.fetch_max(unix_nanos, Ordering::Relaxed);
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::at(Self::DEFAULT_UNIX_SECONDS)
    }
}

pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
