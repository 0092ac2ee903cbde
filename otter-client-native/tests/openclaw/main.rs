//! The OpenClaw side against recorded gateways.

#![allow(clippy::unwrap_used, reason = "support code of tests may panic")]

mod bench;
mod connection;
mod golden;
mod rules;
