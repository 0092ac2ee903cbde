//! The reference hub of Otter: log, fan-out, commands and the console on one port.

pub mod auth;
pub mod cli;
mod clock;
pub mod config;
pub mod conn;
pub mod fanout;
pub mod http;
pub mod hub;
pub mod ledger;
pub mod log;
pub mod metrics;
mod pages;
mod received;
mod ring;
mod serve;
mod shutdown;
pub mod signals;
pub mod store;
pub mod telemetry;
pub mod ws;

pub use received::Received;
pub use serve::{Server, serve};

/// The address that a link opens. The secret is in the fragment, which browsers do not send.
pub(crate) fn link_text(public: &str, secret: &auth::Secret) -> String {
    format!("{public}/auth#t={}", secret.expose())
}
