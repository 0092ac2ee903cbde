//! What a client tells.

use std::sync::Arc;

use otter_proto::connection::client::ScopePhase;
use otter_proto::error::ErrorBody;
use otter_proto::frame::{CommandDispatch, Lane, Principal};
use otter_proto::id::{EntityId, EntityKey};
use otter_proto::publish::RestateReason;

/// Something that concerns the whole connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent {
    /// The hub welcomed the client.
    Online {
        /// Who it is.
        principal: Principal,
        /// Milliseconds to add to the local wall clock to get the hub's.
        server_offset_ms: i64,
    },
    /// The connection ended; the client connects again by itself.
    Lost,
    /// A command to carry out; it may arrive again.
    Dispatch(CommandDispatch),
    /// Events may be missing at the hub that are not in the outbox any more: publish everything observed again. Told
    /// after each welcome, also by later processes, until [`StoreTx::restated`](crate::StoreTx::restated) says in the
    /// same transaction that it is done.
    Restate {
        /// The lane.
        lane: Lane,
        /// What was lost.
        reason: RestateReason,
    },
    /// The hub refused events for good; they are dead letters now.
    DeadLetters {
        /// The lane.
        lane: Lane,
        /// How many.
        count: usize,
    },
    /// The hub refused a frame; nothing else was affected.
    Notice(ErrorBody),
    /// The client will not connect again: this program or identity must not.
    Stopped {
        /// The hub's words.
        reason: String,
        /// The close code.
        code: Option<u16>,
    },
}

/// Something that happened in a followed scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeUpdate {
    /// It is more, or less, current than before.
    Phase {
        /// How current.
        phase: ScopePhase,
        /// Why, when there is something to say.
        reason: Option<String>,
    },
    /// An event was applied.
    Event {
        /// Its place in the log.
        seq: u64,
        /// The recorded event.
        text: Arc<str>,
        /// It happened before the subscription was answered: no reason to act.
        replayed: bool,
    },
    /// An entity changed or went away.
    Changed(EntityKey),
    /// The text of a running answer changed.
    Slot {
        /// The run.
        run: EntityId,
        /// How many UTF-16 units of the text before stay.
        from: u64,
        /// What follows; `None` when there is no running answer any more.
        text: Option<Arc<str>>,
    },
    /// What signals said before is over; those in force follow.
    SignalsOver,
    /// An ephemeral notice.
    Signal {
        /// Its kind.
        kind: String,
        /// What it carries, as JSON text.
        data: Arc<str>,
    },
    /// The reader was too slow and missed so many updates. The entities are up to date all the same.
    Lagged {
        /// How many.
        missed: u64,
    },
}
