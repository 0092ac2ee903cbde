//! Commands as the hub writes them, read into what the gateway's side can do.

use otter_proto::id::{ConversationId, EntityId};
use serde_json::Value;

use crate::bridge::HubCommand;
use crate::openclaw::Verb;
use crate::policy::Policy;

/// Why a command is rejected: a code and words.
pub(super) type Rejection = (&'static str, String);

/// Reads a command that the policy allows.
pub(super) fn read(command: &HubCommand, policy: &Policy) -> Result<Verb, Rejection> {
    let kind = command.kind.as_str();
    if !policy.allows(kind) {
        return Err(("forbidden", format!("the bridge's policy does not allow {kind}")));
    }
    match kind {
        "message.send" => Ok(Verb::Send {
            conversation: conversation(command)?,
            text: text(command, "text").to_owned(),
            author: Some(command.by.clone()).filter(Value::is_object),
        }),
        "run.abort" => {
            Ok(Verb::Abort { conversation: conversation(command)?, run: entity(command, "runId")? })
        }
        "task.dispatch" => Ok(Verb::Dispatch {
            conversation: conversation(command)?,
            text: words(command)?,
            author: Some(command.by.clone()).filter(Value::is_object),
            task: entity(command, "taskId")?,
        }),
        "session.reset" => Ok(Verb::Reset { conversation: conversation(command)? }),
        "agent.ping" => Ok(Verb::Ping { agent: entity(command, "agentId")? }),
        "approval.decide" => Ok(Verb::Decide {
            approval: entity(command, "approvalId")?,
            decision: text(command, "decision").to_owned(),
        }),
        _ => Err(("unsupported", format!("this bridge does not know {kind}"))),
    }
}

fn text<'a>(command: &'a HubCommand, field: &str) -> &'a str {
    command.data.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// What the agent of a task is told; the hub adds it where the person left it out.
fn words(command: &HubCommand) -> Result<String, Rejection> {
    let words = text(command, "text").trim();
    if words.is_empty() { Err(("invalid", "the task has no words".to_owned())) } else { Ok(words.to_owned()) }
}

fn conversation(command: &HubCommand) -> Result<ConversationId, Rejection> {
    ConversationId::new(text(command, "conversationId")).map_err(|error| ("invalid", error.to_string()))
}

fn entity(command: &HubCommand, field: &str) -> Result<EntityId, Rejection> {
    EntityId::new(text(command, field)).map_err(|error| ("invalid", error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use otter_proto::id::CommandId;
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;

    fn command(kind: &str, data: Value) -> HubCommand {
        HubCommand {
            id: CommandId::new("c1").unwrap(),
            kind: kind.into(),
            data,
            by: Value::Null,
            ttl: Duration::ZERO,
            cancel: false,
        }
    }

    fn whole() -> Value {
        json!({"conversationId": "in_1:c", "text": "x", "runId": "in_1:r", "approvalId": "in_1:a", "decision": "deny",
            "taskId": "hub:t", "agentId": "in_1:main"})
    }

    const KINDS: [&str; 6] =
        ["message.send", "run.abort", "approval.decide", "task.dispatch", "session.reset", "agent.ping"];

    #[test]
    fn each_command_is_done_only_where_the_policy_names_it() {
        for kind in KINDS {
            let only = |name: &str| Policy { commands: Some(vec![name.into()]), ..Policy::default() };
            assert!(read(&command(kind, whole()), &only(kind)).is_ok(), "{kind}");
            let (code, words) = read(&command(kind, whole()), &only("another")).unwrap_err();
            assert_eq!((code, words), ("forbidden", format!("the bridge's policy does not allow {kind}")));
        }
    }

    #[test]
    fn what_a_command_lacks_is_said_and_what_nobody_knows_is_refused() {
        let table = [
            ("message.send", "conversationId"),
            ("run.abort", "conversationId"),
            ("run.abort", "runId"),
            ("approval.decide", "approvalId"),
            ("task.dispatch", "conversationId"),
            ("task.dispatch", "taskId"),
            ("task.dispatch", "text"),
            ("session.reset", "conversationId"),
            ("agent.ping", "agentId"),
        ];
        for (kind, field) in table {
            for odd in [Value::Null, json!(7), json!(""), json!({})] {
                let mut data = whole();
                data[field] = odd.clone();
                let code = read(&command(kind, data), &Policy::default()).map_err(|(code, _)| code);
                assert_eq!(code, Err("invalid"), "{kind} with {field} = {odd}");
            }
        }
        for kind in ["cron.run", "task.create", "x.acme.deploy", ""] {
            let code = read(&command(kind, whole()), &Policy::default()).map_err(|(code, _)| code);
            assert_eq!(code, Err("unsupported"), "{kind}");
        }
    }
}
