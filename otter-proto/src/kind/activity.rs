//! Payloads of `activity.recorded` and `repo.pushed`: things that happened beside conversations.

use crate::UnixMillis;
use crate::id::{ConversationId, EntityId, InstanceId};
use crate::kind::payload;
use crate::wire::words;

words! {
    /// How an activity ended.
    pub enum ActivityStatus {
        /// Well.
        Completed = "completed",
        /// Badly.
        Failed = "failed",
    }
}

payload! {
    /// `activity.recorded`: something an agent or a job did.
    pub struct ActivityRecorded {
        /// What, one line, 1 to 300 characters.
        title: String,
        /// The publisher's word for its kind, for instance `cron`, `hook` or `deploy`.
        category: String,
        /// Details, at most 4 KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
        /// How it ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<ActivityStatus>,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instance_id: Option<InstanceId>,
        /// Which agent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agent_id: Option<EntityId>,
        /// The conversation it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation_id: Option<ConversationId>,
        /// The run it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run_id: Option<EntityId>,
        /// How long it took.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        duration_ms: Option<u64>,
        /// When it happened.
        occurred_at: UnixMillis,
    }

    /// One commit of a push.
    pub struct Commit {
        /// Its hash.
        id: String,
        /// Its first line.
        title: String,
        /// Who wrote it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        author: Option<String>,
    }

    /// `repo.pushed`: someone pushed to a repository.
    pub struct RepoPushed {
        /// For instance `otter/hub`.
        repository: String,
        /// The branch.
        branch: String,
        /// The newest commits, at most 20, newest first.
        #[serde(default)]
        commits: Vec<Commit>,
        /// How many commits there were.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        commit_count: Option<u64>,
        /// Who pushed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// Where to see it; shown as a link only when it is `https`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// When.
        pushed_at: UnixMillis,
    }
}
