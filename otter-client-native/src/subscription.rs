//! A followed scope.

use otter_proto::connection::client::ScopePhase;
use otter_proto::id::Scope;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::client::ClientStatus;
use crate::driver::{Current, Request, Updates};
use crate::error::NotLive;
use crate::events::ScopeUpdate;

/// A followed scope. Dropping it gives the scope up, unless another one follows it.
#[derive(Debug)]
pub struct Subscription {
    scope: Scope,
    updates: Updates,
    requests: mpsc::Sender<Request>,
    status: watch::Receiver<ClientStatus>,
}

impl Subscription {
    pub(crate) const fn new(
        scope: Scope,
        updates: Updates,
        requests: mpsc::Sender<Request>,
        status: watch::Receiver<ClientStatus>,
    ) -> Self {
        Self { scope, updates, requests, status }
    }

    /// What happened next; `None` when the client was shut down.
    pub async fn next(&mut self) -> Option<ScopeUpdate> {
        match self.updates.receiver.recv().await {
            Ok(update) => {
                self.updates.told += 1;
                Some(update)
            }
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                self.updates.told += missed;
                Some(ScopeUpdate::Lagged { missed })
            }
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// Waits until everything up to this moment is known; at once when it is. An error when that will never be, however
    /// long one waits: the hub denies the scope, or does not let this client in. What was told until then is passed over.
    pub async fn live(&mut self) -> Result<(), NotLive> {
        let mut status = self.status.clone();
        loop {
            let current = self.current().await?;
            match current.status {
                Some((ScopePhase::Live, _)) => {
                    while self.updates.told < current.told {
                        self.next().await.ok_or(NotLive::Closed)?;
                    }
                    return Ok(());
                }
                Some((ScopePhase::Denied, reason)) => {
                    return Err(NotLive::Denied(reason.unwrap_or_default()));
                }
                Some((ScopePhase::Loading | ScopePhase::Stale, _)) | None => {}
            }
            if let Some(reason) = stopped(&status.borrow_and_update()) {
                return Err(NotLive::NotWelcome(reason));
            }
            self.moved(&mut status).await?;
        }
    }

    /// Waits until the scope, or the connection, may be somewhere else.
    async fn moved(&mut self, status: &mut watch::Receiver<ClientStatus>) -> Result<(), NotLive> {
        loop {
            tokio::select! {
                update = self.next() => match update {
                    Some(ScopeUpdate::Phase { .. } | ScopeUpdate::Lagged { .. }) => return Ok(()),
                    Some(_) => {}
                    None => return Err(NotLive::Closed),
                },
                changed = status.changed() => return changed.map_err(|_| NotLive::Closed),
            }
        }
    }

    /// Where the scope is now.
    async fn current(&self) -> Result<Current, NotLive> {
        let (answer, current) = oneshot::channel();
        let asked = self.requests.send(Request::Phase { scope: self.scope.clone(), answer }).await;
        asked.map_err(|_| NotLive::Closed)?;
        current.await.map_err(|_| NotLive::Closed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        drop(self.requests.try_send(Request::Released { scope: self.scope.clone() }));
    }
}

/// Why the client will not connect again.
fn stopped(status: &ClientStatus) -> Option<String> {
    status.is_over().then(|| status.connection.reason.clone().unwrap_or_default())
}
