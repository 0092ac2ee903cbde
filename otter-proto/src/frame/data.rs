//! Data frames: the ones that borrow their rows from the received text, so that a reader copies only what it keeps.

use crate::id::{EntityKey, Epoch, Scope};
use crate::text::{Cursor, TextError, TextErrorKind};
use crate::wire::{read_member, take_member, write_member};

/// Consecutive events of one scope; at most 256 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Events<'a> {
    /// The scope.
    pub scope: Scope,
    /// The epoch of the events' `seq`.
    pub epoch: Epoch,
    /// Recorded events, each the JSON text that [`crate::event::RecordedEvent::parse`] reads.
    pub events: Vec<&'a str>,
    /// The state hash after the last event, 16 hex digits; absent on pages read from the log.
    pub hash: Option<String>,
}

impl<'a> Events<'a> {
    pub(super) fn read(text: &'a str) -> Result<Self, TextError> {
        let (mut scope, mut epoch, mut hash, mut events) = (None, None, None, None);
        let mut cursor = Cursor::new(text);
        cursor.object(&mut |key, cursor| match key {
            "scope" => read_member(&mut scope, "scope", cursor),
            "epoch" => read_member(&mut epoch, "epoch", cursor),
            "hash" => read_member(&mut hash, "hash", cursor),
            "events" => {
                let mut list = Vec::new();
                cursor.array(&mut |cursor| cursor.value().map(|event| list.push(event)))?;
                events = Some(list);
                Ok(())
            }
            _ => cursor.value().map(|_| ()),
        })?;
        cursor.end()?;
        Ok(Self {
            scope: take_member(scope, "scope", &cursor)?,
            epoch: take_member(epoch, "epoch", &cursor)?,
            events: events.ok_or_else(|| missing("events", &cursor))?,
            hash: take_member(hash, "hash", &cursor)?,
        })
    }

    /// Appends the frame's JSON text.
    pub fn write(&self, out: &mut String) {
        let mut first = false;
        out.push_str("{\"type\":\"events\"");
        write_member(out, &mut first, "scope", &self.scope);
        write_member(out, &mut first, "epoch", &self.epoch);
        out.push_str(",\"events\":[");
        for (at, event) in self.events.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(event);
        }
        out.push(']');
        write_member(out, &mut first, "hash", &self.hash);
        out.push('}');
    }
}

/// One live entity of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow<'a> {
    /// `type/id`.
    pub entity: EntityKey,
    /// The seq of the event that wrote it last.
    pub rev: u64,
    /// The entity as canonical text.
    pub value: &'a str,
}

/// A page of the live entities of a scope, ordered by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPage<'a> {
    /// The scope.
    pub scope: Scope,
    /// The epoch of `asOf` and of the revs.
    pub epoch: Epoch,
    /// The entities of this page.
    pub entities: Vec<SnapshotRow<'a>>,
    /// Every event of the scope up to here is contained; on the last page, the lowest over all pages.
    pub as_of: u64,
    /// On the last page: the scope's head when it was read. The client swaps when its position reaches it.
    pub head: Option<u64>,
    /// On the last page: the state hash at `head`, when the hub knows it.
    pub hash: Option<String>,
}

impl<'a> SnapshotPage<'a> {
    /// Whether this is the last page.
    pub const fn is_last(&self) -> bool {
        self.head.is_some()
    }

    pub(super) fn read(text: &'a str) -> Result<Self, TextError> {
        let (mut scope, mut epoch, mut as_of, mut head, mut hash) = (None, None, None, None, None);
        let mut entities = None;
        let mut cursor = Cursor::new(text);
        cursor.object(&mut |key, cursor| match key {
            "scope" => read_member(&mut scope, "scope", cursor),
            "epoch" => read_member(&mut epoch, "epoch", cursor),
            "asOf" => read_member(&mut as_of, "asOf", cursor),
            "head" => read_member(&mut head, "head", cursor),
            "hash" => read_member(&mut hash, "hash", cursor),
            "entities" => {
                let mut list = Vec::new();
                cursor.array(&mut |cursor| SnapshotRow::read(cursor).map(|row| list.push(row)))?;
                entities = Some(list);
                Ok(())
            }
            _ => cursor.value().map(|_| ()),
        })?;
        cursor.end()?;
        Ok(Self {
            scope: take_member(scope, "scope", &cursor)?,
            epoch: take_member(epoch, "epoch", &cursor)?,
            entities: entities.ok_or_else(|| missing("entities", &cursor))?,
            as_of: take_member(as_of, "asOf", &cursor)?,
            head: take_member(head, "head", &cursor)?,
            hash: take_member(hash, "hash", &cursor)?,
        })
    }

    /// Appends the frame's JSON text.
    pub fn write(&self, out: &mut String) {
        let mut first = false;
        out.push_str("{\"type\":\"snapshot\"");
        write_member(out, &mut first, "scope", &self.scope);
        write_member(out, &mut first, "epoch", &self.epoch);
        out.push_str(",\"entities\":[");
        for (at, row) in self.entities.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            row.write(out);
        }
        out.push(']');
        write_member(out, &mut first, "asOf", &self.as_of);
        write_member(out, &mut first, "head", &self.head);
        write_member(out, &mut first, "hash", &self.hash);
        out.push('}');
    }
}

impl<'a> SnapshotRow<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, TextError> {
        let (mut entity, mut rev, mut value) = (None, None, None);
        cursor.object(&mut |key, cursor| match key {
            "entity" => read_member(&mut entity, "entity", cursor),
            "rev" => read_member(&mut rev, "rev", cursor),
            "value" => {
                value = Some(cursor.value()?);
                Ok(())
            }
            _ => cursor.value().map(|_| ()),
        })?;
        Ok(Self {
            entity: take_member(entity, "entity", cursor)?,
            rev: take_member(rev, "rev", cursor)?,
            value: value.ok_or_else(|| missing("value", cursor))?,
        })
    }

    /// Appends the row's JSON text.
    pub fn write(&self, out: &mut String) {
        let mut first = true;
        out.push('{');
        write_member(out, &mut first, "entity", &self.entity);
        write_member(out, &mut first, "rev", &self.rev);
        out.push_str(",\"value\":");
        out.push_str(self.value);
        out.push('}');
    }
}

fn missing(member: &'static str, cursor: &Cursor<'_>) -> TextError {
    TextError { member: Some(member), ..cursor.error(TextErrorKind::Missing) }
}
