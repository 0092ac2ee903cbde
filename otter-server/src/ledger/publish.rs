//! Publishing: each event of an outbox lane exactly once.

use otter_proto::catalogue;
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::event::NewEvent;
use otter_proto::frame::{Lane, LaneCursor, Lanes, Publish, Published, Rejection};
use otter_proto::id::{CommandId, EntityId, EventId, InstanceId, Scope};
use otter_proto::kind::CommandStage;
use otter_proto::limits::MAX_REJECTED;

use crate::ledger::door::{Checked, event_id, read};
use crate::ledger::fact::{Fact, Outcome, Refusal, Source};
use crate::ledger::instance::removed;
use crate::ledger::json::{self, Object};
use crate::ledger::write::Ledger;
use crate::ledger::{LaneRow, StoreError};

impl Ledger<'_> {
    /// Takes events of an instance: each is appended once, found to change nothing, or refused for good; the cursor
    /// of the lane moves over all of them. What stops the whole publish is in `error`, with the cursor unmoved.
    pub fn publish(&mut self, instance: &InstanceId, frame: &Publish) -> Result<Published, StoreError> {
        let stored = self.rows.lane(instance, frame.lane)?;
        let mut row = stored.clone().unwrap_or(LaneRow { producer_epoch: 0, up_to: 0, last_id: None });
        if self.is_removed(instance)? {
            // What was on its way when somebody removed it.
            return Ok(answer(frame, &row, Vec::new(), Some((removed(), None))));
        }
        // Also of a publish that is answered with an error: what is confirmed makes room.
        if let Some(seen) = frame.rejected_seen
            && frame.producer_epoch == row.producer_epoch
        {
            self.rows.drop_rejections(instance, frame.lane, seen)?;
        }
        if let Err(error) = fits(&row, frame) {
            return Ok(answer(frame, &row, Vec::new(), Some(error)));
        }
        if frame.producer_epoch > row.producer_epoch {
            let from = row.producer_epoch;
            row = LaneRow { producer_epoch: frame.producer_epoch, up_to: 0, last_id: None };
            self.rows.drop_rejections(instance, frame.lane, u64::MAX)?;
            if from > 0 {
                self.write_gap(instance, frame.lane, from)?;
            }
        }
        let mut rejected = Vec::new();
        let mut error = None;
        let mut room = None;
        for (n, event) in (frame.first..).zip(&frame.events) {
            if n <= row.up_to {
                continue;
            }
            let (id, event) = read(event);
            let refusal = match event {
                Ok(event) => self.take(instance, frame.lane, event)?,
                Err(refusal) => Some(refusal),
            };
            if let Some(refusal) = refusal {
                let left = match room {
                    Some(left) => left,
                    None => {
                        MAX_REJECTED - self.rows.rejections(instance, frame.lane)?.len().min(MAX_REJECTED)
                    }
                };
                if left == 0 {
                    error = Some(too_many_rejections());
                    break;
                }
                room = Some(left - 1);
                let rejection = Rejection { n, id: id.clone(), code: refusal.code, pointer: refusal.pointer };
                self.rows.put_rejection(instance, frame.lane, &rejection)?;
                rejected.push(rejection);
            }
            row.up_to = n;
            row.last_id = id;
        }
        if stored.as_ref() != Some(&row) {
            self.rows.put_lane(instance, frame.lane, &row)?;
        }
        Ok(answer(frame, &row, rejected, error))
    }

    /// What the hub has of both lanes of an instance.
    pub fn lanes(&mut self, instance: &InstanceId) -> Result<Lanes, StoreError> {
        Ok(Lanes { bulk: self.cursor(instance, Lane::Bulk)?, main: self.cursor(instance, Lane::Main)? })
    }

    fn cursor(&mut self, instance: &InstanceId, lane: Lane) -> Result<LaneCursor, StoreError> {
        let row = self.rows.lane(instance, lane)?;
        let row = row.unwrap_or(LaneRow { producer_epoch: 0, up_to: 0, last_id: None });
        Ok(LaneCursor {
            producer_epoch: row.producer_epoch,
            up_to: row.up_to,
            last_id: row.last_id,
            rejected: self.rows.rejections(instance, lane)?,
        })
    }

    /// Takes one event; `Some` when it is refused for good.
    fn take(
        &mut self,
        instance: &InstanceId,
        lane: Lane,
        event: NewEvent,
    ) -> Result<Option<Refusal>, StoreError> {
        let fact = match self.check(instance, lane, event)? {
            Checked::Fact(fact) => *fact,
            Checked::Vendor(fact) => {
                return Ok(match self.write_vendor(&fact)? {
                    Outcome::Refused(refusal) => Some(refusal),
                    Outcome::Appended | Outcome::Unchanged => None,
                });
            }
            Checked::Ignored => return Ok(None),
            Checked::Refused(refusal) => return Ok(Some(refusal)),
        };
        let command = (fact.kind.name == "command.updated").then(|| {
            (fact.subject.clone(), json::string(&fact.data, "stage").map(std::borrow::Cow::into_owned))
        });
        match self.write(fact)? {
            Outcome::Refused(refusal) => return Ok(Some(refusal)),
            Outcome::Unchanged => return Ok(None),
            Outcome::Appended => {}
        }
        if let Some((subject, Some(stage))) = command {
            self.follow_command(&subject, &stage)?;
        }
        Ok(None)
    }

    /// Keeps the stage of a command where dispatch looks for it.
    fn follow_command(&mut self, subject: &EntityId, stage: &str) -> Result<(), StoreError> {
        let (Ok(id), Some(stage)) = (CommandId::new(subject.as_str()), CommandStage::parse(stage)) else {
            return Ok(());
        };
        let Some(mut row) = self.rows.command(&id)? else { return Ok(()) };
        row.stage = stage;
        self.rows.put_command(&id, &row)?;
        if stage.is_final() && stage != CommandStage::Completed { self.undo(&id, &row) } else { Ok(()) }
    }

    fn write_gap(&mut self, instance: &InstanceId, lane: Lane, from: u64) -> Result<(), StoreError> {
        let gap = Object::default()
            .string("at", &self.now.to_string())
            .raw("fromEpoch", from.to_string())
            .string("lane", lane.as_str());
        self.write_own(
            "instance.gap",
            instance.as_str(),
            Scope::Org,
            None,
            Object::default().raw("gap", gap.build()),
        )
    }

    /// Writes a fact of the hub itself.
    pub(super) fn write_own(
        &mut self,
        kind: &str,
        subject: &str,
        scope: Scope,
        caused_by: Option<&CommandId>,
        data: Object,
    ) -> Result<(), StoreError> {
        self.write_own_text(kind, subject, scope, caused_by, data.build())
    }

    /// Writes a fact of the hub itself; `data` is canonical.
    pub(super) fn write_own_text(
        &mut self,
        kind: &str,
        subject: &str,
        scope: Scope,
        caused_by: Option<&CommandId>,
        data: String,
    ) -> Result<(), StoreError> {
        let (Some(kind), Ok(subject)) = (catalogue::kind(kind), EntityId::new(subject)) else {
            return Err(StoreError::Broken(format!("the hub wrote a malformed {kind}")));
        };
        let id: EventId = self.next_id()?;
        let (caused_by, source) = (caused_by.cloned(), Source::Hub);
        let fact = Fact { id, kind, subject, scope, caused_by, source, data };
        match self.write(fact)? {
            Outcome::Appended | Outcome::Unchanged => Ok(()),
            Outcome::Refused(refusal) => {
                tracing::warn!(kind = kind.name, code = %refusal.code, "the hub refused its own event");
                Ok(())
            }
        }
    }
}

/// Whether a publish continues what the hub has.
fn fits(row: &LaneRow, frame: &Publish) -> Result<(), (ErrorBody, Option<u64>)> {
    let gap = |expected: u64| {
        let message = format!("this lane continues with event {expected}; send from there");
        Err((ErrorBody::retryable(ErrorCode::PublishGap, message), Some(expected)))
    };
    let stale = |message: &str| Err((ErrorBody::new(ErrorCode::StaleProducerEpoch, message), None));
    if frame.producer_epoch < row.producer_epoch || frame.producer_epoch == 0 {
        return stale("a newer outbox published on this lane; take the next producerEpoch");
    }
    if frame.first == 0 {
        let message = "events of a lane are numbered from 1";
        return Err((ErrorBody::new(ErrorCode::BadFrame, message).at("/first"), None));
    }
    if frame.producer_epoch > row.producer_epoch {
        return if frame.first == 1 { Ok(()) } else { gap(1) };
    }
    if frame.first > row.up_to + 1 {
        return gap(row.up_to + 1);
    }
    // The last event the hub has, sent again under another id: the outbox lost its tail and numbered anew.
    let again = usize::try_from(row.up_to - (frame.first - 1)).ok().and_then(|behind| behind.checked_sub(1));
    let again = again.and_then(|at| frame.events.get(at)).and_then(event_id);
    match (again, &row.last_id) {
        (Some(again), Some(last)) if again != *last => {
            stale("this number was used for another event; take the next producerEpoch")
        }
        _ => Ok(()),
    }
}

fn answer(
    frame: &Publish,
    row: &LaneRow,
    rejected: Vec<Rejection>,
    error: Option<(ErrorBody, Option<u64>)>,
) -> Published {
    let (error, expected) = error.map_or((None, None), |(error, expected)| (Some(error), expected));
    Published {
        lane: frame.lane,
        producer_epoch: frame.producer_epoch,
        up_to: if frame.producer_epoch == row.producer_epoch { row.up_to } else { 0 },
        rejected,
        error,
        expected,
    }
}

fn too_many_rejections() -> (ErrorBody, Option<u64>) {
    let message = format!("{MAX_REJECTED} refused events are not confirmed; confirm them with rejectedSeen");
    let error =
        ErrorBody { retry_after_ms: Some(1_000), ..ErrorBody::retryable(ErrorCode::RateLimited, message) };
    (error, None)
}
