//! Payloads of `message.*`.

use crate::UnixMillis;
use crate::id::{CommandId, ConversationId, EntityId};
use crate::kind::payload;
use crate::wire::words;

words! {
    /// What an author is.
    pub enum AuthorType {
        /// A person of the org.
        Member = "member",
        /// An agent.
        Agent = "agent",
        /// A person who wrote elsewhere: in a chat service, a terminal, the gateway's own page.
        External = "external",
        /// The gateway itself; shown collapsed.
        System = "system",
    }

    /// How complete a message is.
    pub enum MessageStatus {
        /// Whole.
        Complete = "complete",
        /// Stopped by someone; the text so far.
        Aborted = "aborted",
        /// Lost with its gateway; the text so far.
        Interrupted = "interrupted",
    }

    /// How far a person's message got.
    pub enum DeliveryState {
        /// On its way.
        Pending = "pending",
        /// The gateway has it.
        Taken = "taken",
        /// It waits behind a turn.
        Queued = "queued",
        /// It is part of the agent's transcript.
        Delivered = "delivered",
        /// It never will be; `reason` says why.
        Failed = "failed",
    }
}

payload! {
    /// Who wrote a message.
    pub struct Author {
        /// What kind of author.
        #[serde(rename = "type")]
        author_type: AuthorType,
        /// The member's or agent's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// A display name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    }

    /// How far a person's message got.
    pub struct Delivery {
        /// The state.
        state: DeliveryState,
        /// The run it was steered into.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        into_run: Option<EntityId>,
        /// With `failed`: why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }

    /// `message.created`: a row of a conversation.
    pub struct MessageCreated {
        /// Its conversation.
        conversation_id: ConversationId,
        /// Who wrote it.
        author: Author,
        /// What it says; cut to its head when it is long (see `truncated`).
        text: String,
        /// Whether it is whole.
        status: MessageStatus,
        /// With an answer: the run that made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run_id: Option<EntityId>,
        /// When. Set by the hub for live rows; a row that comes with it is history.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sent_at: Option<UnixMillis>,
        /// A history row may name the row that it follows; consumed by the hub.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<EntityId>,
        /// With a person's message: how far it got.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivery: Option<Delivery>,
        /// The command that made it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        command_id: Option<CommandId>,
        /// Whether `text` is only the head of the whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        truncated: Option<bool>,
        /// A row of the gateway's own making, shown collapsed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        internal: Option<bool>,
    }

    /// `message.deliveryChanged`.
    pub struct MessageDeliveryChanged {
        /// How far it got; never goes back.
        delivery: Delivery,
    }

    /// `message.edited`.
    pub struct MessageEdited {
        /// The new text.
        text: String,
        /// When.
        edited_at: UnixMillis,
    }

    /// `message.removed`.
    pub struct MessageRemoved {}
}
