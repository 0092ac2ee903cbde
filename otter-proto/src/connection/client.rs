//! The client end of a connection: one machine for the browser, the native client and the simulator.
//!
//! [`ClientConnection`] decides when to connect and what to say, keeps the state of every followed scope, predicts
//! what its own commands will do, and tells its driver what happened. It owns no socket and no clock.

mod backoff;
mod commands;
mod config;
mod event;
mod fetches;
mod heartbeat;
mod inbound;
mod link;
mod optimistic;
mod restored;
mod scopes;
mod step;
mod subscription;
mod wake;
mod window;

pub use config::{ClientConfig, Role};
pub use event::{
    CommandState, ConnectionEvent, ConnectionStatus, ListState, Phase, ScopePhase, Transmit, Wake,
};
pub use optimistic::EntityView;
pub use subscription::Position;

use crate::connection::queue::Queue;
use crate::frame::{Bye, ClientFrame, Principal, Publish, Signal};
use crate::id::{BootId, Epoch, Scope};
use crate::wire::Json;
use crate::{Instant, UnixMillis};

use backoff::Backoff;
use commands::Commands;
use fetches::Fetches;
use link::{Link, Live};
use optimistic::Optimistic;
use subscription::Subscription;

/// The client end of a connection to a hub.
///
/// The driver opens and closes sockets as [`Transmit`] says, hands in what they say, and calls `handle_timeout` when
/// the clock reaches `poll_timeout`. After every call it drains `poll_transmit` and `poll_event` to `None`; what one
/// call produced belongs together and is shown at once. Between two `poll_event` calls it may call any method.
#[derive(Debug)]
pub struct ClientConnection {
    config: ClientConfig,
    link: Link,
    live: Option<Live>,
    backoff: Backoff,
    hidden: bool,
    last_open: Option<Instant>,
    status: ConnectionStatus,
    scopes: Vec<(Scope, Subscription)>,
    next_sub: u64,
    epoch: Option<Epoch>,
    commands: Commands,
    optimistic: Optimistic,
    fetches: Fetches,
    principal: Option<Principal>,
    clock: Option<(UnixMillis, Instant)>,
    messages: Vec<String>,
    transmits: Queue<Transmit>,
    events: Queue<ConnectionEvent>,
    held_back: Vec<ConnectionEvent>,
    counters: Counters,
}

/// What should not happen, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Frames and events that could not be read.
    pub bad_frames: u64,
    /// Frames of a type that is not known here.
    pub unknown_frames: u64,
    /// Subscriptions that had to be made anew, for any reason.
    pub resyncs: u64,
    /// Resyncs because an event was missing.
    pub gaps: u64,
    /// Resyncs because the state was not the hub's state.
    pub hash_mismatches: u64,
    /// Signals dropped because the connection was down or behind.
    pub dropped_signals: u64,
}

impl ClientConnection {
    /// A connection that does nothing before [`ClientConnection::start`].
    pub fn new(config: ClientConfig, now: Instant) -> Self {
        Self {
            backoff: Backoff::new(config.role, config.seed),
            config,
            link: Link::Idle,
            live: None,
            hidden: false,
            last_open: None,
            status: ConnectionStatus {
                phase: Phase::Idle,
                reason: None,
                code: None,
                since: now,
                attempt: 0,
                retry_at: None,
                round_trip_ms: None,
            },
            scopes: Vec::new(),
            next_sub: 1,
            epoch: None,
            commands: Commands::default(),
            optimistic: Optimistic::default(),
            fetches: Fetches::default(),
            principal: None,
            clock: None,
            messages: Vec::new(),
            transmits: Queue::new(),
            events: Queue::new(),
            held_back: Vec::new(),
            counters: Counters::default(),
        }
    }

    /// Connects, and stays connected until [`ClientConnection::stop`]. Also tries again after a terminal refusal.
    pub fn start(&mut self, now: Instant) {
        if matches!(self.link, Link::Idle | Link::Stopped | Link::SignedOut { .. }) {
            self.backoff.reset();
            self.connect(now);
        }
    }

    /// Disconnects for good. Events that were not polled yet are not delivered any more; states and positions stay.
    pub fn stop(&mut self, now: Instant) {
        if matches!(self.link, Link::Online { .. }) {
            self.send(&ClientFrame::Bye(Bye { reason: Some("stopped".to_owned()) }));
        }
        self.hang_up(1000, "stopped", true);
        self.events.clear();
        self.held_back.clear();
        self.link = Link::Idle;
        self.detach_scopes();
        self.events.clear();
        self.tell(Phase::Idle, Some("stopped"), now);
    }

    /// Replaces the boots that `hello` will carry. Before the socket is reported as opened.
    pub fn set_boots(&mut self, boots: Vec<BootId>) {
        self.config.boots = boots;
    }

    /// Sends an ephemeral notice; drops it when the connection is down or far behind, or when it alone is too much.
    pub fn signal(&mut self, scope: Scope, kind: &str, data: Json) {
        let queued = self.messages.iter().map(String::len).sum::<usize>() + data.as_str().len();
        if matches!(self.link, Link::Online { .. }) && queued < MAX_QUEUED_SIGNALS {
            self.send(&ClientFrame::Signal(Signal { scope, kind: kind.to_owned(), data }));
        } else {
            self.counters.dropped_signals += 1;
        }
    }

    /// Sends events of an outbox, as a [`crate::publish::Publisher`] made them. Nothing happens unless welcomed.
    pub fn publish(&mut self, publish: Publish) {
        if matches!(self.link, Link::Online { .. }) {
            self.send(&ClientFrame::Publish(publish));
        }
    }

    /// What to do with the socket next.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        if let Some(transmit) = self.transmits.pop() {
            return Some(transmit);
        }
        if self.messages.is_empty() { None } else { Some(Transmit::Frames(self.messages.remove(0))) }
    }

    /// What happened next.
    pub fn poll_event(&mut self) -> Option<ConnectionEvent> {
        self.events.pop()
    }

    /// The connection's status.
    pub const fn status(&self) -> &ConnectionStatus {
        &self.status
    }

    /// Where the connection is.
    pub const fn phase(&self) -> Phase {
        self.status.phase
    }

    /// Who the hub says this is; kept while disconnected.
    pub const fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// The last measured round trip, in milliseconds.
    pub const fn round_trip_ms(&self) -> Option<u64> {
        self.status.round_trip_ms
    }

    /// The hub's clock at `now`, as far as it was ever told.
    pub fn server_time(&self, now: Instant) -> Option<UnixMillis> {
        self.clock.map(|(time, at)| UnixMillis(time.0.saturating_add(now.since(at))))
    }

    /// Milliseconds to add to the caller's wall clock to get the hub's. `unix_now` is that clock at `now`.
    pub fn server_offset_ms(&self, unix_now: UnixMillis, now: Instant) -> Option<i64> {
        let hub = i64::try_from(self.server_time(now)?.0).ok()?;
        Some(hub - i64::try_from(unix_now.0).ok()?)
    }

    /// What should not happen, counted since the start.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Queues a frame, packed with others into one message.
    fn send(&mut self, frame: &ClientFrame) {
        let mut text = String::new();
        frame.encode(&mut text);
        match self.messages.last_mut() {
            Some(message) if message.len() + text.len() < MESSAGE_BYTES => {
                message.push('\n');
                message.push_str(&text);
            }
            _ => self.messages.push(text),
        }
    }

    fn emit(&mut self, event: ConnectionEvent) {
        self.events.push(event);
    }
}

/// Frames are packed into messages of about this size.
const MESSAGE_BYTES: usize = 64 << 10;
/// With so many bytes waiting for the socket, signals are dropped.
const MAX_QUEUED_SIGNALS: usize = 256 << 10;

#[cfg(test)]
mod tests;
