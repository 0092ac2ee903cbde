//! Connections from outside: real sockets against a hub whose store is in memory.

mod floods;
pub(crate) mod harness;
mod input;
mod instances;
mod kernel;
mod people;
mod restart;
mod signals;
mod storm;
mod stream;
