//! The OpenClaw side of a bridge: a gateway dialogue without sockets, clocks or randomness.
//!
//! * [`GatewayConnection`] is the wire dialogue: handshake, pairing, request bookkeeping, liveness, retries.
//! * [`translate`](translate::translate) turns gateway frames into events, signals and requests; what it has seen
//!   is [`Observed`].
//! * [`Attachment`] brings a fresh connection up to date: agents, sessions, history, runs that were lost.
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

pub use attach::{AttachStep, Attachment};
pub use command::{CommandOutput, CommandRequest, CommandStage, Commands, Journal, JournalRow, Work};
pub use connection::{
    Backoff, CloseReason, ConnectionEvent, Credentials, Generation, GatewayConfig, GatewayConnection, GatewayState,
    GatewayStatus, Hello, OpenFailure, Scope, Secret, Transmit,
};
pub use device::{DeviceError, DeviceIdentity, DeviceToken, TokenKey, TokenStore};
pub use frame::{Decoded, GatewayEvent, GatewayFrame, GatewayResponse, MalformedFrame, decode};
pub use ids::{ConversationId, InstanceId, RunId, SessionKey};
pub use observed::{Observed, ObservedRow};
pub use rpc::{RpcCall, RpcError, RpcId, RpcResult};
pub use time::{Instant, Now, UnixMillis};
