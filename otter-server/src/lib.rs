//! The reference hub of Otter: log, fan-out, commands and the console on one port.

pub mod auth;
pub mod cli;
pub mod config;
pub mod http;
pub mod ledger;
pub mod log;
mod serve;
mod shutdown;
pub mod store;
pub mod telemetry;

pub use serve::{Server, serve};

/// The address that a link opens. The secret is in the fragment, which browsers do not send.
pub(crate) fn link_text(public: &str, secret: &auth::Secret) -> String {
    format!("{public}/auth#t={}", secret.expose())
}
