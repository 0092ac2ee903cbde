//! Follows the credential rows: closes what was revoked, tells the log about members.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use otter_proto::error::ErrorBody;
use otter_proto::id::OrgId;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::auth::{Authenticator, MemberRow, StoreError, store_error, unix_now};

/// Rows written by the command line are seen at the latest after this.
const POLL: Duration = Duration::from_millis(300);
/// Sessions with an open socket are written down as used this often.
const TOUCH: Duration = Duration::from_hours(1);

/// Tells the log what a member's row says. Saying it twice must change nothing.
pub type Announce =
    Arc<dyn Fn(MemberRow) -> Pin<Box<dyn Future<Output = Result<(), ErrorBody>> + Send>> + Send + Sync>;

/// One task per hub that takes changed credential rows to where they matter.
#[derive(Clone)]
pub struct Follower {
    auth: Arc<Authenticator>,
    org: OrgId,
    announce: Announce,
    changed: Arc<Notify>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("org", &self.org).finish_non_exhaustive()
    }
}

impl Follower {
    /// Follows the rows of `org`.
    pub fn new(auth: Arc<Authenticator>, org: OrgId, announce: Announce) -> Self {
        Self { auth, org, announce, changed: Arc::default() }
    }

    /// Says that this process changed a row, so that it is looked at without delay.
    pub fn changed(&self) {
        self.changed.notify_one();
    }

    /// Tells the log about every member it does not know yet.
    pub async fn announce(&self) -> Result<(), ErrorBody> {
        let org = self.org.clone();
        let rows = self.auth.blocking(move |store| store.unannounced(&org)).await?;
        let mut failed = None;
        for row in rows.map_err(|error| store_error(&error))? {
            // A row that fails must not hold up the others.
            if let Err(error) = (self.announce)(row.clone()).await {
                failed = Some(error);
                continue;
            }
            let done = self.auth.blocking(move |store| store.announced(&row)).await?;
            done.map_err(|error| store_error(&error))?;
        }
        failed.map_or(Ok(()), Err)
    }

    /// Runs until it is dropped.
    pub async fn run(self, mut last: i64) {
        let mut polls = interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut touched = Instant::now();
        loop {
            tokio::select! {
                _ = polls.tick() => {}
                () = self.changed.notified() => {}
            }
            match self.auth.blocking(move |store| store.revocations(last)).await {
                Ok(Ok(ended)) => {
                    for (id, key, reason) in ended {
                        self.auth.live().end(&key, reason);
                        last = id;
                    }
                }
                Ok(Err(error)) => log(&error),
                Err(error) => tracing::error!(?error, "revocations are not followed"),
            }
            if let Err(error) = self.announce().await {
                tracing::warn!(code = %error.code, "a member is not in the log yet; trying again");
            }
            self.note_uses().await;
            if touched.elapsed() >= TOUCH {
                touched = Instant::now();
                self.touch().await;
            }
        }
    }

    /// Writes down which credentials were used. Whoever connected did not wait for it.
    async fn note_uses(&self) {
        let used = self.auth.take_used();
        if used.is_empty() {
            return;
        }
        let now = unix_now();
        if let Ok(Err(error)) = self.auth.blocking(move |store| store.touch(&used, now)).await {
            log(&error);
        }
    }

    /// An open socket is a use of its session; old rows go.
    async fn touch(&self) {
        let (in_use, now) = (self.auth.live().keys(), unix_now());
        let work = self.auth.blocking(move |store| {
            store.touch(&in_use, now)?;
            store.clean(now)
        });
        if let Ok(Err(error)) = work.await {
            log(&error);
        }
    }
}

fn log(error: &StoreError) {
    tracing::error!(%error, "the credential rows cannot be followed");
}
