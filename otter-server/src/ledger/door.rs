//! The hub's door: an event of an instance becomes a fact, or is refused for good.

mod vendor;

use otter_proto::catalogue::{self, Class, KindRow, Publisher, ScopeRule};
use otter_proto::error::ErrorCode;
use otter_proto::event::NewEvent;
use otter_proto::frame::Lane;
use otter_proto::id::{CommandId, ConversationId, EventId, InstanceId, Scope, belongs_to};
use otter_proto::kind::check_event;
use otter_proto::limits::Limits;
use otter_proto::text::{self, Cursor, Numbers, TextError, TextErrorKind, canonicalise};
use otter_proto::wire::{Json, Wire};

use crate::ledger::StoreError;
use crate::ledger::command::PEOPLES;
use crate::ledger::fact::{Fact, Refusal, Source};
use crate::ledger::json::{self, Object};
use crate::ledger::shape::head;
use crate::ledger::vendor::VendorFact;
use crate::ledger::write::Ledger;

/// What an event is at the door.
#[derive(Debug)]
pub(super) enum Checked {
    Fact(Box<Fact>),
    /// Of an integrator.
    Vendor(Box<VendorFact>),
    /// Accepted, and nothing comes of it.
    Ignored,
    Refused(Refusal),
}

/// Members that only the hub and people write; what an instance says about them is left out.
const HUBS_MEMBERS: &[(&str, &[&str])] = &[
    ("agent", &["statusAt"]),
    (
        "conversation",
        &[
            "activeRun",
            "firstSeenAt",
            "folder",
            "importedCount",
            "lastMessage",
            "messageCount",
            "pinned",
            "title",
        ],
    ),
    (
        "command",
        &[
            "by",
            "cancelRequested",
            "conversationId",
            "expiresAt",
            "instanceId",
            "issuedAt",
            "kind",
            "runId",
            "sent",
        ],
    ),
    ("feedItem", &["archived", "archivedAt", "archivedBy"]),
    ("instance", &["bridge", "connectedAt", "connection", "disconnectedAt", "gap"]),
];

/// The longest error of a command that is kept as it is, and the longest message of one, in bytes.
const ERROR_BYTES: usize = 2 << 10;

/// The id of an event, also when the rest of it is unusable.
pub(super) fn event_id(event: &Json) -> Option<EventId> {
    let mut id = None;
    let mut cursor = Cursor::new(event.as_str());
    let read = cursor.object(&mut |key, cursor| match key {
        "id" => {
            id = cursor.string().ok().and_then(|text| EventId::new(&text).ok());
            Ok(())
        }
        _ => cursor.value().map(|_| ()),
    });
    read.ok().and(id)
}

/// Reads an event; its id also when the rest is unusable.
pub(super) fn read(event: &Json) -> (Option<EventId>, Result<NewEvent, Refusal>) {
    if u64::try_from(event.as_str().len()).unwrap_or(u64::MAX) > Limits::V1.event_bytes {
        return (event_id(event), Err(Refusal::new(ErrorCode::TooLarge)));
    }
    match NewEvent::read(&mut Cursor::new(event.as_str())) {
        Ok(event) => (Some(event.id.clone()), Ok(event)),
        Err(error) => (event_id(event), Err(malformed(&error, event.as_str()))),
    }
}

impl Ledger<'_> {
    /// Checks an event: catalogue, publisher, lane, owner, payload.
    pub(super) fn check(
        &mut self,
        instance: &InstanceId,
        lane: Lane,
        event: NewEvent,
    ) -> Result<Checked, StoreError> {
        if event.kind.starts_with("x.") {
            return self.check_vendor(instance, lane, &event);
        }
        let (kind, scope) = match place(instance, lane, &event) {
            Ok(place) => place,
            Err(refusal) => return Ok(Checked::Refused(refusal)),
        };
        if kind.entity_type == "command" {
            let Ok(id) = CommandId::new(event.subject.as_str()) else {
                return Ok(Checked::Refused(Refusal::at(ErrorCode::BadId, "/subject")));
            };
            match self.rows.command(&id)? {
                // The hub was restored from a backup that does not have it.
                None => return Ok(Checked::Ignored),
                Some(row) if row.instance.as_ref() != Some(instance) => {
                    return Ok(Checked::Refused(Refusal::at(ErrorCode::NotOwner, "/subject")));
                }
                Some(_) => {}
            }
        } else if !owns(instance, kind, event.subject.as_str()) {
            match self.handed_over(instance, kind, &event)? {
                Some(true) => {}
                Some(false) => return Ok(Checked::Refused(Refusal::at(ErrorCode::NotOwner, "/subject"))),
                // The hub was restored from a backup that does not have the command.
                None => return Ok(Checked::Ignored),
            }
        }
        let data = match payload(instance, kind, &event) {
            Ok(data) => data,
            Err(refusal) => return Ok(Checked::Refused(refusal)),
        };
        let caused_by = self.cause(instance, event.caused_by)?;
        Ok(Checked::Fact(Box::new(Fact {
            id: event.id,
            kind,
            subject: event.subject,
            scope,
            caused_by,
            source: Source::Instance(instance.clone()),
            data,
        })))
    }

    /// Whether an event is about a person's task that is, or once was, handed to this instance by the command that
    /// caused the event; `None` when the hub does not know that command.
    fn handed_over(
        &mut self,
        instance: &InstanceId,
        kind: &KindRow,
        event: &NewEvent,
    ) -> Result<Option<bool>, StoreError> {
        let subject = event.subject.as_str();
        let Some(command) = &event.caused_by else { return Ok(Some(false)) };
        if kind.name != "task.upserted" || !belongs_to(subject, PEOPLES) {
            return Ok(Some(false));
        }
        Ok(self.rows.command(command)?.map(|row| {
            row.instance.as_ref() == Some(instance)
                && row.kind == "task.dispatch"
                && json::string(&row.data, "taskId").as_deref() == Some(subject)
        }))
    }

    fn check_vendor(
        &mut self,
        instance: &InstanceId,
        lane: Lane,
        event: &NewEvent,
    ) -> Result<Checked, StoreError> {
        Ok(match vendor::fact(instance, lane, event) {
            Ok(mut fact) => {
                fact.caused_by = self.cause(instance, fact.caused_by)?;
                Checked::Vendor(Box::new(fact))
            }
            Err(refusal) => Checked::Refused(refusal),
        })
    }

    /// The command that caused an event, unless it was for somebody else.
    fn cause(
        &mut self,
        instance: &InstanceId,
        command: Option<CommandId>,
    ) -> Result<Option<CommandId>, StoreError> {
        let Some(id) = command else { return Ok(None) };
        let row = self.rows.command(&id)?;
        let is_anothers = row.is_some_and(|row| row.instance.as_ref() != Some(instance));
        Ok(Some(id).filter(|_| !is_anothers))
    }
}

fn place(instance: &InstanceId, lane: Lane, event: &NewEvent) -> Result<(&'static KindRow, Scope), Refusal> {
    let refuse = |code, pointer: &str| Err(Refusal::at(code, pointer));
    let Some(kind) = catalogue::kind(&event.kind) else { return refuse(ErrorCode::UnknownKind, "/kind") };
    if kind.publisher == Publisher::Hub {
        return refuse(ErrorCode::NotPublisher, "/kind");
    }
    let Some(entity_type) = catalogue::entity(kind.entity_type) else {
        return refuse(ErrorCode::UnknownKind, "/kind");
    };
    if entity_type.lane != lane {
        return refuse(ErrorCode::WrongLane, "/kind");
    }
    let scope = match (entity_type.scope, &event.conversation) {
        (ScopeRule::Org, _) => Scope::Org,
        (ScopeRule::Conversation, None) => return refuse(ErrorCode::InvalidData, "/conversation"),
        (ScopeRule::Conversation, Some(id)) => Scope::Conversation(own_conversation(instance, id)?),
        (ScopeRule::Member, _) => return refuse(ErrorCode::NotPublisher, "/kind"),
    };
    if event.effects.is_some() {
        // What a kind of the catalogue does is not for its publisher to say.
        return refuse(ErrorCode::InvalidData, "/effects");
    }
    Ok((kind, scope))
}

fn own_conversation(instance: &InstanceId, id: &ConversationId) -> Result<ConversationId, Refusal> {
    if belongs_to(id.as_str(), instance.as_str()) {
        return Ok(id.clone());
    }
    Err(Refusal::at(ErrorCode::NotOwner, "/conversation"))
}

/// Somebody's JSON as canonical text.
fn canonical(text: &str, pointer: &str) -> Result<String, Refusal> {
    canonicalise(text, Numbers::Rfc8785).map_err(|error| {
        let code = match error.kind() {
            TextErrorKind::TooDeep => ErrorCode::TooDeep,
            _ => ErrorCode::InvalidData,
        };
        Refusal::at(code, pointer)
    })
}

fn owns(instance: &InstanceId, kind: &KindRow, subject: &str) -> bool {
    match kind.entity_type {
        "instance" => subject == instance.as_str(),
        _ => belongs_to(subject, instance.as_str()),
    }
}

/// The data as canonical text, without what is not the instance's to say.
fn payload(instance: &InstanceId, kind: &KindRow, event: &NewEvent) -> Result<String, Refusal> {
    let data = canonical(event.data.as_str(), "/data")?;
    if !data.starts_with('{') {
        return Err(Refusal::at(ErrorCode::InvalidData, "/data"));
    }
    // A create puts: what is null is not there.
    let data = if kind.class == Class::Create { text::drop_nulls(&data) } else { data };
    let data = if kind.name == "command.updated" { with_short_error(data) } else { data };
    if let Some(Err(invalid)) = check_event(kind.name, &data) {
        return Err(Refusal::at(ErrorCode::InvalidData, format!("/data{}", invalid.pointer)));
    }
    if json::string(&data, "instanceId").is_some_and(|id| id != instance.as_str())
        && kind.entity_type != "command"
    {
        return Err(Refusal::at(ErrorCode::NotOwner, "/data/instanceId"));
    }
    let conversation = json::string(&data, "conversationId").filter(|_| kind.entity_type != "session");
    if let (Some(inside), Some(outside)) = (conversation, &event.conversation)
        && inside != outside.as_str()
    {
        return Err(Refusal::at(ErrorCode::InvalidData, "/data/conversationId"));
    }
    let foreign = HUBS_MEMBERS.iter().find(|(name, _)| *name == kind.entity_type).map(|(_, keys)| *keys);
    Ok(match foreign {
        Some(keys) if keys.iter().any(|key| text::member(&data, key).is_some()) => json::without(&data, keys),
        _ => data,
    })
}

/// The data of `command.updated`, its error cut to what a row has room for: a command must not stay open because the words
/// about its end are too long.
fn with_short_error(data: String) -> String {
    let Some(error) = text::member(&data, "error").filter(|error| error.len() > ERROR_BYTES) else {
        return data;
    };
    let part = |key, bytes| json::string(error, key).map(|text| head(&text, bytes).to_owned());
    let short = Object::default()
        .optional("code", part("code", ERROR_BYTES / 8).as_deref())
        .optional("message", part("message", ERROR_BYTES).as_deref())
        .build();
    Object::default().raw("error", short).over(&data)
}

fn malformed(error: &TextError, event: &str) -> Refusal {
    let code = match error.kind() {
        TextErrorKind::Id => ErrorCode::BadId,
        TextErrorKind::TooDeep => ErrorCode::TooDeep,
        TextErrorKind::Missing | TextErrorKind::Type | TextErrorKind::Number | TextErrorKind::Choice => {
            ErrorCode::InvalidData
        }
        TextErrorKind::Syntax | TextErrorKind::Canonical => ErrorCode::BadFrame,
    };
    Refusal { code, pointer: Some(error.pointer(event)).filter(|pointer| !pointer.is_empty()) }
}
