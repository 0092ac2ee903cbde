//! Credentials in use by open sockets, and the moment each of them ends.

use std::collections::BTreeMap;
use std::future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use otter_proto::UnixMillis;
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::id::InstanceId;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::auth::unix_now;

/// What a socket was opened with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum CredentialKey {
    /// A browser's session.
    Session(String),
    /// The token of an instance.
    Instance(InstanceId),
}

/// Why a credential ended while it was in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// An admin, or somebody with access to the data directory, took it away.
    Revoked,
    /// Its owner signed out.
    SignedOut,
    /// It was valid for so long and no longer.
    Expired,
    /// Its instance was taken out of the org.
    Removed,
}

impl CredentialKey {
    /// The form in the store: `session/<id>` or `instance/<id>`.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Session(id) => format!("session/{id}"),
            Self::Instance(id) => format!("instance/{id}"),
        }
    }

    /// Reads [`Self::to_text`].
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once('/')? {
            ("session", id) => Some(Self::Session(id.to_owned())),
            ("instance", id) => InstanceId::new(id).ok().map(Self::Instance),
            _ => None,
        }
    }
}

impl EndReason {
    /// The form in the store.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::SignedOut => "signedOut",
            Self::Expired => "expired",
            Self::Removed => "removed",
        }
    }

    /// Reads [`Self::as_str`]; what is not known counts as revoked.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "signedOut" => Self::SignedOut,
            "expired" => Self::Expired,
            "removed" => Self::Removed,
            _ => Self::Revoked,
        }
    }

    /// What the client is told.
    pub fn error(self) -> ErrorBody {
        match self {
            Self::Revoked => ErrorBody::new(ErrorCode::Revoked, "this access was revoked; ask for a new one"),
            Self::SignedOut => ErrorBody::new(ErrorCode::AuthRequired, "you signed out; sign in again"),
            Self::Expired => {
                ErrorBody::new(ErrorCode::AuthExpired, "your sign-in has expired; sign in with a new link")
            }
            Self::Removed => {
                let message = "this instance was removed from its org; add the machine anew";
                ErrorBody::new(ErrorCode::Revoked, message)
            }
        }
    }
}

type Ended = watch::Sender<Option<EndReason>>;

/// The credentials of all open sockets.
#[derive(Debug, Default)]
pub struct LiveCredentials(Mutex<BTreeMap<CredentialKey, Ended>>);

/// Resolves when the credential of a socket ends. Hold it as long as the socket is open.
#[derive(Debug)]
pub struct CredentialEnd {
    key: CredentialKey,
    /// Dropped inside the lock, so that whoever comes last sees that nobody is left.
    ended: Option<watch::Receiver<Option<EndReason>>>,
    expires_at: Option<UnixMillis>,
    live: Arc<LiveCredentials>,
}

impl LiveCredentials {
    /// Follows a credential. Call it before looking the credential up, so that no revocation falls between.
    pub fn follow(self: &Arc<Self>, key: CredentialKey) -> CredentialEnd {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = entries.entry(key.clone()).or_insert_with(|| watch::channel(None).0).subscribe();
        CredentialEnd { key, ended: Some(ended), expires_at: None, live: Arc::clone(self) }
    }

    /// Ends a credential for every socket that uses it.
    pub fn end(&self, key: &CredentialKey, reason: EndReason) {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ended) = entries.get(key) {
            ended.send_replace(Some(reason));
        }
    }

    /// The credentials in use.
    pub(crate) fn keys(&self) -> Vec<CredentialKey> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

impl CredentialEnd {
    /// Sets when the credential expires by itself.
    #[must_use]
    pub fn expiring(mut self, at: UnixMillis) -> Self {
        self.expires_at = Some(at);
        self
    }

    /// Waits for the end and says what the client is to be told.
    pub async fn wait(&mut self) -> ErrorBody {
        let expired = async {
            match self.expires_at {
                Some(at) => sleep(Duration::from_millis(at.0.saturating_sub(unix_now().0))).await,
                None => future::pending().await,
            }
        };
        let ended = async {
            let reason = match &mut self.ended {
                Some(ended) => ended.wait_for(Option::is_some).await.ok().and_then(|reason| *reason),
                None => None,
            };
            match reason {
                Some(reason) => reason,
                None => future::pending().await,
            }
        };
        tokio::select! {
            reason = ended => reason.error(),
            () = expired => EndReason::Expired.error(),
        }
    }
}

impl Drop for CredentialEnd {
    fn drop(&mut self) {
        let mut entries = self.live.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.ended = None;
        if entries.get(&self.key).is_some_and(|ended| ended.receiver_count() == 0) {
            entries.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> CredentialKey {
        CredentialKey::Session(id.into())
    }

    #[tokio::test]
    async fn ending_a_credential_reaches_all_its_sockets_and_no_other() {
        let live = Arc::new(LiveCredentials::default());
        let (mut one, mut two, mut other) =
            (live.follow(key("a")), live.follow(key("a")), live.follow(key("b")));
        live.end(&key("a"), EndReason::SignedOut);
        assert_eq!(one.wait().await.code, ErrorCode::AuthRequired);
        assert_eq!(two.wait().await.code, ErrorCode::AuthRequired);
        let waited = tokio::time::timeout(Duration::from_millis(1), other.wait()).await;
        assert!(waited.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_credential_expires_by_itself() {
        let live = Arc::new(LiveCredentials::default());
        let mut end = live.follow(key("a")).expiring(UnixMillis(unix_now().0 + 86_400_000));
        assert_eq!(end.wait().await.code, ErrorCode::AuthExpired);
    }

    #[test]
    fn closed_sockets_leave_nothing_behind() {
        let live = Arc::new(LiveCredentials::default());
        let (one, two) = (live.follow(key("a")), live.follow(key("a")));
        drop(one);
        assert_eq!(live.keys(), [key("a")]);
        drop(two);
        assert_eq!(live.keys(), []);
    }

    #[test]
    fn sockets_that_close_together_leave_nothing_behind() {
        let live = Arc::new(LiveCredentials::default());
        for _ in 0..2_000 {
            let ends = [live.follow(key("a")), live.follow(key("a"))];
            let together = std::sync::Barrier::new(ends.len());
            std::thread::scope(|threads| {
                for end in ends {
                    let together = &together;
                    threads.spawn(move || {
                        together.wait();
                        drop(end);
                    });
                }
            });
            assert_eq!(live.keys(), []);
        }
    }

    #[test]
    fn keys_and_reasons_survive_the_store() {
        for key in [key("se_1"), CredentialKey::Instance(InstanceId::new("in_1").unwrap())] {
            assert_eq!(CredentialKey::parse(&key.to_text()), Some(key));
        }
        for reason in [EndReason::Revoked, EndReason::SignedOut, EndReason::Expired, EndReason::Removed] {
            assert_eq!(EndReason::parse(reason.as_str()), reason);
        }
    }
}
