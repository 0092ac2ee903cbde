//! Whether the other end is still there: silence, probes, and the round trip they measure.

use crate::Instant;
use crate::frame::Probe;

/// Liveness of one connection. Lives and dies with it.
#[derive(Debug)]
pub(super) struct Heartbeat {
    interval_ms: u64,
    last_inbound: Instant,
    next_probe: u64,
    probe: Option<Pending>,
    measured_at: Option<Instant>,
}

#[derive(Debug)]
struct Pending {
    n: u64,
    sent: Instant,
    /// Whether the connection is given up when the answer does not come.
    urgent: bool,
    /// Whether a deadline that was noticed far too late has already been forgiven once.
    forgiven: bool,
}

/// What a deadline asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// Ask the hub for a sign of life.
    Ask,
    /// The connection is dead.
    Dead,
}

impl Heartbeat {
    pub(super) const fn new(interval_ms: u64, now: Instant) -> Self {
        // A hub that names no sensible interval must not make a busy loop of probes.
        let interval_ms = if interval_ms < MIN_INTERVAL_MS { MIN_INTERVAL_MS } else { interval_ms };
        Self { interval_ms, last_inbound: now, next_probe: 1, probe: None, measured_at: None }
    }

    /// Any message counts as a sign of life; an urgent probe still waits for its own answer, because a dead socket
    /// may hand over what it received before.
    pub(super) const fn received(&mut self, now: Instant) {
        self.last_inbound = now;
    }

    /// The connection must answer within two seconds, counted anew with every message that comes in meanwhile.
    pub(super) fn ask(&mut self, now: Instant) -> Option<Probe> {
        match &mut self.probe {
            Some(pending) if pending.urgent => None,
            _ => Some(self.probe(true, now)),
        }
    }

    /// A probe that only measures, once a minute.
    pub(super) fn measure(&mut self, now: Instant) -> Option<Probe> {
        let recent = self.measured_at.is_some_and(|at| now.since(at) < MEASURE_MS);
        if recent || self.probe.is_some() { None } else { Some(self.probe(false, now)) }
    }

    /// The answer of a probe: its round trip in milliseconds.
    pub(super) fn answered(&mut self, n: u64, now: Instant) -> Option<u64> {
        let pending = self.probe.take_if(|pending| pending.n == n)?;
        self.measured_at = Some(now);
        Some(now.since(pending.sent))
    }

    /// When [`Heartbeat::check`] has something to say.
    pub(super) fn deadline(&self) -> Instant {
        match &self.probe {
            Some(pending) if pending.urgent => pending.sent.max(self.last_inbound).plus(PROBE_MS),
            _ => self.last_inbound.plus((self.interval_ms * 2).saturating_sub(PROBE_MS)),
        }
    }

    /// What to do at `now`.
    pub(super) fn check(&mut self, now: Instant) -> Verdict {
        let deadline = self.deadline();
        if now < deadline {
            return Verdict::Fine;
        }
        let Some(pending) = self.probe.as_mut().filter(|pending| pending.urgent) else {
            return Verdict::Ask;
        };
        // A process that was frozen sees its timer before the messages that came meanwhile.
        if now.since(deadline) > LATE_MS && !pending.forgiven {
            pending.forgiven = true;
            pending.sent = now;
            return Verdict::Fine;
        }
        Verdict::Dead
    }

    const fn probe(&mut self, urgent: bool, now: Instant) -> Probe {
        let n = self.next_probe;
        self.next_probe += 1;
        self.probe = Some(Pending { n, sent: now, urgent, forgiven: false });
        Probe { n }
    }
}

/// How long a probe may stay unanswered.
pub(super) const PROBE_MS: u64 = 2_000;
/// A timer this late means that the process slept.
pub(super) const LATE_MS: u64 = 5_000;
const MEASURE_MS: u64 = 60_000;
const MIN_INTERVAL_MS: u64 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_probed_and_ends_within_two_heartbeats() {
        let mut heartbeat = Heartbeat::new(15_000, Instant(0));
        assert_eq!(heartbeat.deadline(), Instant(28_000));
        assert_eq!(heartbeat.check(Instant(27_999)), Verdict::Fine);
        assert_eq!(heartbeat.check(Instant(28_000)), Verdict::Ask);
        assert_eq!(heartbeat.ask(Instant(28_000)), Some(Probe { n: 1 }));
        assert_eq!(heartbeat.ask(Instant(28_001)), None);
        assert_eq!(heartbeat.deadline(), Instant(30_000));
        assert_eq!(heartbeat.check(Instant(30_000)), Verdict::Dead);
    }

    #[test]
    fn a_slow_reader_that_still_receives_is_not_dead() {
        let mut heartbeat = Heartbeat::new(15_000, Instant(0));
        heartbeat.ask(Instant(0));
        for second in 1..60 {
            heartbeat.received(Instant(second * 1_000));
            assert_eq!(heartbeat.check(Instant(second * 1_000 + 500)), Verdict::Fine);
        }
        assert_eq!(heartbeat.answered(1, Instant(60_000)), Some(60_000));
        assert_eq!(heartbeat.deadline(), Instant(59_000 + 28_000));
    }

    #[test]
    fn a_deadline_noticed_after_a_freeze_is_forgiven_once() {
        let mut heartbeat = Heartbeat::new(15_000, Instant(0));
        heartbeat.ask(Instant(0));
        assert_eq!(heartbeat.check(Instant(60_000)), Verdict::Fine);
        assert_eq!(heartbeat.check(Instant(120_000)), Verdict::Dead);
    }

    #[test]
    fn an_answer_of_another_probe_changes_nothing() {
        let mut heartbeat = Heartbeat::new(15_000, Instant(0));
        assert_eq!(heartbeat.measure(Instant(0)), Some(Probe { n: 1 }));
        assert_eq!(heartbeat.answered(7, Instant(5)), None);
        assert_eq!(heartbeat.answered(1, Instant(9)), Some(9));
        assert_eq!(heartbeat.measure(Instant(10)), None);
        assert_eq!(heartbeat.measure(Instant(60_009)), Some(Probe { n: 2 }));
    }
}
