//! The hub from outside: real sockets, real files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod auth;
mod command_line;
mod durability;
mod http;
mod hub;
mod memory;
mod metrics;
mod net;
mod process;
mod revoked;
mod sign_in;
mod slow;
