//! Credential rows in the hub's SQLite file.
//!
//! The hub and the command line use it at the same time. Every call is one short transaction; call it from a blocking
//! thread.

mod instances;
mod links;
mod members;
mod revocations;
mod sessions;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use otter_proto::UnixMillis;
use otter_proto::id::{IdError, OrgId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::auth::secret::{NoRandomness, random_id};
use crate::store::sqlite::{OpenError, connect};

pub use instances::InstanceRow;
pub use links::{LinkError, LinkGrant, LinkOffer, Redeemed};
pub use members::MemberRow;
pub(crate) use sessions::ABSOLUTE_MS;
pub use sessions::{SessionError, SessionRow};

/// Ended and expired rows are kept this long, so that a refusal can say why.
const KEEP_MS: u64 = 30 * 86_400_000;

/// The store cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says no.
    #[error("the credential store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The data directory cannot be made.
    #[error("the data directory {0}: {1}")]
    Directory(String, std::io::Error),
    /// A stored id has a form that was never written.
    #[error("the credential store holds a damaged id: {0}")]
    Id(#[from] IdError),
    /// No random bytes.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// The credential rows.
#[derive(Debug)]
pub struct CredentialStore {
    /// Lookups do not wait for writes.
    read: Mutex<Connection>,
    write: Mutex<Connection>,
}

impl CredentialStore {
    /// Opens the store in `data_dir`, which is made when it is not there.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        make_private(data_dir)?;
        let write = connect(data_dir)?;
        Ok(Self { read: Mutex::new(connect(data_dir)?), write: Mutex::new(write) })
    }

    /// The org of this data directory; made by the first caller.
    pub fn org(&self, now: UnixMillis) -> Result<OrgId, StoreError> {
        let id = random_id("org_")?;
        self.write(|tx| {
            let first = "SELECT id FROM auth_orgs ORDER BY created_at, id LIMIT 1";
            if let Some(id) = tx.query_row(first, [], |row| row.get::<_, String>(0)).optional()? {
                return Ok(OrgId::new(&id)?);
            }
            tx.execute(
                "INSERT INTO auth_orgs (id, name, created_at) VALUES (?1, 'Otter', ?2)",
                params![id, sql(now)],
            )?;
            Ok(OrgId::new(&id)?)
        })
    }

    /// Writes something, to find out whether that works.
    pub fn probe(&self, now: UnixMillis) -> Result<(), StoreError> {
        self.set("probedAt", &now.to_string())
    }

    /// The address under which the hub was last started.
    pub fn public_url(&self) -> Result<Option<String>, StoreError> {
        let text = "SELECT value FROM auth_settings WHERE name = 'publicUrl'";
        Ok(self.reader().query_row(text, [], |row| row.get(0)).optional()?)
    }

    /// Remembers the address for links that the command line makes.
    pub fn set_public_url(&self, url: &str) -> Result<(), StoreError> {
        self.set("publicUrl", url)
    }

    /// Deletes rows that ended or expired 30 days ago, and revocations that every hub has read.
    pub fn clean(&self, now: UnixMillis) -> Result<(), StoreError> {
        let before = sql(UnixMillis(now.0.saturating_sub(KEEP_MS)));
        self.write(|tx| {
            tx.execute("DELETE FROM auth_links WHERE expires_at < ?1", [before])?;
            tx.execute("DELETE FROM auth_sessions WHERE expires_at < ?1 OR ended_at < ?1", [before])?;
            tx.execute("DELETE FROM auth_revocations WHERE at < ?1", [before])?;
            Ok(())
        })
    }

    fn set(&self, name: &str, value: &str) -> Result<(), StoreError> {
        let text = "INSERT INTO auth_settings (name, value) VALUES (?1, ?2)
                    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.write(|tx| Ok(tx.execute(text, [name, value]).map(drop)?))
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction that takes the write lock at once; it is rolled back when `work` fails.
    fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.write.lock().unwrap_or_else(PoisonError::into_inner);
        let tx =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let value = work(&tx)?;
        tx.commit().map_err(StoreError::from)?;
        Ok(value)
    }
}

/// An instant as SQLite stores it.
fn sql(at: UnixMillis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

/// A stored instant.
fn instant(ms: i64) -> UnixMillis {
    UnixMillis(u64::try_from(ms).unwrap_or_default())
}

/// Makes a directory that only its owner can read.
fn make_private(dir: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|error| StoreError::Directory(dir.display().to_string(), error))
}
