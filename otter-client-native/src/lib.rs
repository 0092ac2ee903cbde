//! The native client of Otter and the bridge that joins an OpenClaw gateway to a hub.

pub mod bridge;
mod error;
pub mod openclaw;
mod outbox;
pub mod policy;
mod state_dir;
mod store;

pub use error::{AppendError, Closed, PublishError, StartError, StoreError};
pub use outbox::{Appended, DeadLetter};
pub use state_dir::{StateDir, StateDirError};
pub use store::{Depth, Store, StoreTx};
