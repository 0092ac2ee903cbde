//! From a request to its answer.

use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{CommandDispatch, Published, Reply};
use otter_proto::id::InstanceId;
use otter_proto::wire::Positions;
use tokio::sync::oneshot;

use crate::ledger::{Ledger, StoreError};
use crate::log::handle::{Request, not_taken};
use crate::log::writer::Desk;
use crate::log::{Attach, Attached, Lease};

type To<T> = oneshot::Sender<T>;

/// An answer that is sent once the transaction is on disk.
#[derive(Debug)]
pub(super) enum Answer {
    /// With the number of the first event.
    Published(To<Published>, Published, u64),
    Reply(To<Reply>, Reply),
    Attached(To<Result<Attached, ErrorBody>>, Box<Result<Attached, ErrorBody>>),
    Outstanding(To<Result<Vec<CommandDispatch>, ErrorBody>>, Vec<CommandDispatch>),
    Done(To<Result<(), ErrorBody>>),
    None,
}

impl Answer {
    /// Does what a request asks for.
    pub(super) fn to(
        request: Request,
        ledger: &mut Ledger<'_>,
        desk: &mut Desk,
        leases: &mut u64,
    ) -> Result<Self, StoreError> {
        Ok(match request {
            Request::Publish(instance, frame, to) => {
                Self::Published(to, ledger.publish(&instance, &frame)?, frame.first)
            }
            Request::Command(actor, command, to) => {
                Self::Reply(to, ledger.command(&actor, &command, &desk.instances())?)
            }
            Request::Attach(instance, attach, to) => {
                Self::Attached(to, Box::new(attached(&instance, &attach, ledger, desk, leases)?))
            }
            Request::Outstanding(instance, to) => Self::Outstanding(to, ledger.outstanding(&instance)?),
            Request::Detached(instance, lease) => {
                desk.detach(&instance, lease);
                Self::None
            }
            Request::Disconnected(instance, lease, reason, to) => {
                desk.detach(&instance, lease);
                if !desk.attached.contains_key(&instance) {
                    ledger.disconnected(&instance, &reason)?;
                }
                Self::Done(to)
            }
            Request::DisconnectAbsent(reason, to) => {
                for instance in ledger.online()? {
                    if !desk.attached.contains_key(&instance) {
                        ledger.disconnected(&instance, &reason)?;
                    }
                }
                Self::Done(to)
            }
            Request::MemberJoined(member, name, role, to) => {
                ledger.member_joined(&member, &name, role)?;
                Self::Done(to)
            }
            Request::MemberUpdated(member, name, role, to) => {
                ledger.member_updated(&member, name.as_deref(), role)?;
                Self::Done(to)
            }
            Request::MemberRemoved(member, to) => {
                ledger.member_removed(&member)?;
                Self::Done(to)
            }
            Request::RemoveInstance(instance, to) => {
                ledger.remove_instance(&instance, None)?;
                Self::Done(to)
            }
        })
    }

    /// Answers. Who does not wait any more is not told.
    pub(super) fn send(self) {
        match self {
            Self::Published(to, published, _) => drop(to.send(published)),
            Self::Reply(to, reply) => drop(to.send(reply)),
            Self::Attached(to, attached) => drop(to.send(*attached)),
            Self::Outstanding(to, outstanding) => drop(to.send(Ok(outstanding))),
            Self::Done(to) => drop(to.send(Ok(()))),
            Self::None => {}
        }
    }

    /// Answers that nothing was written.
    pub(super) fn refuse(self, error: &StoreError) {
        let error = storage_error(error);
        match self {
            Self::Published(to, published, first) => {
                let (lane, epoch) = (published.lane, published.producer_epoch);
                drop(to.send(not_taken(lane, epoch, first, error)));
            }
            Self::Reply(to, reply) => {
                let (refused, at) = (Some(error), Positions::default());
                drop(to.send(Reply { id: reply.id, accepted: None, refused, epoch: None, at }));
            }
            Self::Attached(to, _) => drop(to.send(Err(error))),
            Self::Outstanding(to, _) => drop(to.send(Err(error))),
            Self::Done(to) => drop(to.send(Err(error))),
            Self::None => {}
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
