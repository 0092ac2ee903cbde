//! Derived events: what a fact about messages and runs means for the row of its conversation.

use std::borrow::Cow;

use otter_proto::catalogue;
use otter_proto::id::{ConversationId, EntityId, EntityKey, Scope};
use otter_proto::text;

use crate::ledger::fact::{Fact, Source, derived_id};
use crate::ledger::json::{self, Object};
use crate::ledger::shape::instant;
use crate::ledger::write::Ledger;
use crate::ledger::{End, EntityRow, StoreError};

const DERIVED: &str = "conversation.updated";
/// Characters of the newest message that the conversation shows.
const HEAD_CHARS: usize = 200;

impl Ledger<'_> {
    /// Appends what follows from a fact directly after it. Facts about org entities derive nothing, so what is
    /// derived never derives.
    pub(super) fn derive(&mut self, fact: &Fact) -> Result<(), StoreError> {
        let Scope::Conversation(conversation) = &fact.scope else { return Ok(()) };
        let Ok(key) = EntityKey::new("conversation", conversation.as_str()) else { return Ok(()) };
        let Some(row) = self.rows.entity(&Scope::Org, &key)? else { return Ok(()) };
        let data = match fact.kind.entity_type {
            "message" => self.newest_message(fact, &row)?,
            "run" => self.active_run(fact, &row)?,
            _ => return Ok(()),
        };
        self.write_derived(fact, conversation, data)
    }

    fn write_derived(
        &mut self,
        fact: &Fact,
        conversation: &ConversationId,
        data: Object,
    ) -> Result<(), StoreError> {
        let (Some(kind), Some(id), Ok(subject)) =
            (catalogue::kind(DERIVED), derived_id(&fact.id, DERIVED), EntityId::new(conversation.as_str()))
        else {
            return Ok(());
        };
        if data.is_empty() {
            return Ok(());
        }
        // A conversation that is too large for its limit keeps its old summary; the fact itself stands.
        self.write(Fact {
            id,
            kind,
            subject,
            scope: Scope::Org,
            caused_by: fact.caused_by.clone(),
            source: Source::Hub,
            data: data.build(),
        })
        .map(|_| ())
    }

    fn newest_message(&mut self, fact: &Fact, conversation: &EntityRow) -> Result<Object, StoreError> {
        let mut data = Object::default();
        let newest = self.rows.live(&fact.scope, "message", false, End::Newest, 1)?;
        let before = text::member(&conversation.text, "lastMessage");
        match newest.first().map(|(key, row)| last_message(key, row)) {
            Some(last) if Some(&*last) != before => {
                data = data.raw("lastMessage", json::replacing(before.unwrap_or_default(), &last));
            }
            None if before.is_some() => data = data.raw("lastMessage", "null"),
            Some(_) | None => {}
        }
        let count = self.scope(&fact.scope)?.messages;
        if count > json::integer(&conversation.text, "messageCount").unwrap_or(0) {
            data = data.raw("messageCount", count.to_string());
        }
        if fact.kind.name == "message.created" && was_there_before(&fact.data, &conversation.text) {
            let imported = json::integer(&conversation.text, "importedCount").unwrap_or(0);
            data = data.raw("importedCount", (imported + 1).to_string());
        }
        Ok(data)
    }

    fn active_run(&mut self, fact: &Fact, conversation: &EntityRow) -> Result<Object, StoreError> {
        let before = json::string(&conversation.text, "activeRun");
        let runs = if fact.kind.name == "run.started" || before.as_deref() == Some(fact.subject.as_str()) {
            self.rows.live(&fact.scope, "run", false, End::Newest, usize::MAX)?
        } else {
            return Ok(Object::default());
        };
        let open =
            runs.iter().find(|(_, row)| json::string(&row.text, "state").as_deref() == Some("running"));
        let open = open.map(|(key, _)| Cow::Borrowed(key.id()));
        Ok(match open {
            _ if open == before => Object::default(),
            Some(run) => Object::default().string("activeRun", &run),
            None => Object::default().raw("activeRun", "null"),
        })
    }
}

/// Whether a message is older than the hub's knowledge of its conversation.
fn was_there_before(message: &str, conversation: &str) -> bool {
    match (instant(message, "sentAt"), instant(conversation, "firstSeenAt")) {
        (Some(sent), Some(seen)) => sent < seen,
        _ => false,
    }
}

fn last_message(key: &EntityKey, row: &EntityRow) -> String {
    let text = json::string(&row.text, "text").unwrap_or_default();
    let head: String = text.chars().take(HEAD_CHARS).collect();
    Object::default()
        .raw("author", text::member(&row.text, "author").unwrap_or("null"))
        .string("head", &head)
        .string("id", key.id())
        .raw("sentAt", text::member(&row.text, "sentAt").unwrap_or("null"))
        .build()
}
