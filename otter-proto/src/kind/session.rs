//! Payloads of `session.*`.

use crate::UnixMillis;
use crate::id::{ConversationId, EntityId, InstanceId};
use crate::kind::payload;
use crate::wire::words;

words! {
    /// What a session does, as the gateway says.
    pub enum SessionStatus {
        /// Nothing runs and nothing is known of the last run.
        Idle = "idle",
        /// A turn waits.
        Queued = "queued",
        /// A turn runs.
        Running = "running",
        /// The last turn ended well.
        Done = "done",
        /// The last turn failed.
        Failed = "failed",
        /// The last turn was stopped.
        Killed = "killed",
        /// The last turn took too long.
        Timeout = "timeout",
        /// The session is over.
        Ended = "ended",
    }
}

payload! {
    /// Tokens of the context in use. Not a lifetime total, not the input of the last call.
    pub struct ContextUsed {
        /// Tokens.
        value: u64,
        /// When the gateway counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<UnixMillis>,
        /// Whether the count is of the current context; false after a compaction until the next call.
        fresh: bool,
    }

    /// `session.upserted`: a session of a gateway. Unknown is absent, never 0; `null` removes what a reset removed.
    pub struct SessionUpserted {
        /// Where it lives.
        instance_id: InstanceId,
        /// Its agent's entity id.
        agent_id: EntityId,
        /// The gateway's session key.
        key: String,
        /// Its conversation.
        conversation_id: ConversationId,
        /// What it does.
        status: SessionStatus,
        /// The gateway's word for what it is, for instance `direct`, `cron`, `subagent`.
        #[serde(default)]
        kind: Option<String>,
        /// The chat service it belongs to.
        #[serde(default)]
        channel: Option<String>,
        /// A display name.
        #[serde(default)]
        label: Option<String>,
        /// The model in use.
        #[serde(default)]
        model: Option<String>,
        /// Tokens of the context in use.
        #[serde(default)]
        context_used: Option<ContextUsed>,
        /// Tokens that fit the context.
        #[serde(default)]
        context_limit: Option<u64>,
        /// Tokens over its whole life.
        #[serde(default)]
        lifetime_tokens: Option<u64>,
        /// When something last happened in it.
        #[serde(default)]
        last_activity_at: Option<UnixMillis>,
        /// The gateway's id of the current transcript; changes with a reset.
        #[serde(default)]
        session_id: Option<String>,
    }

    /// `session.ended`.
    pub struct SessionEnded {
        /// Always `ended`.
        status: SessionStatus,
        /// When.
        ended_at: UnixMillis,
        /// Why, for instance `deleted`.
        reason: String,
    }

    /// `session.compacted`: the gateway shortened the context.
    pub struct SessionCompacted {
        /// When.
        compacted_at: UnixMillis,
    }
}
