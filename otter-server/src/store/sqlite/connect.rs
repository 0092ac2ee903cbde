//! Connections and migrations.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::ledger::StoreError;
use crate::store::{DirLock, LockError};

/// The schema, step by step. A step that was released never changes; the file's `user_version` counts the steps done.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_log.sql"),
    include_str!("../migrations/0002_credentials.sql"),
    include_str!("../migrations/0003_pages.sql"),
    include_str!("../migrations/0004_vendors.sql"),
];

/// The file in the data directory.
pub const FILE: &str = "otter.db";

pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
const LOCK_PAUSE: Duration = Duration::from_millis(20);

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
    /// The file is of an earlier release, and a hub has it.
    #[error(
        "{path} is in use by an older otter-server (schema {found}, this one writes {known}): use the otter-server that \
         runs, or stop it and start this one, which brings the file up to date"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: usize,
        /// The schema that this release writes.
        known: usize,
    },
    /// The data directory cannot be taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The thread that looks after the file cannot be started.
    #[error("cannot start a thread: {source}")]
    Thread {
        /// Why.
        source: std::io::Error,
    },
    /// The newest part of the log is damaged.
    #[error(
        "{path} is damaged: {what}. Restore a backup: stop the hub, remove {FILE}, {FILE}-wal and {FILE}-shm, copy the \
         backup to {FILE}, start again. Bridges send again what it lacks of the last day"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// Opens the store's file in `dir` for writing. The hub holds [`DirLock`]; command-line tools, which write credential
/// rows only, open the file beside it. Its schema is brought up to date only while no hub has the directory.
pub fn connect(dir: &Path) -> Result<Connection, OpenError> {
    let deadline = Instant::now() + LOCK_TIMEOUT;
    let mut connection = open(dir)?;
    loop {
        let found = schema(&connection).map_err(|source| sqlite(dir, source))?;
        if found >= MIGRATIONS.len() {
            return known(dir, connection, found);
        }
        match DirLock::take(dir) {
            Ok(_lock) => {
                let found = migrate(&mut connection).map_err(|source| sqlite(dir, source))?;
                return known(dir, connection, found);
            }
            // Whoever has it may be about to do the same.
            Err(LockError::Taken(_)) if Instant::now() < deadline => std::thread::sleep(LOCK_PAUSE),
            Err(LockError::Taken(_)) => {
                return Err(OpenError::Older { path: dir.join(FILE), found, known: MIGRATIONS.len() });
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Opens the file for the owner of the directory and brings its schema up to date.
pub(super) fn connect_owner(dir: &Path, _lock: &DirLock) -> Result<Connection, OpenError> {
    let mut connection = open(dir)?;
    let found = migrate(&mut connection).map_err(|source| sqlite(dir, source))?;
    known(dir, connection, found)
}

fn known(dir: &Path, connection: Connection, found: usize) -> Result<Connection, OpenError> {
    let known = MIGRATIONS.len();
    if found > known { Err(OpenError::Newer { path: dir.join(FILE), found, known }) } else { Ok(connection) }
}

fn sqlite(dir: &Path, source: rusqlite::Error) -> OpenError {
    OpenError::Sqlite { path: dir.join(FILE), source }
}

fn open(dir: &Path) -> Result<Connection, OpenError> {
    let sqlite = |source| sqlite(dir, source);
    let connection = Connection::open(dir.join(FILE)).map_err(sqlite)?;
    configure(&connection).map_err(sqlite)?;
    // Readers never block the writer, and a commit is one append and one fsync.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(sqlite)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(sqlite)?;
    // A checkpoint inside a commit would delay its answers; a thread does them.
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(sqlite)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(sqlite)?;
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
        let done = schema(&step)?;
        let Some(sql) = MIGRATIONS.get(done) else { return Ok(done) };
        step.execute_batch(sql)?;
        step.pragma_update(None, "user_version", i64::try_from(done + 1).unwrap_or(i64::MAX))?;
        step.commit()?;
    }
}

/// How many steps the file has done.
fn schema(connection: &Connection) -> Result<usize, rusqlite::Error> {
    let done: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(usize::try_from(done).unwrap_or(usize::MAX))
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
