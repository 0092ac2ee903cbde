//! The list of what ended, which a running hub follows.

use otter_proto::UnixMillis;
use rusqlite::{Transaction, params};

use crate::auth::live::{CredentialKey, EndReason};
use crate::auth::store::{CredentialStore, StoreError, sql};

impl CredentialStore {
    /// The number of the newest revocation; 0 when there is none.
    pub fn last_revocation(&self) -> Result<i64, StoreError> {
        let text = "SELECT coalesce(max(id), 0) FROM auth_revocations";
        Ok(self.reader().query_row(text, [], |row| row.get(0))?)
    }

    /// The revocations after number `after`, oldest first, at most 1,000.
    pub fn revocations(&self, after: i64) -> Result<Vec<(i64, CredentialKey, EndReason)>, StoreError> {
        let reader = self.reader();
        let text = "SELECT id, credential, reason FROM auth_revocations WHERE id > ?1 ORDER BY id LIMIT 1000";
        let mut statement = reader.prepare_cached(text)?;
        let mut rows = statement.query([after])?;
        let mut ended = Vec::new();
        while let Some(row) = rows.next()? {
            if let Some(key) = CredentialKey::parse(&row.get::<_, String>(1)?) {
                ended.push((row.get(0)?, key, EndReason::parse(&row.get::<_, String>(2)?)));
            }
        }
        Ok(ended)
    }
}

pub(super) fn insert(
    tx: &Transaction<'_>,
    credential: &CredentialKey,
    reason: EndReason,
    now: UnixMillis,
) -> Result<(), StoreError> {
    let text = "INSERT INTO auth_revocations (credential, reason, at) VALUES (?1, ?2, ?3)";
    tx.execute(text, params![credential.to_text(), reason.as_str(), sql(now)])?;
    Ok(())
}
