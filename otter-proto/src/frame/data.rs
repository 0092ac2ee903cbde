//! Data frames: the ones that borrow their rows from the received text, so that a reader copies only what it keeps.

use crate::error::ErrorBody;
use crate::id::{EntityKey, Epoch, Scope};
use crate::text::{Cursor, TextError};
use crate::wire::{Wire, members, wire, write_member};

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
    pub(super) fn blank() -> Self {
        Self { scope: Scope::Org, epoch: Epoch::blank(), events: Vec::new(), hash: None }
    }

    pub(super) fn fill(&mut self, cursor: &mut Cursor<'a>) -> Result<(), TextError> {
        members(cursor, &["scope", "epoch", "events", "hash"], 0b0111, &mut |at, cursor| match at {
            0 => self.scope.fill(cursor),
            1 => self.epoch.fill(cursor),
            2 => cursor.array(&mut |cursor| cursor.value().map(|event| self.events.push(event))),
            _ => self.hash.fill(cursor),
        })
    }

    /// Appends the frame's JSON text.
    pub fn write(&self, out: &mut String) {
        out.push_str("{\"type\":\"events\"");
        write_member(out, "scope", &self.scope);
        write_member(out, "epoch", &self.epoch);
        out.push_str(",\"events\":[");
        for (at, event) in self.events.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(event);
        }
        out.push(']');
        write_member(out, "hash", &self.hash);
        out.push('}');
    }
}

/// One entity of a snapshot or of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRow<'a> {
    /// `type/id`.
    pub entity: EntityKey,
    /// The seq of the event that wrote it last.
    pub rev: u64,
    /// Whether it is in the live window of its type; always, in a snapshot. Written only when it is not.
    pub live: bool,
    /// The entity as canonical text.
    pub value: &'a str,
}

wire! {
    /// A place in the list of a type: rows are ordered by the type's order key, then by id. In a long text: where the next
    /// part begins.
    pub struct PageKey {
        /// The row's order key, as the hub orders by it: an instant in the form of the protocol, or the text as it is; when
        /// the row has none, the hub's time of its last write. In a text: a place that only the hub reads.
        order "order": String,
        /// The row's id, without its type.
        id "id": String,
    }
}

/// Answer to `fetch`: rows of a type from new to old, or one row with a part of its text; at most 256 KiB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<'a> {
    /// The number of the fetch.
    pub id: u64,
    /// The rows, from new to old, live or not.
    pub rows: Vec<SnapshotRow<'a>>,
    /// What the next `fetch` says as `before`; absent when there is no older row, or no more of the text.
    pub next: Option<PageKey>,
    /// The scope's head when the page was read, which is not before any event sent earlier; absent with an error.
    pub as_of: Option<u64>,
    /// With one fetched entity: of the member that is longer than its value shows, the part from `before` on, as a JSON
    /// object of texts.
    pub full: Option<&'a str>,
    /// Why there is no page; nothing else is there then.
    pub error: Option<ErrorBody>,
}

impl<'a> Page<'a> {
    /// A page that says why there is none.
    pub const fn refused(id: u64, error: ErrorBody) -> Self {
        Self { id, rows: Vec::new(), next: None, as_of: None, full: None, error: Some(error) }
    }

    pub(super) const fn blank() -> Self {
        Self { id: 0, rows: Vec::new(), next: None, as_of: None, full: None, error: None }
    }

    pub(super) fn fill(&mut self, cursor: &mut Cursor<'a>) -> Result<(), TextError> {
        let names = &["id", "rows", "next", "asOf", "error", "full"];
        members(cursor, names, 0b0000_0001, &mut |at, cursor| match at {
            0 => self.id.fill(cursor),
            1 => SnapshotRow::read_all(&mut self.rows, cursor),
            2 => self.next.fill(cursor),
            3 => self.as_of.fill(cursor),
            4 => self.error.fill(cursor),
            _ => cursor.value().map(|text| self.full = Some(text)),
        })
    }

    /// Appends the frame's JSON text.
    pub fn write(&self, out: &mut String) {
        out.push_str("{\"type\":\"page\"");
        write_member(out, "id", &self.id);
        if self.error.is_none() {
            SnapshotRow::write_all("rows", &self.rows, out);
        }
        write_member(out, "next", &self.next);
        write_member(out, "asOf", &self.as_of);
        if let Some(full) = self.full {
            out.push_str(",\"full\":");
            out.push_str(full);
        }
        write_member(out, "error", &self.error);
        out.push('}');
    }
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

    pub(super) fn blank() -> Self {
        Self {
            scope: Scope::Org,
            epoch: Epoch::blank(),
            entities: Vec::new(),
            as_of: 0,
            head: None,
            hash: None,
        }
    }

    pub(super) fn fill(&mut self, cursor: &mut Cursor<'a>) -> Result<(), TextError> {
        let names = &["scope", "epoch", "entities", "asOf", "head", "hash"];
        members(cursor, names, 0b1111, &mut |at, cursor| match at {
            0 => self.scope.fill(cursor),
            1 => self.epoch.fill(cursor),
            2 => SnapshotRow::read_all(&mut self.entities, cursor),
            3 => self.as_of.fill(cursor),
            4 => self.head.fill(cursor),
            _ => self.hash.fill(cursor),
        })
    }

    /// Appends the frame's JSON text.
    pub fn write(&self, out: &mut String) {
        out.push_str("{\"type\":\"snapshot\"");
        write_member(out, "scope", &self.scope);
        write_member(out, "epoch", &self.epoch);
        SnapshotRow::write_all("entities", &self.entities, out);
        write_member(out, "asOf", &self.as_of);
        write_member(out, "head", &self.head);
        write_member(out, "hash", &self.hash);
        out.push('}');
    }
}

impl<'a> SnapshotRow<'a> {
    /// Reads the JSON text of one row.
    #[cfg(feature = "serde")]
    pub fn parse(text: &'a str) -> Result<Self, TextError> {
        let mut cursor = Cursor::new(text);
        let row = Self::read(&mut cursor)?;
        cursor.end()?;
        Ok(row)
    }

    fn read_all(rows: &mut Vec<Self>, cursor: &mut Cursor<'a>) -> Result<(), TextError> {
        cursor.array(&mut |cursor| Self::read(cursor).map(|row| rows.push(row)))
    }

    fn write_all(member: &str, rows: &[Self], out: &mut String) {
        out.push_str(",\"");
        out.push_str(member);
        out.push_str("\":[");
        for (at, row) in rows.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            row.write(out);
        }
        out.push(']');
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, TextError> {
        let mut row = Self { entity: EntityKey::blank(), rev: 0, live: true, value: "" };
        members(cursor, &["entity", "rev", "value", "live"], 0b0111, &mut |at, cursor| match at {
            0 => row.entity.fill(cursor),
            1 => row.rev.fill(cursor),
            2 => cursor.value().map(|text| row.value = text),
            _ => row.live.fill(cursor),
        })?;
        Ok(row)
    }

    /// Appends the row's JSON text.
    pub fn write(&self, out: &mut String) {
        out.push('{');
        write_member(out, "entity", &self.entity);
        write_member(out, "rev", &self.rev);
        if !self.live {
            write_member(out, "live", &false);
        }
        out.push_str(",\"value\":");
        out.push_str(self.value);
        out.push('}');
    }
}
