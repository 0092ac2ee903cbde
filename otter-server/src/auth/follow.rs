//! Follows the credential rows: closes what was revoked, tells the log about members and removed instances. The other
//! way round it ends the credentials of instances that the log took out of the org.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use otter_proto::error::ErrorBody;
use otter_proto::id::{InstanceId, OrgId};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::auth::{
    Authenticator, CredentialKey, CredentialStore, EndReason, MemberRow, StoreError, store_error, unix_now,
};

/// Rows written by the command line are seen at the latest after this.
const POLL: Duration = Duration::from_millis(300);
/// Sessions with an open socket are written down as used this often.
const TOUCH: Duration = Duration::from_hours(1);

/// What the credential rows say that belongs into the log.
#[derive(Debug, Clone)]
pub enum Announcement {
    /// What a member's row says.
    Member(MemberRow),
    /// An instance was taken out of the org.
    InstanceRemoved(OrgId, InstanceId),
}

/// Tells the log. Saying it twice must change nothing.
pub type Announce =
    Arc<dyn Fn(Announcement) -> Pin<Box<dyn Future<Output = Result<(), ErrorBody>> + Send>> + Send + Sync>;

/// Instances that the log took out of the org and whose credentials are not ended yet. A hub that stops in between
/// loses this list; the next one revokes them at its start.
#[derive(Debug, Default)]
pub struct Leavers {
    gone: Mutex<Vec<InstanceId>>,
    changed: Notify,
}

impl Leavers {
    /// Takes instances that were removed.
    pub fn extend(&self, instances: &[InstanceId]) {
        if instances.is_empty() {
            return;
        }
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(instances);
        self.changed.notify_one();
    }

    fn take(&self) -> Vec<InstanceId> {
        std::mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One task per hub that takes changed credential rows to where they matter.
#[derive(Clone)]
pub struct Follower {
    auth: Arc<Authenticator>,
    org: OrgId,
    announce: Announce,
    leavers: Arc<Leavers>,
    changed: Arc<Notify>,
    announcing: Arc<tokio::sync::Mutex<()>>,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("org", &self.org).finish_non_exhaustive()
    }
}

impl Follower {
    /// Follows the rows of `org`.
    pub fn new(auth: Arc<Authenticator>, org: OrgId, announce: Announce, leavers: Arc<Leavers>) -> Self {
        Self { auth, org, announce, leavers, changed: Arc::default(), announcing: Arc::default() }
    }

    /// Says that this process changed a row, so that it is looked at without delay.
    pub fn changed(&self) {
        self.changed.notify_one();
    }

    /// Tells the log about every member it does not know yet.
    pub async fn announce(&self) -> Result<(), ErrorBody> {
        // Of two at a time, one could tell what a row said before the other told of its removal.
        let _alone = self.announcing.lock().await;
        let org = self.org.clone();
        let rows = self.auth.blocking(move |store| store.unannounced(&org)).await?;
        let mut failed = None;
        for row in rows.map_err(|error| store_error(&error))? {
            // A row that fails must not hold up the others.
            if let Err(error) = (self.announce)(Announcement::Member(row.clone())).await {
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
        let mut removed = self.removed_before().await;
        loop {
            tokio::select! {
                _ = polls.tick() => {}
                () = self.changed.notified() => {}
                () = self.leavers.changed.notified() => {}
            }
            self.end_leavers().await;
            last = self.end_revoked(last, &mut removed).await;
            self.announce_removed(&mut removed).await;
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

    /// Instances that were removed while no hub ran.
    async fn removed_before(&self) -> BTreeSet<InstanceId> {
        match self.auth.blocking(CredentialStore::removed_instances).await {
            Ok(Ok(removed)) => removed.into_iter().collect(),
            Ok(Err(error)) => {
                log(&error);
                BTreeSet::new()
            }
            Err(_) => BTreeSet::new(),
        }
    }

    /// Closes what was revoked after number `last`; returns the number of the newest.
    async fn end_revoked(&self, mut last: i64, removed: &mut BTreeSet<InstanceId>) -> i64 {
        match self.auth.blocking(move |store| store.revocations(last)).await {
            Ok(Ok(ended)) => {
                for (id, key, reason) in ended {
                    self.auth.live().end(&key, reason);
                    if let (CredentialKey::Instance(instance), EndReason::Removed) = (key, reason) {
                        removed.insert(instance);
                    }
                    last = id;
                }
            }
            Ok(Err(error)) => log(&error),
            Err(error) => tracing::error!(?error, "revocations are not followed"),
        }
        last
    }

    /// Tells the log about removed instances; those it could not be told stay in the list.
    async fn announce_removed(&self, removed: &mut BTreeSet<InstanceId>) {
        for instance in std::mem::take(removed) {
            let told =
                (self.announce)(Announcement::InstanceRemoved(self.org.clone(), instance.clone())).await;
            if let Err(error) = told {
                tracing::warn!(code = %error.code, %instance, "a removed instance is still in the log; trying again");
                removed.insert(instance);
            }
        }
    }

    /// Ends the credentials of instances that the log took out of the org.
    async fn end_leavers(&self) {
        for instance in self.leavers.take() {
            let (org, id) = (self.org.clone(), instance.clone());
            let ended = self.auth.blocking(move |store| store.revoke_instance(&org, id.as_str(), unix_now()));
            if let Ok(Err(error)) = ended.await {
                log(&error);
                self.leavers.extend(&[instance]);
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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use tokio::sync::{Semaphore, mpsc};

    use super::*;
    use crate::auth::{AllowList, CookieKind, LinkGrant, Origin};

    #[tokio::test]
    async fn what_a_row_said_is_never_told_after_its_removal() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(CredentialStore::open(dir.path()).unwrap());
        let org = store.org(unix_now()).unwrap();
        let link = store.add_link(&org, &LinkGrant::Setup, unix_now()).unwrap();
        let member = store.redeem_link(&link, Some("Ada"), unix_now()).unwrap().member;
        let pages = AllowList::new(Origin::localhost(4200), org.clone());
        let auth = Arc::new(Authenticator::new(Arc::clone(&store), pages, CookieKind::Host));
        // A log that takes its time, while a first permit is missing.
        let (told, mut tellings) = mpsc::unbounded_channel();
        let (asked, permits) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
        let (begun, slow) = (Arc::clone(&asked), Arc::clone(&permits));
        let announce: Announce = Arc::new(move |news| {
            let (told, begun, slow) = (told.clone(), Arc::clone(&begun), Arc::clone(&slow));
            Box::pin(async move {
                let Announcement::Member(row) = news else { return Ok(()) };
                begun.notify_one();
                if row.removed_at.is_none() {
                    drop(slow.acquire().await.unwrap());
                }
                told.send(row.removed_at.is_some()).unwrap();
                Ok(())
            })
        });
        let follower = Follower::new(auth, org.clone(), announce, Arc::default());
        let (first, second) = (follower.clone(), follower);
        let first = tokio::spawn(async move { first.announce().await });
        asked.notified().await;
        assert!(store.remove_member(&org, &member.id, unix_now()).unwrap());
        let second = tokio::spawn(async move { second.announce().await });
        // The second has its chance to overtake.
        assert!(tokio::time::timeout(Duration::from_millis(200), asked.notified()).await.is_err());
        permits.add_permits(1);
        assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(()), Ok(())));
        assert_eq!((tellings.recv().await, tellings.recv().await), (Some(false), Some(true)));
    }
}
