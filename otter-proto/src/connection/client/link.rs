//! The life of sockets: when one is opened, how it is greeted, and what follows its end.

use crate::Instant;
use crate::connection::client::backoff::Pace;
use crate::connection::client::config::Role;
use crate::connection::client::event::{ConnectionEvent, Phase, Transmit};
use crate::connection::client::heartbeat::{Heartbeat, Verdict};
use crate::connection::client::window::Window;
use crate::connection::client::{ClientConnection, Counters};
use crate::error::{CloseAction, CloseCode, ErrorBody};
use crate::frame::{ClientFrame, ClientInfo, Hello, VersionRange};
use crate::limits::{HEARTBEAT_MS, PROTOCOL};

/// Where the socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Not started.
    Idle,
    /// Until the next attempt. A `firm` wait was asked for by the hub; nothing but time ends it.
    Waiting { until: Instant, firm: bool },
    /// The driver was asked for a socket; `hidden`: the page was hidden meanwhile.
    Opening { since: Instant, hidden: bool },
    /// `hello` is sent.
    Greeting { since: Instant },
    /// Welcomed.
    Online { since: Instant },
    /// The credential has to be fixed; an instance looks again from time to time.
    SignedOut { until: Option<Instant>, since: Instant },
    /// This program or identity must not connect again.
    Stopped,
}

/// What belongs to one socket and dies with it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) window: Window,
    pub(super) heartbeat: Heartbeat,
    pub(super) drain_at: Option<Instant>,
    /// The hub's announcement of the close.
    pub(super) farewell: Option<Farewell>,
}

/// Why the hub closes.
#[derive(Debug, Clone)]
pub(super) struct Farewell {
    pub(super) code: u16,
    pub(super) reason: String,
    pub(super) retry_after_ms: Option<u64>,
}

impl Farewell {
    /// The close that a refusal announces, in case the close code itself is lost on its way.
    pub(super) fn of(error: &ErrorBody) -> Self {
        Self {
            code: error.close_code().number(),
            reason: error.message.clone(),
            retry_after_ms: error.retry_after_ms,
        }
    }
}

impl ClientConnection {
    /// The socket is open: greets the hub.
    pub fn handle_opened(&mut self, now: Instant) {
        if !matches!(self.link, Link::Opening { .. }) {
            return;
        }
        self.link = Link::Greeting { since: now };
        self.live = Some(Live {
            window: Window::default(),
            heartbeat: Heartbeat::new(HEARTBEAT_MS, now),
            drain_at: None,
            farewell: None,
        });
        let hello = Hello {
            protocol: VersionRange { min: PROTOCOL, max: PROTOCOL },
            client: ClientInfo { name: self.config.name.clone(), version: self.config.version.clone() },
            capabilities: self.config.capabilities.clone(),
            boots: self.config.boots.clone(),
            subscribe: self.ask_all(),
        };
        self.send(&ClientFrame::Hello(hello));
    }

    /// The socket is closed, with this code (1006 when there was none).
    pub fn handle_closed(&mut self, code: u16, reason: &str, now: Instant) {
        if !self.has_socket() {
            return;
        }
        let farewell = self.live.as_mut().and_then(|live| live.farewell.take());
        let told = (4000..5000).contains(&code);
        let code = if told { code } else { farewell.as_ref().map_or(code, |farewell| farewell.code) };
        let words = match &farewell {
            Some(farewell) => farewell.reason.as_str(),
            None if reason.is_empty() => "closed",
            None => reason,
        };
        let retry_after = farewell.as_ref().and_then(|farewell| farewell.retry_after_ms);
        self.lost(CloseAction::of(code), Some(code), words, retry_after, now);
    }

    /// The socket could not be opened.
    pub fn handle_failed(&mut self, now: Instant) {
        if self.has_socket() {
            self.lost(CloseAction::Resume, None, "offline", None, now);
        }
    }

    /// When [`ClientConnection::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.link {
            Link::Idle | Link::Stopped => None,
            Link::SignedOut { until, .. } => until,
            Link::Waiting { until, .. } => (!self.hidden).then_some(until),
            Link::Opening { since, .. } | Link::Greeting { since } => Some(since.plus(OPEN_MS)),
            Link::Online { .. } => {
                let live = self.live.as_ref();
                let of_live = [
                    live.map(|live| live.heartbeat.deadline()),
                    live.and_then(|live| live.window.due()),
                    live.and_then(|live| live.drain_at),
                    self.commands.deadline(),
                    self.scopes_deadline(),
                ];
                of_live.into_iter().flatten().min()
            }
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.link {
            Link::Waiting { until, .. } if now >= until && !self.hidden => self.connect(now),
            Link::SignedOut { until: Some(until), .. } if now >= until => self.connect(now),
            Link::Opening { since, .. } | Link::Greeting { since } if now >= since.plus(OPEN_MS) => {
                self.hang_up(CloseCode::ProbeFailed.number(), "no answer", false);
                self.lost(CloseAction::Resume, None, "offline", None, now);
            }
            Link::Online { .. } => self.online_timeout(now),
            Link::Idle
            | Link::Stopped
            | Link::Waiting { .. }
            | Link::SignedOut { .. }
            | Link::Opening { .. }
            | Link::Greeting { .. } => {}
        }
    }

    fn online_timeout(&mut self, now: Instant) {
        let Some(live) = &mut self.live else { return };
        if live.drain_at.is_some_and(|at| now >= at) {
            self.hang_up(CloseCode::Drain.number(), "drain", false);
            self.detach_scopes();
            return self.connect(now);
        }
        match live.heartbeat.check(now) {
            Verdict::Fine => {}
            Verdict::Ask => self.probe(now),
            Verdict::Dead => {
                self.hang_up(CloseCode::Silent.number(), "heartbeat", false);
                return self.lost(CloseAction::Resume, None, "heartbeat", None, now);
            }
        }
        if let Some(live) = &mut self.live
            && live.window.due().is_some_and(|due| now >= due)
            && let Some(ack) = live.window.ack()
        {
            self.send(&ClientFrame::Ack(ack));
        }
        self.ask_due(now);
        self.send_commands(now);
    }

    /// Starts an attempt, unless the page is hidden.
    pub(super) fn connect(&mut self, now: Instant) {
        if self.hidden {
            self.link = Link::Waiting { until: now, firm: false };
            return self.tell(Phase::Waiting, Some("hidden"), now);
        }
        self.messages.clear();
        self.live = None;
        self.transmits.push(Transmit::Open);
        self.link = Link::Opening { since: now, hidden: false };
        self.last_open = Some(now);
        self.tell(Phase::Connecting, None, now);
    }

    /// Asks the hub for a sign of life within two seconds.
    pub(super) fn probe(&mut self, now: Instant) {
        if let Some(probe) = self.live.as_mut().and_then(|live| live.heartbeat.ask(now)) {
            self.send(&ClientFrame::Probe(probe));
        }
    }

    /// Has the driver drop its socket, after what is queued when `flush` says so.
    pub(super) fn hang_up(&mut self, code: u16, reason: &'static str, flush: bool) {
        if self.has_socket() {
            let rest = std::mem::take(&mut self.messages);
            if flush {
                for frames in rest {
                    self.transmits.push(Transmit::Frames(frames));
                }
            }
            self.transmits.push(Transmit::Close { code, reason });
        }
        self.messages.clear();
        self.live = None;
    }

    /// The socket is gone: decides what follows.
    pub(super) fn lost(
        &mut self,
        action: CloseAction,
        code: Option<u16>,
        reason: &str,
        retry_after_ms: Option<u64>,
        now: Instant,
    ) {
        if matches!(self.link, Link::Online { since } if now.since(since) >= STABLE_MS) {
            self.backoff.reset();
        }
        self.live = None;
        self.messages.clear();
        self.status.code = code;
        let phase = self.after(action, retry_after_ms, now);
        self.detach_scopes();
        let hidden = self.hidden && phase == Phase::Waiting && code.is_none();
        self.tell(phase, Some(if hidden { "hidden" } else { reason }), now);
    }

    fn after(&mut self, action: CloseAction, retry_after_ms: Option<u64>, now: Instant) -> Phase {
        let pace = match (retry_after_ms, action) {
            (Some(ms), _) => Pace::After(ms),
            (None, CloseAction::Resume | CloseAction::StartOver) => Pace::Quick,
            (None, CloseAction::BackOff | CloseAction::FixCredential | CloseAction::Terminal) => Pace::Slow,
        };
        match action {
            CloseAction::Terminal => {
                self.link = Link::Stopped;
                return Phase::Stopped;
            }
            CloseAction::FixCredential => {
                let pause = retry_after_ms.unwrap_or(0).max(CREDENTIAL_MS);
                let until = (self.config.role == Role::Instance)
                    .then(|| now.plus(pause).plus(self.backoff.spread(pause / 4)));
                self.link = Link::SignedOut { until, since: now };
                return Phase::SignedOut;
            }
            CloseAction::StartOver => {
                for (_, subscription) in &mut self.scopes {
                    subscription.forget_position();
                }
            }
            CloseAction::Resume | CloseAction::BackOff => {}
        }
        let until = now.plus(self.backoff.next(pace, now));
        self.link = Link::Waiting { until, firm: matches!(pace, Pace::After(_)) };
        Phase::Waiting
    }

    /// This program cannot understand the hub any more: stops for good.
    pub(super) fn upgrade_required(&mut self, now: Instant) {
        self.hang_up(CloseCode::BadProtocol.number(), "upgrade required", false);
        let code = Some(CloseCode::UnsupportedVersion.number());
        self.lost(CloseAction::Terminal, code, "upgrade required", None, now);
    }

    /// The hub says something that cannot be read: leaves it, and comes back after a pause.
    pub(super) fn unreadable(&mut self, now: Instant) {
        self.hang_up(CloseCode::BadFrame.number(), "bad frame", false);
        self.lost(CloseAction::BackOff, None, "badFrame", None, now);
    }

    /// Tells a change of the connection's status.
    pub(super) fn tell(&mut self, phase: Phase, reason: Option<&str>, now: Instant) {
        let retry_at = match self.link {
            Link::Waiting { until, .. } if !self.hidden => Some(until),
            Link::SignedOut { until, .. } => until,
            Link::Idle
            | Link::Waiting { .. }
            | Link::Opening { .. }
            | Link::Greeting { .. }
            | Link::Online { .. }
            | Link::Stopped => None,
        };
        if phase != self.status.phase {
            self.status.since = now;
        }
        if matches!(phase, Phase::Online | Phase::Idle) {
            self.status.code = None;
        }
        self.status.phase = phase;
        // While it connects again, the reason of the last end is still what people want to know.
        if phase != Phase::Connecting {
            self.status.reason = reason.map(str::to_owned);
        }
        self.status.retry_at = retry_at;
        self.status.attempt = self.backoff.attempt();
        self.emit(ConnectionEvent::Status(self.status.clone()));
    }

    pub(super) const fn has_socket(&self) -> bool {
        matches!(self.link, Link::Opening { .. } | Link::Greeting { .. } | Link::Online { .. })
    }

    pub(super) const fn count(&mut self) -> &mut Counters {
        &mut self.counters
    }
}

/// A socket that did not bring a welcome after so long is given up.
const OPEN_MS: u64 = 15_000;
/// A connection that lasted so long was good: the next failure is the first again.
const STABLE_MS: u64 = 30_000;
/// How often an instance whose credential was refused looks again: at most five times in ten minutes.
const CREDENTIAL_MS: u64 = 150_000;
