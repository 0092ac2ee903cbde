//! The two ends of a connection as sans-IO machines.
//!
//! Every machine is driven the same way: one call of a `handle_*` (or of another method that changes it), then its
//! `poll_*` methods until they return `None`, then a wait for the next message, command or `poll_timeout`.

pub mod client;
