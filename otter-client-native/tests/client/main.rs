//! The client against a scripted hub.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on may panic

mod commands;
mod hub;
mod publishing;
mod scopes;
