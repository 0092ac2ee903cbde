//! Payloads of `agent.*`.

use crate::UnixMillis;
use crate::id::InstanceId;
use crate::kind::payload;

payload! {
    /// `agent.upserted`: an agent of a gateway.
    pub struct AgentUpserted {
        /// Where it lives.
        instance_id: InstanceId,
        /// Its display name.
        name: String,
        /// The model it is configured with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// Whether the gateway uses it when no agent is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        is_default: Option<bool>,
    }

    /// `agent.statusChanged`: what the agent says about itself.
    pub struct AgentStatusChanged {
        /// A word.
        status: String,
        /// A sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status_text: Option<String>,
        /// Since when it says this, by the clock of the hub; what an instance says is replaced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status_at: Option<UnixMillis>,
    }

    /// `agent.removed`.
    pub struct AgentRemoved {}
}
