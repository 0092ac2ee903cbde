//! The rows that the ledger loads and stores. A store implements [`Rows`]; it decides nothing.

use otter_proto::UnixMillis;
use otter_proto::frame::{Lane, Rejection};
use otter_proto::id::{BootId, CommandId, EntityKey, Epoch, EventId, InstanceId, Scope};
use otter_proto::kind::CommandStage;
use std::sync::Arc;

/// Why a store cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No room on the disk: nothing was written, the same request can succeed later.
    #[error("the disk is full")]
    Full,
    /// Somebody else holds the file; nothing was written, the same request can succeed later.
    #[error("the store is busy")]
    Busy,
    /// Another writer moved the org's head or took the org over: this one must end.
    #[error("another writer took over this org")]
    Fenced,
    /// The store cannot be trusted any more: this process must end.
    #[error("{0}")]
    Broken(String),
}

/// The head of an org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgRow {
    /// The epoch of the writer that owns the org.
    pub epoch: Epoch,
    /// The seq of the last event; 0 before the first.
    pub head: u64,
}

/// The head of a scope. It survives retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScopeRow {
    /// The seq of its last event; 0 before the first.
    pub head: u64,
    /// The state hash at `head`.
    pub hash: u64,
    /// The highest seq of this scope that was trimmed; 0 when nothing was.
    pub floor: u64,
    /// How many messages were ever created in it.
    pub messages: u64,
}

/// A stored entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityRow {
    /// Canonical text.
    pub text: String,
    /// The seq of the event that wrote it last.
    pub rev: u64,
    /// Whether it is in its live window.
    pub live: bool,
    /// Whether it counts as open: open rows have a window of their own.
    pub open: bool,
    /// What it is ordered by in its window.
    pub order: String,
}

/// How full a live window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowRow {
    /// Live rows.
    pub rows: u64,
    /// Bytes of their text.
    pub bytes: u64,
}

/// Which end of a window is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Lowest order first.
    Oldest,
    /// Highest order first.
    Newest,
}

/// What the hub has of one lane of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneRow {
    /// The generation of the outbox.
    pub producer_epoch: u64,
    /// The number of the last event taken.
    pub up_to: u64,
    /// Its id, when it could be read.
    pub last_id: Option<EventId>,
}

/// A command, as long as it may be asked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRow {
    /// Its kind.
    pub kind: String,
    /// Its data, canonical.
    pub data: String,
    /// Who asked: `{"id","name","type"}`.
    pub by: String,
    /// Who carries it out; `None` when the hub did.
    pub instance: Option<InstanceId>,
    /// The address of its conversation, canonical.
    pub address: Option<String>,
    /// How far it got.
    pub stage: CommandStage,
    /// Whether it was handed to a socket.
    pub sent: bool,
    /// Whether someone asked to cancel it.
    pub cancel: bool,
    /// The seq of its acceptance: commands are dispatched in this order.
    pub seq: u64,
    /// When the hub accepted it.
    pub issued_at: UnixMillis,
    /// When it expires if it was not attempted.
    pub expires_at: UnixMillis,
}

/// The answer a command got, repeated for the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyRow {
    /// Hash of who asked for what.
    pub digest: [u8; 32],
    /// The text of the `reply` frame.
    pub text: String,
    /// When it was given.
    pub at: UnixMillis,
}

/// An event to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Its scope.
    pub scope: Scope,
    /// Its place in the org's log.
    pub seq: u64,
    /// When it was recorded.
    pub at: UnixMillis,
    /// The recorded event.
    pub text: Arc<str>,
}

/// The rows of one org inside one transaction. What one call writes, later calls of the same transaction read.
pub trait Rows: StateRows + LaneRows + CommandRows {}

impl<T: StateRows + LaneRows + CommandRows + ?Sized> Rows for T {}

/// The log and the entities it makes.
#[allow(missing_docs)] // one load or store each, named after the row
pub trait StateRows {
    fn org(&mut self) -> Result<Option<OrgRow>, StoreError>;
    /// Moves the org from `from` (absent: creates it) to `to`; [`StoreError::Fenced`] when it is not at `from`.
    fn swap_org(&mut self, from: Option<&OrgRow>, to: &OrgRow) -> Result<(), StoreError>;
    /// Records that `epoch` begins with `first`, keeping the newest [`crate::ledger::MAX_EPOCHS`].
    fn add_epoch(&mut self, epoch: &Epoch, first: u64) -> Result<(), StoreError>;

    fn scope(&mut self, scope: &Scope) -> Result<ScopeRow, StoreError>;
    fn put_scope(&mut self, scope: &Scope, row: &ScopeRow) -> Result<(), StoreError>;
    fn append(&mut self, event: &EventRow) -> Result<(), StoreError>;

    fn entity(&mut self, scope: &Scope, key: &EntityKey) -> Result<Option<EntityRow>, StoreError>;
    fn put_entity(&mut self, scope: &Scope, key: &EntityKey, row: &EntityRow) -> Result<(), StoreError>;
    fn delete_entity(&mut self, scope: &Scope, key: &EntityKey) -> Result<(), StoreError>;
    /// Live rows of a type from one end of a window, at most `limit`.
    fn live(
        &mut self,
        scope: &Scope,
        entity_type: &str,
        open: bool,
        end: End,
        limit: usize,
    ) -> Result<Vec<(EntityKey, EntityRow)>, StoreError>;
    /// Live rows of all integrators' types, lowest order first, at most `limit`.
    fn oldest_of_vendors(
        &mut self,
        scope: &Scope,
        limit: usize,
    ) -> Result<Vec<(EntityKey, EntityRow)>, StoreError>;
    fn window(&mut self, scope: &Scope, entity_type: &str, open: bool) -> Result<WindowRow, StoreError>;
    fn put_window(
        &mut self,
        scope: &Scope,
        entity_type: &str,
        open: bool,
        row: &WindowRow,
    ) -> Result<(), StoreError>;
    fn removed_at(&mut self, scope: &Scope, key: &EntityKey) -> Result<Option<UnixMillis>, StoreError>;
    fn put_removed(&mut self, scope: &Scope, key: &EntityKey, at: UnixMillis) -> Result<(), StoreError>;
    /// Keeps the whole text of a field that was cut; it replaces the one of an earlier rev.
    fn put_full_text(
        &mut self,
        scope: &Scope,
        key: &EntityKey,
        rev: u64,
        text: &str,
    ) -> Result<(), StoreError>;
    fn delete_full_text(&mut self, scope: &Scope, key: &EntityKey) -> Result<(), StoreError>;
}

/// What the hub has of each instance.
#[allow(missing_docs)] // one load or store each, named after the row
pub trait LaneRows {
    fn lane(&mut self, instance: &InstanceId, lane: Lane) -> Result<Option<LaneRow>, StoreError>;
    fn put_lane(&mut self, instance: &InstanceId, lane: Lane, row: &LaneRow) -> Result<(), StoreError>;
    fn rejections(&mut self, instance: &InstanceId, lane: Lane) -> Result<Vec<Rejection>, StoreError>;
    fn put_rejection(
        &mut self,
        instance: &InstanceId,
        lane: Lane,
        rejection: &Rejection,
    ) -> Result<(), StoreError>;
    /// Forgets the rejections with `n <= up_to`.
    fn drop_rejections(&mut self, instance: &InstanceId, lane: Lane, up_to: u64) -> Result<(), StoreError>;
    fn boot(&mut self, instance: &InstanceId) -> Result<Option<BootId>, StoreError>;
    fn put_boot(&mut self, instance: &InstanceId, boot: &BootId) -> Result<(), StoreError>;
}

/// Commands and their replies.
#[allow(missing_docs)] // one load or store each, named after the row
pub trait CommandRows {
    fn command(&mut self, id: &CommandId) -> Result<Option<CommandRow>, StoreError>;
    fn put_command(&mut self, id: &CommandId, row: &CommandRow) -> Result<(), StoreError>;
    /// Commands of an instance that have not ended, in the order of acceptance.
    fn open_commands(&mut self, instance: &InstanceId) -> Result<Vec<(CommandId, CommandRow)>, StoreError>;
    fn count_open_commands(&mut self, instance: &InstanceId) -> Result<u64, StoreError>;
    /// Commands that were never handed to a socket and whose time is over, at most `limit`.
    fn overdue_commands(
        &mut self,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(CommandId, CommandRow)>, StoreError>;
    fn reply(&mut self, id: &CommandId) -> Result<Option<ReplyRow>, StoreError>;
    fn put_reply(&mut self, id: &CommandId, row: &ReplyRow) -> Result<(), StoreError>;
}
