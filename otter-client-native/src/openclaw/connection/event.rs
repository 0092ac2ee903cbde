//! What the dialogue and its driver say to each other.

use crate::openclaw::connection::{GatewayStatus, Hello};
use crate::openclaw::device::{DeviceToken, TokenKey};
use crate::openclaw::frame::GatewayEvent;
use crate::openclaw::rpc::{RpcId, RpcResult};
use crate::openclaw::time::Instant;

/// One socket of the dialogue; each attempt has the next number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// Open a socket to the gateway. No header may look as if a proxy had added it.
    Open(Generation),
    /// Send a text message.
    Send(Generation, String),
    /// Close the socket with this code and drop it.
    Close(Generation, u16),
}

/// What the dialogue has to tell.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectionEvent {
    /// What people should be told about the link changed.
    Status(GatewayStatus),
    /// The handshake succeeded; requests may be made.
    Ready(Box<Hello>),
    /// The link ended; every open request has been answered with [`RpcError::Disconnected`](crate::openclaw::RpcError::Disconnected).
    Lost,
    /// An event of the gateway.
    Event(GatewayEvent),
    /// The outcome of a request.
    Response(RpcId, RpcResult),
    /// Events were lost on a link that still stands: read everything anew.
    Resync {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// The device token to keep from here on, or to forget.
    TokenChanged(TokenKey, Option<DeviceToken>),
}

/// Where the dialogue stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayState {
    /// A socket is being opened.
    Connecting,
    /// The socket is open, the challenge has not come.
    AwaitingChallenge,
    /// The challenge was answered, the verdict has not come.
    ConnectSent,
    /// Requests may be made.
    Ready,
    /// Nothing is open; the next attempt starts then.
    Retry(Instant),
    /// The device waits for its approval; the next look is then.
    Pairing {
        /// What has to be approved.
        request_id: Option<String>,
        /// The next attempt.
        at: Instant,
    },
    /// Someone has to change something; the next look is then.
    Fatal {
        /// What has to change, in words.
        reason: String,
        /// The next attempt.
        at: Instant,
    },
    /// The dialogue was ended from this side.
    Closed,
}

/// How much had to be overlooked, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Frames that could not be read and were ignored.
    pub malformed: u64,
    /// Lone surrogates that were repaired.
    pub repaired: u64,
}
