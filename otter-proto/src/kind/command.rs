//! Payloads of `command.updated` and of the commands themselves.

use crate::UnixMillis;
use crate::id::{CommandId, ConversationId, EntityId, InstanceId};
use crate::kind::{Author, payload};
use crate::wire::words;

words! {
    /// How far a command got. Stages never go back.
    pub enum CommandStage {
        /// The hub has it on disk.
        Accepted = "accepted",
        /// The instance has it on disk.
        Received = "received",
        /// The instance began to carry it out (commands of class `once` only).
        Started = "started",
        /// Done.
        Completed = "completed",
        /// Carried out, and failed.
        Failed = "failed",
        /// The instance's own policy or state forbids it.
        Rejected = "rejected",
        /// Called off before it was attempted.
        Cancelled = "cancelled",
        /// It waited too long and was not attempted.
        Expired = "expired",
        /// It may or may not have been carried out; it is never repeated by itself.
        OutcomeUnknown = "outcomeUnknown",
    }
}

impl CommandStage {
    /// Whether nothing follows this stage.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Accepted | Self::Received | Self::Started)
    }
}

payload! {
    /// Why a command ended without success.
    pub struct StageError {
        /// A word.
        code: String,
        /// A sentence that says what to do.
        message: String,
    }

    /// `command.updated`: the hub writes the first, then the instance it is addressed to.
    pub struct CommandUpdated {
        /// How far it got.
        stage: CommandStage,
        /// The command's kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// Who asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Author>,
        /// Who carries it out; absent when the hub does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance_id: Option<InstanceId>,
        /// The conversation it concerns.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<ConversationId>,
        /// The run it concerns.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run_id: Option<EntityId>,
        /// Whether it was handed to a socket of the instance.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent: Option<bool>,
        /// The entity it concerns, as `type/id`, when it is neither a conversation nor a run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entity: Option<String>,
        /// What came of it, for instance `alreadyEnded`; of an integrator's command whatever it answers. A longer one
        /// is cut to its head.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        result: Option<String>,
        /// The result was cut: fetch the whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        truncated: Option<bool>,
        /// Why it ended without success.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<StageError>,
        /// When the hub accepted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issued_at: Option<UnixMillis>,
        /// When it expires if it was not attempted, by the hub's clock.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<UnixMillis>,
        /// Someone asked to cancel it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cancel_requested: Option<bool>,
    }

    /// Command `message.send`: says something to an agent.
    pub struct MessageSend {
        /// The conversation.
        conversation_id: ConversationId,
        /// What to say; 1 byte to 200 KiB.
        text: String,
    }

    /// Command `run.abort`: stops one run, and only that one.
    pub struct RunAbort {
        /// The conversation of the run.
        conversation_id: ConversationId,
        /// The run.
        run_id: EntityId,
    }

    /// Command `session.reset`: empties the session of a conversation. The conversation and its history stay.
    pub struct SessionReset {
        /// The conversation.
        conversation_id: ConversationId,
    }

    /// Command `agent.ping`: asks whether an agent can be reached; completes when its gateway knows it.
    pub struct AgentPing {
        /// The agent.
        agent_id: EntityId,
    }

    /// Command `command.cancel`: calls a command off, if it was not attempted yet.
    pub struct CommandCancel {
        /// The command to call off.
        command_id: CommandId,
    }

    /// What every command of an integrator carries beside its own members: at most 64 KiB with them.
    pub struct VendorCommand {
        /// The instance that carries it out.
        instance_id: InstanceId,
        /// The conversation it is about, one of that instance.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<ConversationId>,
    }
}
