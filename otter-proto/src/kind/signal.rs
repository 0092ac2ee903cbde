//! Payloads of signals.

use crate::UnixMillis;
use crate::id::{EntityId, InstanceId};
use crate::kind::{OutboxDepth, payload};

payload! {
    /// `message.delta`: text of a running answer.
    pub struct MessageDelta {
        /// The run's entity id; the text becomes message `<runId>:answer`.
        run_id: EntityId,
        /// Where `text` goes, in UTF-16 code units; 0 replaces everything.
        offset: u64,
        /// The text from there on.
        text: String,
    }

    /// `run.progress`: what a run is doing at the moment.
    pub struct RunProgress {
        /// The run's entity id.
        run_id: EntityId,
        /// The gateway's word for the phase.
        phase: String,
        /// The tool in use.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool: Option<String>,
        /// What it does, for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    }

    /// `instance.heartbeat`: the bridge is alive, whatever its gateway does.
    pub struct InstanceHeartbeat {
        /// The instance.
        instance_id: InstanceId,
        /// When, by the bridge's clock.
        at: UnixMillis,
        /// What waits in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outbox: Option<OutboxDepth>,
    }
}
