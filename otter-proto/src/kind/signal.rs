//! Payloads of signals.

use crate::UnixMillis;
use crate::id::{EntityId, InstanceId, MemberId};
use crate::kind::{OutboxDepth, payload};
use crate::wire::words;

words! {
    /// Whether a person is here.
    pub enum PresenceState {
        /// A page of theirs is connected.
        Online = "online",
        /// None is.
        Offline = "offline",
    }
}

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

    /// `typing`: a person writes in a conversation that they follow; viewers do not, they cannot send it. Gone 6 s after
    /// the last one, or when `active` is false.
    pub struct Typing {
        /// Who; set by the hub, what a client says is replaced.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member_id: Option<MemberId>,
        /// Their display name; set by the hub.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Whether they write at the moment.
        active: bool,
    }

    /// `presence`: a person of the org; one per person whatever the number of their tabs. Made by the hub: online while
    /// a page of theirs answers pings, offline 5 s after the last one closed. A new subscription of `org` is told anew
    /// who is online; who is not named is not here.
    pub struct Presence {
        /// Who.
        member_id: MemberId,
        /// Their display name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Whether they are here.
        state: PresenceState,
        /// Since when they are in this state, by the clock of the hub.
        since: UnixMillis,
    }

    /// `instance.heartbeat`: the bridge is alive, whatever its gateway does.
    pub struct InstanceHeartbeat {
        /// The instance.
        instance_id: InstanceId,
        /// When, by the bridge's clock.
        at: UnixMillis,
        /// When the hub heard it, by the hub's clock; set by the hub. The age that is shown counts from here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        heard_at: Option<UnixMillis>,
        /// What waits in it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outbox: Option<OutboxDepth>,
    }
}
