//! Payloads of `instance.*`.

use crate::UnixMillis;
use crate::id::InstanceId;
use crate::kind::payload;
use crate::wire::words;

words! {
    /// Whether the hub hears the instance: observed by the hub, changed only when its lease changes.
    pub enum Connection {
        /// Its socket answers.
        Online = "online",
        /// It has been away for more than the grace time.
        Offline = "offline",
    }

    /// The bridge's link to its gateway, as the bridge reports it.
    pub enum GatewayState {
        /// A connection attempt is under way.
        Connecting = "connecting",
        /// The gateway answers.
        Online = "online",
        /// The gateway is starting or busy; one attempt is in flight.
        Waking = "waking",
        /// The gateway does not answer.
        Offline = "offline",
        /// The gateway's owner has to approve this device.
        Pairing = "pairing",
        /// The gateway refuses the bridge; `reason` says what to change.
        Refused = "refused",
    }
}

payload! {
    /// The program that connects the instance.
    pub struct BridgeInfo {
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    }

    /// `instance.connected`: the hub accepted the instance's socket.
    pub struct InstanceConnected {
        /// Always `online`.
        connection: Connection,
        /// When.
        connected_at: UnixMillis,
        /// The display name given when the instance was added.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The bridge.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bridge: Option<BridgeInfo>,
        /// Why it was away; removed by this event.
        #[serde(default)]
        reason: Option<String>,
    }

    /// `instance.disconnected`: the grace time after its last sign of life is over.
    pub struct InstanceDisconnected {
        /// Always `offline`.
        connection: Connection,
        /// When its socket was lost.
        disconnected_at: UnixMillis,
        /// Why, in a word or a sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }

    /// The bridge's link to its gateway.
    pub struct GatewayLink {
        /// The state.
        state: GatewayState,
        /// What to do about it, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// With `pairing`: the request to approve.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request_id: Option<String>,
        /// The gateway's version.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// The gateway's process run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        boot_id: Option<String>,
        /// Since when this state holds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<UnixMillis>,
    }

    /// What waits in the bridge.
    pub struct OutboxDepth {
        /// Events that the hub has not acknowledged.
        pending: u64,
        /// Events that the hub refused for good.
        dead: u64,
    }

    /// `instance.updated`: what the bridge says about itself.
    pub struct InstanceUpdated {
        /// A display name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The link to the gateway; replaced whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gateway: Option<GatewayLink>,
        /// The outbox.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outbox: Option<OutboxDepth>,
    }

    /// A lane whose outbox was replaced: events may be missing.
    pub struct LaneGap {
        /// The lane.
        lane: crate::frame::Lane,
        /// The generation that ended.
        from_epoch: u64,
        /// When the hub saw the next one.
        at: UnixMillis,
    }

    /// `instance.gap`.
    pub struct InstanceGap {
        /// The newest gap.
        gap: LaneGap,
    }

    /// `instance.removed`: an admin took it out of the org. It is not let in again under this id.
    pub struct InstanceRemoved {}

    /// Command `instance.remove`: takes an instance out of the org and ends its credential. What it published stays.
    pub struct InstanceRemove {
        /// The instance.
        instance_id: InstanceId,
    }
}
