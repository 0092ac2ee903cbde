//! What a publisher needs of its outbox.

use crate::frame::{Lane, Rejection};
use crate::id::EventId;
use crate::publish::RestateReason;

/// Where a lane of an outbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneState {
    /// The producer epoch, from 1.
    pub epoch: u64,
    /// The highest number given; 0 when the epoch has no event yet.
    pub last: u64,
    /// The highest number the hub has acknowledged.
    pub acked: u64,
    /// Rows up to this number are not kept any more.
    pub trimmed: u64,
}

/// An event of an outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its number in lane and epoch.
    pub n: u64,
    /// The JSON text of a [`crate::event::NewEvent`].
    pub text: String,
}

/// The durable queue of a publisher. Every change is on disk before the method returns.
///
/// Rows that the hub acknowledged are kept for a while, so that a hub restored from a backup gets them again. The id
/// of the last row that was trimmed is kept as well.
pub trait Outbox {
    /// What can go wrong in the store.
    type Error;

    /// Where a lane is.
    fn lane(&self, lane: Lane) -> Result<LaneState, Self::Error>;

    /// Rows of the lane's epoch after `after`, in order, up to about `max_bytes` but at least one if there is one.
    fn rows(&self, lane: Lane, after: u64, max_bytes: u64) -> Result<Vec<OutboxRow>, Self::Error>;

    /// The id of the event with number `n`, also when it is the last that was trimmed.
    fn id_at(&self, lane: Lane, n: u64) -> Result<Option<EventId>, Self::Error>;

    /// Sets the highest number acknowledged; lower than before when the hub lost events.
    fn set_acked(&mut self, lane: Lane, up_to: u64) -> Result<(), Self::Error>;

    /// Copies refused events to the dead letters; one that is there already stays. Returns how many are new. It comes
    /// before they are acknowledged, because what is acknowledged may be trimmed.
    fn reject(&mut self, lane: Lane, rejected: &[Rejection]) -> Result<usize, Self::Error>;

    /// The highest number the lane had when the outbox was opened for the first time since the last welcome; `None`
    /// when it was not opened since.
    ///
    /// Rows after it were never sent. When a disk lost the tail, it lost it before that moment: so rows up to it that
    /// the hub's count covers are the hub's rows, and rows after it are new, whatever their numbers say.
    fn opened_at(&self, lane: Lane) -> Result<Option<u64>, Self::Error>;

    /// The hub welcomed this instance: rows may be sent from now on.
    fn welcomed(&mut self, lane: Lane) -> Result<(), Self::Error>;

    /// Begins another epoch: rows after `after` are numbered from 1, unacknowledged; the others are dropped. Notes with
    /// it that everything observed has to be published again: a process that dies before it has done so must not forget
    /// it.
    fn renew(&mut self, lane: Lane, epoch: u64, after: u64, reason: RestateReason)
    -> Result<(), Self::Error>;
}
