//! The clocks of the hub: one monotonic for the machines, one of the wall for people.

use std::time::{SystemTime, UNIX_EPOCH};

use otter_proto::{Instant, UnixMillis};

/// A monotonic clock that starts at zero.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(tokio::time::Instant);

impl Clock {
    /// Starts the clock.
    pub(crate) fn start() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// Milliseconds since the start.
    pub(crate) fn now(self) -> Instant {
        Instant(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Both clocks now.
    pub(crate) fn moment(self) -> Moment {
        Moment { now: self.now(), unix: unix_now() }
    }

    /// The moment of the runtime at which [`Self::now`] reaches `at`.
    pub(crate) fn at(self, at: Instant) -> tokio::time::Instant {
        self.0 + std::time::Duration::from_millis(at.0)
    }
}

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For lifetimes.
    pub now: Instant,
    /// For people.
    pub unix: UnixMillis,
}

/// The wall clock.
pub fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
