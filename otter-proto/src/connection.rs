//! Connection machines: both ends of a WebSocket, without the socket.
//!
//! The contract of every machine: call one `handle_*` (or another method that changes it), then drain `poll_event`
//! and `poll_transmit` until they return `None`, then wait for the socket or for `poll_timeout`.

pub mod client;
mod queue;
#[cfg(feature = "serde")]
pub mod server;
