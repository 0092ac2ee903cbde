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
