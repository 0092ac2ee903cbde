//! From a request to its answer.

use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{CommandDispatch, Published, Reply};
use otter_proto::id::InstanceId;
use otter_proto::wire::Positions;

use crate::ledger::{Ledger, StoreError};
use crate::log::handle::{Request, not_taken};
use crate::log::writer::Desk;
use crate::log::{Attach, Attached, Lease};

/// What a request came to. It is told once the transaction is on disk.
#[derive(Debug)]
pub(super) enum Outcome {
    Published(Published),
    Reply(Reply),
    Attached(Box<Result<Attached, ErrorBody>>),
    Outstanding(Vec<CommandDispatch>),
    Done,
}

impl Request {
    /// Does what it asks for.
    pub(super) fn run(
        &self,
        ledger: &mut Ledger<'_>,
        desk: &mut Desk,
        leases: &mut u64,
    ) -> Result<Outcome, StoreError> {
        match self {
            Self::Publish(instance, frame, _) => {
                return Ok(Outcome::Published(ledger.publish(instance, frame)?));
            }
            Self::Command(actor, command, _) => {
                return Ok(Outcome::Reply(ledger.command(actor, command, &desk.instances())?));
            }
            Self::Attach(instance, attach, _) => {
                return Ok(Outcome::Attached(Box::new(attached(instance, attach, ledger, desk, leases)?)));
            }
            Self::Outstanding(instance, _) => {
                return Ok(Outcome::Outstanding(ledger.outstanding(instance)?));
            }
            Self::Detached(instance, lease) => desk.detach(instance, *lease),
            Self::Disconnected(instance, lease, reason, _) => {
                desk.detach(instance, *lease);
                if !desk.attached.contains_key(instance) {
                    ledger.disconnected(instance, reason)?;
                }
            }
            Self::DisconnectAbsent(reason, _) => {
                for instance in ledger.online()? {
                    if !desk.attached.contains_key(&instance) {
                        ledger.disconnected(&instance, reason)?;
                    }
                }
            }
            Self::MemberJoined(member, name, role, _) => ledger.member_joined(member, name, *role)?,
            Self::MemberUpdated(member, name, role, _) => {
                ledger.member_updated(member, name.as_deref(), *role)?;
            }
            Self::MemberRemoved(member, _) => ledger.member_removed(member)?,
            Self::RemoveInstance(instance, _) => ledger.remove_instance(instance, None)?,
        }
        Ok(Outcome::Done)
    }

    /// Tells the outcome of its own run. Who does not wait any more is not told.
    pub(super) fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Publish(_, _, to), Outcome::Published(published)) => drop(to.send(published)),
            (Self::Command(_, _, to), Outcome::Reply(reply)) => drop(to.send(reply)),
            (Self::Attach(_, _, to), Outcome::Attached(attached)) => drop(to.send(*attached)),
            (Self::Outstanding(_, to), Outcome::Outstanding(commands)) => drop(to.send(Ok(commands))),
            (
                Self::Disconnected(_, _, _, to)
                | Self::DisconnectAbsent(_, to)
                | Self::MemberJoined(_, _, _, to)
                | Self::MemberUpdated(_, _, _, to)
                | Self::MemberRemoved(_, to)
                | Self::RemoveInstance(_, to),
                Outcome::Done,
            ) => drop(to.send(Ok(()))),
            // Nobody waits for a notice, and no other outcome comes of a request.
            _ => {}
        }
    }

    /// Answers that nothing was written.
    pub(super) fn refuse(self, error: &StoreError) {
        let error = storage_error(error);
        match self {
            Self::Publish(_, frame, to) => {
                drop(to.send(not_taken(frame.lane, frame.producer_epoch, frame.first, error)));
            }
            Self::Command(_, command, to) => {
                let (refused, at) = (Some(error), Positions::default());
                drop(to.send(Reply { id: command.id, accepted: None, refused, epoch: None, at }));
            }
            Self::Attach(_, _, to) => drop(to.send(Err(error))),
            Self::Outstanding(_, to) => drop(to.send(Err(error))),
            Self::Detached(..) => {}
            Self::Disconnected(_, _, _, to)
            | Self::DisconnectAbsent(_, to)
            | Self::MemberJoined(_, _, _, to)
            | Self::MemberUpdated(_, _, _, to)
            | Self::MemberRemoved(_, to)
            | Self::RemoveInstance(_, to) => drop(to.send(Err(error))),
        }
    }
}

fn attached(
    instance: &InstanceId,
    attach: &Attach,
    ledger: &mut Ledger<'_>,
    desk: &mut Desk,
    leases: &mut u64,
) -> Result<Result<Attached, ErrorBody>, StoreError> {
    if attach.adopts {
        ledger.adopt(instance, &attach.boots)?;
    }
    let admitted = ledger.attach(instance, &attach.boots, attach.name.as_deref(), attach.bridge.as_ref())?;
    Ok(admitted.map(|admitted| {
        *leases += 1;
        let lease = Lease(*leases);
        desk.attached.insert(instance.clone(), lease);
        Attached { lanes: admitted.lanes, outstanding: admitted.outstanding, lease }
    }))
}

fn storage_error(error: &StoreError) -> ErrorBody {
    let body = match error {
        StoreError::Full => {
            ErrorBody::retryable(ErrorCode::StorageFull, "the hub's disk is full; nothing was written")
        }
        StoreError::Busy | StoreError::Fenced | StoreError::Broken(_) => {
            ErrorBody::retryable(ErrorCode::Unavailable, "the hub's store is busy; nothing was written")
        }
    };
    ErrorBody { retry_after_ms: Some(5_000), ..body }
}
