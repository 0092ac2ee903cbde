//! The catalogue: what each kind, entity type and command is. Hub, clients and the published tables read it.

mod rows;
mod stability;
mod vendor;

use crate::effect::EffectOp;
use crate::frame::Lane;

pub use rows::{COMMANDS, ENTITIES, KINDS, SIGNALS};
pub use stability::{Deprecation, Stability, deprecation, stability};
pub use vendor::{VENDOR_COMMAND, VENDOR_ENTITY, VENDOR_WINDOW, vendor};

/// What a kind does to the entity it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Puts the entity; of an existing id it is accepted and not appended.
    Create,
    /// Puts the entity when absent (dropping nulls), else merges.
    Upsert,
    /// Merges; of an absent entity it is accepted and not appended.
    Update,
    /// Deletes; of an absent entity it is accepted and not appended.
    Remove,
}

impl Class {
    /// The effect on an entity that exists or not; `None` means accepted and not appended.
    pub const fn effect(self, exists: bool) -> Option<EffectOp> {
        match (self, exists) {
            (Self::Create | Self::Upsert, false) => Some(EffectOp::Put),
            (Self::Upsert | Self::Update, true) => Some(EffectOp::Merge),
            (Self::Remove, true) => Some(EffectOp::Delete),
            (Self::Create, true) | (Self::Update | Self::Remove, false) => None,
        }
    }
}

/// In which scope the entities of a type live, for life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeRule {
    /// The org.
    Org,
    /// The conversation that the event names.
    Conversation,
    /// The member whom it concerns.
    Member,
}

/// Who may publish a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publisher {
    /// Only the hub itself.
    Hub,
    /// Instances, about what they own.
    Instance,
    /// The hub and instances.
    Both,
    /// People, through the hub, which sets who they are.
    Member,
}

/// One durable kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindRow {
    /// For instance `message.created`.
    pub name: &'static str,
    /// The type of the entity it writes.
    pub entity_type: &'static str,
    /// What it does.
    pub class: Class,
    /// Who may publish it.
    pub publisher: Publisher,
    /// Whether it puts a row that left its live window back.
    pub revives: bool,
    /// The release it appeared in.
    pub since: &'static str,
}

/// Which rows of a type are live: the newest by order key, within these limits. Those of all types of the org
/// together are at most [`crate::limits::ORG_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// At most this many rows.
    pub rows: u64,
    /// At most this many bytes of text.
    pub bytes: u64,
    /// Rows that count as open stay live beyond `rows`, up to this many; 0 when the type has no open rows.
    pub open_rows: u64,
    /// At most this many bytes of open rows.
    pub open_bytes: u64,
}

/// One entity type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityRow {
    /// For instance `message`.
    pub name: &'static str,
    /// Where its entities live.
    pub scope: ScopeRule,
    /// The lane that all its kinds share.
    pub lane: Lane,
    /// The member that orders lists of it, newest last; rows without it sort by `rev`.
    pub order_key: &'static str,
    /// Its live window.
    pub window: Window,
    /// The text member that may be cut to its head when the entity would not fit.
    pub cut: Option<&'static str>,
}

/// Who carries a command out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executor {
    /// The hub, in the transaction that accepts it.
    Hub,
    /// The instance it is addressed to.
    Instance,
}

/// What may happen to a command when it is unclear whether it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safety {
    /// It is carried out again with the same key; the executor knows the key.
    Replayable,
    /// It is never begun twice: its outcome is unknown.
    Once,
}

/// What happens to a command for an instance that is offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offline {
    /// It is refused.
    Refuse,
    /// It waits, at most this many milliseconds.
    Queue {
        /// How long.
        ttl_ms: u64,
    },
}

/// A person's rights, each including the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees everything.
    Viewer,
    /// Also writes and decides.
    Member,
    /// Also manages instances and people.
    Admin,
    /// Also manages admins.
    Owner,
}

impl Role {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Member, Self::Admin, Self::Owner].into_iter().find(|role| role.as_str() == word)
    }
}

/// One command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandRow {
    /// For instance `message.send`.
    pub name: &'static str,
    /// Who carries it out.
    pub executor: Executor,
    /// Whether it may be sent twice.
    pub safety: Safety,
    /// What happens while the instance is offline.
    pub offline: Offline,
    /// Whether a browser that is offline holds it and sends it later.
    pub offline_queueable: bool,
    /// The least role.
    pub role: Role,
    /// The release it appeared in.
    pub since: &'static str,
}

/// One ephemeral kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalRow {
    /// For instance `message.delta`.
    pub name: &'static str,
    /// Where it travels.
    pub scope: ScopeRule,
    /// Who may send it.
    pub publisher: Publisher,
    /// The least role, when people send it.
    pub role: Option<Role>,
    /// The release it appeared in.
    pub since: &'static str,
}

/// The row of a durable kind.
pub fn kind(name: &str) -> Option<&'static KindRow> {
    KINDS.iter().find(|row| row.name == name)
}

/// The row of an entity type; one of an integrator has [`VENDOR_ENTITY`].
pub fn entity(name: &str) -> Option<&'static EntityRow> {
    ENTITIES.iter().find(|row| row.name == name).or_else(|| vendor(name).map(|_| &VENDOR_ENTITY))
}

/// The row of a command; one of an integrator has [`VENDOR_COMMAND`].
pub fn command(name: &str) -> Option<&'static CommandRow> {
    COMMANDS.iter().find(|row| row.name == name).or_else(|| vendor(name).map(|_| &VENDOR_COMMAND))
}

/// The row of a signal.
pub fn signal(name: &str) -> Option<&'static SignalRow> {
    SIGNALS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_writes_a_known_entity_type_and_names_are_unique() {
        for (at, row) in KINDS.iter().enumerate() {
            assert!(entity(row.entity_type).is_some(), "{}", row.name);
            assert!(!KINDS.iter().skip(at + 1).any(|other| other.name == row.name), "{} twice", row.name);
            let family = if row.entity_type == "feedItem" { "feed.item" } else { row.entity_type };
            assert!(row.name.starts_with(family), "{}", row.name);
        }
    }

    #[test]
    fn the_windows_of_the_org_fit_its_snapshot() {
        let of_org = ENTITIES.iter().filter(|row| row.scope == ScopeRule::Org).map(|row| row.window);
        let bytes: u64 = of_org.chain([VENDOR_WINDOW]).map(|window| window.bytes + window.open_bytes).sum();
        assert!(bytes <= crate::limits::ORG_BYTES, "{bytes}");
    }

    #[test]
    fn every_window_has_room_for_the_largest_entity() {
        for row in ENTITIES {
            let largest = if row.scope == ScopeRule::Conversation { 32 << 10 } else { 8 << 10 };
            assert!(row.window.bytes >= 8 * largest, "{}", row.name);
            assert_eq!(row.window.open_rows > 0, row.window.open_bytes >= 8 * largest, "{}", row.name);
        }
    }

    #[test]
    fn only_removal_deletes() {
        for row in KINDS {
            assert_eq!(row.class == Class::Remove, row.name.ends_with("emoved"), "{}", row.name);
        }
    }
}
