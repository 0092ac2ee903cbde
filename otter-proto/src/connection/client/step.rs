//! What a frame did to a subscription.

use crate::id::EntityKey;

/// An event that handlers have to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) seq: u64,
    pub(super) text: String,
    pub(super) replayed: bool,
}

/// What a frame did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing that shows.
    Quiet,
    /// An event changed these entities.
    Applied(Vec<EntityKey>, Heard),
    /// The snapshot took the place of the old state.
    Swapped { changed: Vec<EntityKey>, held: Vec<Heard> },
}

/// Why a subscription has to be made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// An event is missing before this one.
    Gap,
    /// The hub's head is beyond what was received.
    Behind,
    /// The state is not the hub's state.
    Hash,
    /// A frame of the scope cannot be read.
    BadFrame,
    /// The hub ended the subscription.
    Resync,
    /// The hub speaks of another epoch: it has to say whether the position still stands.
    Epoch,
}

impl Trouble {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Behind => "behind",
            Self::Hash => "hash",
            Self::BadFrame => "badFrame",
            Self::Resync => "resync",
            Self::Epoch => "epoch",
        }
    }
}
