//! What a client connection tells its driver.

use crate::error::ErrorBody;
use crate::frame::{CommandDispatch, Lanes, PageKey, Principal, Published};
use crate::id::{CommandId, EntityId, EntityKey, Scope};
use crate::limits::Limits;
use crate::wire::Json;
use crate::{Instant, UnixMillis};

/// What the driver does with its socket. In order; a frame never overtakes an open or close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transmit {
    /// Drop the socket if there is one and open a new one. Nothing that a dropped socket still says is handed in.
    Open,
    /// Send one WebSocket message: frames separated by newlines.
    Frames(String),
    /// Close the socket. Nothing that it still says is handed in.
    Close {
        /// The close code.
        code: u16,
        /// A word for the peer's log.
        reason: &'static str,
    },
}

/// Something outside the connection that makes it doubtful, or worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The page is shown.
    Visible,
    /// The page is hidden: no attempt starts until it is shown.
    Hidden,
    /// The network came back.
    Online,
    /// The network is said to be gone.
    Offline,
    /// The page came back.
    PageShow {
        /// From the back/forward cache, where its socket was closed.
        persisted: bool,
    },
    /// The wall clock jumped by more than five seconds: the machine slept.
    ClockJump,
}

/// Where the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Not started.
    Idle,
    /// A socket is being opened, or the hub has not welcomed it yet.
    Connecting,
    /// Welcomed.
    Online,
    /// Until `retry_at`, or until the page is shown.
    Waiting,
    /// The credential has to be fixed.
    SignedOut,
    /// Stopped for good: by its owner, or because this program or identity must not connect again.
    Stopped,
}

/// The connection as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// Where it is.
    pub phase: Phase,
    /// The hub's sentence when there is one, else a word: `offline`, `heartbeat`, `closed`, `hidden`, `stopped`.
    pub reason: Option<String>,
    /// The close code that led here.
    pub code: Option<u16>,
    /// Since when.
    pub since: Instant,
    /// Failed attempts since the last stable connection.
    pub attempt: u32,
    /// With `Waiting` and `SignedOut`: when the next attempt starts by itself.
    pub retry_at: Option<Instant>,
    /// The last measured round trip in milliseconds.
    pub round_trip_ms: Option<u64>,
}

/// How current a scope is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopePhase {
    /// Nothing is known yet.
    Loading,
    /// Everything up to this moment.
    Live,
    /// What was true earlier; it is being brought up to date, or the connection is down.
    Stale,
    /// Not visible to this principal.
    Denied,
}

/// How far a command got, as its sender sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandState {
    /// It waits for a connection.
    Held,
    /// It was sent and not answered yet.
    Sent,
    /// The hub has it on disk.
    Accepted,
    /// The hub, or this client, refused it; its rows stay until it is retried or dismissed.
    Refused(ErrorBody),
    /// A durable stage of `command.updated`, with its whole entity text.
    Stage {
        /// For instance `received` or `completed`.
        stage: String,
        /// The command entity's text.
        entity: String,
    },
}

/// How far back the list of a type goes. Its rows are the live ones, and those not live that are not older than
/// `oldest`; all of them when there is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListState {
    /// Older rows are on their way.
    pub loading: bool,
    /// There are older rows, as far as is known.
    pub more: bool,
    /// The oldest row fetched.
    pub oldest: Option<PageKey>,
    /// Why the last rows asked for did not come.
    pub error: Option<ErrorBody>,
}

/// One thing that happened. Those of one handled message belong together: drain them all before showing any.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)] // few at a time, moved once
pub enum ConnectionEvent {
    /// The connection's status changed.
    Status(ConnectionStatus),
    /// The hub welcomed the connection.
    Welcome {
        /// Who this is.
        principal: Principal,
        /// The hub's clock at the receipt.
        server_time: UnixMillis,
        /// Limits of the connection.
        limits: Limits,
        /// Instances only: what the hub has of the outbox.
        lanes: Option<Lanes>,
    },
    /// The hub answered a probe. A wall clock that somebody has set is compared with this anew.
    Clock {
        /// The hub's clock now.
        server_time: UnixMillis,
    },
    /// The principal is another one than before: every state, position and unsent command was dropped.
    Reset,
    /// A scope's phase changed.
    Scope {
        /// The scope.
        scope: Scope,
        /// Its phase.
        phase: ScopePhase,
        /// Why, when there is something to say.
        reason: Option<String>,
    },
    /// An entity, or what is predicted of it, changed or went away: read it again.
    Changed {
        /// The scope.
        scope: Scope,
        /// The entity.
        key: EntityKey,
    },
    /// A list got longer, or is about to. Its rows were told before.
    List {
        /// The scope.
        scope: Scope,
        /// The type of its rows.
        entity_type: String,
        /// The list.
        state: ListState,
    },
    /// A part of a text that its entity shows only the head of.
    Text {
        /// The scope.
        scope: Scope,
        /// The entity.
        key: EntityKey,
        /// Nothing of it came before; what did belongs to an earlier attempt.
        first: bool,
        /// The part, by member; `None` when the entity's text is whole, or is not there.
        part: Option<Json>,
        /// Nothing follows.
        done: bool,
        /// Why it does not come.
        error: Option<ErrorBody>,
    },
    /// The text of a running answer changed.
    Slot {
        /// The conversation's scope.
        scope: Scope,
        /// The run's entity id.
        run: EntityId,
        /// How many UTF-16 units of the shown text stay.
        from: u64,
        /// What follows them; `None`: there is no running answer any more.
        text: Option<String>,
    },
    /// An ephemeral notice, other than the text of an answer.
    Signal {
        /// The scope.
        scope: Scope,
        /// Its kind.
        kind: String,
        /// What it carries.
        data: Json,
    },
    /// A scope was asked for anew: what signals said of it is over, and those in force are told again.
    SignalsOver {
        /// The scope.
        scope: Scope,
    },
    /// A recorded event of a followed scope, each once and in order. State that it changed was told before.
    Event {
        /// The scope.
        scope: Scope,
        /// The event's seq.
        seq: u64,
        /// The recorded event.
        text: String,
        /// It happened before the subscription was answered.
        replayed: bool,
    },
    /// A command got further.
    Command {
        /// The command.
        id: CommandId,
        /// How far.
        state: CommandState,
    },
    /// Instances: a command to carry out. It may arrive again.
    Dispatch(CommandDispatch),
    /// Instances: answer to a publish.
    Published(Published),
    /// The hub refused a frame; nothing else was affected.
    Notice(ErrorBody),
}
