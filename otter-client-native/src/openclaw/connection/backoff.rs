//! Pauses between attempts.

use std::time::Duration;

/// Doubling pauses from 1 s to 30 s, each shortened at random by up to a half, from an injected seed.
#[derive(Clone, Debug)]
pub struct Backoff {
    attempt: u32,
    state: u64,
}

impl Backoff {
    /// Starts at the shortest pause.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { attempt: 0, state: seed }
    }

    /// The pause before the next attempt.
    #[allow(clippy::should_implement_trait, reason = "an iterator would promise an end")]
    pub fn next(&mut self) -> Duration {
        let full = (FIRST_MS << self.attempt.min(10)).min(LONGEST_MS);
        self.attempt = self.attempt.saturating_add(1);
        Duration::from_millis(full / 2 + self.random() % (full / 2 + 1))
    }

    /// Goes back to the shortest pause.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    /// SplitMix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}

const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 30_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_thirty_seconds_and_start_over() {
        let mut backoff = Backoff::new(7);
        for full in [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
            let pause = u64::try_from(backoff.next().as_millis()).unwrap();
            assert!((full / 2..=full).contains(&pause), "{pause} of {full}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_secs(1));
    }
}
