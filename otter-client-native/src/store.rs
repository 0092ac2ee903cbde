//! The local store of a client: outbox, command journal, boots and the integrator's own state in one SQLite file, so
//! that one transaction can span them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use otter_proto::frame::Lane;
use otter_proto::id::BootId;
use otter_proto::publish::{Boot, Boots};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::error::StoreError;
use crate::state_dir::StateDir;

/// A handle to the store; cheap to clone. Its calls block until the disk has what they wrote.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    connection: Mutex<Connection>,
    appended: Notify,
    answered: Notify,
    /// Bytes in use beyond which the outbox takes nothing more.
    limit: AtomicU64,
    /// Keeps the folder locked for as long as the store is open.
    _dir: Option<StateDir>,
}

/// A transaction of the store: all of it is on disk, or nothing.
#[derive(Debug)]
pub struct StoreTx<'a> {
    pub(crate) tx: Transaction<'a>,
    pub(crate) appended: bool,
    pub(crate) limit: u64,
}

/// What waits in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Events that the hub has not acknowledged.
    pub pending: u64,
    /// Events that the hub refused for good.
    pub dead: u64,
}

impl Store {
    /// Opens the store of a state folder, and makes it if there is none.
    pub fn open(dir: &StateDir) -> Result<Self, StoreError> {
        let path = dir.path().join("otter.db");
        let connection = Connection::open(&path)?;
        Self::prepare(connection, path, Some(dir.clone()))
    }

    /// Opens the store of a state folder that another process may be using, to look at it.
    pub fn inspect(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("otter.db");
        let connection = Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        Self::prepare(connection, path, None)
    }

    /// A store that ends with the process, for tests and for clients that publish nothing.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::prepare(Connection::open_in_memory()?, PathBuf::from(":memory:"), None)
    }

    fn prepare(connection: Connection, path: PathBuf, dir: Option<StateDir>) -> Result<Self, StoreError> {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "busy_timeout", 5_000)?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > LAYOUT {
            return Err(StoreError::TooNew { path, found });
        }
        if found < LAYOUT {
            let steps = LAYOUTS.iter().skip(usize::try_from(found).unwrap_or_default());
            let all: String = steps.copied().collect();
            connection.execute_batch(&format!("BEGIN; {all} PRAGMA user_version = {LAYOUT}; COMMIT;"))?;
        }
        let shared = Shared {
            connection: Mutex::new(connection),
            appended: Notify::new(),
            answered: Notify::new(),
            limit: AtomicU64::new(MAX_BYTES),
            _dir: dir,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs `work` in one transaction. When it fails nothing of it is stored; otherwise all of it is on disk when
    /// this returns. Blocks; in async code see [`Store::run`].
    pub fn transaction<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut StoreTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock()?;
        let tx = connection.transaction().map_err(StoreError::from)?;
        let limit = self.shared.limit.load(Ordering::Relaxed);
        let mut scope = StoreTx { tx, appended: false, limit };
        let value = work(&mut scope)?;
        let appended = scope.appended;
        scope.tx.commit().map_err(StoreError::from)?;
        if appended {
            self.shared.appended.notify_one();
        }
        Ok(value)
    }

    /// [`Store::transaction`] on a thread that may block.
    pub async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut StoreTx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        let done = tokio::task::spawn_blocking(move || store.transaction(work)).await;
        done.unwrap_or_else(|_| Err(StoreError::Poisoned.into()))
    }

    /// A value of [`StoreTx::put_state`].
    pub fn state(&self, key: &str) -> Result<Option<String>, StoreError> {
        let connection = self.lock()?;
        let mut query = connection.prepare_cached("SELECT json FROM state WHERE key = ?1")?;
        Ok(query.query_row([key], |row| row.get(0)).optional()?)
    }

    /// The values whose key starts with `prefix`, in the order of their keys.
    pub fn states(&self, prefix: &str) -> Result<Vec<(String, String)>, StoreError> {
        let connection = self.lock()?;
        let mut query = connection.prepare_cached(
            "SELECT key, json FROM state WHERE substr(key, 1, length(?1)) = ?1 ORDER BY key",
        )?;
        let rows = query.query_map([prefix], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What waits in the outbox.
    pub fn depth(&self) -> Result<Depth, StoreError> {
        let connection = self.lock()?;
        let count = |sql: &str| connection.prepare_cached(sql)?.query_row([], |row| number(row, 0));
        Ok(Depth {
            pending: count("SELECT coalesce(sum(last - acked), 0) FROM lane")?,
            dead: count("SELECT count(*) FROM dead")?,
        })
    }

    /// This process starts: the boots that `hello` carries, with a new one in front. Stored before it returns.
    pub fn start_boot(&self, fresh: BootId) -> Result<Boots, StoreError> {
        self.lock()?.execute("UPDATE lane SET opened = last WHERE opened IS NULL", [])?;
        self.change_boots(|boots| boots.start(fresh))
    }

    /// The hub welcomed the newest boot.
    pub fn boot_welcomed(&self) -> Result<(), StoreError> {
        self.change_boots(Boots::welcomed).map(drop)
    }

    fn change_boots(&self, change: impl FnOnce(&mut Boots)) -> Result<Boots, StoreError> {
        self.transaction(|tx| {
            let mut boots = Boots::new(read_boots(&tx.tx)?);
            let before = boots.clone();
            change(&mut boots);
            if boots != before {
                tx.tx.execute("DELETE FROM boot", [])?;
                for (at, boot) in (0_i64..).zip(boots.list()) {
                    tx.tx.execute(
                        "INSERT INTO boot (at, id, welcomed) VALUES (?1, ?2, ?3)",
                        params![at, boot.id.as_str(), boot.welcomed],
                    )?;
                }
            }
            Ok(boots)
        })
    }

    /// Makes the outbox full at another size.
    #[cfg(test)]
    pub(crate) fn limit(&self, bytes: u64) {
        self.shared.limit.store(bytes, Ordering::Relaxed);
    }

    /// Resolves when something was appended since the last call.
    pub(crate) async fn appended(&self) {
        self.shared.appended.notified().await;
    }

    /// The hub said how far it has the outbox.
    pub(crate) fn tell_answered(&self) {
        self.shared.answered.notify_waiters();
    }

    /// Resolves when the hub says so; counts from this call on, also before it is awaited.
    pub(crate) fn answered(&self) -> Notified<'_> {
        self.shared.answered.notified()
    }

    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        self.shared.connection.lock().map_err(|_| StoreError::Poisoned)
    }
}

impl StoreTx<'_> {
    /// Stores a value of the integrator under a key of its own.
    pub fn put_state(&mut self, key: &str, json: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO state (key, json) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET json = ?2";
        self.tx.prepare_cached(sql)?.execute([key, json])?;
        Ok(())
    }

    /// Removes a value of the integrator; nothing happens when there is none.
    pub fn delete_state(&mut self, key: &str) -> Result<(), StoreError> {
        self.tx.prepare_cached("DELETE FROM state WHERE key = ?1")?.execute([key])?;
        Ok(())
    }
}

fn read_boots(connection: &Connection) -> Result<Vec<Boot>, StoreError> {
    let mut query = connection.prepare_cached("SELECT id, welcomed FROM boot ORDER BY at")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let mut boots = Vec::new();
    for row in rows {
        let (id, welcomed) = row?;
        let id = BootId::new(&id).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        boots.push(Boot { id, welcomed });
    }
    Ok(boots)
}

/// A number as SQLite keeps it.
pub(crate) fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that SQLite kept.
pub(crate) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let kept: i64 = row.get(column)?;
    Ok(u64::try_from(kept).unwrap_or(0))
}

/// The word of a lane in the tables.
pub(crate) const fn lane_word(lane: Lane) -> &'static str {
    lane.as_str()
}

/// The outbox takes nothing more beyond this size.
const MAX_BYTES: u64 = 1 << 30;

const LAYOUT: i64 = 2;

/// What leads from each layout to the next.
const LAYOUTS: [&str; 2] = [TABLES, "ALTER TABLE lane ADD COLUMN restate TEXT;"];

const TABLES: &str = "
CREATE TABLE lane (
    lane TEXT PRIMARY KEY, epoch INTEGER NOT NULL, last INTEGER NOT NULL, acked INTEGER NOT NULL,
    trimmed INTEGER NOT NULL, trimmed_id TEXT, opened INTEGER
) STRICT;
INSERT INTO lane VALUES ('bulk', 1, 0, 0, 0, NULL, NULL), ('main', 1, 0, 0, 0, NULL, NULL);
CREATE TABLE outbox (
    rowid INTEGER PRIMARY KEY, lane TEXT NOT NULL, epoch INTEGER NOT NULL, n INTEGER NOT NULL, id TEXT NOT NULL,
    text TEXT NOT NULL, bytes INTEGER NOT NULL, appended_at INTEGER NOT NULL, UNIQUE (lane, epoch, n)
) STRICT;
CREATE TABLE dead (
    id TEXT PRIMARY KEY, lane TEXT NOT NULL, n INTEGER NOT NULL, code TEXT NOT NULL, pointer TEXT,
    text TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE boot (at INTEGER PRIMARY KEY, id TEXT NOT NULL, welcomed INTEGER NOT NULL) STRICT;
CREATE TABLE state (key TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, data TEXT NOT NULL, by TEXT NOT NULL, stage TEXT NOT NULL,
    deadline INTEGER NOT NULL, result TEXT, code TEXT, message TEXT, changed_at INTEGER NOT NULL
) STRICT;
";

#[cfg(test)]
mod tests;
