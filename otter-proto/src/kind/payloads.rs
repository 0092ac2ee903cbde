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
                "instance.removed" => InstanceRemoved,
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
                "step.recorded" => StepRecorded,
                "task.upserted" => TaskUpserted,
                "task.dispatched" => TaskDispatched,
                "task.removed" => TaskRemoved,
                "approval.requested" => ApprovalRequested,
                "approval.decided" => ApprovalDecided,
                "approval.resolved" => ApprovalResolved,
                "approval.expired" => ApprovalExpired,
                "approval.reopened" => ApprovalReopened,
                "feed.itemAdded" => FeedItemAdded,
                "feed.itemUpdated" => FeedItemUpdated,
                "feed.itemRemoved" => FeedItemRemoved,
                "mark.updated" => MarkUpdated,
                "activity.recorded" => ActivityRecorded,
                "repo.pushed" => RepoPushed,
                "command.updated" => CommandUpdated,
                "member.joined" => MemberJoined,
                "member.updated" => MemberUpdated,
                "member.removed" => MemberRemoved,
            }
            commands: {
                "message.send" => MessageSend,
                "run.abort" => RunAbort,
                "session.reset" => SessionReset,
                "approval.decide" => ApprovalDecide,
                "task.create" => TaskCreate,
                "task.update" => TaskUpdate,
                "task.dispatch" => TaskDispatch,
                "feed.markRead" => FeedMarkRead,
                "feed.archive" => FeedArchive,
                "conversation.update" => ConversationUpdate,
                "conversation.markRead" => ConversationMarkRead,
                "agent.ping" => AgentPing,
                "command.cancel" => CommandCancel,
                "instance.remove" => InstanceRemove,
            }
            signals: {
                "message.delta" => MessageDelta,
                "run.progress" => RunProgress,
                "typing" => Typing,
                "presence" => Presence,
                "instance.heartbeat" => InstanceHeartbeat,
            }
        }
    };
}

pub(crate) use with_payloads;
