//! Connection machines: both ends of a WebSocket, without the socket.
//!
//! The contract of every machine: call one `handle_*` (or answer one question), then drain `poll_event` and
//! `poll_transmit` until they return `None`, then wait for the socket or for `poll_timeout`.

pub mod server;
