//! The typed payloads of kinds, commands and signals.
//!
//! A payload is the value that its event puts or merges: absent members stay as they are, `null` removes one.
//! Readers do not need these types; the hub checks every published event against them once, at its door.

mod activity;
mod agent;
mod approval;
mod command;
mod conversation;
mod feed;
mod instance;
mod mark;
mod member;
mod message;
pub(crate) mod payloads;
pub mod rules;
mod run;
mod session;
mod signal;
mod step;
mod table;
mod task;

pub use activity::{ActivityRecorded, ActivityStatus, Commit, RepoPushed};
pub use agent::{AgentRemoved, AgentStatusChanged, AgentUpserted};
pub use approval::{
    ApprovalDecide, ApprovalDecided, ApprovalDecision, ApprovalExpired, ApprovalOutcome, ApprovalReopened,
    ApprovalRequested, ApprovalResolved, ApprovalState,
};
pub use command::{
    AgentPing, CommandCancel, CommandStage, CommandUpdated, MessageSend, RunAbort, SessionReset, StageError,
    VendorCommand,
};
pub use conversation::{
    Address, AddressKind, ConversationMarkRead, ConversationUpdate, ConversationUpdated,
    ConversationUpserted, LastMessage,
};
pub use feed::{
    FeedArchive, FeedCategory, FeedItemAdded, FeedItemRemoved, FeedItemUpdated, FeedMarkRead, Severity,
};
pub use instance::{
    BridgeInfo, Connection, GatewayLink, GatewayState, InstanceConnected, InstanceDisconnected, InstanceGap,
    InstanceRemove, InstanceRemoved, InstanceUpdated, LaneGap, OutboxDepth,
};
pub use mark::{MarkTarget, MarkUpdated};
pub use member::{MemberJoined, MemberRemoved, MemberRole, MemberUpdated};
pub use message::{
    Author, AuthorType, Delivery, DeliveryState, MessageCreated, MessageDeliveryChanged, MessageEdited,
    MessageRemoved, MessageStatus,
};
pub use run::{RunAborted, RunCompleted, RunError, RunFailed, RunStarted, RunState, Usage};
pub use session::{ContextUsed, SessionCompacted, SessionEnded, SessionStatus, SessionUpserted};
pub use signal::{InstanceHeartbeat, MessageDelta, Presence, PresenceState, RunProgress, Typing};
pub use step::{StepRecorded, StepStatus};
pub use table::{InvalidData, Payload, check_command, check_event, check_signal};
pub use task::{
    TaskCreate, TaskDispatch, TaskDispatched, TaskOrigin, TaskRemoved, TaskStatus, TaskUpdate, TaskUpserted,
};

/// Defines payload structs: serde, camelCase, schema, and nothing else.
macro_rules! payload {
    ($($(#[$doc:meta])* pub struct $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty,)* }
    )*};
}

use payload;
