//! Payloads of `run.*`.

use crate::UnixMillis;
use crate::id::{ConversationId, EntityId};
use crate::kind::payload;
use crate::wire::words;

words! {
    /// Where a run is. The first terminal state wins.
    pub enum RunState {
        /// It runs.
        Running = "running",
        /// It ended well.
        Completed = "completed",
        /// It ended badly.
        Failed = "failed",
        /// Someone stopped it.
        Aborted = "aborted",
    }
}

payload! {
    /// Tokens of a run, summed over its calls of the model.
    pub struct Usage {
        /// Tokens read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        input: Option<u64>,
        /// Tokens written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<u64>,
    }

    /// Why a run failed.
    pub struct RunError {
        /// A word, for instance `lost` when its gateway died.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        /// A sentence.
        message: String,
    }

    /// `run.started`: one turn of an agent.
    pub struct RunStarted {
        /// Where its answer goes.
        conversation_id: ConversationId,
        /// Its agent's entity id.
        agent_id: EntityId,
        /// Always `running`.
        state: RunState,
        /// When.
        started_at: UnixMillis,
        /// The model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// The run that spawned it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent_run_id: Option<EntityId>,
    }

    /// `run.completed`.
    pub struct RunCompleted {
        /// Always `completed`.
        state: RunState,
        /// When.
        ended_at: UnixMillis,
        /// It ended without an answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        empty: Option<bool>,
        /// Tokens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        /// The model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
    }

    /// `run.failed`.
    pub struct RunFailed {
        /// Always `failed`.
        state: RunState,
        /// When.
        ended_at: UnixMillis,
        /// Why.
        error: RunError,
    }

    /// `run.aborted`.
    pub struct RunAborted {
        /// Always `aborted`.
        state: RunState,
        /// When.
        ended_at: UnixMillis,
    }
}
