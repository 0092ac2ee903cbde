//! Events: what a publisher sends and what readers get.

use crate::effect::Effect;
use crate::id::{CommandId, ConversationId, EntityId, EventId, Scope};
use crate::text::{Cursor, TextError, TextErrorKind};
use crate::time::UnixMillis;
use crate::wire::{Json, read_member, take_member, wire};

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
        let mut slots = Slots::default();
        let mut cursor = Cursor::new(text);
        cursor.object(&mut |key, cursor| slots.member(key, cursor))?;
        cursor.end()?;
        slots.finish(&cursor)
    }
}

#[derive(Default)]
struct Slots<'a> {
    seq: Option<u64>,
    prev: Option<u64>,
    id: Option<EventId>,
    at: Option<UnixMillis>,
    scope: Option<Scope>,
    kind: Option<String>,
    caused_by: Option<CommandId>,
    source: Option<&'a str>,
    effects: Option<Vec<Effect<'a>>>,
    data: Option<&'a str>,
}

impl<'a> Slots<'a> {
    fn member(&mut self, key: &str, cursor: &mut Cursor<'a>) -> Result<(), TextError> {
        match key {
            "seq" => read_member(&mut self.seq, "seq", cursor),
            "prev" => read_member(&mut self.prev, "prev", cursor),
            "id" => read_member(&mut self.id, "id", cursor),
            "at" => read_member(&mut self.at, "at", cursor),
            "scope" => read_member(&mut self.scope, "scope", cursor),
            "kind" => read_member(&mut self.kind, "kind", cursor),
            "causedBy" => read_member(&mut self.caused_by, "causedBy", cursor),
            "source" => cursor.value().map(|text| self.source = Some(text)),
            "data" => cursor.value().map(|text| self.data = Some(text)),
            "effects" => {
                let mut list = Vec::new();
                cursor.array(&mut |cursor| Effect::read(cursor).map(|effect| list.push(effect)))?;
                self.effects = Some(list);
                Ok(())
            }
            _ => cursor.value().map(|_| ()),
        }
    }

    fn finish(self, cursor: &Cursor<'_>) -> Result<RecordedEvent<'a>, TextError> {
        let missing = |member| TextError { member: Some(member), ..cursor.error(TextErrorKind::Missing) };
        Ok(RecordedEvent {
            seq: take_member(self.seq, "seq", cursor)?,
            prev: take_member(self.prev, "prev", cursor)?,
            id: take_member(self.id, "id", cursor)?,
            at: take_member(self.at, "at", cursor)?,
            scope: take_member(self.scope, "scope", cursor)?,
            kind: take_member(self.kind, "kind", cursor)?,
            source: self.source.ok_or_else(|| missing("source"))?,
            caused_by: self.caused_by,
            effects: self.effects.ok_or_else(|| missing("effects"))?,
            data: self.data.ok_or_else(|| missing("data"))?,
        })
    }
}
