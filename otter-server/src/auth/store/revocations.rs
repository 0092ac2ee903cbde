//! The list of what ended, which a running hub follows.

use otter_proto::UnixMillis;
use otter_proto::id::InstanceId;
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

impl CredentialStore {
    /// The instances that were taken out of the org here; a hub that did not run then has to hear of it.
    pub fn removed_instances(&self) -> Result<Vec<InstanceId>, StoreError> {
        let ended = self.revocations_of(EndReason::Removed)?;
        Ok(ended
            .into_iter()
            .filter_map(|key| match key {
                CredentialKey::Instance(id) => Some(id),
                CredentialKey::Session(_) => None,
            })
            .collect())
    }

    fn revocations_of(&self, reason: EndReason) -> Result<Vec<CredentialKey>, StoreError> {
        let reader = self.reader();
        let text = "SELECT DISTINCT credential FROM auth_revocations WHERE reason = ?1 ORDER BY id";
        let mut statement = reader.prepare_cached(text)?;
        let keys = statement.query_map([reason.as_str()], |row| row.get::<_, String>(0))?;
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        Ok(keys.iter().filter_map(|key| CredentialKey::parse(key)).collect())
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
