//! Logging: lines on standard error, chosen by RUST_LOG.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;

/// What is logged when RUST_LOG says nothing.
const DEFAULT: &str = "warn,otter_server=info";

/// Starts logging. Secrets never reach it: they print as `***`, and no query string is logged.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal());
    // A program that embeds the hub may have its own subscriber, which wins.
    drop(subscriber.try_init());
}
