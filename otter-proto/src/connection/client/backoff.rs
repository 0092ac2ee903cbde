//! When to try again: full jitter that grows with each failure, and a floor that the hub may set.

use crate::Instant;
use crate::connection::client::config::Role;

/// The delay before attempts, with its memory of how often and since when they failed.
#[derive(Debug)]
pub(super) struct Backoff {
    role: Role,
    random: Random,
    attempt: u32,
    failing_since: Option<Instant>,
}

impl Backoff {
    pub(super) const fn new(role: Role, seed: u64) -> Self {
        Self { role, random: Random(seed), attempt: 0, failing_since: None }
    }

    /// How many attempts failed since the last stable connection.
    pub(super) const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Milliseconds to wait before the next attempt, which this call counts as failed.
    pub(super) fn next(&mut self, pace: Pace, now: Instant) -> u64 {
        let since = *self.failing_since.get_or_insert(now);
        let cap = match self.role {
            Role::Member => MEMBER_CAP_MS,
            Role::Instance if now.since(since) < PATIENCE_MS => INSTANCE_CAP_MS,
            Role::Instance => INSTANCE_LONG_CAP_MS,
        };
        let attempt = self.attempt.max(pace.least_attempt());
        let window = BASE_MS.saturating_mul(1 << attempt.min(16)).min(cap);
        self.attempt = self.attempt.saturating_add(1);
        match pace {
            Pace::Quick | Pace::Slow => self.random.up_to(window),
            Pace::After(ms) => ms.saturating_add(self.random.up_to(ms.min(SPREAD_CAP_MS) / 10)),
        }
    }

    /// A random delay of at most `window_ms`, which counts as no failure.
    pub(super) fn spread(&mut self, window_ms: u64) -> u64 {
        self.random.up_to(window_ms)
    }

    /// Forgets the failures: the connection was stable.
    pub(super) const fn reset(&mut self) {
        self.attempt = 0;
        self.failing_since = None;
    }
}

/// How soon the next attempt may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// After a lost connection.
    Quick,
    /// After the hub asked to back off.
    Slow,
    /// Not before this many milliseconds, as the hub said.
    After(u64),
}

impl Pace {
    const fn least_attempt(self) -> u32 {
        match self {
            Self::Quick | Self::After(_) => 0,
            Self::Slow => 3,
        }
    }
}

/// SplitMix64: spreads attempts of many clients, nothing more.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn up_to(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        mixed.checked_rem(most.saturating_add(1)).unwrap_or(0)
    }
}

const BASE_MS: u64 = 500;
const MEMBER_CAP_MS: u64 = 20_000;
const INSTANCE_CAP_MS: u64 = 60_000;
const INSTANCE_LONG_CAP_MS: u64 = 300_000;
const PATIENCE_MS: u64 = 15 * 60_000;
const SPREAD_CAP_MS: u64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(role: Role, failures: u32, now: Instant) -> u64 {
        (0..400)
            .map(|seed| {
                let mut backoff = Backoff::new(role, seed);
                for _ in 0..failures {
                    backoff.next(Pace::Quick, Instant(0));
                }
                backoff.next(Pace::Quick, now)
            })
            .max()
            .unwrap()
    }

    #[test]
    fn windows_double_up_to_the_cap_of_the_role() {
        let within = |value: u64, cap: u64| value <= cap && value > cap * 9 / 10;
        for (failures, cap) in [(0, 500), (1, 1_000), (3, 4_000), (6, 20_000), (40, 20_000)] {
            assert!(within(longest(Role::Member, failures, Instant(0)), cap), "{failures}");
        }
        assert!(within(longest(Role::Instance, 20, Instant(0)), 60_000));
        assert!(within(longest(Role::Instance, 20, Instant(15 * 60_000)), 300_000));
    }

    #[test]
    fn attempts_of_many_clients_are_spread_over_the_whole_window() {
        let mut early = 0;
        for seed in 0..1_000 {
            early += u32::from(Backoff::new(Role::Member, seed).next(Pace::Quick, Instant(0)) < 250);
        }
        assert!((400..600).contains(&early), "{early}");
    }

    #[test]
    fn what_the_hub_asks_for_is_the_least() {
        for seed in 0..100 {
            let mut backoff = Backoff::new(Role::Member, seed);
            let delay = backoff.next(Pace::After(90_000), Instant(0));
            assert!((90_000..=96_000).contains(&delay), "{delay}");
        }
    }

    #[test]
    fn a_reset_starts_over() {
        let mut backoff = Backoff::new(Role::Instance, 1);
        for _ in 0..30 {
            backoff.next(Pace::Quick, Instant(0));
        }
        backoff.reset();
        assert_eq!(backoff.attempt(), 0);
        assert!(backoff.next(Pace::Quick, Instant(30 * 60_000)) <= 500);
    }
}
