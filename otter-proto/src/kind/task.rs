//! Payloads of `task.*` and of the commands about tasks.

use crate::UnixMillis;
use crate::id::{CommandId, ConversationId, EntityId, InstanceId};
use crate::kind::{Author, payload};
use crate::wire::words;

words! {
    /// Where a task is.
    pub enum TaskStatus {
        /// Written down; nobody works on it.
        Todo = "todo",
        /// Handed to an agent, which has not begun.
        Queued = "queued",
        /// An agent works on it.
        InProgress = "inProgress",
        /// Done, and waits for a person to look at it.
        Review = "review",
        /// Finished.
        Done = "done",
        /// It went wrong.
        Failed = "failed",
        /// Called off.
        Cancelled = "cancelled",
    }

    /// Where a task comes from.
    pub enum TaskOrigin {
        /// A person made it here.
        Person = "person",
        /// The gateway made it: a sub-agent, a scheduled job, a run of the command line.
        Gateway = "gateway",
        /// An integrator made it.
        Integrator = "integrator",
    }
}

impl TaskStatus {
    /// Whether work on it may still go on.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Todo | Self::Queued | Self::InProgress | Self::Review)
    }
}

payload! {
    /// `task.upserted`: a task, or what changed of it.
    pub struct TaskUpserted {
        /// What is to be done, at most 300 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<TaskStatus>,
        /// Details, at most 6 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Where it comes from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        origin: Option<TaskOrigin>,
        /// The gateway's word for it, for instance `subagent` or `cron`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task_kind: Option<String>,
        /// The instance that works on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance_id: Option<InstanceId>,
        /// The agent that works on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<EntityId>,
        /// The conversation where the work can be seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<ConversationId>,
        /// The run that works on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run_id: Option<EntityId>,
        /// The newest line about it, at most 1,000 characters: progress, then what came of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        summary: Option<String>,
        /// The person who made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Author>,
        /// When it was made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_at: Option<UnixMillis>,
        /// When work began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<UnixMillis>,
        /// When it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ended_at: Option<UnixMillis>,
    }

    /// `task.dispatched`: handed to an agent; written by the hub when it accepts `task.dispatch`.
    pub struct TaskDispatched {
        /// Always `queued`.
        status: TaskStatus,
        /// The instance.
        instance_id: InstanceId,
        /// The agent.
        agent_id: EntityId,
        /// Where the work can be seen.
        conversation_id: ConversationId,
        /// The command that carries it; its run is `<instance>:<command>`.
        command_id: CommandId,
        /// Who handed it over.
        by: Author,
        /// When.
        dispatched_at: UnixMillis,
        /// Always `null`: the run of an earlier dispatch.
        run_id: Option<EntityId>,
        /// Always `null`: the summary of an earlier dispatch.
        summary: Option<String>,
        /// Always `null`.
        started_at: Option<UnixMillis>,
        /// Always `null`.
        ended_at: Option<UnixMillis>,
    }

    /// `task.removed`.
    pub struct TaskRemoved {}

    /// Command `task.create`: writes a task down. It becomes task `hub:<command>`.
    pub struct TaskCreate {
        /// What is to be done, 1 to 300 characters.
        title: String,
        /// Details, at most 6 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// The agent that shall do it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<EntityId>,
    }

    /// Command `task.update`: changes a task that a person made. What is absent stays; `null` removes.
    pub struct TaskUpdate {
        /// The task.
        task_id: EntityId,
        /// What is to be done, 1 to 300 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// Details, at most 6 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<TaskStatus>,
        /// The agent that shall do it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<EntityId>,
    }

    /// Command `task.dispatch`: hands a task to the agent of a conversation, which begins when it is idle.
    pub struct TaskDispatch {
        /// The task, one that a person made.
        task_id: EntityId,
        /// Where the work shall be done.
        conversation_id: ConversationId,
        /// What to tell the agent; without it, title and description. 1 byte to 200 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    }
}
