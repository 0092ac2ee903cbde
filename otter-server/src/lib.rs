//! The reference hub of Otter: log, fan-out, commands and the console on one port.

pub mod ledger;
pub mod log;
pub mod store;
