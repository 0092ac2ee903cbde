//! What handles ask of the driver.

use otter_proto::Instant;
use otter_proto::connection::client::CommandState;
use otter_proto::id::{CommandId, EntityKey, Scope};
use otter_proto::wire::Json;
use tokio::sync::{broadcast, oneshot, watch};

use super::Driver;
use crate::events::ScopeUpdate;

/// A request of a handle.
#[derive(Debug)]
pub(crate) enum Request {
    Signal { scope: Scope, kind: String, data: Json },
    Subscribe { scope: Scope, answer: oneshot::Sender<broadcast::Receiver<ScopeUpdate>> },
    Released { scope: Scope },
    Entity { scope: Scope, key: EntityKey, answer: oneshot::Sender<Option<String>> },
    Entities { scope: Scope, answer: oneshot::Sender<Vec<(EntityKey, String)>> },
    Command { id: CommandId, kind: String, data: Json, state: watch::Sender<CommandState> },
    Shutdown { answer: oneshot::Sender<()> },
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

    fn follow(&mut self, scope: Scope, now: Instant) -> broadcast::Receiver<ScopeUpdate> {
        if let Some((_, sender)) = self.scopes.iter().find(|(name, _)| *name == scope) {
            let updates = sender.subscribe();
            // A second reader has to hear where the scope is, too.
            if let Some(phase) = self.machine.scope_phase(&scope) {
                drop(sender.send(ScopeUpdate::Phase { phase, reason: None }));
            }
            return updates;
        }
        let (sender, updates) = broadcast::channel(UPDATES);
        self.scopes.push((scope.clone(), sender));
        self.machine.subscribe(scope, now);
        updates
    }

    /// Gives up the scopes that nobody reads any more.
    pub(super) fn release_scopes(&mut self) {
        let machine = &mut self.machine;
        self.scopes.retain(|(scope, sender)| {
            let read = sender.receiver_count() > 0;
            if !read {
                machine.unsubscribe(scope);
            }
            read
        });
    }
}

/// Updates that a slow reader may be behind before it misses some.
const UPDATES: usize = 4_096;
