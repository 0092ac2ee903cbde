//! What handles ask of the driver.

use otter_proto::Instant;
use otter_proto::connection::client::{CommandState, ScopePhase};
use otter_proto::id::{CommandId, EntityKey, Scope};
use otter_proto::wire::Json;
use tokio::sync::{broadcast, oneshot, watch};

use super::{Driver, Followed};
use crate::events::ScopeUpdate;

/// A request of a handle.
#[derive(Debug)]
pub(crate) enum Request {
    Signal { scope: Scope, kind: String, data: Json },
    Subscribe { scope: Scope, answer: oneshot::Sender<Updates> },
    Released { scope: Scope },
    Phase { scope: Scope, answer: oneshot::Sender<Current> },
    Entity { scope: Scope, key: EntityKey, answer: oneshot::Sender<Option<String>> },
    Entities { scope: Scope, answer: oneshot::Sender<Vec<(EntityKey, String)>> },
    Command { id: CommandId, kind: String, data: Json, state: watch::Sender<CommandState> },
    Shutdown { answer: oneshot::Sender<()> },
}

/// The updates of a scope from now on.
#[derive(Debug)]
pub(crate) struct Updates {
    pub(crate) receiver: broadcast::Receiver<ScopeUpdate>,
    /// Updates that were told before.
    pub(crate) told: u64,
}

/// Where a scope is.
#[derive(Debug)]
pub(crate) struct Current {
    pub(crate) status: Option<(ScopePhase, Option<String>)>,
    /// Updates that were told until now.
    pub(crate) told: u64,
}

impl Driver {
    pub(super) fn serve(&mut self, request: Request, now: Instant) {
        match request {
            Request::Signal { scope, kind, data } => self.machine.signal(scope, &kind, data),
            Request::Subscribe { scope, answer } => {
                let updates = self.follow(scope, now);
                drop(answer.send(updates));
            }
            Request::Released { scope } => {
                self.release_scopes();
                tracing::trace!(%scope, "a reader left");
            }
            Request::Phase { scope, answer } => {
                let followed = self.scopes.iter().find(|followed| followed.scope == scope);
                let told = followed.map_or(0, |followed| followed.told);
                drop(answer.send(Current { status: self.machine.scope_status(&scope), told }));
            }
            Request::Entity { scope, key, answer } => {
                let text = self.machine.entity(&scope, &key).map(|view| view.text.into_owned());
                drop(answer.send(text));
            }
            Request::Entities { scope, answer } => {
                let rows = self.machine.entities(&scope);
                let rows = rows.into_iter().map(|(key, view)| (key.clone(), view.text.into_owned()));
                drop(answer.send(rows.collect()));
            }
            Request::Command { id, kind, data, state } => {
                self.commands.retain(|(_, state)| !state.is_closed());
                self.commands.push((id.clone(), state));
                self.machine.command(id, &kind, data, now);
            }
            // Ends the loop, which sees it first.
            Request::Shutdown { answer } => drop(answer),
        }
    }

    fn follow(&mut self, scope: Scope, now: Instant) -> Updates {
        if let Some(followed) = self.scopes.iter_mut().find(|followed| followed.scope == scope) {
            let updates = Updates { receiver: followed.sender.subscribe(), told: followed.told };
            // A second reader has to hear where the scope is, too.
            if let Some((phase, reason)) = self.machine.scope_status(&scope) {
                followed.tell(ScopeUpdate::Phase { phase, reason });
            }
            return updates;
        }
        let (sender, receiver) = broadcast::channel(UPDATES);
        self.scopes.push(Followed { scope: scope.clone(), sender, told: 0 });
        self.machine.subscribe(scope, now);
        Updates { receiver, told: 0 }
    }

    /// Gives up the scopes that nobody reads any more.
    pub(super) fn release_scopes(&mut self) {
        let machine = &mut self.machine;
        self.scopes.retain(|followed| {
            let read = followed.sender.receiver_count() > 0;
            if !read {
                machine.unsubscribe(&followed.scope);
            }
            read
        });
    }
}

/// Updates that a slow reader may be behind before it misses some.
const UPDATES: usize = 4_096;
