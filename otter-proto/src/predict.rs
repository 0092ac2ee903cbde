//! What a command writes in the transaction that accepts it: shown by a client before the hub answers, and used by
//! the hub for the events it appends.

use crate::frame::Principal;
use crate::id::{CommandId, ConversationId, EntityKey, InstanceId, Scope};
use crate::text::{self, Cursor, write_string};

/// An entity that accepting a command creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicted {
    /// Its scope.
    pub scope: Scope,
    /// Its key.
    pub key: EntityKey,
    /// Canonical text: the data of the event that creates it, without what only the hub knows (`sentAt`).
    pub text: String,
}

/// What accepting a command creates, as far as that is certain beforehand; nothing for commands and data that are
/// not understood. `data` is canonical text, `instance` the one that runs the conversation.
pub fn predict(
    kind: &str,
    data: &str,
    command: &CommandId,
    by: &Principal,
    instance: &InstanceId,
) -> Vec<Predicted> {
    match kind {
        "message.send" => message_send(data, command, by, instance).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The conversation that a command is about.
pub fn conversation(data: &str) -> Option<ConversationId> {
    let id = Cursor::new(text::member(data, "conversationId")?).string().ok()?;
    ConversationId::new(&id).ok()
}

/// The row of a person's message: `<instance>:<command>:user`.
fn message_send(data: &str, command: &CommandId, by: &Principal, instance: &InstanceId) -> Option<Predicted> {
    let said = text::member(data, "text").filter(|said| said.starts_with('"'))?;
    let conversation = conversation(data)?;
    let mut id = String::from(instance.as_str());
    for part in [":", command.as_str(), ":user"] {
        id.push_str(part);
    }
    let mut out = String::with_capacity(said.len() + 256);
    out.push_str("{\"author\":{\"id\":");
    write_string(&mut out, &by.id);
    if let Some(name) = &by.name {
        out.push_str(",\"name\":");
        write_string(&mut out, name);
    }
    out.push_str(",\"type\":\"member\"},\"commandId\":");
    write_string(&mut out, command.as_str());
    out.push_str(",\"conversationId\":");
    write_string(&mut out, conversation.as_str());
    out.push_str(",\"delivery\":{\"state\":\"pending\"},\"status\":\"complete\",\"text\":");
    out.push_str(said);
    out.push('}');
    let key = EntityKey::new("message", &id).ok()?;
    Some(Predicted { scope: Scope::Conversation(conversation), key, text: out })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::frame::PrincipalType;
    use crate::id::OrgId;

    fn ada() -> Principal {
        Principal {
            principal_type: PrincipalType::Member,
            id: "mb_1".to_owned(),
            org: OrgId::new("org_1").unwrap(),
            name: Some("Ada \"L\"".to_owned()),
            role: None,
        }
    }

    fn predicted(kind: &str, data: &str) -> Vec<Predicted> {
        let (command, instance) = (CommandId::new("0190-c").unwrap(), InstanceId::new("in_1").unwrap());
        predict(kind, data, &command, &ada(), &instance)
    }

    #[test]
    fn a_sent_message_is_a_pending_row_of_its_conversation() {
        let rows = predicted("message.send", r#"{"conversationId":"in_1:abc","text":"say \"hi\"\n"}"#);
        let want = Predicted {
            scope: Scope::parse("conversation/in_1:abc").unwrap(),
            key: EntityKey::parse("message/in_1:0190-c:user").unwrap(),
            text: r#"{"author":{"id":"mb_1","name":"Ada \"L\"","type":"member"},"commandId":"0190-c","conversationId":"in_1:abc","delivery":{"state":"pending"},"status":"complete","text":"say \"hi\"\n"}"#.to_owned(),
        };
        assert_eq!(rows, vec![want]);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn the_row_is_canonical_and_a_valid_message() {
        let rows = predicted("message.send", r#"{"conversationId":"in_1:abc","text":"hi"}"#);
        let text = &rows[0].text;
        assert_eq!(&text::canonicalise(text, text::Numbers::Rfc8785).unwrap(), text);
        serde_json::from_str::<crate::kind::MessageCreated>(text).unwrap();
    }

    #[test]
    fn nothing_is_predicted_for_what_is_not_understood() {
        for (kind, data) in [
            ("run.abort", r#"{"conversationId":"in_1:abc","runId":"in_1:r"}"#),
            ("message.send", r#"{"conversationId":"in_1:abc","text":1}"#),
            ("message.send", r#"{"conversationId":"a b","text":"x"}"#),
            ("message.send", r#"{"text":"x"}"#),
            ("message.send", "[]"),
        ] {
            assert_eq!(predicted(kind, data), vec![], "{kind} {data}");
        }
    }
}
