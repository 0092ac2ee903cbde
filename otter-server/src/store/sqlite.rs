//! The embedded store: one SQLite file in the data directory.

mod check;
mod connect;
mod convert;
mod reads;
mod retention;
mod rows;
mod upkeep;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use otter_proto::id::OrgId;
use rusqlite::{Connection, TransactionBehavior};

use crate::ledger::{Rows, StoreError};
use crate::metrics::Timing;
use crate::store::{DirLock, Store};

pub use connect::{FILE, OpenError, connect};
use connect::{connect_owner, failed};
pub use reads::SqliteReads;
pub use retention::Retention;
pub use upkeep::Upkeep;

/// The writer's connection. Holds the data directory.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Connection,
    timing: Arc<Timing>,
    _lock: DirLock,
}

impl SqliteStore {
    /// Takes `dir`, opens the file, brings its schema up to date and verifies the newest part of the log.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let lock = DirLock::take(dir)?;
        let connection = connect_owner(dir, &lock)?;
        check::verify(&connection)
            .map_err(|what| OpenError::Damaged { path: dir.join(FILE), what: what.to_string() })?;
        Ok(Self { connection, timing: Arc::default(), _lock: lock })
    }

    /// Tells `timing` how long each transaction takes to reach the disk.
    #[must_use]
    pub fn timed(self, timing: Arc<Timing>) -> Self {
        Self { timing, ..self }
    }
}

impl Store for SqliteStore {
    fn transaction(
        &mut self,
        org: &OrgId,
        work: &mut dyn FnMut(&mut dyn Rows) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let before = transaction.total_changes();
        // Dropped without a commit, the transaction is rolled back.
        work(&mut rows::SqliteRows::new(&transaction, org)?)?;
        let writes = transaction.total_changes() != before;
        let start = Instant::now();
        transaction.commit().map_err(failed)?;
        if writes {
            self.timing.observe(start.elapsed());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
