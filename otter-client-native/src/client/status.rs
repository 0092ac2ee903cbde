//! Where a client is.

use otter_proto::connection::client::{ConnectionStatus, Phase};
use otter_proto::frame::Principal;

/// Where a client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientStatus {
    /// The connection.
    pub connection: ConnectionStatus,
    /// Who the hub says this is; kept while disconnected.
    pub principal: Option<Principal>,
    /// Milliseconds to add to the local wall clock to get the hub's; kept while disconnected.
    pub server_offset_ms: Option<i64>,
}

impl ClientStatus {
    /// Whether the client does not connect again by itself.
    pub(crate) fn is_over(&self) -> bool {
        match self.connection.phase {
            Phase::Stopped => true,
            Phase::SignedOut => self.connection.retry_at.is_none(),
            Phase::Idle | Phase::Connecting | Phase::Online | Phase::Waiting => false,
        }
    }
}
