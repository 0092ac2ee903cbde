//! The contract of Otter: the events, frames and rules that a hub, an OpenClaw bridge and a browser agree on.
//!
//! Everything here is sans-IO: types, state and connection machines. Nothing opens a socket, reads a clock or draws
//! a random number; time enters as [`Instant`], seeds and ids are arguments. The code that a browser needs works on
//! JSON text and contains neither serde nor floats; the typed kinds ([`kind`]) and the JSON Schema sit behind the
//! features `serde` (default) and `schema`.

pub mod catalogue;
pub mod connection;
pub mod effect;
pub mod error;
pub mod event;
pub mod frame;
pub mod hash;
pub mod id;
pub mod limits;
pub mod overlay;
pub mod predict;
pub mod slots;
pub mod state;
pub mod text;
mod time;
pub mod wire;

#[cfg(feature = "serde")]
pub mod kind;

#[cfg(feature = "serde")]
pub mod publish;

#[cfg(feature = "schema")]
pub mod schema;

pub use time::{Instant, UnixMillis};
