//! Limits: what the hub announces in `welcome`, and the floors that v1 guarantees.

use crate::wire::wire;

wire! {
    /// The limits of one connection, announced in `welcome`. Later releases may raise them, never lower them below [`Limits::V1`].
    pub struct Limits {
        /// The longest message a client may send, in bytes.
        frame_bytes "frameBytes": u64,
        /// How many bytes of data frames the hub sends before it waits for an `ack`.
        window_bytes "windowBytes": u64,
        /// How many bytes of events a publisher may have unacknowledged per lane.
        publish_bytes "publishBytes": u64,
        /// The largest published event, in bytes.
        event_bytes "eventBytes": u64,
        /// How many scopes one connection may subscribe.
        subscriptions "subscriptions": u64,
        /// How many commands one connection may send in a minute.
        commands_per_minute "commandsPerMinute": u64,
    }
}

impl Limits {
    /// The floors of v1: an event that fits them is accepted by every hub.
    pub const V1: Self = Self {
        frame_bytes: 1 << 20,
        window_bytes: 256 << 10,
        publish_bytes: 1 << 20,
        event_bytes: 512 << 10,
        subscriptions: 100,
        commands_per_minute: 60,
    };
}

/// No `events`, `snapshot` or `page` frame of the hub is longer than this, in bytes.
pub const DATA_FRAME_BYTES: usize = 256 << 10;
/// The hub packs frames to messages, and rows and events to data frames, of at most this many bytes, unless one of them
/// is longer: on 20 kbit/s such a message is through before its reader thinks that the hub is gone.
pub const MESSAGE_BYTES: usize = 64 << 10;
/// The longest order key of a row, in bytes.
pub const ORDER_BYTES: usize = 1024;
/// The largest entity in a conversation scope, in bytes of canonical text.
pub const ENTITY_BYTES_CONVERSATION: usize = 32 << 10;
/// The largest entity in the other scopes, in bytes of canonical text.
pub const ENTITY_BYTES: usize = 8 << 10;
/// The most that the live entities of an org hold, in bytes of canonical text: its snapshot.
pub const ORG_BYTES: u64 = 4 << 20;
/// The most effects of an integrator's event.
pub const MAX_VENDOR_EFFECTS: usize = 16;
/// The largest `data` and `effects` of an integrator's event together, in bytes of canonical text.
pub const VENDOR_EVENT_BYTES: usize = 64 << 10;
/// The largest data of an integrator's command, in bytes of canonical text.
pub const VENDOR_COMMAND_BYTES: usize = 64 << 10;
/// The largest part of a text field that stays in its entity when the whole does not fit.
pub const TEXT_HEAD_BYTES: usize = 16 << 10;
/// The hub acks a publish, and a client acks data frames, at the latest after this many bytes.
pub const ACK_BYTES: u64 = 64 << 10;
/// ... or after this many milliseconds.
pub const ACK_MS: u64 = 1_000;
/// The subprotocol of both WebSockets: major version and codec.
pub const SUBPROTOCOL: &str = "otter.v1.json";
/// The protocol version of this crate.
pub const PROTOCOL: u64 = 1;
/// The capability by which a bridge says that its copy is the instance from now on, whatever copy was connected last.
pub const ADOPT: &str = "adopt";
/// Longest time between the upgrade and `hello`, in milliseconds.
pub const HELLO_TIMEOUT_MS: u64 = 5_000;
/// Default heartbeat of the hub, in milliseconds.
pub const HEARTBEAT_MS: u64 = 15_000;
/// The longest message before `hello` was accepted, in bytes.
pub const HELLO_BYTES: usize = 64 << 10;
/// Rejections repeated per lane in `welcome`.
pub const MAX_REJECTED: usize = 1_000;
/// Boots that `hello` carries.
pub const MAX_BOOTS: usize = 64;
/// The most rows of one `page`.
pub const MAX_PAGE_ROWS: u64 = 100;
/// Fetches of one scope that may wait on one connection.
pub const MAX_FETCHES: usize = 16;
/// Open commands per instance.
pub const MAX_OPEN_COMMANDS: usize = 256;
/// Delta slots per scope, and the longest text of one, in bytes.
pub const MAX_SLOTS: usize = 64;
/// The longest text of a delta slot, in bytes.
pub const SLOT_BYTES: usize = 256 << 10;
