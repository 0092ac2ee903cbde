//! The OpenClaw side of a bridge: a gateway dialogue without sockets, clocks or randomness.
//!
//! * [`GatewayConnection`] is the wire dialogue: handshake, pairing, request bookkeeping, liveness, retries.
//! * [`translate`](translate::translate) turns gateway frames into events, signals and reads; what it has seen is
//!   [`Observed`].
//! * [`Attachment`] does the reads: it brings a fresh connection up to date and ends runs that were lost.
//! * [`Commands`] carries commands to the gateway and says what became of them.
//!
//! Every machine follows one contract: one `handle_*` call, then drain what it offers, then wait. Time is an
//! argument, see [`Now`].

mod attach;
mod command;
mod connection;
mod device;
mod frame;
mod history;
mod ids;
mod json;
mod observed;
mod rpc;
mod text;
mod time;
pub mod translate;

pub use attach::{Attachment, ReadId};
pub use command::{CommandOutput, CommandRequest, Commands, JournalRow, Verb};
pub use connection::{
    Backoff, CloseReason, ConnectionEvent, Credentials, GatewayConfig, GatewayConnection, GatewayState,
    GatewayStatus, Generation, Hello, Oddities, OpenFailure, Scope, Secret, Transmit,
};
pub use device::{DeviceError, DeviceIdentity, DeviceToken, TokenKey, TokenStore};
pub use frame::{Decoded, GatewayEvent, GatewayFrame, GatewayResponse, MalformedFrame, decode};
pub use ids::SessionKey;
pub use observed::{Observed, ObservedRow};
pub use rpc::{FEED_LIST, RpcCall, RpcError, RpcId, RpcResult};
pub use time::{Instant, Now, UnixMillis};
pub use translate::{Output, Publish, Signal, Want};
