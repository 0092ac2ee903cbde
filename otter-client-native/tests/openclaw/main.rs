//! The OpenClaw side against recorded gateways.

mod bench;
mod connection;
mod golden;
mod rules;
