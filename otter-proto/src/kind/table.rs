//! Which payload belongs to which name, and the check at the hub's door.

use serde::de::DeserializeOwned;

use crate::kind;

/// Why a payload does not fit its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at {pointer}")]
pub struct InvalidData {
    /// A JSON pointer to the member at fault; empty for the payload itself.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

fn check<T: DeserializeOwned>(data: &str) -> Result<(), InvalidData> {
    serde_json::from_str::<T>(data).map(|_| ()).map_err(|error| {
        let words = error.to_string();
        let pointer = words
            .split('`')
            .nth(1)
            .filter(|_| words.starts_with("missing field"))
            .map_or_else(String::new, |name| format!("/{name}"));
        InvalidData { pointer, message: words }
    })
}

macro_rules! table {
    ($(#[$doc:meta])* $name:ident, $roots:ident: $($kind:literal => $ty:ident,)*) => {
        $(#[$doc])*
        pub fn $name(kind: &str, data: &str) -> Option<Result<(), InvalidData>> {
            match kind { $($kind => Some(check::<kind::$ty>(data)),)* _ => None }
        }

        #[cfg(test)]
        pub(super) const $roots: &[&str] = &[$($kind,)*];
    };
}

table! {
    /// Checks the payload of a durable kind; `None` when the kind is not known.
    check_event, EVENTS:
    "instance.connected" => InstanceConnected,
    "instance.disconnected" => InstanceDisconnected,
    "instance.updated" => InstanceUpdated,
    "instance.gap" => InstanceGap,
    "agent.upserted" => AgentUpserted,
    "agent.statusChanged" => AgentStatusChanged,
    "agent.removed" => AgentRemoved,
    "session.upserted" => SessionUpserted,
    "session.ended" => SessionEnded,
    "session.compacted" => SessionCompacted,
    "conversation.upserted" => ConversationUpserted,
    "conversation.updated" => ConversationUpdated,
    "message.created" => MessageCreated,
    "message.deliveryChanged" => MessageDeliveryChanged,
    "message.edited" => MessageEdited,
    "message.removed" => MessageRemoved,
    "run.started" => RunStarted,
    "run.completed" => RunCompleted,
    "run.failed" => RunFailed,
    "run.aborted" => RunAborted,
    "command.updated" => CommandUpdated,
    "member.joined" => MemberJoined,
    "member.updated" => MemberUpdated,
    "member.removed" => MemberRemoved,
}

table! {
    /// Checks the data of a command; `None` when the command is not known.
    check_command, COMMANDS:
    "message.send" => MessageSend,
    "run.abort" => RunAbort,
    "command.cancel" => CommandCancel,
}

table! {
    /// Checks the data of a signal; `None` when the signal is not known.
    check_signal, SIGNALS:
    "message.delta" => MessageDelta,
    "run.progress" => RunProgress,
    "instance.heartbeat" => InstanceHeartbeat,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn catalogue_and_payloads_name_the_same_kinds() {
        assert_eq!(EVENTS, catalogue::KINDS.iter().map(|row| row.name).collect::<Vec<_>>());
        assert_eq!(COMMANDS, catalogue::COMMANDS.iter().map(|row| row.name).collect::<Vec<_>>());
        assert_eq!(SIGNALS, catalogue::SIGNALS.iter().map(|row| row.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_missing_member_is_pointed_at() {
        let error = check_event("agent.statusChanged", "{}").unwrap().unwrap_err();
        assert_eq!(error.pointer, "/status");
        assert_eq!(check_event("no.such", "{}"), None);
    }
}
