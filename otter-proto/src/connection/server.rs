//! The hub's end of a connection.
//!
//! [`ServerConnection`] knows the rules of the stream: what may be sent when, in which order, and what a client must
//! not do. It never reads a store, a ring or a clock: it asks its driver ([`Need`]) and is answered.
//!
//! Positions are per scope. Data frames (`events`, `snapshot`) go while less than `limits.windowBytes` of them are
//! unacknowledged; a paused reader costs nothing, because what it has not got yet stays where it is and is asked for
//! by position when the window opens. Everything else ignores the window and is bounded by not reading from the
//! socket while too much of it waits.

mod answers;
mod fetches;
mod inbound;
mod limiter;
mod need;
mod outbound;
mod subscriptions;
#[cfg(test)]
mod tests;

pub use need::{
    Admission, Message, Need, PageAsk, Piece, SnapshotEnd, SnapshotRead, Start, Ticket, Transmit,
};

use std::collections::{BTreeSet, VecDeque};

use crate::error::{CloseCode, ErrorBody, ErrorCode};
use crate::frame::{Drain, HubBye, HubFrame, Ping, Principal, Refuse, ServerInfo, VersionRange};
use crate::id::{Epoch, Scope};
use crate::limits::{HEARTBEAT_MS, HELLO_BYTES, HELLO_TIMEOUT_MS, Limits, PROTOCOL};
use crate::time::{Instant, UnixMillis};
use limiter::{Bucket, Recent};
use need::Closing;
use outbound::Outbound;
use subscriptions::Subscriptions;

/// What the hub offers to every client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// The hub, for `welcome`.
    pub server: ServerInfo,
    /// The versions it speaks.
    pub supported: VersionRange,
    /// The capabilities it can put in force.
    pub capabilities: Vec<String>,
    /// The limits it announces and holds clients to.
    pub limits: Limits,
    /// A `ping` comes this often, in milliseconds.
    pub heartbeat_ms: u64,
    /// Frames a member's client may send per second on average; `ack` and `pong` are not counted.
    pub frames_per_second: u64,
    /// Frames a member's client may send at once.
    pub frame_burst: u64,
    /// Signals an instance may send per second on average; more are dropped, they are ephemeral.
    pub signals_per_second: u64,
    /// Signals a member's client may send per second on average; more are dropped.
    pub member_signals_per_second: u64,
    /// The connection is closed when more frames than this are refused within ten seconds.
    pub refused_per_10_s: usize,
}

impl ServerConfig {
    /// The defaults of v1.
    pub fn new(server: ServerInfo) -> Self {
        Self {
            server,
            supported: VersionRange { min: PROTOCOL, max: PROTOCOL },
            capabilities: vec!["binary".to_owned()],
            limits: Limits::V1,
            heartbeat_ms: HEARTBEAT_MS,
            frames_per_second: 50,
            frame_burst: 200,
            signals_per_second: 500,
            member_signals_per_second: 5,
            refused_per_10_s: 50,
        }
    }
}

/// A timer that comes later than this, or than half a heartbeat, was not late because of the client.
const STALL_MS: u64 = 1_000;
/// WebSocket pings and pongs a client may send per second on average.
const CONTROLS_PER_SECOND: u64 = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// `hello` has not come.
    AwaitHello,
    /// The driver decides about `hello`.
    Admitting { protocol: u64, capabilities: Vec<String>, subscribe: Vec<crate::frame::Subscribe> },
    /// `welcome` was sent.
    Open { principal: Principal, epoch: Epoch },
    /// `bye` or `refuse` was queued, or the client said `bye`, or the socket is gone.
    Closing,
}

/// The hub's end of a connection; see the module documentation for its rules.
#[derive(Debug)]
pub struct ServerConnection {
    config: ServerConfig,
    phase: Phase,
    opened: Instant,
    last_inbound: Instant,
    /// The bytes that had come when the driver last said so.
    received: u64,
    reading: bool,
    taken_before: u64,
    next_ping: Instant,
    pings_sent: u64,
    pongs_seen: u64,
    binary: bool,
    server_time: UnixMillis,
    out: Outbound,
    subs: Subscriptions,
    waiting_signals: BTreeSet<(Scope, String)>,
    needs: VecDeque<Need>,
    /// Frames that came in one message with `hello`, before the driver answered it.
    early: VecDeque<String>,
    refused: Recent,
    commands: Recent,
    frames: Bucket,
    signals: Bucket,
    controls: Bucket,
    counters: Counters,
}

/// What went wrong between a connection and its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Frames that were refused.
    pub refused: u64,
    /// Signals that were dropped because they came too fast.
    pub dropped_signals: u64,
    /// Subscriptions whose client gave its position up.
    pub resyncs: u64,
    /// Those because its state was not the hub's: a defect of one of the two.
    pub hash_mismatches: u64,
}

impl ServerConnection {
    /// A connection whose WebSocket was just accepted.
    pub fn new(config: ServerConfig, now: Instant) -> Self {
        let commands = usize::try_from(config.limits.commands_per_minute).unwrap_or(usize::MAX);
        Self {
            phase: Phase::AwaitHello,
            opened: now,
            last_inbound: now,
            received: 0,
            reading: true,
            taken_before: 0,
            next_ping: now.plus(config.heartbeat_ms),
            pings_sent: 0,
            pongs_seen: 0,
            binary: false,
            server_time: UnixMillis(0),
            out: Outbound::new(config.limits.window_bytes),
            subs: Subscriptions::default(),
            waiting_signals: BTreeSet::new(),
            needs: VecDeque::new(),
            early: VecDeque::new(),
            refused: Recent::new(config.refused_per_10_s, 10_000),
            commands: Recent::new(commands, 60_000),
            frames: Bucket::new(config.frames_per_second, config.frame_burst, now),
            signals: Bucket::new(config.signals_per_second, 4 * config.signals_per_second, now),
            controls: Bucket::new(CONTROLS_PER_SECOND, 5 * CONTROLS_PER_SECOND, now),
            counters: Counters::default(),
            config,
        }
    }

    /// Takes one text or binary message of the client.
    pub fn handle_message(&mut self, text: &str, now: Instant) {
        self.last_inbound = now;
        match self.phase {
            Phase::AwaitHello => self.first_message(text, now),
            Phase::Open { .. } => self.frames_of(text, now),
            Phase::Admitting { .. } if text.len() > HELLO_BYTES || !self.early.is_empty() => {
                self.handle_oversize(now);
            }
            Phase::Admitting { .. } => self.early.extend(crate::frame::split(text).map(str::to_owned)),
            Phase::Closing => {}
        }
    }

    /// Takes the count of bytes that came so far. Also a part of a message is a sign of life: a long one may take
    /// longer than the client may be silent. Say it before [`Self::handle_timeout`], and with every message.
    pub fn handle_received(&mut self, bytes: u64, now: Instant) {
        if bytes > self.received {
            self.received = bytes;
            self.last_inbound = now;
        }
    }

    /// Takes a WebSocket ping or pong of the client: a sign of life, and a refused frame when there are too many.
    pub fn handle_control(&mut self, now: Instant) {
        self.last_inbound = now;
        if self.controls.admit(now).is_err() && self.is_open() {
            self.strike(now);
        }
    }

    /// Takes a message that the socket refused because it is too long.
    pub fn handle_oversize(&mut self, now: Instant) {
        self.last_inbound = now;
        self.fail(
            CloseCode::TooLarge,
            ErrorBody::new(ErrorCode::TooLarge, "send messages within limits.frameBytes"),
        );
    }

    /// The socket is gone: nothing more is transmitted, and only what the client sent before is still asked.
    pub fn handle_closed(&mut self, _now: Instant) {
        self.phase = Phase::Closing;
        self.out.abandon();
        self.needs.retain(is_from_client);
        self.early.clear();
        self.waiting_signals.clear();
        self.subs.clear();
    }

    /// Runs what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.phase {
            Phase::AwaitHello if now >= self.opened.plus(HELLO_TIMEOUT_MS) => {
                let body = ErrorBody::retryable(ErrorCode::HelloTimeout, "send `hello` within 5 seconds");
                self.refuse(body, CloseCode::HelloTimeout);
            }
            Phase::Open { .. } => {
                let late = now.since(self.next_ping.min(self.silent_at()));
                if late > STALL_MS.min(self.config.heartbeat_ms / 2) {
                    // The hub itself stood still: the client was not asked, and what it sent is not read yet.
                    let one_ago = Instant(now.0.saturating_sub(self.config.heartbeat_ms));
                    self.last_inbound = self.last_inbound.max(one_ago);
                }
                if now >= self.silent_at() && !self.takes_bytes(now) {
                    self.close(CloseCode::Silent, "nothing was heard for two heartbeats", None);
                } else if now >= self.next_ping {
                    self.next_ping = now.plus(self.config.heartbeat_ms);
                    self.ask_for_heads();
                }
            }
            Phase::AwaitHello | Phase::Admitting { .. } | Phase::Closing => {}
        }
    }

    /// The driver stopped or resumed reading from the socket ([`Self::wants_read`]). While it does not read, a client
    /// is silent only when it takes nothing either.
    pub fn handle_reading(&mut self, reading: bool, now: Instant) {
        if reading != self.reading {
            self.last_inbound = self.last_inbound.max(now);
            self.taken_before = self.out.taken();
        }
        self.reading = reading;
    }

    /// Something of this scope was committed: it is asked for when the window allows.
    pub fn handle_news(&mut self, scope: &Scope) {
        if let Some(sub) = self.subs.get_mut(scope) {
            sub.dirty = true;
        }
    }

    /// Asks the client for a sign of life at once; it has answered when [`Self::pongs_seen`] reaches the result.
    pub fn probe_client(&mut self) -> u64 {
        self.ask_for_heads();
        if self.out.ping_waits() { self.pings_sent } else { self.pings_sent + 1 }
    }

    /// Announces that the hub will go away.
    pub fn drain(&mut self, window_ms: u64) {
        if matches!(self.phase, Phase::Open { .. }) {
            self.out.control(&HubFrame::Drain(Drain { window_ms }));
        }
    }

    /// Ends an open connection with `bye`.
    pub fn close(&mut self, code: CloseCode, reason: &str, retry_after_ms: Option<u64>) {
        let bye = HubBye { code: u64::from(code.number()), reason: reason.to_owned(), retry_after_ms };
        self.end(Some(&HubFrame::Bye(bye)), Closing::new(code, reason));
    }

    /// Refuses a client that is not welcomed yet.
    pub fn refuse(&mut self, error: ErrorBody, code: CloseCode) {
        let closing = Closing::new(code, &error.message);
        let supported = (error.code == ErrorCode::UnsupportedVersion).then(|| self.config.supported.clone());
        self.end(Some(&HubFrame::Refuse(Refuse { error, supported })), closing);
    }

    /// The next question or message for the driver.
    pub fn poll_event(&mut self) -> Option<Need> {
        if let Some(need) = self.needs.pop_front() {
            return Some(need);
        }
        if self.out.takes_signals()
            && let Some((scope, key)) = self.waiting_signals.pop_first()
        {
            return Some(Need::LatestSignal { scope, key });
        }
        self.subs.next_data(self.out.window())
    }

    /// The next thing for the socket. Drain [`Self::poll_event`] first, so that messages are packed well.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.out.poll_transmit()
    }

    /// When [`Self::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::AwaitHello => Some(self.opened.plus(HELLO_TIMEOUT_MS)),
            Phase::Open { .. } => Some(self.next_ping.min(self.silent_at())),
            Phase::Admitting { .. } | Phase::Closing => None,
        }
    }

    /// Whether the driver should read from the socket. It should not while `hello` is being decided, or while too
    /// many answers wait for a client that does not take them. A closing socket is read to its end.
    pub fn wants_read(&self) -> bool {
        let limit = usize::try_from(self.config.limits.subscriptions).unwrap_or(usize::MAX);
        match self.phase {
            Phase::Admitting { .. } => false,
            Phase::AwaitHello | Phase::Open { .. } => {
                !self.out.is_congested() && self.subs.unanswered() <= limit
            }
            Phase::Closing => true,
        }
    }

    /// Whether messages to the client are binary (the same UTF-8).
    pub const fn is_binary(&self) -> bool {
        self.binary
    }

    /// Whether `welcome` was sent and no close is on its way.
    pub const fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    /// Whether the connection is over for the machine: a close is on its way, or the socket is gone.
    pub const fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing)
    }

    /// Whether data waits for the client's ack.
    pub fn is_paused(&self) -> bool {
        self.is_open() && self.out.window() == 0
    }

    /// Bytes that wait for the socket.
    pub const fn queued_bytes(&self) -> usize {
        self.out.waiting_bytes()
    }

    /// What went wrong so far.
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How many pings the client has answered.
    pub const fn pongs_seen(&self) -> u64 {
        self.pongs_seen
    }

    const fn silent_at(&self) -> Instant {
        self.last_inbound.plus(2 * self.config.heartbeat_ms)
    }

    /// Whether a client that the hub does not read from took something since the last time this was asked: that is
    /// its sign of life then.
    fn takes_bytes(&mut self, now: Instant) -> bool {
        let taken = self.out.taken();
        if self.reading || taken == self.taken_before {
            return false;
        }
        self.taken_before = taken;
        self.last_inbound = now;
        true
    }

    fn ask_for_heads(&mut self) {
        let is_asked = self.needs.iter().any(|need| matches!(need, Need::Heads { .. }));
        if !self.out.ping_waits() && !is_asked && self.is_open() {
            self.needs.push_back(Need::Heads { scopes: self.subs.covered() });
        }
    }

    /// Closes with `refuse` before `welcome`, with `bye` after it.
    fn fail(&mut self, code: CloseCode, error: ErrorBody) {
        if self.is_open() {
            self.close(code, &error.message, error.retry_after_ms);
        } else {
            self.refuse(error, code);
        }
    }

    fn end(&mut self, last: Option<&HubFrame<'_>>, closing: Closing) {
        if self.phase == Phase::Closing {
            return;
        }
        self.phase = Phase::Closing;
        self.needs.retain(is_from_client);
        self.early.clear();
        self.waiting_signals.clear();
        self.needs.extend(self.subs.clear().into_iter().map(|scope| Need::Unsubscribed { scope }));
        self.needs.push_back(Need::Closing { code: closing.code, reason: closing.reason.clone() });
        self.out.close(last, closing);
    }

    fn send_ping(&mut self, pos: u64, heads: crate::wire::Positions) {
        if let Phase::Open { epoch, .. } = &self.phase {
            let ping = Ping { pos, epoch: epoch.clone(), heads };
            self.out.ping(&HubFrame::Ping(ping));
            self.pings_sent += 1;
        }
    }
}

/// Whether the client already counts on this being handled, also when it has gone since.
const fn is_from_client(need: &Need) -> bool {
    matches!(need, Need::Publish(_) | Need::Command(_) | Need::Signal(_))
}
