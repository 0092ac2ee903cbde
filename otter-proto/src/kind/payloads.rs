//! The payload of every kind, command and signal: written once, for the hub's door and for the schema.

/// Calls a macro with the table.
macro_rules! with_payloads {
    ($with:ident) => {
        $with! {
            events: {
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
            commands: {
                "message.send" => MessageSend,
                "run.abort" => RunAbort,
                "command.cancel" => CommandCancel,
            }
            signals: {
                "message.delta" => MessageDelta,
                "run.progress" => RunProgress,
                "instance.heartbeat" => InstanceHeartbeat,
            }
        }
    };
}

pub(crate) use with_payloads;
