//! Credentials: who may connect, to which org, as whom, and until when.
//!
//! The org comes from the credential, never from what a client says. A browser has a session cookie and an allowed
//! Origin, an instance a bearer token and no Origin. Secrets are stored as hashes and compared in constant time.

mod allow_list;
mod attempts;
mod cookie;
mod follow;
mod live;
mod origin;
mod secret;
mod store;
mod token;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, ORIGIN};
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{Principal, PrincipalType};
use otter_proto::id::OrgId;
use tokio::task::spawn_blocking;

pub use crate::clock::unix_now;
pub use allow_list::AllowList;
pub use cookie::{CookieKind, SessionCookie};
pub use follow::{Announce, Announcement, Follower, Leavers};
pub use live::{CredentialEnd, CredentialKey, EndReason, LiveCredentials};
pub use origin::{Origin, OriginError, PublicUrl, PublicUrlError, Scheme};
pub use secret::{NoRandomness, Secret, SecretHash, random_id};
pub use store::{
    CredentialStore, InstanceRow, LinkError, LinkGrant, LinkOffer, MemberRow, Redeemed, SessionError,
    SessionRow, StoreError,
};
pub use token::{InstanceToken, TokenError};

use attempts::Attempts;

/// How long a browser keeps the session cookie, in seconds.
pub const SESSION_MAX_AGE_S: u64 = store::ABSOLUTE_MS / 1000;

/// The use of a credential is written down at most this often.
const NOTE_MS: u64 = 60_000;

/// Somebody whose credential is valid.
#[derive(Debug)]
pub struct Admitted {
    /// Who, in which org.
    pub principal: Principal,
    /// Resolves when the credential ends; hold it as long as the socket is open.
    pub end: CredentialEnd,
}

/// Checks credentials. One per hub.
#[derive(Debug)]
pub struct Authenticator {
    store: Arc<CredentialStore>,
    live: Arc<LiveCredentials>,
    origins: AllowList,
    cookie: CookieKind,
    attempts: Attempts,
    /// Used and not yet written down.
    used: Mutex<BTreeSet<CredentialKey>>,
}

impl Authenticator {
    /// Checks against the rows of `store` and the pages of `origins`.
    pub fn new(store: Arc<CredentialStore>, origins: AllowList, cookie: CookieKind) -> Self {
        Self {
            store,
            live: Arc::default(),
            origins,
            cookie,
            attempts: Attempts::default(),
            used: Mutex::default(),
        }
    }

    /// The credentials in use.
    pub const fn live(&self) -> &Arc<LiveCredentials> {
        &self.live
    }

    /// The pages that may connect.
    pub const fn origins(&self) -> &AllowList {
        &self.origins
    }

    /// The cookie of this hub.
    pub const fn cookie(&self) -> CookieKind {
        self.cookie
    }

    /// Counts failed attempts.
    pub(crate) const fn attempts(&self) -> &Attempts {
        &self.attempts
    }

    /// The org of the page that opens a socket.
    pub fn origin(&self, headers: &HeaderMap) -> Result<OrgId, ErrorBody> {
        self.origins.org_of(headers)
    }

    /// The person who opens a socket from a page: Origin and session cookie of the same org.
    pub async fn member(&self, headers: &HeaderMap) -> Result<Admitted, ErrorBody> {
        let org = self.origin(headers)?;
        let cookie = self.cookie.read(headers).ok_or_else(not_signed_in)?;
        // Followed before it is looked up: a revocation in between is not missed.
        let end = self.live.follow(CredentialKey::Session(cookie.id.clone()));
        let session = self.session(cookie).await?;
        if session.org != org {
            return Err(not_signed_in());
        }
        Ok(Admitted { end: end.expiring(session.expires_at), principal: person(session) })
    }

    /// The instance that opens a socket: a bearer token, and no Origin.
    pub async fn instance(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Admitted, ErrorBody> {
        if headers.contains_key(ORIGIN) {
            let message = "web pages use /ws; /ws/openclaw is for bridges and refuses an Origin header";
            return Err(ErrorBody::new(ErrorCode::BadOrigin, message));
        }
        let token = bearer(headers)?;
        let key = format!("{} {peer}", token.instance);
        if let Some(wait) = self.attempts.blocked(&key, Instant::now()) {
            let message = "too many wrong tokens for this instance; wait a minute";
            return Err(ErrorBody {
                retry_after_ms: u64::try_from(wait.as_millis()).ok(),
                ..ErrorBody::retryable(ErrorCode::RateLimited, message)
            });
        }
        let end = self.live.follow(CredentialKey::Instance(token.instance.clone()));
        let Some(row) = self.instance_row(token).await? else {
            self.attempts.failed(&key, Instant::now());
            let message = "this token is not known here; make one with `otter-server instance add`";
            return Err(ErrorBody::new(ErrorCode::AuthRequired, message));
        };
        if row.revoked_at.is_some() {
            return Err(EndReason::Revoked.error());
        }
        if row.used_at.is_none_or(|at| unix_now().0 >= at.0 + NOTE_MS) {
            self.note_use(CredentialKey::Instance(row.id.clone()));
        }
        Ok(Admitted { end, principal: installation(row) })
    }

    /// The session of a request, when it has a valid one.
    pub async fn session(&self, cookie: SessionCookie) -> Result<SessionRow, ErrorBody> {
        let now = unix_now();
        let id = cookie.id.clone();
        let found = self.blocking(move |store| store.session(&cookie, now)).await?;
        if found.as_ref().is_ok_and(|session| now.0 >= session.seen_at.0 + NOTE_MS) {
            self.note_use(CredentialKey::Session(id));
        }
        found.map_err(|error| match error {
            SessionError::Unknown => not_signed_in(),
            SessionError::Expired => EndReason::Expired.error(),
            SessionError::Store(error) => store_error(&error),
        })
    }

    /// Takes what was used and is not written down yet.
    pub(crate) fn take_used(&self) -> Vec<CredentialKey> {
        std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }

    /// Remembers a use, to be written down soon. There are not more entries than credentials.
    fn note_use(&self, key: CredentialKey) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Runs a call of the store on a blocking thread.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&CredentialStore) -> T + Send + 'static,
    ) -> Result<T, ErrorBody> {
        let store = Arc::clone(&self.store);
        spawn_blocking(move || call(&store)).await.map_err(|error| {
            tracing::error!(%error, "a call of the credential store ended early");
            ErrorBody::retryable(ErrorCode::Internal, "a defect of the hub; its log says more")
        })
    }

    async fn instance_row(&self, token: InstanceToken) -> Result<Option<InstanceRow>, ErrorBody> {
        let found = self.blocking(move |store| store.instance(&token)).await?;
        found.map_err(|error| store_error(&error))
    }
}

fn bearer(headers: &HeaderMap) -> Result<InstanceToken, ErrorBody> {
    let missing = "give the bridge its token (OTTER_TOKEN); `otter-server instance add` makes one";
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let text = value
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let (_, text) = text.ok_or_else(|| ErrorBody::new(ErrorCode::AuthRequired, missing))?;
    InstanceToken::parse(text.trim())
        .map_err(|error| ErrorBody::new(ErrorCode::AuthRequired, error.to_string()))
}

fn not_signed_in() -> ErrorBody {
    ErrorBody::new(ErrorCode::AuthRequired, "you are not signed in; open a sign-in link or an invitation")
}

pub(crate) fn store_error(error: &StoreError) -> ErrorBody {
    tracing::error!(%error, "a credential could not be checked");
    ErrorBody::retryable(ErrorCode::Unavailable, "the hub cannot check credentials now; try again")
}

fn person(session: SessionRow) -> Principal {
    Principal {
        principal_type: PrincipalType::Member,
        id: session.member.to_string(),
        org: session.org,
        name: Some(session.name),
        role: Some(session.role.as_str().to_owned()),
    }
}

fn installation(row: InstanceRow) -> Principal {
    Principal {
        principal_type: PrincipalType::Instance,
        id: row.id.to_string(),
        org: row.org,
        name: Some(row.name),
        role: None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    fn headers(pairs: &[(axum::http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[tokio::test]
    async fn a_session_counts_only_on_pages_of_its_own_org() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(CredentialStore::open(dir.path()).unwrap());
        let (own, other) = (store.org(unix_now()).unwrap(), OrgId::new("org_other").unwrap());
        let link = store.add_link(&own, &LinkGrant::Setup, unix_now()).unwrap();
        let signed_in = store.redeem_link(&link, Some("Ada\u{7}"), unix_now()).unwrap();
        let camp = Origin::parse("https://camp.example").unwrap();
        let pages = AllowList::new(Origin::localhost(4200), own.clone()).with(camp, other);
        let auth = Authenticator::new(store, pages, CookieKind::Host);
        let set = auth.cookie().set(&signed_in.cookie, 60);
        let cookie = set.split(';').next().unwrap();
        let here = headers(&[(ORIGIN, "http://localhost:4200"), (COOKIE, cookie)]);
        let principal = auth.member(&here).await.unwrap().principal;
        let expected = Principal {
            principal_type: PrincipalType::Member,
            id: signed_in.member.id.to_string(),
            org: own,
            name: Some("Ada".to_owned()),
            role: Some("owner".to_owned()),
        };
        assert_eq!(principal, expected);
        let there = headers(&[(ORIGIN, "https://camp.example"), (COOKIE, cookie)]);
        assert_eq!(auth.member(&there).await.unwrap_err().code, ErrorCode::AuthRequired);
        assert_eq!(auth.live().keys(), []);
    }
}
