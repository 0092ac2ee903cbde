//! Counting what a client does, on virtual time and in bounded memory.

use std::collections::VecDeque;

use crate::time::Instant;

/// Admits at most `limit` events within any `per_ms` milliseconds.
#[derive(Debug)]
pub(super) struct Recent {
    limit: usize,
    per_ms: u64,
    times: VecDeque<Instant>,
}

impl Recent {
    pub(super) const fn new(limit: usize, per_ms: u64) -> Self {
        Self { limit, per_ms, times: VecDeque::new() }
    }

    /// Counts one event; `Err` says in how many milliseconds the next would be admitted.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), u64> {
        while self.times.front().is_some_and(|first| now.since(*first) >= self.per_ms) {
            self.times.pop_front();
        }
        if self.times.len() >= self.limit {
            let age = self.times.front().map_or(0, |first| now.since(*first));
            return Err(self.per_ms.saturating_sub(age));
        }
        self.times.push_back(now);
        Ok(())
    }
}

/// A token bucket: `per_second` events, with a burst.
#[derive(Debug)]
pub(super) struct Bucket {
    per_second: u64,
    capacity_milli: u64,
    level_milli: u64,
    last: Instant,
}

impl Bucket {
    pub(super) const fn new(per_second: u64, burst: u64, now: Instant) -> Self {
        let capacity_milli = burst.saturating_mul(1000);
        Self { per_second, capacity_milli, level_milli: capacity_milli, last: now }
    }

    /// Takes one event out of the bucket; `Err` says in how many milliseconds there is one again.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), u64> {
        let gained = now.since(self.last).saturating_mul(self.per_second);
        self.last = self.last.max(now);
        self.level_milli = self.level_milli.saturating_add(gained).min(self.capacity_milli);
        match self.level_milli.checked_sub(1000) {
            Some(rest) => {
                self.level_milli = rest;
                Ok(())
            }
            None => Err((1000 - self.level_milli).div_ceil(self.per_second.max(1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_refills_with_time() {
        let mut bucket = Bucket::new(50, 2, Instant(0));
        assert_eq!(bucket.admit(Instant(0)), Ok(()));
        assert_eq!(bucket.admit(Instant(0)), Ok(()));
        assert_eq!(bucket.admit(Instant(0)), Err(20));
        assert_eq!(bucket.admit(Instant(20)), Ok(()));
        assert_eq!(bucket.admit(Instant(20)), Err(20));
    }

    #[test]
    fn recent_events_are_forgotten_after_their_time() {
        let mut recent = Recent::new(2, 1000);
        assert_eq!(recent.admit(Instant(0)), Ok(()));
        assert_eq!(recent.admit(Instant(400)), Ok(()));
        assert_eq!(recent.admit(Instant(900)), Err(100));
        assert_eq!(recent.admit(Instant(1000)), Ok(()));
        assert_eq!(recent.admit(Instant(1001)), Err(399));
    }
}
