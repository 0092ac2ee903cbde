//! Sessions of browsers.

use otter_proto::UnixMillis;
use otter_proto::id::{MemberId, OrgId};
use otter_proto::kind::MemberRole;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::auth::cookie::SessionCookie;
use crate::auth::live::{CredentialKey, EndReason};
use crate::auth::secret::{Secret, SecretHash, random_id};
use crate::auth::store::{CredentialStore, StoreError, instant, members, revocations, sql};

/// A session ends when nobody used it for this long ...
const IDLE_MS: u64 = 14 * 86_400_000;
/// ... and in any case this long after it began.
pub(crate) const ABSOLUTE_MS: u64 = 90 * 86_400_000;

/// A valid session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Who.
    pub member: MemberId,
    /// Of which org.
    pub org: OrgId,
    /// The name to show.
    pub name: String,
    /// What the person may do.
    pub role: MemberRole,
    /// When the session ends in any case.
    pub expires_at: UnixMillis,
    /// When its use was last written down.
    pub seen_at: UnixMillis,
}

/// Why a session does not count.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No such session, a wrong secret, or it was ended.
    #[error("not signed in")]
    Unknown,
    /// It is too old or was not used for too long.
    #[error("the session has expired")]
    Expired,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CredentialStore {
    /// The session of a cookie.
    pub fn session(&self, cookie: &SessionCookie, now: UnixMillis) -> Result<SessionRow, SessionError> {
        let text = "SELECT s.secret, s.member, m.org, m.name, m.role, s.seen_at, s.expires_at
                   FROM auth_sessions s JOIN auth_members m ON m.id = s.member
                   WHERE s.id = ?1 AND s.ended_at IS NULL AND m.removed_at IS NULL";
        let found = self
            .reader()
            .prepare_cached(text)
            .and_then(|mut statement| {
                statement
                    .query_row([&cookie.id], |row| {
                        let text = |at| row.get::<_, String>(at);
                        let times: (i64, i64) = (row.get(5)?, row.get(6)?);
                        Ok((row.get::<_, Vec<u8>>(0)?, text(1)?, text(2)?, text(3)?, text(4)?, times))
                    })
                    .optional()
            })
            .map_err(StoreError::from)?;
        // An id that is not known takes as long as a wrong secret.
        let hash = found.as_ref().map_or(SecretHash::NONE, |(hash, ..)| SecretHash::from_stored(hash));
        let matches = hash.matches(&cookie.secret);
        let (_, member, org, name, role, (seen_at, expires_at)) =
            found.filter(|_| matches).ok_or(SessionError::Unknown)?;
        let (seen_at, expires_at) = (instant(seen_at), instant(expires_at));
        if now.0 >= expires_at.0 || now.0 >= seen_at.0 + IDLE_MS {
            return Err(SessionError::Expired);
        }
        Ok(SessionRow {
            member: MemberId::new(&member).map_err(StoreError::from)?,
            org: OrgId::new(&org).map_err(StoreError::from)?,
            name,
            role: members::role(&role),
            expires_at,
            seen_at,
        })
    }

    /// Ends a session.
    pub fn end_session(&self, id: &str, reason: EndReason, now: UnixMillis) -> Result<(), StoreError> {
        self.write(|tx| {
            let text = "UPDATE auth_sessions SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL";
            if tx.execute(text, params![id, sql(now)])? > 0 {
                revocations::insert(tx, &CredentialKey::Session(id.to_owned()), reason, now)?;
            }
            Ok(())
        })
    }
}

pub(super) fn insert(
    tx: &Transaction<'_>,
    member: &MemberId,
    now: UnixMillis,
) -> Result<SessionCookie, StoreError> {
    let cookie = SessionCookie { id: random_id("se_")?, secret: Secret::random()? };
    let text = "INSERT INTO auth_sessions (id, member, secret, created_at, seen_at, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?4, ?5)";
    let hash = cookie.secret.hash();
    tx.execute(
        text,
        params![cookie.id, member.as_str(), hash.as_bytes(), sql(now), sql(UnixMillis(now.0 + ABSOLUTE_MS))],
    )?;
    Ok(cookie)
}
