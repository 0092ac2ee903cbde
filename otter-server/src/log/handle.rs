//! The handle to the writer thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};

use otter_proto::catalogue::Role;
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{ClientInfo, Command, CommandDispatch, Lane, Lanes, Publish, Published, Reply};
use otter_proto::id::{BootId, InstanceId, MemberId, OrgId};
use otter_proto::wire::Positions;
use tokio::sync::oneshot;

use crate::ledger::Actor;

/// Bytes of requests that may wait for the writer.
const MAX_QUEUED_BYTES: usize = 16 << 20;
/// What a request counts besides its payload.
const REQUEST_BYTES: usize = 512;

/// Identifies one attachment of an instance: what an older socket says about its end changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease(pub u64);

/// An instance that arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attach {
    /// This process run first, then earlier ones.
    pub boots: Vec<BootId>,
    /// The display name given when the instance was added.
    pub name: Option<String>,
    /// The bridge.
    pub bridge: Option<ClientInfo>,
    /// Whether its owner says that this copy is the instance from now on.
    pub adopts: bool,
}

/// An instance that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// For `welcome`.
    pub lanes: Lanes,
    /// Its open commands in order, recorded as sent.
    pub outstanding: Vec<CommandDispatch>,
    /// Names this attachment.
    pub lease: Lease,
}

/// What the writer is asked.
#[derive(Debug)]
pub(super) enum Request {
    Publish(InstanceId, Publish, oneshot::Sender<Published>),
    Command(Actor, Command, oneshot::Sender<Reply>),
    Attach(InstanceId, Attach, oneshot::Sender<Result<Attached, ErrorBody>>),
    Outstanding(InstanceId, oneshot::Sender<Result<Vec<CommandDispatch>, ErrorBody>>),
    Detached(InstanceId, Lease),
    Disconnected(InstanceId, Lease, String, oneshot::Sender<Result<(), ErrorBody>>),
    DisconnectAbsent(String, oneshot::Sender<Result<(), ErrorBody>>),
    MemberJoined(MemberId, String, Role, oneshot::Sender<Result<(), ErrorBody>>),
    MemberUpdated(MemberId, Option<String>, Option<Role>, oneshot::Sender<Result<(), ErrorBody>>),
    MemberRemoved(MemberId, oneshot::Sender<Result<(), ErrorBody>>),
    RemoveInstance(InstanceId, oneshot::Sender<Result<(), ErrorBody>>),
}

/// What the writer's queue holds.
#[derive(Debug)]
pub(super) enum Message {
    Ask(Queued),
    Stop,
}

/// A request with its org and what it counts in the queue.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) org: OrgId,
    pub(super) request: Request,
    pub(super) bytes: usize,
}

/// Asks the writer thread. Cheap to clone. Every answer comes after the data is on disk and was fanned out.
///
/// The queue is bounded: when it is full the answer is `overloaded` at once. When the disk is full it is
/// `storageFull`; both are retryable.
#[derive(Debug, Clone)]
pub struct LogHandle {
    queue: SyncSender<Message>,
    queued_bytes: Arc<AtomicUsize>,
}

impl LogHandle {
    pub(super) const fn new(queue: SyncSender<Message>, queued_bytes: Arc<AtomicUsize>) -> Self {
        Self { queue, queued_bytes }
    }

    /// Bytes of requests that wait.
    pub fn queued_bytes(&self) -> u64 {
        u64::try_from(self.queued_bytes.load(Ordering::Relaxed)).unwrap_or(u64::MAX)
    }

    /// Takes events of an instance. The answer is the whole `published` frame, errors included.
    pub async fn publish(&self, org: &OrgId, instance: &InstanceId, frame: Publish) -> Published {
        let (lane, producer_epoch, first) = (frame.lane, frame.producer_epoch, frame.first);
        let bytes = frame.events.iter().map(|event| event.as_str().len()).sum();
        self.ask(org, bytes, |answer| Request::Publish(instance.clone(), frame, answer))
            .await
            .unwrap_or_else(|error| not_taken(lane, producer_epoch, first, error))
    }

    /// Takes a command of a person. The answer is the whole `reply` frame; the same id gets the same answer.
    pub async fn command(&self, org: &OrgId, actor: Actor, command: Command) -> Reply {
        let (id, bytes) = (command.id.clone(), command.data.as_str().len());
        self.ask(org, bytes, |answer| Request::Command(actor, command, answer)).await.unwrap_or_else(
            |error| Reply { id, accepted: None, refused: Some(error), epoch: None, at: Positions::default() },
        )
    }

    /// Lets an instance in: checks and records its boot, writes `instance.connected` when it was away, records its
    /// open commands as sent. `forked` when the hub knows another boot than those it names. From now on commands for
    /// it appear in [`super::Commit::dispatch`].
    pub async fn attach(
        &self,
        org: &OrgId,
        instance: &InstanceId,
        attach: Attach,
    ) -> Result<Attached, ErrorBody> {
        self.ask(org, 0, |answer| Request::Attach(instance.clone(), attach, answer)).await?
    }

    /// The open commands of an instance in order, with the time each has left; recorded as sent.
    pub async fn outstanding(
        &self,
        org: &OrgId,
        instance: &InstanceId,
    ) -> Result<Vec<CommandDispatch>, ErrorBody> {
        self.ask(org, 0, |answer| Request::Outstanding(instance.clone(), answer)).await?
    }

    /// The socket of an attachment is gone: commands for the instance wait from now on. Nothing is written.
    pub fn detached(&self, org: &OrgId, instance: &InstanceId, lease: Lease) {
        // A full queue loses the notice. Commands are then recorded as sent too early, and sent again on attach;
        // `disconnected` names the lease again.
        let _ = self.enqueue(org, 0, Request::Detached(instance.clone(), lease));
    }

    /// Writes `instance.disconnected` for an attachment that ended, after the grace time. Does nothing when a newer
    /// attachment took its place, and when the instance is recorded as offline.
    pub async fn disconnected(
        &self,
        org: &OrgId,
        instance: &InstanceId,
        lease: Lease,
        reason: &str,
    ) -> Result<(), ErrorBody> {
        let reason = reason.to_owned();
        self.ask(org, 0, |answer| Request::Disconnected(instance.clone(), lease, reason, answer)).await?
    }

    /// Writes `instance.disconnected` for every instance that is recorded as online and not attached: once, when the
    /// grace time after the hub's start is over.
    pub async fn disconnect_absent(&self, org: &OrgId, reason: &str) -> Result<(), ErrorBody> {
        self.ask(org, 0, |answer| Request::DisconnectAbsent(reason.to_owned(), answer)).await?
    }

    /// Writes `member.joined`.
    pub async fn member_joined(
        &self,
        org: &OrgId,
        member: &MemberId,
        name: &str,
        role: Role,
    ) -> Result<(), ErrorBody> {
        let (member, name) = (member.clone(), name.to_owned());
        self.ask(org, 0, |answer| Request::MemberJoined(member, name, role, answer)).await?
    }

    /// Writes `member.updated`.
    pub async fn member_updated(
        &self,
        org: &OrgId,
        member: &MemberId,
        name: Option<String>,
        role: Option<Role>,
    ) -> Result<(), ErrorBody> {
        let member = member.clone();
        self.ask(org, 0, |answer| Request::MemberUpdated(member, name, role, answer)).await?
    }

    /// Writes `member.removed`.
    pub async fn member_removed(&self, org: &OrgId, member: &MemberId) -> Result<(), ErrorBody> {
        let member = member.clone();
        self.ask(org, 0, |answer| Request::MemberRemoved(member, answer)).await?
    }

    /// Takes an instance out of the org: ends its commands and everything else that only it could end, and writes
    /// `instance.removed`. Does nothing the second time.
    pub async fn remove_instance(&self, org: &OrgId, instance: &InstanceId) -> Result<(), ErrorBody> {
        self.ask(org, 0, |answer| Request::RemoveInstance(instance.clone(), answer)).await?
    }

    async fn ask<T>(
        &self,
        org: &OrgId,
        bytes: usize,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, ErrorBody> {
        let (sender, receiver) = oneshot::channel();
        self.enqueue(org, bytes, request(sender))?;
        receiver.await.map_err(|_| unavailable())
    }

    fn enqueue(&self, org: &OrgId, bytes: usize, request: Request) -> Result<(), ErrorBody> {
        let bytes = bytes + REQUEST_BYTES;
        if self.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > MAX_QUEUED_BYTES {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(overloaded());
        }
        let queued = Queued { org: org.clone(), request, bytes };
        self.queue.try_send(Message::Ask(queued)).map_err(|error| {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => overloaded(),
                TrySendError::Disconnected(_) => unavailable(),
            }
        })
    }
}

/// The answer to a publish of which nothing was taken. `upTo` promises nothing; the lane goes on with `first`.
pub(super) fn not_taken(lane: Lane, producer_epoch: u64, first: u64, error: ErrorBody) -> Published {
    let (rejected, error, expected) = (Vec::new(), Some(error), Some(first));
    Published { lane, producer_epoch, up_to: 0, rejected, error, expected }
}

fn overloaded() -> ErrorBody {
    ErrorBody {
        retry_after_ms: Some(1_000),
        ..ErrorBody::retryable(ErrorCode::Overloaded, "the hub is busy; try again in a second")
    }
}

fn unavailable() -> ErrorBody {
    ErrorBody::retryable(ErrorCode::Unavailable, "the hub is shutting down; try again")
}
