//! Stores: where the ledger's rows live. They load and store; every rule is in [`crate::ledger`].

#[cfg(test)]
pub(crate) mod conformance;
mod lock;
pub mod memory;
pub mod sqlite;

use std::sync::Arc;

use otter_proto::id::{BootId, EntityKey, Epoch, InstanceId, OrgId, Scope};

use crate::ledger::{EntityRow, OrgRow, Rows, ScopeRow, StoreError};

pub use lock::{DirLock, LockError};

/// The writing side of a store. One writer at a time.
pub trait Store: Send {
    /// Runs `work` over the rows of `org` in one transaction. When `work` succeeds, everything it wrote is on stable
    /// storage before this returns; when it or the commit fails, nothing of it is there.
    fn transaction(
        &mut self,
        org: &OrgId,
        work: &mut dyn FnMut(&mut dyn Rows) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// A page of a scope's events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventPage {
    /// Seq and recorded event, ascending.
    pub events: Vec<(u64, Arc<str>)>,
    /// Whether more events of the scope follow.
    pub more: bool,
    /// The scope's head when the page was read.
    pub head: u64,
}

/// One live entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRow {
    /// `type/id`.
    pub key: EntityKey,
    /// The seq of the event that wrote it last.
    pub rev: u64,
    /// Canonical text.
    pub text: Arc<str>,
}

/// The end of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotEnd {
    /// The scope's head when the last page was read.
    pub head: u64,
    /// The state hash at `head`.
    pub hash: u64,
}

/// A page of a scope's live entities, ordered by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRead {
    /// The entities.
    pub rows: Vec<LiveRow>,
    /// The scope's head when the page was read: every event up to it is contained.
    pub as_of: u64,
    /// Set on the last page, read in the same transaction as its rows.
    pub last: Option<SnapshotEnd>,
}

/// Which rows of a list are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListAsk<'a> {
    /// The type.
    pub entity_type: &'a str,
    /// Only rows before this order and key.
    pub before: Option<(&'a str, &'a EntityKey)>,
    /// At most so many.
    pub limit: usize,
    /// At most so many bytes of text, but at least one row when there is one.
    pub max_bytes: usize,
}

/// One row of a list, live or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListRow {
    /// `type/id`.
    pub key: EntityKey,
    /// The row.
    pub row: EntityRow,
}

/// A page of a type, from new to old.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListRead {
    /// The rows.
    pub rows: Vec<ListRow>,
    /// Whether older ones follow.
    pub more: bool,
    /// The scope's head when the page was read.
    pub as_of: u64,
}

/// One entity with the whole of its cut text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WholeRead {
    /// The entity; `None` when there is none.
    pub row: Option<EntityRow>,
    /// The whole text, when the entity holds its head only.
    pub whole: Option<WholeText>,
    /// The scope's head when it was read.
    pub as_of: u64,
}

/// The whole of a text that was cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeText {
    /// The seq of the event that wrote it.
    pub rev: u64,
    /// The text.
    pub text: String,
}

/// What is needed to judge a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionRead {
    /// The org's head and epoch.
    pub org: OrgRow,
    /// The last seq of the epoch that was asked about; `None` when the epoch is not known.
    pub epoch_last: Option<u64>,
    /// The scope's head and floor.
    pub scope: ScopeRow,
    /// How many events of the scope follow the position, counted up to the limit.
    pub behind: u64,
}

/// The reading side of a store. Each call sees one committed state; calls may run in parallel and never block the
/// writer.
pub trait Reads: Send + Sync {
    /// The org's head; `None` before its first writer.
    fn org(&self, org: &OrgId) -> Result<Option<OrgRow>, StoreError>;
    /// A scope's head; zeros when it has no events.
    fn scope(&self, org: &OrgId, scope: &Scope) -> Result<ScopeRow, StoreError>;
    /// Events of a scope after a position: at least one when there is one, else at most `max_bytes` of text.
    fn events_after(
        &self,
        org: &OrgId,
        scope: &Scope,
        after: u64,
        max_bytes: usize,
    ) -> Result<EventPage, StoreError>;
    /// Live entities with keys after `after`: at least one when there is one, else at most `max_bytes` of text.
    fn snapshot_page(
        &self,
        org: &OrgId,
        scope: &Scope,
        after: Option<&EntityKey>,
        max_bytes: usize,
    ) -> Result<SnapshotRead, StoreError>;
    /// What [`crate::log::Reader::resume`] judges; `behind` is counted up to `limit`.
    fn position(
        &self,
        org: &OrgId,
        scope: &Scope,
        epoch: &Epoch,
        pos: u64,
        limit: u64,
    ) -> Result<Option<PositionRead>, StoreError>;
    /// The boot that an instance was last welcomed with.
    fn boot(&self, org: &OrgId, instance: &InstanceId) -> Result<Option<BootId>, StoreError>;
    /// How many commands have not ended.
    fn open_commands(&self, org: &OrgId) -> Result<u64, StoreError>;
    /// Rows of a type, live or not, by order and key from the highest down.
    fn list_page(&self, org: &OrgId, scope: &Scope, ask: ListAsk<'_>) -> Result<ListRead, StoreError>;
    /// An entity and the whole of its text.
    fn whole(&self, org: &OrgId, scope: &Scope, key: &EntityKey) -> Result<WholeRead, StoreError>;
}
