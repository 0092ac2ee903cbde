//! The ledger: the rules by which the hub turns what arrives into log and entities.
//!
//! Pure over [`Rows`]: no I/O, no clock, no randomness. A store gives it the rows of one org inside one transaction,
//! the caller gives it `now`; what it wrote comes back as a [`crate::log::Commit`].

mod command;
mod derive;
mod door;
mod fact;
mod instance;
mod json;
mod member;
mod publish;
mod removal;
mod rows;
mod shape;
mod vendor;
mod window;
mod write;

pub use instance::Admitted;
pub use rows::{
    CommandRow, CommandRows, End, EntityRow, EventRow, LaneRow, LaneRows, OrgRow, ReplyRow, Rows, ScopeRow,
    StateRows, StoreError, WindowRow,
};

pub(crate) use shape::head;
pub use write::Ledger;

use otter_proto::catalogue::Role;
use otter_proto::id::MemberId;

/// Epochs kept in the table: clients of older ones get a snapshot.
pub const MAX_EPOCHS: u64 = 1_000;

/// The person who asks for a command, as the credential says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub id: MemberId,
    /// Their display name.
    pub name: Option<String>,
    /// Their rights.
    pub role: Role,
}

#[cfg(test)]
mod tests;
