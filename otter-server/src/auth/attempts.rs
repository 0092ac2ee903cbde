//! A bound on guessing: few failures per minute and key.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures allowed per key in one window.
const MAX_FAILURES: u32 = 10;
const WINDOW: Duration = Duration::from_mins(1);
/// Keys remembered at most; beyond it the oldest windows are forgotten.
const MAX_KEYS: usize = 10_000;

/// Counts failed attempts per key.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<BTreeMap<String, Window>>);

#[derive(Debug, Clone, Copy)]
struct Window {
    since: Instant,
    failures: u32,
}

impl Attempts {
    /// How long `key` must wait before it may try again; `None` when it may try now.
    pub(crate) fn blocked(&self, key: &str, now: Instant) -> Option<Duration> {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.get(key).filter(|window| window.failures >= MAX_FAILURES)?;
        WINDOW.checked_sub(now.duration_since(window.since)).filter(|left| !left.is_zero())
    }

    /// Notes a failed attempt.
    pub(crate) fn failed(&self, key: &str, now: Instant) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MAX_KEYS && !windows.contains_key(key) {
            windows.retain(|_, window| now.duration_since(window.since) < WINDOW);
            if windows.len() >= MAX_KEYS {
                windows.pop_first();
            }
        }
        let window = windows.entry(key.to_owned()).or_insert(Window { since: now, failures: 0 });
        if now.duration_since(window.since) >= WINDOW {
            *window = Window { since: now, failures: 0 };
        }
        window.failures += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_in_a_minute_block_one_key_until_the_minute_is_over() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for _ in 0..MAX_FAILURES {
            assert_eq!(attempts.blocked("a", start), None);
            attempts.failed("a", start);
        }
        assert_eq!(attempts.blocked("a", start + Duration::from_secs(20)), Some(Duration::from_secs(40)));
        assert_eq!(attempts.blocked("b", start), None);
        assert_eq!(attempts.blocked("a", start + WINDOW), None);
        attempts.failed("a", start + WINDOW);
        assert_eq!(attempts.blocked("a", start + WINDOW), None);
    }

    #[test]
    fn a_flood_of_keys_costs_bounded_memory() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for key in 0..MAX_KEYS + 50 {
            attempts.failed(&format!("{key:06}"), start);
        }
        assert_eq!(attempts.0.lock().unwrap().len(), MAX_KEYS);
    }
}
