//! Tokens of instances.

use otter_proto::UnixMillis;
use otter_proto::id::{InstanceId, OrgId};
use rusqlite::{OptionalExtension as _, params};

use crate::auth::live::{CredentialKey, EndReason};
use crate::auth::secret::SecretHash;
use crate::auth::store::{CredentialStore, StoreError, instant, revocations, sql};
use crate::auth::token::InstanceToken;

/// An instance and the state of its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRow {
    /// The id.
    pub id: InstanceId,
    /// The org.
    pub org: OrgId,
    /// The name it was added with.
    pub name: String,
    /// When it was added.
    pub created_at: UnixMillis,
    /// When it last connected.
    pub used_at: Option<UnixMillis>,
    /// When its token was revoked.
    pub revoked_at: Option<UnixMillis>,
}

const COLUMNS: &str = "id, org, name, created_at, used_at, revoked_at";

impl CredentialStore {
    /// Adds an instance and gives its token, which is stored only as a hash.
    pub fn add_instance(
        &self,
        org: &OrgId,
        name: &str,
        now: UnixMillis,
    ) -> Result<InstanceToken, StoreError> {
        let token = InstanceToken::random()?;
        self.write(|tx| {
            let text =
                "INSERT INTO auth_instances (id, org, name, secret, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
            let hash = token.secret.hash();
            tx.execute(
                text,
                params![token.instance.as_str(), org.as_str(), name, hash.as_bytes(), sql(now)],
            )?;
            Ok(())
        })
        .map(|()| token)
    }

    /// The instances of an org, in the order they were added.
    pub fn instances(&self, org: &OrgId) -> Result<Vec<InstanceRow>, StoreError> {
        let reader = self.reader();
        let text = format!("SELECT {COLUMNS} FROM auth_instances WHERE org = ?1 ORDER BY created_at, id");
        let mut statement = reader.prepare(&text)?;
        let mut rows = statement.query([org.as_str()])?;
        let mut instances = Vec::new();
        while let Some(row) = rows.next()? {
            instances.push(read(row)?);
        }
        Ok(instances)
    }

    /// The instance whose token this is, revoked or not; `None` when the token is not one of ours.
    pub fn instance(&self, token: &InstanceToken) -> Result<Option<InstanceRow>, StoreError> {
        let reader = self.reader();
        let text = format!("SELECT {COLUMNS}, secret FROM auth_instances WHERE id = ?1");
        let mut statement = reader.prepare_cached(&text)?;
        let found = statement
            .query_row([token.instance.as_str()], |row| Ok((read(row), row.get::<_, Vec<u8>>(6)?)))
            .optional()?;
        // An id that is not known takes as long as a wrong secret.
        let hash = found.as_ref().map_or(SecretHash::NONE, |(_, hash)| SecretHash::from_stored(hash));
        let matches = hash.matches(&token.secret);
        found.filter(|_| matches).map(|(row, _)| row).transpose()
    }

    /// Revokes the token of the instance with this id or name; `None` when there is none (any more).
    pub fn revoke_instance(
        &self,
        org: &OrgId,
        id_or_name: &str,
        now: UnixMillis,
    ) -> Result<Option<InstanceId>, StoreError> {
        self.write(|tx| {
            let text = "UPDATE auth_instances SET revoked_at = ?3 WHERE revoked_at IS NULL AND id =
                       (SELECT id FROM auth_instances WHERE org = ?1 AND revoked_at IS NULL AND (id = ?2 OR name = ?2)
                        ORDER BY id <> ?2, created_at DESC LIMIT 1) RETURNING id";
            let id: Option<String> =
                tx.query_row(text, params![org.as_str(), id_or_name, sql(now)], |row| row.get(0)).optional()?;
            let Some(id) = id else { return Ok(None) };
            let id = InstanceId::new(&id)?;
            revocations::insert(tx, &CredentialKey::Instance(id.clone()), EndReason::Revoked, now)?;
            Ok(Some(id))
        })
    }

    /// Revokes the tokens of instances that the log has taken out of the org: a hub that was killed in between did not.
    pub fn revoke_removed(&self, org: &OrgId, now: UnixMillis) -> Result<(), StoreError> {
        self.write(|tx| {
            let text = "UPDATE auth_instances SET revoked_at = ?2 WHERE org = ?1 AND revoked_at IS NULL
                        AND 'instance/' || id IN
                        (SELECT key FROM removed WHERE scope IN
                         (SELECT scopes.id FROM scopes JOIN orgs ON orgs.id = scopes.org
                          WHERE orgs.name = ?1 AND scopes.scope = 'org'))";
            Ok(tx.execute(text, params![org.as_str(), sql(now)]).map(drop)?)
        })
    }

    /// Takes the instance with this id or name out of the org, its token valid or not; `None` when there is none. The
    /// hub follows [`Self::removed_instances`].
    pub fn remove_instance(
        &self,
        org: &OrgId,
        id_or_name: &str,
        now: UnixMillis,
    ) -> Result<Option<InstanceId>, StoreError> {
        self.write(|tx| {
            let text = "UPDATE auth_instances SET revoked_at = coalesce(revoked_at, ?3) WHERE id =
                       (SELECT id FROM auth_instances WHERE org = ?1 AND (id = ?2 OR name = ?2)
                        ORDER BY id <> ?2, revoked_at IS NOT NULL, created_at DESC LIMIT 1) RETURNING id";
            let id: Option<String> = tx
                .query_row(text, params![org.as_str(), id_or_name, sql(now)], |row| row.get(0))
                .optional()?;
            let Some(id) = id else { return Ok(None) };
            let id = InstanceId::new(&id)?;
            revocations::insert(tx, &CredentialKey::Instance(id.clone()), EndReason::Removed, now)?;
            Ok(Some(id))
        })
    }
}

fn read(row: &rusqlite::Row<'_>) -> Result<InstanceRow, StoreError> {
    Ok(InstanceRow {
        id: InstanceId::new(&row.get::<_, String>(0)?)?,
        org: OrgId::new(&row.get::<_, String>(1)?)?,
        name: row.get(2)?,
        created_at: instant(row.get(3)?),
        used_at: row.get::<_, Option<i64>>(4)?.map(instant),
        revoked_at: row.get::<_, Option<i64>>(5)?.map(instant),
    })
}
