//! The place of an instance: which of its connections holds it.

use std::sync::{Arc, Mutex};

use otter_proto::frame::CommandDispatch;
use otter_proto::id::BootId;

use super::inbox::Inbox;
use super::locked;

/// The connection that holds an instance's place.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    /// The connection. Whatever ends later than its successor began changes nothing.
    pub(crate) connection: u64,
    /// Its process run.
    pub(crate) boot: BootId,
    /// Its mailbox.
    pub(crate) inbox: Arc<Inbox>,
}

/// The place of one instance.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    /// One newcomer is decided about at a time.
    pub(crate) admission: tokio::sync::Mutex<()>,
    holder: Mutex<Option<Holder>>,
}

impl Seat {
    /// Who holds it.
    pub(crate) fn holder(&self) -> Option<Holder> {
        locked(&self.holder).clone()
    }

    /// Gives it to a connection.
    pub(crate) fn take(&self, holder: Holder) {
        *locked(&self.holder) = Some(holder);
    }

    /// Gives it up, when this connection still holds it.
    pub(crate) fn leave(&self, connection: u64) {
        let mut holder = locked(&self.holder);
        if holder.as_ref().is_some_and(|holder| holder.connection == connection) {
            *holder = None;
        }
    }

    pub(super) fn dispatch(&self, command: &CommandDispatch) {
        if let Some(holder) = &*locked(&self.holder) {
            holder.inbox.command(command);
        }
    }
}
