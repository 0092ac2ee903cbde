//! What an earlier run of this client leaves to this one.

use crate::Instant;
use crate::connection::client::ClientConnection;
use crate::connection::client::event::CommandState;
use crate::frame::{Command, Principal};
use crate::id::{CommandId, EntityKey, Scope};
use crate::wire::Json;

impl ClientConnection {
    /// Tells who an earlier run of this client belonged to. When the hub welcomes somebody else, nothing of what was given
    /// so far goes out.
    pub fn introduce(&mut self, principal: Principal) {
        self.principal.get_or_insert(principal);
    }

    /// Takes a command of an earlier run of this client, which saw it get so far.
    ///
    /// Without an answer it is sent again, also when it is of a kind that does not wait for a connection: the hub may have
    /// it. Refused, its rows are shown again. Accepted, it is asked again, which gets the answer it had, and followed until
    /// it ends; its rows are the hub's.
    pub fn restore(&mut self, id: CommandId, kind: &str, data: Json, state: CommandState, now: Instant) {
        if self.commands.state(&id).is_some() {
            return;
        }
        let command = Command { id, kind: kind.to_owned(), data };
        if matches!(state, CommandState::Accepted | CommandState::Stage { .. }) {
            return self.follow(command, now);
        }
        let places = self.predict(&command);
        self.show(places);
        let refusal = match state {
            CommandState::Held => self.may_wait(kind).err(),
            CommandState::Refused(error) => Some(error),
            CommandState::Sent | CommandState::Accepted | CommandState::Stage { .. } => None,
        };
        match refusal {
            Some(error) => self.refuse(command, error, now),
            None => self.give(command, now),
        }
    }

    fn follow(&mut self, command: Command, now: Instant) {
        let key = EntityKey::new("command", command.id.as_str());
        self.commands.keep(command, CommandState::Accepted, now);
        self.trim_commands();
        // How far it is may be known here already.
        if let Ok(key) = key
            && self.state(&Scope::Org).is_some()
        {
            self.changed(&Scope::Org, key);
        }
        self.send_commands(now);
    }
}
