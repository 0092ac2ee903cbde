//! What a [`ServerConnection`](super::ServerConnection) asks its driver, and what the driver answers with.

use std::sync::Arc;

use crate::error::CloseCode;
use crate::frame::{Command, Hello, Lanes, PageKey, Principal, Publish, Signal, SnapshotRow};
use crate::id::{EntityKey, Epoch, Scope};
use crate::time::UnixMillis;
use crate::wire::Positions;

/// Names one subscription of one connection. An answer with the ticket of an ended subscription is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(super) u64);

/// A question or a message for the driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// Admit this client: answer with `welcome` or `refuse`.
    Hello(Hello),
    /// How does this subscription start? Register for news of the scope first, then answer with `subscribed`.
    Subscribe {
        /// Of this subscription.
        ticket: Ticket,
        /// The scope, `member/self` resolved.
        scope: Scope,
        /// The position the client holds, when it names one.
        position: Option<(Epoch, u64)>,
    },
    /// The scope is not subscribed any more: no news of it are wanted.
    Unsubscribed {
        /// The scope.
        scope: Scope,
    },
    /// Frames after a position: answer with `provide_events`.
    Events {
        /// Of this subscription.
        ticket: Ticket,
        /// The scope.
        scope: Scope,
        /// The seq after which to go on.
        after: u64,
        /// Frames are taken until this many bytes are reached.
        max_bytes: u64,
    },
    /// A page of live entities: answer with `provide_snapshot`.
    Snapshot {
        /// Of this subscription.
        ticket: Ticket,
        /// The scope.
        scope: Scope,
        /// The last key of the page before; `None` asks for the first page.
        after: Option<EntityKey>,
    },
    /// A page of rows, live or not, or one whole row: answer with `provide_page`. The scope waits for it.
    Page {
        /// Of this subscription.
        ticket: Ticket,
        /// The scope.
        scope: Scope,
        /// The number of the fetch, which the page repeats.
        id: u64,
        /// What is asked for.
        ask: PageAsk,
    },
    /// A subscription started: send the current signals of its scope with `signal`.
    Signals {
        /// The scope.
        scope: Scope,
    },
    /// The latest signal of a key that had to wait: answer with `signal`, or not at all when it is over.
    LatestSignal {
        /// The scope.
        scope: Scope,
        /// The key that `signal` was called with.
        key: String,
    },
    /// A heartbeat is due: read the fan-out watermark, then the head of each scope, and answer with `provide_heads`.
    Heads {
        /// The scopes the heartbeat covers.
        scopes: Vec<Scope>,
    },
    /// Events of an instance: answer with `published`.
    Publish(Publish),
    /// A command of a member: answer with `reply`.
    Command(Command),
    /// An ephemeral notice; no answer.
    Signal(Signal),
    /// The client answered a ping: what it has applied.
    Pong(Positions),
    /// The machine closes the connection. Emitted once; the line to log.
    Closing {
        /// The close code; 1000 when the client said `bye`.
        code: u16,
        /// Why.
        reason: String,
    },
}

/// What a client fetches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageAsk {
    /// Rows of a type, from new to old.
    Rows {
        /// The type.
        entity_type: String,
        /// Only rows older than this one.
        before: Option<PageKey>,
        /// At most so many, 1 to 100.
        limit: u64,
    },
    /// One entity with the whole of its cut text.
    Whole {
        /// The entity.
        entity: EntityKey,
        /// Where its text goes on: what the page before said as `next`.
        before: Option<PageKey>,
    },
}

/// What the driver knows when it admits a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// Who the client is, from its credential.
    pub principal: Principal,
    /// The hub's clock.
    pub server_time: UnixMillis,
    /// The epoch of the org.
    pub epoch: Epoch,
    /// Instances only.
    pub lanes: Option<Lanes>,
}

/// How a subscription starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// From the position the client named.
    Resumed {
        /// The scope's head now.
        head: u64,
    },
    /// From a snapshot.
    Snapshot {
        /// The scope's head now.
        head: u64,
        /// Why a position was not resumed.
        reason: Option<String>,
    },
    /// Not at all.
    Denied {
        /// Why.
        reason: String,
    },
}

/// One encoded `events` frame of a scope, shared by all its readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// `prev` of its first event.
    pub prev: u64,
    /// `seq` of its last event.
    pub last: u64,
    /// The frame.
    pub frame: Arc<str>,
}

/// A page of a snapshot as the driver read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRead<'a> {
    /// Live entities, ordered by key.
    pub rows: &'a [SnapshotRow<'a>],
    /// The scope's head when the page was read.
    pub as_of: u64,
    /// On the last page only.
    pub end: Option<SnapshotEnd>,
}

/// What the last page of a snapshot adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotEnd {
    /// The scope's head when the last page was read.
    pub head: u64,
    /// The state hash at that head, 16 hex digits.
    pub hash: Option<String>,
}

/// Something for the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// One WebSocket message: one or more frames separated by a newline.
    Message(Message),
    /// A close frame; nothing follows.
    Close {
        /// The close code.
        code: u16,
        /// At most 123 bytes.
        reason: String,
    },
}

/// The text of one WebSocket message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Frames packed for this connection.
    Owned(String),
    /// One frame whose bytes other connections share.
    Shared(Arc<str>),
}

impl Message {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Owned(text) => text,
            Self::Shared(text) => text,
        }
    }
}

/// A close that is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing {
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Closing {
    pub(super) fn new(code: CloseCode, reason: &str) -> Self {
        Self { code: code.number(), reason: close_reason(reason) }
    }
}

/// A close frame holds 123 bytes of reason: cuts there, on a character boundary.
fn close_reason(reason: &str) -> String {
    const LONGEST: usize = 123;
    reason.get(..reason.floor_char_boundary(LONGEST)).unwrap_or_default().to_owned()
}
