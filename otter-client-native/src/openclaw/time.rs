//! Time as the machines see it: a monotonic instant for deadlines and a wall clock for facts.

use std::time::Duration;

pub use otter_proto::{Instant, UnixMillis};

/// Both clocks, read together by the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// For deadlines and intervals.
    pub at: Instant,
    /// For times that reach the log.
    pub wall: UnixMillis,
}

/// The instant `pause` after `at`.
pub(crate) fn later(at: Instant, pause: Duration) -> Instant {
    at.plus(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
}

/// The time from `earlier` to `at`, zero when `earlier` is later.
pub(crate) fn elapsed(at: Instant, earlier: Instant) -> Duration {
    Duration::from_millis(at.since(earlier))
}

/// A wall-clock time moved by `millis`, not below zero.
pub(crate) fn shifted(time: UnixMillis, millis: i64) -> UnixMillis {
    UnixMillis(time.0.saturating_add_signed(millis))
}
