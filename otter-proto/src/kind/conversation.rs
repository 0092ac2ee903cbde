//! Payloads of `conversation.*`.

use crate::UnixMillis;
use crate::id::{ConversationId, EntityId, InstanceId};
use crate::kind::{Author, payload};
use crate::wire::words;

words! {
    /// What a conversation is about.
    pub enum AddressKind {
        /// One person and one agent.
        Dm = "dm",
        /// A project.
        Project = "project",
        /// An issue of a tracker.
        Issue = "issue",
        /// A session of a gateway.
        Session = "session",
    }
}

payload! {
    /// What a conversation belongs to. Echoed by replies; nothing parses session keys to route.
    pub struct Address {
        /// Which of the members below is set.
        kind: AddressKind,
        /// With `session`: the gateway's session key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_key: Option<String>,
        /// With `project` and `issue`: the project.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        project_id: Option<String>,
        /// With `issue`: the issue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issue_id: Option<String>,
    }

    /// The newest row of a conversation, derived by the hub.
    pub struct LastMessage {
        /// The message.
        id: EntityId,
        /// Its author.
        author: Author,
        /// When.
        sent_at: UnixMillis,
        /// The first 200 characters.
        head: String,
    }

    /// `conversation.upserted`: a conversation of an instance.
    pub struct ConversationUpserted {
        /// Where its agent lives.
        instance_id: InstanceId,
        /// Its agent's entity id.
        agent_id: EntityId,
        /// What it is about.
        address: Address,
        /// A title made from its content, by the gateway.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        derived_title: Option<String>,
        /// When the hub first heard of it, by the clock of the hub; what an instance says is replaced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_seen_at: Option<UnixMillis>,
    }

    /// `conversation.updated`: title, pinned and folder are people's; the rest is derived by the hub or the bridge.
    pub struct ConversationUpdated {
        /// A title that a person gave.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// A title made from its content.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        derived_title: Option<String>,
        /// Kept on top.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pinned: Option<bool>,
        /// A folder's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<String>,
        /// Out of the way; its session may be gone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archived: Option<bool>,
        /// The newest row.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_message: Option<LastMessage>,
        /// How many messages it ever had; never decreases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message_count: Option<u64>,
        /// How many of them are older than `firstSeenAt`: history, which nobody has to read; never decreases.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        imported_count: Option<u64>,
        /// The newest run that is still open; `null` when none is.
        #[serde(default)]
        active_run: Option<EntityId>,
    }

    /// Command `conversation.update`: what people give a conversation. What is absent stays; `null` removes.
    pub struct ConversationUpdate {
        /// The conversation.
        conversation_id: ConversationId,
        /// A title, 1 to 200 characters; without one the derived title is shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// Kept on top.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pinned: Option<bool>,
        /// Out of the way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archived: Option<bool>,
        /// A folder's name, 1 to 80 characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<String>,
    }

    /// Command `conversation.markRead`: this person has read a conversation up to a count of messages.
    pub struct ConversationMarkRead {
        /// The conversation.
        conversation_id: ConversationId,
        /// Its `messageCount` when the person saw its end.
        message_count: u64,
    }
}
