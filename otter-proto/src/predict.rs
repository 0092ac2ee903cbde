//! What a command writes in the transaction that accepts it: shown by a client before the hub answers, and used by
//! the hub for the events it appends.

use crate::catalogue::Class;
use crate::frame::Principal;
use crate::id::{CommandId, ConversationId, EntityKey, InstanceId, MemberId, Scope};
use crate::text::{self, Cursor, write_string};
use crate::wire::Wire as _;

/// What accepting a command does to one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicted {
    /// The kind of the event that does it.
    pub kind: &'static str,
    /// `Create`: the entity's id is new. `Upsert`: it is put or merged. `Update`: it is merged.
    pub class: Class,
    /// The entity's scope.
    pub scope: Scope,
    /// Its key.
    pub key: EntityKey,
    /// Canonical text: the data of the event, without what only the hub knows (instants, derived members).
    pub text: String,
}

/// What accepting a command does, as far as that is certain beforehand; nothing for commands and data that are not
/// understood. `data` is canonical text, `instance` the one that runs the conversation of the command.
///
/// It does not look at the entities: an item that is gone, or a mark that stands further, is for the caller to leave
/// out.
pub fn predict<'a>(
    kind: &str,
    data: &str,
    command: &CommandId,
    by: &Principal,
    instance: impl Into<Option<&'a InstanceId>>,
) -> Vec<Predicted> {
    let asked = Asked { data, command, by };
    match kind {
        "message.send" => asked.message_send(instance.into()),
        "approval.decide" => asked.approval_decide(),
        "conversation.update" => asked.conversation_update(),
        "conversation.markRead" => asked.conversation_mark_read(),
        "feed.markRead" => asked.feed_items("mark.updated"),
        "feed.archive" => asked.feed_items("feed.itemUpdated"),
        "task.create" => asked.task_create(),
        "task.update" => asked.task_update(),
        _ => None,
    }
    .unwrap_or_default()
}

/// The conversation that a command is about.
pub fn conversation(data: &str) -> Option<ConversationId> {
    let id = Cursor::new(text::member(data, "conversationId")?).string().ok()?;
    ConversationId::new(&id).ok()
}

/// A command that is predicted.
struct Asked<'a> {
    data: &'a str,
    command: &'a CommandId,
    by: &'a Principal,
}

impl Asked<'_> {
    /// The row of a person's message: `<instance>:<command>:user`.
    fn message_send(&self, instance: Option<&InstanceId>) -> Option<Vec<Predicted>> {
        let said = text::member(self.data, "text").filter(|said| said.starts_with('"'))?;
        let conversation = conversation(self.data)?;
        let mut id = String::from(instance?.as_str());
        for part in [":", self.command.as_str(), ":user"] {
            id.push_str(part);
        }
        let text = self.object(&[
            ("author", Value::By),
            ("commandId", Value::Word(self.command.as_str())),
            ("conversationId", Value::Word(conversation.as_str())),
            ("delivery", Value::Json("{\"state\":\"pending\"}")),
            ("status", Value::Word("complete")),
            ("text", Value::Json(said)),
        ]);
        let scope = Scope::Conversation(conversation);
        Some(vec![predicted("message.created", Class::Create, scope, "message", &id, text)?])
    }

    fn approval_decide(&self) -> Option<Vec<Predicted>> {
        let text = self.object(&[
            ("by", Value::By),
            ("commandId", Value::Word(self.command.as_str())),
            ("decision", Value::Word(self.word("decision")?)),
            ("state", Value::Word("decided")),
        ]);
        one("approval.decided", Class::Update, "approval", self.word("approvalId")?, text)
    }

    fn conversation_update(&self) -> Option<Vec<Predicted>> {
        let given = ["archived", "folder", "pinned", "title"].map(|key| (key, Value::Given));
        let id = self.word("conversationId")?;
        one("conversation.updated", Class::Update, "conversation", id, self.object(&given))
    }

    fn conversation_mark_read(&self) -> Option<Vec<Predicted>> {
        let count = ("messageCount", Value::Given);
        text::member(self.data, count.0)?;
        let text = self.object(&[count, ("target", Value::Word("conversation"))]);
        Some(vec![self.mark(self.word("conversationId")?, text)?])
    }

    /// One row for each of the items named.
    fn feed_items(&self, kind: &'static str) -> Option<Vec<Predicted>> {
        let mut text = None;
        if kind == "feed.itemUpdated" {
            let archived = text::member(self.data, "archived")? == "true";
            text = Some(if archived {
                self.object(&[("archived", Value::Json("true")), ("archivedBy", Value::By)])
            } else {
                "{\"archived\":null,\"archivedAt\":null,\"archivedBy\":null}".to_owned()
            });
        }
        let mut rows = Vec::new();
        for id in Vec::<String>::read(&mut Cursor::new(text::member(self.data, "itemIds")?)).ok()? {
            rows.extend(match &text {
                Some(text) => predicted(kind, Class::Update, Scope::Org, "feedItem", &id, text.clone()),
                None => self.mark(&id, "{\"target\":\"feed\"}".to_owned()),
            });
        }
        Some(rows)
    }

    fn task_create(&self) -> Option<Vec<Predicted>> {
        text::member(self.data, "title")?;
        let text = self.object(&[
            ("agentId", Value::Given),
            ("by", Value::By),
            ("description", Value::Given),
            ("origin", Value::Word("person")),
            ("status", Value::Word("todo")),
            ("title", Value::Given),
        ]);
        let mut id = String::from("hub:");
        id.push_str(self.command.as_str());
        one("task.upserted", Class::Create, "task", &id, text)
    }

    fn task_update(&self) -> Option<Vec<Predicted>> {
        let given = ["agentId", "description", "status", "title"].map(|key| (key, Value::Given));
        one("task.upserted", Class::Update, "task", self.word("taskId")?, self.object(&given))
    }

    /// What this person has read.
    fn mark(&self, id: &str, text: String) -> Option<Predicted> {
        let scope = Scope::Member(MemberId::new(&self.by.id).ok()?);
        predicted("mark.updated", Class::Upsert, scope, "mark", id, text)
    }

    fn word(&self, member: &str) -> Option<&str> {
        text::member_word(self.data, member)
    }

    /// An object of members in the order of their keys.
    fn object(&self, members: &[(&str, Value<'_>)]) -> String {
        let mut out = String::with_capacity(self.data.len() + 256);
        for (key, value) in members {
            let given = text::member(self.data, key);
            if matches!(value, Value::Given) && given.is_none() {
                continue;
            }
            out.push(if out.is_empty() { '{' } else { ',' });
            write_string(&mut out, key);
            out.push(':');
            match value {
                Value::Given => write_trimmed(&mut out, given.unwrap_or_default()),
                Value::Word(word) => write_string(&mut out, word),
                Value::Json(json) => out.push_str(json),
                Value::By => self.write_author(&mut out),
            }
        }
        out.push_str(if out.is_empty() { "{}" } else { "}" });
        out
    }

    fn write_author(&self, out: &mut String) {
        out.push_str("{\"id\":");
        write_string(out, &self.by.id);
        if let Some(name) = &self.by.name {
            out.push_str(",\"name\":");
            write_string(out, name);
        }
        out.push_str(",\"type\":\"member\"}");
    }
}

/// Where the value of a member comes from.
#[derive(Clone, Copy)]
enum Value<'a> {
    /// From the command's data, words without the white space around them; nothing when it is absent there.
    Given,
    /// A string.
    Word(&'a str),
    /// Canonical text.
    Json(&'a str),
    /// Who gives the command.
    By,
}

/// What a command does to one entity of the org.
fn one(kind: &'static str, class: Class, entity: &str, id: &str, text: String) -> Option<Vec<Predicted>> {
    Some(vec![predicted(kind, class, Scope::Org, entity, id, text)?])
}

fn predicted(
    kind: &'static str,
    class: Class,
    scope: Scope,
    entity: &str,
    id: &str,
    text: String,
) -> Option<Predicted> {
    let key = EntityKey::new(entity, id).ok()?;
    Some(Predicted { kind, class, scope, key, text })
}

/// Without the spaces around it. Those of other scripts stay: a browser would have to load their table.
fn write_trimmed(out: &mut String, value: &str) {
    match Cursor::new(value).string() {
        Ok(words) => write_string(out, words.trim_ascii()),
        Err(_) => out.push_str(value),
    }
}

#[cfg(test)]
mod tests;
