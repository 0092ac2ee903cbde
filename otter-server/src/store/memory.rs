//! A store in memory, for tests and the simulator: it can crash inside a transaction and go back to an older copy.

mod reads;
mod rows;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use otter_proto::UnixMillis;
use otter_proto::frame::{Lane, Rejection};
use otter_proto::id::{BootId, CommandId, EntityKey, Epoch, InstanceId, OrgId, Scope};

use crate::ledger::{
    CommandRow, EntityRow, LaneRow, OrgRow, ReplyRow, Rows, ScopeRow, StoreError, WindowRow,
};
use crate::store::{Store, WholeText};

use rows::MemoryRows;

/// The store. Clones share their rows, so that one may write while others read.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rows: Arc<Mutex<BTreeMap<Key, Value>>>,
    crash: Arc<Mutex<Option<StoreError>>>,
    refuse: Arc<Mutex<Option<(StoreError, usize)>>>,
}

/// Everything a store held at some moment.
#[derive(Debug, Clone)]
pub struct Copy(BTreeMap<Key, Value>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy, as a backup would be.
    pub fn copy(&self) -> Copy {
        Copy(self.lock().clone())
    }

    /// Goes back to a copy.
    pub fn restore(&self, copy: Copy) {
        *self.lock() = copy.0;
    }

    /// Makes the next transaction fail with `error` where it would commit: what it wrote is lost.
    pub fn crash_next(&self, error: StoreError) {
        *self.crash.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Makes the next `times` transactions fail with `error` before they begin.
    pub fn refuse_next(&self, error: StoreError, times: usize) {
        *self.refuse.lock().unwrap_or_else(PoisonError::into_inner) = Some((error, times));
    }

    fn refusal(&self) -> Result<(), StoreError> {
        match &mut *self.refuse.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((error, left)) if *left > 0 => {
                *left -= 1;
                Err(error.clone())
            }
            Some(_) | None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Value>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn transaction(
        &mut self,
        org: &OrgId,
        work: &mut dyn FnMut(&mut dyn Rows) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.refusal()?;
        let mut rows = self.lock();
        let mut transaction = MemoryRows { rows: &mut rows, org, undo: Vec::new() };
        let crash = || self.crash.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err);
        let result = work(&mut transaction).and_then(|()| crash());
        if result.is_err() {
            transaction.roll_back();
        }
        result
    }
}

/// The key of a row; rows that are listed together are neighbours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Org(OrgId),
    Epoch(OrgId, u64),
    Scope(OrgId, Scope),
    Event(OrgId, Scope, u64),
    Entity(OrgId, Scope, EntityKey),
    /// A live row by its place in its window.
    Live(OrgId, Scope, String, bool, String, Option<EntityKey>),
    Window(OrgId, Scope, String, bool),
    Removed(OrgId, Scope, EntityKey),
    FullText(OrgId, Scope, EntityKey),
    Lane(OrgId, InstanceId, Lane),
    Rejection(OrgId, InstanceId, Lane, u64),
    Boot(OrgId, InstanceId),
    Command(OrgId, CommandId),
    Reply(OrgId, CommandId),
}

#[derive(Debug, Clone)]
enum Value {
    Org(OrgRow),
    Epoch(Epoch, u64),
    Scope(ScopeRow),
    Event(Arc<str>),
    Entity(EntityRow),
    Live,
    Window(WindowRow),
    Removed(UnixMillis),
    FullText(WholeText),
    Lane(LaneRow),
    Rejection(Rejection),
    Boot(BootId),
    Command(CommandRow),
    Reply(ReplyRow),
}

/// Reads the value of a key as the variant that belongs to it.
macro_rules! get {
    ($rows:expr, $variant:ident, $key:expr) => {
        match $rows.get(&$key) {
            Some(Value::$variant(row)) => Some(row.clone()),
            _ => None,
        }
    };
}

use get;
