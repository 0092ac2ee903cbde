//! What can go wrong in a client, by operation.

use std::path::PathBuf;

use crate::state_dir::StateDirError;

/// The local store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error("the local store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The store was made by a later release.
    #[error("{path} was written by a later release (layout {found}); upgrade this program")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its layout version.
        found: i64,
    },
    /// A stored row is not what this program writes.
    #[error("the local store holds a row that cannot be read: {0}")]
    Corrupt(String),
    /// A thread panicked while it used the store.
    #[error("the local store is unusable after a panic; restart the program")]
    Poisoned,
    /// The work of a transaction was refused; nothing of it was stored.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// An event does not enter the outbox. Nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// It is larger than every hub is sure to take.
    #[error("the event `{kind}` of {subject} has {bytes} bytes, at most {limit} are allowed; shorten it")]
    TooLarge {
        /// Its kind.
        kind: String,
        /// Its entity.
        subject: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Its kind is not in the catalogue of this release.
    #[error("the kind `{0}` is not known to this release")]
    UnknownKind(String),
    /// Too much waits for the hub.
    #[error("the outbox holds {bytes} bytes, which is its limit; the hub was not reachable for too long")]
    Full {
        /// Its size.
        bytes: u64,
    },
}

/// A client could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The state folder.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// The local store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address of the hub.
    #[error("`{0}` is not the address of a hub; it looks like wss://hub.example/ws/openclaw")]
    Address(String),
    /// An instance without a place for its state.
    #[error(
        "an instance keeps its outbox on disk: say where with `state_dir`, or `in_memory` if it will be started once only"
    )]
    NoState,
    /// A header, or the token.
    #[error("the header `{0}` cannot be sent: its name or value has characters that HTTP does not allow")]
    Header(String),
}

/// A request to the client could not be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client was shut down")]
pub struct Closed;

/// The hub does not let this client in; the words say what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the hub does not let this client in: {0}")]
pub struct NotWelcome(pub String);

/// What was published does not reach the hub, however long one waits. It stays in the outbox for the next start.
#[derive(Debug, thiserror::Error)]
pub enum FlushError {
    /// The hub does not let this client in; the words say what to do.
    #[error("the hub does not let this client in: {0}")]
    NotWelcome(String),
    /// The client was shut down.
    #[error("the client was shut down")]
    Closed,
    /// The client connects as a person, and sends no outbox.
    #[error("only an instance publishes, and this client connects as a person")]
    NotAnInstance,
    /// The outbox cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A scope will not become current, however long one waits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLive {
    /// The hub does not let this client follow the scope.
    #[error("the hub denies the scope: {0}")]
    Denied(String),
    /// The hub does not let this client in.
    #[error("the hub does not let this client in: {0}")]
    NotWelcome(String),
    /// The client was shut down.
    #[error("the client was shut down")]
    Closed,
}

/// Events could not be published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The client connects as a person, and sends no outbox. Nothing was stored.
    #[error("only an instance publishes, and this client connects as a person")]
    NotAnInstance,
    /// One of them does not enter the outbox.
    #[error(transparent)]
    Append(AppendError),
    /// The local store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for PublishError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Append(error) => Self::Append(error),
            other @ (StoreError::Sqlite(_)
            | StoreError::TooNew { .. }
            | StoreError::Corrupt(_)
            | StoreError::Poisoned) => Self::Store(other),
        }
    }
}
