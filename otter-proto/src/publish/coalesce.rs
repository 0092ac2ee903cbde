//! Observed values that change often are merged before they get a number.

use std::collections::BTreeMap;

use crate::Instant;
use crate::event::NewEvent;

/// Holds the newest observation per key for a while. Only for events that are whole observations: the newest one
/// takes the place of the one before.
#[derive(Debug)]
pub struct Coalescer {
    hold_ms: u64,
    waiting: BTreeMap<String, (Instant, NewEvent)>,
}

impl Coalescer {
    /// Lets an observation wait `hold_ms` milliseconds for a newer one, counted from the first of its key.
    pub const fn new(hold_ms: u64) -> Self {
        Self { hold_ms, waiting: BTreeMap::new() }
    }

    /// Takes an observation; returns what has to be published at once because too many keys wait.
    pub fn put(&mut self, key: &str, event: NewEvent, now: Instant) -> Option<NewEvent> {
        if let Some((_, waiting)) = self.waiting.get_mut(key) {
            *waiting = event;
            return None;
        }
        if self.waiting.len() >= MAX_KEYS {
            return Some(event);
        }
        self.waiting.insert(key.to_owned(), (now.plus(self.hold_ms), event));
        None
    }

    /// When [`Coalescer::take_due`] has something.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.waiting.values().map(|(due, _)| *due).min()
    }

    /// The observations that waited long enough, in the order in which they are due.
    pub fn take_due(&mut self, now: Instant) -> Vec<NewEvent> {
        let mut due = Vec::new();
        self.waiting.retain(|_, (at, event)| {
            let wait = *at > now;
            if !wait {
                due.push((*at, event.clone()));
            }
            wait
        });
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, event)| event).collect()
    }
}

/// Keys that may wait; further ones are published at once.
const MAX_KEYS: usize = 1_000;

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::id::{EntityId, EventId};
    use crate::wire::Json;

    fn observed(id: &str) -> NewEvent {
        NewEvent {
            id: EventId::new(id).unwrap(),
            kind: "session.upserted".to_owned(),
            subject: EntityId::new("in_1:s").unwrap(),
            conversation: None,
            caused_by: None,
            observed_at: None,
            data: Json::new("{}").unwrap(),
            effects: None,
        }
    }

    #[test]
    fn a_burst_becomes_its_newest_observation_and_none_waits_longer_than_told() {
        let mut coalescer = Coalescer::new(1_000);
        for n in 0..20 {
            assert_eq!(coalescer.put("a", observed(&format!("ev_a{n}")), Instant(n * 100)), None);
        }
        coalescer.put("b", observed("ev_b"), Instant(500));
        assert_eq!(coalescer.poll_timeout(), Some(Instant(1_000)));
        assert_eq!(coalescer.take_due(Instant(999)), vec![]);
        assert_eq!(coalescer.take_due(Instant(1_500)), vec![observed("ev_a19"), observed("ev_b")]);
        assert_eq!(coalescer.poll_timeout(), None);
    }
}
