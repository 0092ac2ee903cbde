//! The typed payloads of kinds, commands and signals.
//!
//! A payload is the value that its event puts or merges: absent members stay as they are, `null` removes one.
//! Readers do not need these types; the hub checks every published event against them once, at its door.

mod agent;
mod command;
mod conversation;
mod instance;
mod member;
mod message;
pub(crate) mod payloads;
mod run;
mod session;
mod signal;
mod table;

pub use agent::{AgentRemoved, AgentStatusChanged, AgentUpserted};
pub use command::{CommandCancel, CommandStage, CommandUpdated, MessageSend, RunAbort, StageError};
pub use conversation::{Address, AddressKind, ConversationUpdated, ConversationUpserted, LastMessage};
pub use instance::{
    BridgeInfo, Connection, GatewayLink, GatewayState, InstanceConnected, InstanceDisconnected, InstanceGap,
    InstanceUpdated, LaneGap, OutboxDepth,
};
pub use member::{MemberJoined, MemberRemoved, MemberRole, MemberUpdated};
pub use message::{
    Author, AuthorType, Delivery, DeliveryState, MessageCreated, MessageDeliveryChanged, MessageEdited,
    MessageRemoved, MessageStatus,
};
pub use run::{RunAborted, RunCompleted, RunError, RunFailed, RunStarted, RunState, Usage};
pub use session::{ContextUsed, SessionCompacted, SessionEnded, SessionStatus, SessionUpserted};
pub use signal::{InstanceHeartbeat, MessageDelta, RunProgress};
pub use table::{InvalidData, check_command, check_event, check_signal};

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
