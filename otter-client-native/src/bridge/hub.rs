//! What a bridge needs of the hub's side.

use std::future::Future;

use serde_json::Value;

use crate::bridge::HubCommand;
use crate::openclaw::{Publish, Signal, UnixMillis};

/// The hub's side of a bridge: a durable outbox with room for the bridge's own rows, signals, and commands.
pub trait Hub: Send {
    /// Why something could not be stored.
    type Error: std::error::Error + Send + 'static;

    /// Appends events to the outbox and writes rows (`None` deletes one) in one transaction. Done means on disk.
    fn store(
        &mut self,
        events: Vec<Publish>,
        rows: Vec<(String, Option<Value>)>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Sends something ephemeral; dropped when the hub is not there.
    fn signal(&mut self, signal: Signal);

    /// Says that the bridge lives.
    fn heartbeat(&mut self, at: UnixMillis);

    /// The next thing the hub's side has to tell. May be cancelled without loss.
    fn next(&mut self) -> impl Future<Output = HubEvent> + Send;
}

/// What the hub's side has to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum HubEvent {
    /// The hub let the bridge in.
    Welcomed {
        /// How far the hub's clock is ahead of this machine's, in milliseconds.
        clock_offset: i64,
    },
    /// A command was dispatched.
    Command(HubCommand),
    /// The link to the hub ended.
    Lost,
    /// How the link to the hub is, for [`HUB_ROW`](crate::bridge::HUB_ROW).
    Link(Value),
    /// The hub may have lost what was published: everything observed has to be published again.
    Restate,
    /// The hub refused this bridge for good.
    Stopped(String),
}
