//! Facts: what is about to become an event.

use otter_proto::catalogue::KindRow;
use otter_proto::effect::Effect;
use otter_proto::error::ErrorCode;
use otter_proto::id::{CommandId, EntityId, Epoch, EventId, InstanceId, Scope};
use otter_proto::text::{write_string, write_u64};
use otter_proto::wire::Wire;
use otter_proto::{UnixMillis, id};
use uuid::Uuid;

use crate::ledger::json::Object;

/// Who says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Hub,
    Instance(InstanceId),
}

/// What is said. `data` is canonical.
#[derive(Debug, Clone)]
pub(super) struct Fact {
    pub(super) id: EventId,
    pub(super) kind: &'static KindRow,
    pub(super) subject: EntityId,
    pub(super) scope: Scope,
    pub(super) caused_by: Option<CommandId>,
    pub(super) source: Source,
    pub(super) data: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is in the log.
    Appended,
    /// It changes nothing: accepted and not appended.
    Unchanged,
    /// It is refused for good.
    Refused(Refusal),
}

/// Why an event is refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) pointer: Option<String>,
}

impl Refusal {
    pub(super) const fn new(code: ErrorCode) -> Self {
        Self { code, pointer: None }
    }

    pub(super) fn at(code: ErrorCode, pointer: impl Into<String>) -> Self {
        Self { code, pointer: Some(pointer.into()) }
    }
}

impl Source {
    fn write(&self, out: &mut String) {
        let object = match self {
            Self::Hub => Object::default().string("type", "hub"),
            Self::Instance(id) => Object::default().string("id", id.as_str()).string("type", "instance"),
        };
        out.push_str(&object.build());
    }
}

/// What a recorded event says beside its place and its effects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'f> {
    pub(super) id: &'f EventId,
    pub(super) kind: &'f str,
    pub(super) scope: &'f Scope,
    pub(super) caused_by: Option<&'f CommandId>,
    pub(super) source: &'f Source,
    pub(super) data: &'f str,
}

impl Fact {
    pub(super) const fn said(&self) -> Said<'_> {
        Said {
            id: &self.id,
            kind: self.kind.name,
            scope: &self.scope,
            caused_by: self.caused_by.as_ref(),
            source: &self.source,
            data: self.data.as_str(),
        }
    }
}

/// The recorded event.
pub(super) fn record(said: Said<'_>, seq: u64, prev: u64, at: UnixMillis, effects: &[Effect<'_>]) -> String {
    let mut out = String::with_capacity(said.data.len() + 320);
    out.push_str("{\"seq\":");
    write_u64(&mut out, seq);
    out.push_str(",\"prev\":");
    write_u64(&mut out, prev);
    out.push_str(",\"id\":");
    said.id.write(&mut out);
    out.push_str(",\"at\":");
    at.write(&mut out);
    out.push_str(",\"scope\":");
    said.scope.write(&mut out);
    out.push_str(",\"kind\":");
    write_string(&mut out, said.kind);
    out.push_str(",\"source\":");
    said.source.write(&mut out);
    if let Some(command) = said.caused_by {
        out.push_str(",\"causedBy\":");
        command.write(&mut out);
    }
    out.push_str(",\"effects\":[");
    for (at, effect) in effects.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        effect.write(&mut out);
    }
    out.push_str("],\"data\":");
    out.push_str(said.data);
    out.push('}');
    out
}

/// The id of the event that the hub derives from `parent`.
pub(super) fn derived_id(parent: &EventId, kind: &str) -> Option<EventId> {
    let text = parent.as_str();
    let namespace = Uuid::try_parse(text.strip_prefix("ev_").unwrap_or(text))
        .unwrap_or_else(|_| Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()));
    event_id(Uuid::new_v5(&namespace, kind.as_bytes()))
}

/// The id of an event that the hub makes itself: a seq is used once in an epoch.
pub(super) fn hub_id(epoch: &Epoch, seq: u64) -> Option<EventId> {
    event_id(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{epoch}/{seq}").as_bytes()))
}

fn event_id(uuid: Uuid) -> Option<EventId> {
    EventId::new(&format!("ev_{uuid}")).ok()
}

/// An id made of parts that are ids; `None` when it would be too long.
pub(super) fn entity_id(parts: &[&str]) -> Option<EntityId> {
    EntityId::new(&parts.join(":")).ok().filter(|id| id::is_id(id.as_str()))
}
