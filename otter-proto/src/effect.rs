//! Effects: what an event does to entities. A closed set in v1; an unknown op means that the client is too old.

use crate::id::EntityKey;
use crate::state::Entity;
use crate::text::{self, Cursor, TextError};
use crate::wire::{Wire, members, words, write_member};

words! {
    /// The operation of an effect.
    pub enum EffectOp {
        /// Replaces the entity and makes it live.
        Put = "put",
        /// Merges into the entity (RFC 7396); nothing happens when it is absent.
        Merge = "merge",
        /// Removes the entity.
        Delete = "delete",
        /// Takes the entity out of the live window; it stays fetchable.
        Evict = "evict",
    }
}

/// One effect; at most one per entity and event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect<'a> {
    /// The operation.
    pub op: EffectOp,
    /// The entity, in the event's scope.
    pub entity: EntityKey,
    /// What is put or merged; `None` means the event's `data`.
    pub value: Option<&'a str>,
}

impl<'a> Effect<'a> {
    /// Reads `{"op","entity","value"?}`.
    pub fn read(cursor: &mut Cursor<'a>) -> Result<Self, TextError> {
        let mut effect = Self { op: EffectOp::blank(), entity: EntityKey::blank(), value: None };
        members(cursor, &["op", "entity", "value"], 0b011, &mut |at, cursor| match at {
            0 => effect.op.fill(cursor),
            1 => effect.entity.fill(cursor),
            _ => cursor.value().map(|text| effect.value = Some(text)),
        })?;
        Ok(effect)
    }

    /// Appends the effect's JSON text.
    pub fn write(&self, out: &mut String) {
        out.push('{');
        write_member(out, "op", &self.op);
        write_member(out, "entity", &self.entity);
        if let Some(value) = self.value {
            out.push_str(",\"value\":");
            out.push_str(value);
        }
        out.push('}');
    }
}

/// What an effect does to one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: the effect is not newer than the entity, or there is no entity to merge into, delete or evict.
    Unchanged,
    /// The entity is this now.
    Stored(Entity),
    /// The entity is gone.
    Removed,
}

/// The reducer: applies one effect of the event `seq` to an entity. `value` is the effect's value, else the event's
/// `data`, as canonical text.
///
/// An effect applies iff `seq` is greater than the entity's `rev`, which becomes `seq`. A put makes live, a merge
/// keeps the flag, an evict clears it.
pub fn apply(op: EffectOp, existing: Option<&Entity>, value: &str, seq: u64) -> Outcome {
    let stored = |text: String, live: bool| Outcome::Stored(Entity { text, rev: seq, live });
    match (op, existing) {
        (_, Some(entity)) if seq <= entity.rev => Outcome::Unchanged,
        (EffectOp::Put, _) => stored(value.to_owned(), true),
        (EffectOp::Merge, Some(entity)) => stored(text::merge(&entity.text, value), entity.live),
        (EffectOp::Evict, Some(entity)) => stored(entity.text.clone(), false),
        (EffectOp::Delete, Some(_)) => Outcome::Removed,
        (EffectOp::Merge | EffectOp::Evict | EffectOp::Delete, None) => Outcome::Unchanged,
    }
}
