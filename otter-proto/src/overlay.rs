//! The overlay: what commands of this client will do to entities, shown before the hub says so.

use std::borrow::Cow;

use crate::catalogue::Class;
use crate::error::ErrorBody;
use crate::event::RecordedEvent;
use crate::frame::Accepted;
use crate::id::{CommandId, EntityKey, Epoch, Scope};
use crate::predict::Predicted;
use crate::text;
use crate::wire::words;

words! {
    /// How far the command is that an entity waits for.
    pub enum LocalStage {
        /// Not sent yet.
        Held = "held",
        /// Sent, or accepted and not seen in its scope yet.
        Sent = "sent",
        /// Refused; the row stays until the command is retried or dismissed.
        Refused = "refused",
    }
}

/// Commands with predicted entities; a later command is sent without.
pub const MAX_PREDICTED: usize = 256;

/// A place where what is shown changed.
pub type Place = (Scope, EntityKey);

/// The command that an entity waits for. Never on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local<'a> {
    /// The command.
    pub command: &'a CommandId,
    /// How far it is.
    pub stage: LocalStage,
    /// With `refused`: why.
    pub error: Option<&'a ErrorBody>,
}

/// Predictions of commands, in the order they were given.
///
/// A created entity is shown while the state of its scope has none under its key; a patch is merged onto what the
/// state has, after those of earlier commands. A prediction leaves once an event caused by its command is applied to
/// its entity, or once the scope's position reaches the one in the reply, in the reply's epoch. Without a reply it
/// never leaves by itself. Refused, a created entity stays, while a patched one shows what the hub has; both carry
/// the error.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    waiting: Vec<Waiting>,
}

#[derive(Debug, Clone)]
struct Waiting {
    command: CommandId,
    stage: LocalStage,
    error: Option<ErrorBody>,
    accepted: Option<Accepted>,
    rows: Vec<Predicted>,
}

impl Waiting {
    const fn local(&self) -> Local<'_> {
        Local { command: &self.command, stage: self.stage, error: self.error.as_ref() }
    }

    fn places(&self) -> Vec<Place> {
        self.rows.iter().map(|row| (row.scope.clone(), row.key.clone())).collect()
    }

    /// Takes out the rows that `leaves` names.
    fn release(&mut self, left: &mut Vec<Place>, leaves: &dyn Fn(&Predicted) -> bool) {
        self.rows.retain(|row| {
            let leave = leaves(row);
            if leave {
                left.push((row.scope.clone(), row.key.clone()));
            }
            !leave
        });
    }
}

impl Overlay {
    /// An empty overlay.
    pub const fn new() -> Self {
        Self { waiting: Vec::new() }
    }

    /// Shows what a command will create, as held. Does nothing for a command it has already, and when
    /// [`MAX_PREDICTED`] commands wait.
    pub fn add(&mut self, command: &CommandId, rows: Vec<Predicted>) -> Vec<Place> {
        let known = self.waiting.iter().any(|waiting| waiting.command == *command);
        if known || rows.is_empty() || self.waiting.len() >= MAX_PREDICTED {
            return Vec::new();
        }
        let waiting =
            Waiting { command: command.clone(), stage: LocalStage::Held, error: None, accepted: None, rows };
        let places = waiting.places();
        self.waiting.push(waiting);
        places
    }

    /// The command was written to a socket, or goes back to waiting for one.
    pub fn set_sent(&mut self, command: &CommandId, sent: bool) -> Vec<Place> {
        let stage = if sent { LocalStage::Sent } else { LocalStage::Held };
        let Some(waiting) = self.waiting(command) else { return Vec::new() };
        if waiting.stage == stage || waiting.stage == LocalStage::Refused {
            return Vec::new();
        }
        waiting.stage = stage;
        waiting.places()
    }

    /// The hub accepted the command. Call [`Overlay::reached`] for the scopes in the reply afterwards.
    pub fn accepted(&mut self, command: &CommandId, accepted: Accepted) -> Vec<Place> {
        let Some(waiting) = self.waiting(command) else { return Vec::new() };
        waiting.error = None;
        waiting.accepted = Some(accepted);
        match std::mem::replace(&mut waiting.stage, LocalStage::Sent) {
            LocalStage::Sent => Vec::new(),
            LocalStage::Held | LocalStage::Refused => waiting.places(),
        }
    }

    /// The hub refused the command: its rows stay, with the error.
    pub fn refused(&mut self, command: &CommandId, error: ErrorBody) -> Vec<Place> {
        let Some(waiting) = self.waiting(command) else { return Vec::new() };
        waiting.stage = LocalStage::Refused;
        waiting.error = Some(error);
        waiting.accepted = None;
        waiting.places()
    }

    /// An event of a followed scope was applied.
    pub fn applied(&mut self, event: &RecordedEvent<'_>) -> Vec<Place> {
        let mut left = Vec::new();
        let Some(cause) = &event.caused_by else { return left };
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.command == *cause) {
            waiting.release(&mut left, &|row| {
                row.scope == event.scope && event.effects.iter().any(|effect| effect.entity == row.key)
            });
        }
        self.sweep();
        left
    }

    /// The position of a scope moved, or a reply came.
    pub fn reached(&mut self, scope: &Scope, epoch: &Epoch, pos: u64) -> Vec<Place> {
        let mut left = Vec::new();
        for waiting in &mut self.waiting {
            let Some(accepted) = waiting.accepted.take() else { continue };
            let at = accepted.at.0.get(scope).copied().unwrap_or(0);
            if accepted.epoch == *epoch && pos >= at {
                waiting.release(&mut left, &|row| row.scope == *scope);
            }
            waiting.accepted = Some(accepted);
        }
        self.sweep();
        left
    }

    /// Drops what a command predicted: it was dismissed, is retried under a new id, or ended without a trace.
    pub fn remove(&mut self, command: &CommandId) -> Vec<Place> {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.command == *command) else {
            return Vec::new();
        };
        self.waiting.remove(at).places()
    }

    /// Drops everything of a scope that is given up.
    pub fn forget(&mut self, scope: &Scope) {
        for waiting in &mut self.waiting {
            waiting.release(&mut Vec::new(), &|row| row.scope == *scope);
        }
        self.sweep();
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// An entity as it is shown over `base`, the text of the hub's; and the command it waits for, the last one when
    /// there are several. `None` when there is nothing to show.
    pub fn view<'a>(
        &'a self,
        scope: &Scope,
        key: &EntityKey,
        base: Option<&'a str>,
    ) -> Option<(Cow<'a, str>, Option<Local<'a>>)> {
        let mut text = base.map(Cow::Borrowed);
        let mut local = None;
        for waiting in &self.waiting {
            let of_key = |row: &&Predicted| row.key == *key && row.scope == *scope;
            for row in waiting.rows.iter().filter(of_key) {
                if row.class == Class::Create {
                    if text.is_some() {
                        continue;
                    }
                    text = Some(Cow::Borrowed(&*row.text));
                } else if waiting.stage != LocalStage::Refused
                    && (text.is_some() || row.class == Class::Upsert)
                {
                    text = Some(Cow::Owned(text::merge(text.as_deref().unwrap_or_default(), &row.text)));
                }
                if text.is_some() {
                    local = Some(waiting.local());
                }
            }
        }
        Some((text?, local))
    }

    /// The scopes in which predictions of a command are shown.
    pub fn scopes_of(&self, command: &CommandId) -> Vec<Scope> {
        let waiting = self.waiting.iter().find(|waiting| waiting.command == *command);
        waiting.map_or_else(Vec::new, |waiting| waiting.rows.iter().map(|row| row.scope.clone()).collect())
    }

    /// The predictions in a scope, in the order they were given.
    pub fn rows(&self, scope: &Scope) -> impl Iterator<Item = &Predicted> {
        self.waiting.iter().flat_map(|waiting| &waiting.rows).filter(move |row| row.scope == *scope)
    }

    /// The epoch of the reply that accepted a command whose predictions are still shown. After an epoch change those
    /// of another epoch are sent again.
    pub fn accepted_in(&self, command: &CommandId) -> Option<&Epoch> {
        let waiting = self.waiting.iter().find(|waiting| waiting.command == *command)?;
        waiting.accepted.as_ref().map(|accepted| &accepted.epoch)
    }

    fn waiting(&mut self, command: &CommandId) -> Option<&mut Waiting> {
        self.waiting.iter_mut().find(|waiting| waiting.command == *command)
    }

    fn sweep(&mut self) {
        self.waiting.retain(|waiting| !waiting.rows.is_empty());
    }
}

#[cfg(test)]
mod tests;
