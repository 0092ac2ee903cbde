//! Fresh ids.

use otter_proto::id::{BootId, CommandId, EventId};
use uuid::Uuid;

/// The id of a new event.
#[allow(clippy::expect_used)] // the text of a UUID has only characters that ids allow
pub(crate) fn event_id() -> EventId {
    EventId::new(&format!("ev_{}", Uuid::now_v7())).expect("a UUID is an id")
}

/// The id of a new command.
#[allow(clippy::expect_used)] // the text of a UUID has only characters that ids allow
pub(crate) fn command_id() -> CommandId {
    CommandId::new(&Uuid::now_v7().to_string()).expect("a UUID is an id")
}

/// The id of this process run.
#[allow(clippy::expect_used)] // the text of a UUID has only characters that ids allow
pub(crate) fn boot_id() -> BootId {
    BootId::new(&format!("boot_{}", Uuid::now_v7().simple())).expect("a UUID is an id")
}

/// A number that differs between processes; spreads reconnects.
pub(crate) fn seed() -> u64 {
    Uuid::now_v7().as_u64_pair().1
}
