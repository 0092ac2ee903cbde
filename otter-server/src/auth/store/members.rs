//! People.

use otter_proto::UnixMillis;
use otter_proto::id::{MemberId, OrgId};
use otter_proto::kind::MemberRole;
use rusqlite::{Row, Transaction, params};

use crate::auth::live::{CredentialKey, EndReason};
use crate::auth::store::{CredentialStore, StoreError, instant, revocations, sql};

/// A person of an org.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The id.
    pub id: MemberId,
    /// The org.
    pub org: OrgId,
    /// The name to show.
    pub name: String,
    /// What the person may do.
    pub role: MemberRole,
    /// When the person came.
    pub joined_at: UnixMillis,
    /// When the person was removed.
    pub removed_at: Option<UnixMillis>,
}

const COLUMNS: &str = "id, org, name, role, joined_at, removed_at";

impl CredentialStore {
    /// The members of an org, in the order they came.
    pub fn members(&self, org: &OrgId) -> Result<Vec<MemberRow>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM auth_members WHERE org = ?1 AND removed_at IS NULL ORDER BY joined_at, id"
        );
        self.member_rows(&text, org)
    }

    /// Members whose row the log does not know yet.
    pub fn unannounced(&self, org: &OrgId) -> Result<Vec<MemberRow>, StoreError> {
        let text = format!("SELECT {COLUMNS} FROM auth_members WHERE org = ?1 AND announced = 0 LIMIT 100");
        self.member_rows(&text, org)
    }

    /// Notes that the log says what `row` says; a row that has changed meanwhile stays unannounced.
    pub fn announced(&self, row: &MemberRow) -> Result<(), StoreError> {
        let text = "UPDATE auth_members SET announced = 1
                   WHERE id = ?1 AND name = ?2 AND role = ?3 AND removed_at IS ?4";
        let removed = row.removed_at.map(sql);
        self.write(|tx| {
            Ok(tx.execute(text, params![row.id.as_str(), row.name, row.role.as_str(), removed]).map(drop)?)
        })
    }

    /// Whether the org has an owner.
    pub fn has_owner(&self, org: &OrgId) -> Result<bool, StoreError> {
        Ok(self.reader().query_row(HAS_OWNER, [org.as_str()], |row| row.get(0))?)
    }

    /// Removes a person and ends all their sessions; `false` when there is no such member.
    pub fn remove_member(&self, org: &OrgId, id: &MemberId, now: UnixMillis) -> Result<bool, StoreError> {
        self.write(|tx| {
            let text = "UPDATE auth_members SET removed_at = ?3, announced = 0
                       WHERE id = ?1 AND org = ?2 AND removed_at IS NULL";
            if tx.execute(text, params![id.as_str(), org.as_str(), sql(now)])? == 0 {
                return Ok(false);
            }
            let text =
                "UPDATE auth_sessions SET ended_at = ?2 WHERE member = ?1 AND ended_at IS NULL RETURNING id";
            let mut ended = tx.prepare(text)?;
            let ids = ended.query_map(params![id.as_str(), sql(now)], |row| row.get(0))?;
            for session in ids.collect::<Result<Vec<String>, _>>()? {
                revocations::insert(tx, &CredentialKey::Session(session), EndReason::Revoked, now)?;
            }
            Ok(true)
        })
    }

    fn member_rows(&self, query: &str, org: &OrgId) -> Result<Vec<MemberRow>, StoreError> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached(query)?;
        let mut rows = statement.query([org.as_str()])?;
        let mut members = Vec::new();
        while let Some(row) = rows.next()? {
            members.push(read(row)?);
        }
        Ok(members)
    }
}

const HAS_OWNER: &str =
    "SELECT count(*) > 0 FROM auth_members WHERE org = ?1 AND role = 'owner' AND removed_at IS NULL";

pub(super) fn has_owner(tx: &Transaction<'_>, org: &OrgId) -> Result<bool, StoreError> {
    Ok(tx.query_row(HAS_OWNER, [org.as_str()], |row| row.get(0))?)
}

pub(super) fn insert(tx: &Transaction<'_>, row: &MemberRow) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO auth_members (id, org, name, role, joined_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![row.id.as_str(), row.org.as_str(), row.name, row.role.as_str(), sql(row.joined_at)],
    )?;
    Ok(())
}

/// The living member of this id.
pub(super) fn get(tx: &Transaction<'_>, id: &str) -> Result<Option<MemberRow>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM auth_members WHERE id = ?1 AND removed_at IS NULL");
    let mut statement = tx.prepare(&text)?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(read).transpose()
}

fn read(row: &Row<'_>) -> Result<MemberRow, StoreError> {
    Ok(MemberRow {
        id: MemberId::new(&row.get::<_, String>(0)?)?,
        org: OrgId::new(&row.get::<_, String>(1)?)?,
        name: row.get(2)?,
        role: role(&row.get::<_, String>(3)?),
        joined_at: instant(row.get(4)?),
        removed_at: row.get::<_, Option<i64>>(5)?.map(instant),
    })
}

/// A stored role; one that is not known here has the fewest rights.
pub(super) fn role(text: &str) -> MemberRole {
    MemberRole::parse(text).unwrap_or(MemberRole::Viewer)
}
