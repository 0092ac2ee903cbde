//! The clocks of the page: one that only goes forward, and the one on the wall.

use otter_proto::{Instant, UnixMillis};

use crate::browser::{date_now, performance_now, random};

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    pub(crate) unix: UnixMillis,
}

impl Now {
    pub(crate) fn read() -> Self {
        Self { instant: Instant(whole(performance_now())), unix: UnixMillis(whole(date_now())) }
    }

    /// Whether the wall clock moved by much more or less than the other one since `earlier`: the machine slept, or
    /// somebody set the clock.
    pub(crate) fn jumped_since(&self, earlier: &Self) -> bool {
        let monotonic = self.instant.since(earlier.instant);
        let wall = self.unix.0.abs_diff(earlier.unix.0.saturating_add(monotonic));
        wall > JUMP_MS
    }

    /// A moment of the monotonic clock on the wall clock.
    pub(crate) const fn unix_of(&self, instant: Instant) -> u64 {
        self.unix.0.saturating_add(instant.0).saturating_sub(self.instant.0)
    }
}

/// A number that differs between pages; not secret.
pub(crate) fn seed() -> u64 {
    const SCALE: f64 = 4_294_967_296.0;
    whole(random() * SCALE) << 32 | whole(random() * SCALE)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clocks are positive and far below 2^53
fn whole(number: f64) -> u64 {
    number as u64
}

const JUMP_MS: u64 = 5_000;
