//! The reference hub of Otter: log, fan-out, commands and the console on one port.

mod clock;
pub mod conn;
pub mod fanout;
pub mod hub;
pub mod ledger;
pub mod log;
mod ring;
mod signals;
pub mod store;
pub mod ws;
