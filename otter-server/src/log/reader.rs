//! Reading the log: pages, snapshots and whether a position can be resumed.

use std::sync::Arc;

use otter_proto::id::{BootId, EntityKey, Epoch, InstanceId, OrgId, Scope};

use crate::ledger::StoreError;
use crate::store::{EventPage, ListAsk, ListRead, Reads, SnapshotRead, WholeRead};

/// A position that is further behind gets a snapshot, which is cheaper.
const MAX_BEHIND: u64 = 2_000;

/// Whether a position of a client can be continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// Every event of the scope after the position is there.
    Hit,
    /// A snapshot is needed.
    Miss(ResumeMiss),
}

/// Why a position cannot be continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResumeMiss {
    /// The epoch is not in the hub's table: another history.
    UnknownEpoch,
    /// The position lies beyond what the hub has of its epoch: the history was rewound.
    Ahead,
    /// Events of the scope after the position were trimmed.
    Trimmed,
    /// More than 2,000 events behind.
    Far,
}

impl ResumeMiss {
    /// The word for `subscribed.reason`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownEpoch => "epoch",
            Self::Ahead => "ahead",
            Self::Trimmed => "trimmed",
            Self::Far => "far",
        }
    }
}

/// Reads committed state. Cheap to clone; calls block on the disk, so async code runs them on a blocking thread.
#[derive(Clone)]
pub struct Reader {
    reads: Arc<dyn Reads>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    /// Reads from `reads`.
    pub fn new(reads: Arc<dyn Reads>) -> Self {
        Self { reads }
    }

    /// The epoch of the org's writer; `None` before its first start.
    pub fn epoch(&self, org: &OrgId) -> Result<Option<Epoch>, StoreError> {
        Ok(self.reads.org(org)?.map(|row| row.epoch))
    }

    /// The org's head.
    pub fn head(&self, org: &OrgId) -> Result<u64, StoreError> {
        Ok(self.reads.org(org)?.map_or(0, |row| row.head))
    }

    /// A scope's head; 0 when it has no events.
    pub fn scope_head(&self, org: &OrgId, scope: &Scope) -> Result<u64, StoreError> {
        Ok(self.reads.scope(org, scope)?.head)
    }

    /// Events of a scope after `after`: at least one when there is one, else at most `max_bytes` of text.
    pub fn events_after(
        &self,
        org: &OrgId,
        scope: &Scope,
        after: u64,
        max_bytes: usize,
    ) -> Result<EventPage, StoreError> {
        self.reads.events_after(org, scope, after, max_bytes)
    }

    /// Live entities with keys after `after`, ordered by key: at least one when there is one, else at most
    /// `max_bytes` of text. The last page carries the head and hash it was read with.
    pub fn snapshot_page(
        &self,
        org: &OrgId,
        scope: &Scope,
        after: Option<&EntityKey>,
        max_bytes: usize,
    ) -> Result<SnapshotRead, StoreError> {
        self.reads.snapshot_page(org, scope, after, max_bytes)
    }

    /// Judges a position `(epoch, pos)` of a scope.
    pub fn resume(&self, org: &OrgId, scope: &Scope, epoch: &Epoch, pos: u64) -> Result<Resume, StoreError> {
        let Some(read) = self.reads.position(org, scope, epoch, pos, MAX_BEHIND + 1)? else {
            return Ok(Resume::Miss(ResumeMiss::UnknownEpoch));
        };
        let Some(epoch_last) = read.epoch_last else {
            return Ok(Resume::Miss(ResumeMiss::UnknownEpoch));
        };
        if pos > epoch_last || pos > read.org.head {
            return Ok(Resume::Miss(ResumeMiss::Ahead));
        }
        if pos < read.scope.floor {
            return Ok(Resume::Miss(ResumeMiss::Trimmed));
        }
        if read.behind > MAX_BEHIND {
            return Ok(Resume::Miss(ResumeMiss::Far));
        }
        Ok(Resume::Hit)
    }

    /// The boot that an instance was last welcomed with.
    pub fn boot(&self, org: &OrgId, instance: &InstanceId) -> Result<Option<BootId>, StoreError> {
        self.reads.boot(org, instance)
    }

    /// How many commands of the org have not ended.
    pub fn open_commands(&self, org: &OrgId) -> Result<u64, StoreError> {
        self.reads.open_commands(org)
    }

    /// Rows of a type, live or not, from new to old.
    pub fn list_page(&self, org: &OrgId, scope: &Scope, ask: ListAsk<'_>) -> Result<ListRead, StoreError> {
        self.reads.list_page(org, scope, ask)
    }

    /// An entity with the whole of its text, when that was cut to its head.
    pub fn whole(&self, org: &OrgId, scope: &Scope, key: &EntityKey) -> Result<WholeRead, StoreError> {
        self.reads.whole(org, scope, key)
    }
}
