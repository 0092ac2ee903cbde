//! Another thread trims the outbox, at the worst moment: as soon as something is acknowledged.

use pretty_assertions::assert_eq;

use super::{Hub, Instance};
use crate::frame::{Lane, Rejection};
use crate::id::EventId;
use crate::limits::Limits;
use crate::publish::{LaneState, MemoryOutbox, Outbox, OutboxRow, RestateReason};

struct Trimmed<'a>(&'a mut MemoryOutbox);

impl Outbox for Trimmed<'_> {
    type Error = <MemoryOutbox as Outbox>::Error;

    fn lane(&self, lane: Lane) -> Result<LaneState, Self::Error> {
        self.0.lane(lane)
    }

    fn rows(&self, lane: Lane, after: u64, max_bytes: u64) -> Result<Vec<OutboxRow>, Self::Error> {
        self.0.rows(lane, after, max_bytes)
    }

    fn id_at(&self, lane: Lane, n: u64) -> Result<Option<EventId>, Self::Error> {
        self.0.id_at(lane, n)
    }

    fn set_acked(&mut self, lane: Lane, up_to: u64) -> Result<(), Self::Error> {
        self.0.set_acked(lane, up_to)?;
        self.0.trim(lane, 0);
        Ok(())
    }

    fn reject(&mut self, lane: Lane, rejected: &[Rejection]) -> Result<usize, Self::Error> {
        self.0.reject(lane, rejected)
    }

    fn opened_at(&self, lane: Lane) -> Result<Option<u64>, Self::Error> {
        self.0.opened_at(lane)
    }

    fn welcomed(&mut self, lane: Lane) -> Result<(), Self::Error> {
        self.0.welcomed(lane)
    }

    fn renew(
        &mut self,
        lane: Lane,
        epoch: u64,
        after: u64,
        reason: RestateReason,
    ) -> Result<(), Self::Error> {
        self.0.renew(lane, epoch, after, reason)
    }
}

#[test]
fn a_refused_event_is_a_dead_letter_before_it_can_be_trimmed() {
    for is_answer_lost in [false, true] {
        let (mut hub, mut instance) = (Hub::default(), Instance::new());
        instance.append(r#"{"poison":1}"#);
        instance.connect(&hub);
        let answer = hub.take(&instance.next().unwrap());
        let Instance { publisher, outbox, now, .. } = &mut instance;
        if is_answer_lost {
            publisher.handle_disconnected();
            publisher.handle_welcome(&hub.lanes(), &Limits::V1, &mut Trimmed(outbox)).unwrap();
        } else {
            publisher.handle_published(&answer, &mut Trimmed(outbox), *now).unwrap();
        }
        let lane = outbox.lane(Lane::Main).unwrap();
        assert_eq!((lane.acked, lane.trimmed, outbox.dead_letters().len()), (1, 1, 1), "{is_answer_lost}");
    }
}
