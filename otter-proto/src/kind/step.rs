//! Payload of `step.recorded`.

use crate::UnixMillis;
use crate::id::{ConversationId, EntityId};
use crate::kind::payload;
use crate::wire::words;

words! {
    /// How a tool call ended.
    pub enum StepStatus {
        /// It did what it should.
        Completed = "completed",
        /// It did not.
        Failed = "failed",
        /// A person or a policy did not let it run.
        Denied = "denied",
        /// Its run ended before it did.
        Aborted = "aborted",
    }
}

payload! {
    /// `step.recorded`: one tool call of a run, when it has ended. What runs at the moment is the signal `run.progress`.
    pub struct StepRecorded {
        /// Its conversation.
        conversation_id: ConversationId,
        /// Its run.
        run_id: EntityId,
        /// The tool, for instance `exec`.
        name: String,
        /// What it did, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// How it ended.
        status: StepStatus,
        /// The exit code of a command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i64>,
        /// The first 4 KiB of its output.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output_head: Option<String>,
        /// Whether there was more output than `outputHead` holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output_truncated: Option<bool>,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        /// When it began.
        started_at: UnixMillis,
        /// When it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended_at: Option<UnixMillis>,
        /// How long the tool itself ran; waiting for a person does not count where the gateway tells them apart.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_ms: Option<u64>,
        /// The approval it waited for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval_id: Option<EntityId>,
    }
}
