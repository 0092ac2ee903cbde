//! Commands as they arrive, as they are kept, and what they make the caller do.

use std::time::Duration;

use otter_proto::id::{CommandId, ConversationId, EntityId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::openclaw::command::outcome::Outcome;
use crate::openclaw::rpc::RpcCall;
use crate::openclaw::time::{Instant, Now, UnixMillis};
use crate::openclaw::translate::{Publish, Want};

/// What a person asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "verb")]
pub enum Verb {
    /// Say something to an agent.
    Send {
        /// Where.
        conversation: ConversationId,
        /// What.
        text: String,
        /// `author` of the message, as the hub wrote it.
        author: Option<Value>,
    },
    /// Stop a run.
    Abort {
        /// Where it runs.
        conversation: ConversationId,
        /// The run's entity id.
        run: EntityId,
    },
    /// Hand a person's task to an agent, once it has nothing else to do.
    Dispatch {
        /// Where.
        conversation: ConversationId,
        /// What the agent is told.
        text: String,
        /// `author` of the message, as the hub wrote it.
        author: Option<Value>,
        /// The task, as the hub calls it.
        task: EntityId,
    },
    /// Empty a session.
    Reset {
        /// Its conversation.
        conversation: ConversationId,
    },
    /// Ask whether an agent can be reached.
    Ping {
        /// The agent's entity id.
        agent: EntityId,
    },
    /// Answer an approval.
    Decide {
        /// The approval's entity id.
        approval: EntityId,
        /// The answer, in the gateway's words.
        decision: String,
    },
}

/// Words on their way to an agent.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) conversation: ConversationId,
    pub(super) text: String,
    pub(super) author: Option<Value>,
    pub(super) task: Option<EntityId>,
}

impl Verb {
    /// What an agent is to be told.
    pub(super) fn said(&self) -> Option<Said> {
        let (conversation, text, author, task) = match self.clone() {
            Self::Send { conversation, text, author } => (conversation, text, author, None),
            Self::Dispatch { conversation, text, author, task } => (conversation, text, author, Some(task)),
            Self::Abort { .. } | Self::Decide { .. } | Self::Reset { .. } | Self::Ping { .. } => return None,
        };
        Some(Said { conversation, text, author, task })
    }

    /// The conversation in which the order of commands counts.
    pub(super) fn lane(&self) -> Option<&ConversationId> {
        match self {
            Self::Send { conversation, .. }
            | Self::Dispatch { conversation, .. }
            | Self::Reset { conversation } => Some(conversation),
            Self::Abort { .. } | Self::Decide { .. } | Self::Ping { .. } => None,
        }
    }

    /// Whether it must never be done a second time.
    pub(super) fn is_once(&self) -> bool {
        matches!(self, Self::Reset { .. })
    }

    /// How long it may wait for a gateway that is away; who asks whether somebody is there wants to know soon.
    pub(super) fn patience(&self) -> Option<Duration> {
        matches!(self, Self::Ping { .. }).then_some(PING)
    }
}

const PING: Duration = Duration::from_secs(10);

/// A command as the hub dispatches it.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandRequest {
    /// Its id, also the key under which the gateway knows it.
    pub id: CommandId,
    /// What is asked.
    pub verb: Verb,
    /// How long it may still be begun.
    pub ttl: Duration,
    /// Whether it is taken back, unless it was begun.
    pub cancel: bool,
}

/// One row of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalRow {
    /// The command.
    pub id: CommandId,
    /// What is asked.
    pub verb: Verb,
    /// When it is too late, by this machine's wall clock: a bridge that starts again knows no other.
    pub expires_at: UnixMillis,
    pub(super) stage: Stage,
}

/// What has to be done for commands.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandOutput {
    /// Store this row under its id.
    Journal(JournalRow),
    /// Delete the row of this command.
    Forget(CommandId),
    /// Events that have to reach the outbox in the same transaction.
    Publish(Vec<Publish>),
    /// Ask the gateway, once everything before is stored.
    Call(CommandId, RpcCall),
    /// Something to read, see [`Attachment`](crate::openclaw::Attachment).
    Rpc(Want),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "stage")]
pub(super) enum Stage {
    Received,
    /// The gateway of this boot may have it.
    Attempted {
        boot: Option<String>,
    },
    Done {
        outcome: Outcome,
    },
}

/// A command and where it stands.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) row: JournalRow,
    /// Arrival, which is the order within a session.
    pub(super) order: u64,
    /// When it is too late. The wall clock may be set meanwhile.
    pub(super) deadline: Instant,
    pub(super) busy: Option<Asked>,
    pub(super) not_before: Option<Instant>,
    pub(super) failures: u32,
    /// Pages of the record that were looked through for it.
    pub(super) pages: u32,
    /// The gateway may have it although it did not say so.
    pub(super) uncertain: bool,
}

/// What the gateway was asked for a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    ToDo,
    WhetherKnown,
    WhatBecame,
}

impl Entry {
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.row.stage, Stage::Done { .. })
    }

    pub(super) fn is_late(&self, now: Now) -> bool {
        self.deadline <= now.at
    }

    /// Whether the gateway may have it.
    pub(super) fn is_begun(&self) -> bool {
        matches!(self.row.stage, Stage::Attempted { .. })
    }
}
