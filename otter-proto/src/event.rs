//! Events: what a publisher sends and what readers get.

#[cfg(feature = "serde")]
mod typed;

use crate::effect::Effect;
use crate::id::{CommandId, ConversationId, EntityId, EventId, Scope};
use crate::text::{Cursor, TextError};
use crate::time::UnixMillis;
use crate::wire::{Json, Wire, members, wire};

#[cfg(feature = "serde")]
pub use typed::{Data, TypedEffect, TypedEvent};

wire! {
    /// An event as a publisher sends it. The hub adds seq, prev, at, scope, source and effects.
    pub struct NewEvent {
        /// Unique; observing the same fact again makes a new id, the entity id does the rest.
        id "id": EventId,
        /// A kind of the catalogue.
        kind "kind": String,
        /// The entity it is about, without its type.
        subject "subject": EntityId,
        /// Names the scope, for kinds that live in a conversation.
        conversation "conversation": Option<ConversationId>,
        /// The command that caused it.
        caused_by "causedBy": Option<CommandId>,
        /// When it happened, by the publisher's clock.
        observed_at "observedAt": Option<UnixMillis>,
        /// The payload of the kind.
        data "data": Json,
        /// Integrators' kinds (`x.*`) only: what it does to their entities.
        effects "effects": Option<Json>,
    }
}

/// A recorded event, borrowed from its text. `data` is not looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent<'a> {
    /// Its place in the org's log.
    pub seq: u64,
    /// The seq of the previous event of the same scope; 0 when it is the first.
    pub prev: u64,
    /// Its id.
    pub id: EventId,
    /// When the hub recorded it.
    pub at: UnixMillis,
    /// Its scope.
    pub scope: Scope,
    /// Its kind.
    pub kind: String,
    /// Who published it: `{"type":"instance","id":"in_…"}`.
    pub source: &'a str,
    /// The command that caused it.
    pub caused_by: Option<CommandId>,
    /// What it does to entities.
    pub effects: Vec<Effect<'a>>,
    /// The payload, as canonical text.
    pub data: &'a str,
}

impl<'a> RecordedEvent<'a> {
    /// Reads the text of a recorded event.
    pub fn parse(text: &'a str) -> Result<Self, TextError> {
        let mut event = RecordedEvent {
            seq: 0,
            prev: 0,
            id: EventId::blank(),
            at: UnixMillis(0),
            scope: Scope::Org,
            kind: String::new(),
            source: "",
            caused_by: None,
            effects: Vec::new(),
            data: "",
        };
        let names = &["seq", "prev", "id", "at", "scope", "kind", "source", "effects", "data", "causedBy"];
        let cursor = &mut Cursor::new(text);
        members(cursor, names, 0b01_1111_1111, &mut |at, cursor| match at {
            0 => event.seq.fill(cursor),
            1 => event.prev.fill(cursor),
            2 => event.id.fill(cursor),
            3 => event.at.fill(cursor),
            4 => event.scope.fill(cursor),
            5 => event.kind.fill(cursor),
            6 => cursor.value().map(|text| event.source = text),
            7 => cursor.array(&mut |cursor| Effect::read(cursor).map(|effect| event.effects.push(effect))),
            8 => cursor.value().map(|text| event.data = text),
            _ => event.caused_by.fill(cursor),
        })?;
        cursor.end()?;
        Ok(event)
    }
}
