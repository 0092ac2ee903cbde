//! Connections and migrations.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::ledger::StoreError;

/// The schema, step by step. A step that was released never changes; the file's `user_version` counts the steps done.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_log.sql"),
    include_str!("../migrations/0002_credentials.sql"),
    include_str!("../migrations/0003_pages.sql"),
];

/// The file in the data directory.
pub const FILE: &str = "otter.db";

const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite refuses.
    #[error("cannot open {path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The file was written by a later release.
    #[error(
        "{path} was written by a newer otter-server (schema {found}, this one knows {known}); install that release"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// The newest schema known here.
        known: usize,
    },
    /// The data directory cannot be taken.
    #[error(transparent)]
    Lock(#[from] crate::store::LockError),
    /// The thread that looks after the file cannot be started.
    #[error("cannot start a thread: {source}")]
    Thread {
        /// Why.
        source: std::io::Error,
    },
    /// The newest part of the log is damaged.
    #[error(
        "{path} is damaged: {what}. Restore a backup: stop the hub, remove {FILE}, {FILE}-wal and {FILE}-shm, copy the \
         backup to {FILE}, start again. Bridges send again what the backup lacks"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// Opens the store's file in `dir` for writing and brings its schema up to date. Takes no lock: the hub holds
/// [`crate::store::DirLock`], command-line tools write credential rows only.
pub fn connect(dir: &Path) -> Result<Connection, OpenError> {
    let path = dir.join(FILE);
    let sqlite = |source| OpenError::Sqlite { path: path.clone(), source };
    let mut connection = Connection::open(&path).map_err(sqlite)?;
    configure(&connection).map_err(sqlite)?;
    // Readers never block the writer, and a commit is one append and one fsync.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(sqlite)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    // A checkpoint inside a commit would delay its answers; a thread does them.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(sqlite)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(sqlite)?;
    let found = migrate(&mut connection).map_err(sqlite)?;
    let known = MIGRATIONS.len();
    if found > known {
        return Err(OpenError::Newer { path, found, known });
    }
    Ok(connection)
}

/// Opens the store's file in `dir` for reading only.
pub(super) fn connect_read_only(dir: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(dir.join(FILE), flags)?;
    configure(&connection)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")
}

/// Does the missing steps, each in a transaction of its own; returns the schema of the file.
fn migrate(connection: &mut Connection) -> Result<usize, rusqlite::Error> {
    loop {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done: i64 = step.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        let Some(sql) = MIGRATIONS.get(done) else { return Ok(done) };
        step.execute_batch(sql)?;
        step.pragma_update(None, "user_version", i64::try_from(done + 1).unwrap_or(i64::MAX))?;
        step.commit()?;
    }
}

/// What an error of SQLite means for the hub.
#[allow(clippy::needless_pass_by_value)] // the signature `map_err` wants
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        // A failed fsync leaves unknown what is on disk: trying again could acknowledge what was lost.
        _ => StoreError::Broken(format!("the store failed: {error}")),
    }
}
