//! What an earlier run of this client leaves to this one.

use crate::Instant;
use crate::connection::client::ClientConnection;
use crate::connection::client::event::CommandState;
use crate::error::ErrorBody;
use crate::frame::{Command, Principal};
use crate::id::{CommandId, EntityKey, Scope};
use crate::wire::Json;

impl ClientConnection {
    /// Tells who an earlier run of this client belonged to. When the hub welcomes somebody else, nothing of what was given
    /// so far goes out.
    pub fn introduce(&mut self, principal: Principal) {
        self.principal.get_or_insert(principal);
    }

    /// Takes a command that was refused before, in an earlier run of this client: its rows are shown again.
    pub fn command_refused(&mut self, id: CommandId, kind: &str, data: Json, error: ErrorBody, now: Instant) {
        if let Some(command) = self.new_command(id, kind, data) {
            self.refuse(command, error, now);
        }
    }

    /// Takes a command that the hub accepted in an earlier run of this client: it is asked again, which gets the answer it
    /// had, and followed until it ends.
    pub fn command_accepted(&mut self, id: CommandId, kind: &str, data: Json, now: Instant) {
        if self.commands.state(&id).is_some() {
            return;
        }
        let command = Command { id: id.clone(), kind: kind.to_owned(), data };
        self.commands.keep(command, CommandState::Accepted, now);
        self.trim_commands();
        let entity = EntityKey::new("command", id.as_str()).ok();
        let told = entity.and_then(|key| self.state(&Scope::Org)?.get(&key));
        if let Some((rev, text)) = told.map(|entity| (entity.rev, entity.text.clone())) {
            self.staged(id, rev, &text);
        }
        self.send_commands(now);
    }
}
