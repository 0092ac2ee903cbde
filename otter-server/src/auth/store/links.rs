//! Links that sign in once: setup, invitation, and sign-in of a member.

use otter_proto::UnixMillis;
use otter_proto::id::{MemberId, OrgId};
use otter_proto::kind::MemberRole;
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::auth::cookie::SessionCookie;
use crate::auth::secret::{Secret, SecretHash, random_id};
use crate::auth::store::{CredentialStore, MemberRow, StoreError, members, sessions, sql};

/// Setup and sign-in links live this long.
const SHORT_MS: u64 = 10 * 60_000;
/// Invitations live this long.
const INVITE_MS: u64 = 48 * 3_600_000;
/// The longest name of a person, in characters.
const MAX_NAME: usize = 80;

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkGrant {
    /// Makes the first owner of an org.
    Setup,
    /// Makes a member.
    Invite {
        /// The name to show, until the person gives another one.
        name: String,
        /// What the person may do.
        role: MemberRole,
    },
    /// Signs a member in.
    SignIn {
        /// Who.
        member: MemberId,
    },
}

/// What the page shows before somebody confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkOffer {
    /// `setup`, `invite` or `signIn`.
    pub purpose: String,
    /// The name to show.
    pub name: String,
    /// The role that the person will have or has.
    pub role: MemberRole,
}

/// The result of a confirmed link.
#[derive(Debug, Clone)]
pub struct Redeemed {
    /// Who is signed in.
    pub member: MemberRow,
    /// The cookie of the new session.
    pub cookie: SessionCookie,
}

/// Why a link does not work.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No such link was made here.
    #[error("this link is not known here; ask for a new one")]
    Unknown,
    /// It was used.
    #[error("this link was used already; each link works once, ask for a new one")]
    Used,
    /// It is too old, or a newer one took its place.
    #[error("this link has expired; ask for a new one")]
    Expired,
    /// A setup link, but somebody else was faster.
    #[error("this org has an owner already; ask them for an invitation")]
    HasOwner,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for LinkError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

struct LinkRow {
    org: OrgId,
    purpose: String,
    name: String,
    role: MemberRole,
    member: Option<String>,
}

impl CredentialStore {
    /// Makes a link and gives its secret, which is stored only as a hash. A new setup link ends the earlier ones.
    pub fn add_link(&self, org: &OrgId, grant: &LinkGrant, now: UnixMillis) -> Result<Secret, StoreError> {
        let secret = Secret::random()?;
        let (purpose, name, role, member, ttl) = match grant {
            LinkGrant::Setup => ("setup", "Owner", MemberRole::Owner, None, SHORT_MS),
            LinkGrant::Invite { name, role } => ("invite", name.as_str(), *role, None, INVITE_MS),
            LinkGrant::SignIn { member } => {
                ("signIn", "", MemberRole::Viewer, Some(member.as_str()), SHORT_MS)
            }
        };
        self.write(|tx| {
            if matches!(grant, LinkGrant::Setup) {
                let text = "UPDATE auth_links SET expires_at = ?2 WHERE org = ?1 AND purpose = 'setup' AND expires_at > ?2";
                tx.execute(text, params![org.as_str(), sql(now)])?;
            }
            let text = "INSERT INTO auth_links (secret, org, purpose, name, role, member, created_at, expires_at)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let hash = secret.hash();
            let expires = sql(UnixMillis(now.0 + ttl));
            tx.execute(text, params![
                hash.as_bytes(), org.as_str(), purpose, clean_name(name), role.as_str(), member, sql(now), expires
            ])?;
            Ok(())
        })
        .map(|()| secret)
    }

    /// Says what a link is for, without using it.
    pub fn peek_link(&self, secret: &Secret, now: UnixMillis) -> Result<LinkOffer, LinkError> {
        let mut reader = self.reader();
        let tx = reader.transaction()?;
        let link = usable(&tx, &secret.hash(), now)?;
        let offered = offered_member(&tx, &link)?;
        Ok(match offered {
            Some(member) => LinkOffer { purpose: link.purpose, name: member.name, role: member.role },
            None => LinkOffer { purpose: link.purpose, name: link.name, role: link.role },
        })
    }

    /// Uses a link: makes the member it promises and a session. Of two at the same time exactly one succeeds.
    pub fn redeem_link(
        &self,
        secret: &Secret,
        name: Option<&str>,
        now: UnixMillis,
    ) -> Result<Redeemed, LinkError> {
        let hash = secret.hash();
        let id = random_id("mb_").map_err(StoreError::from)?;
        self.write(|tx| {
            let link = usable(tx, &hash, now)?;
            tx.execute(
                "UPDATE auth_links SET used_at = ?2 WHERE secret = ?1",
                params![hash.as_bytes(), sql(now)],
            )?;
            let member = match offered_member(tx, &link)? {
                Some(member) => member,
                None => join(tx, link, &id, name, now)?,
            };
            let cookie = sessions::insert(tx, &member.id, now)?;
            Ok(Redeemed { member, cookie })
        })
    }
}

fn usable(tx: &Transaction<'_>, hash: &SecretHash, now: UnixMillis) -> Result<LinkRow, LinkError> {
    let text =
        "SELECT org, purpose, name, role, member, expires_at, used_at FROM auth_links WHERE secret = ?1";
    let found = tx
        .query_row(text, [hash.as_bytes()], |row| {
            let org: String = row.get(0)?;
            let role: String = row.get(3)?;
            let times: (i64, Option<i64>) = (row.get(5)?, row.get(6)?);
            Ok((org, row.get(1)?, row.get(2)?, role, row.get(4)?, times))
        })
        .optional()?;
    let (org, purpose, name, role, member, (expires_at, used_at)) = found.ok_or(LinkError::Unknown)?;
    if used_at.is_some() {
        return Err(LinkError::Used);
    }
    if expires_at <= sql(now) {
        return Err(LinkError::Expired);
    }
    let org = OrgId::new(&org).map_err(StoreError::from)?;
    if purpose == "setup" && members::has_owner(tx, &org)? {
        return Err(LinkError::HasOwner);
    }
    Ok(LinkRow { org, purpose, name, role: members::role(&role), member })
}

/// The member that a sign-in link names; a removed one has no link.
fn offered_member(tx: &Transaction<'_>, link: &LinkRow) -> Result<Option<MemberRow>, LinkError> {
    match &link.member {
        Some(id) => members::get(tx, id)?.map(Some).ok_or(LinkError::Unknown),
        None => Ok(None),
    }
}

fn join(
    tx: &Transaction<'_>,
    link: LinkRow,
    id: &str,
    name: Option<&str>,
    now: UnixMillis,
) -> Result<MemberRow, LinkError> {
    let given = name.map(clean_name).filter(|name| !name.is_empty());
    let member = MemberRow {
        id: MemberId::new(id).map_err(StoreError::from)?,
        org: link.org,
        name: given.unwrap_or(link.name),
        role: link.role,
        joined_at: now,
        removed_at: None,
    };
    members::insert(tx, &member)?;
    Ok(member)
}

/// A name fit to show: no control characters, no space around it, at most 80 characters.
fn clean_name(name: &str) -> String {
    let printable: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    printable.trim().to_owned()
}
