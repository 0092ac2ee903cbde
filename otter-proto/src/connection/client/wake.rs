//! What happens around the connection: a page shown or hidden, a network that comes and goes, a machine that slept.

use crate::Instant;
use crate::connection::client::ClientConnection;
use crate::connection::client::event::{Phase, Wake};
use crate::connection::client::link::Link;
use crate::error::{CloseAction, CloseCode};

impl ClientConnection {
    /// Takes notice of something outside: doubts the socket, or tries again without waiting longer.
    pub fn handle_wake(&mut self, wake: Wake, now: Instant) {
        match wake {
            Wake::Hidden => self.hide(now),
            Wake::Visible => self.shown(now),
            Wake::PageShow { persisted: true } => self.restored(now),
            Wake::Online | Wake::Offline | Wake::ClockJump | Wake::PageShow { persisted: false } => {
                self.doubt(now, wake != Wake::Offline);
            }
        }
    }

    /// Drops the socket and takes a new one after a pause: what the hub said at the welcome does not hold any more.
    pub fn reconnect(&mut self, now: Instant) {
        if self.has_socket() {
            self.hang_up(CloseCode::ProbeFailed.number(), "reconnect", true);
            self.lost(CloseAction::BackOff, None, "reconnect", None, now);
        }
    }

    fn hide(&mut self, now: Instant) {
        self.hidden = true;
        match &mut self.link {
            Link::Waiting { .. } => self.tell(Phase::Waiting, Some("hidden"), now),
            Link::Opening { hidden, .. } => *hidden = true,
            Link::Idle
            | Link::Greeting { .. }
            | Link::Online { .. }
            | Link::SignedOut { .. }
            | Link::Stopped => {}
        }
    }

    fn shown(&mut self, now: Instant) {
        self.hidden = false;
        match self.link {
            // A socket that was opening while its page was hidden may neither open nor fail, on iOS for ever.
            Link::Opening { since, hidden } if hidden || now.since(since) > STUCK_MS => self.restart(now),
            Link::Greeting { since } if now.since(since) > STUCK_MS => self.restart(now),
            Link::SignedOut { since, .. } if now.since(since) > STUCK_MS => self.connect(now),
            Link::Waiting { firm: true, .. } => self.tell(Phase::Waiting, None, now),
            Link::Waiting { firm: false, .. } => self.connect(now),
            Link::Online { .. } => self.probe(now),
            Link::Idle
            | Link::Stopped
            | Link::Opening { .. }
            | Link::Greeting { .. }
            | Link::SignedOut { .. } => {}
        }
    }

    /// The page left the back/forward cache: the browser closed its socket, whether it says so or not.
    fn restored(&mut self, now: Instant) {
        self.hidden = false;
        if self.has_socket() { self.restart(now) } else { self.shown(now) }
    }

    fn doubt(&mut self, now: Instant, try_again: bool) {
        let rested = self.last_open.is_none_or(|last| now.since(last) > STUCK_MS);
        match self.link {
            Link::Online { .. } => self.probe(now),
            Link::Waiting { firm: false, .. } if try_again && rested => self.connect(now),
            Link::Idle
            | Link::Stopped
            | Link::Waiting { .. }
            | Link::Opening { .. }
            | Link::Greeting { .. }
            | Link::SignedOut { .. } => {}
        }
    }

    fn restart(&mut self, now: Instant) {
        self.hang_up(CloseCode::ProbeFailed.number(), "stuck", false);
        self.detach_scopes();
        self.connect(now);
    }
}

/// A socket still connecting after so long is not waited for any more; attempts that a wake starts are so far apart.
const STUCK_MS: u64 = 5_000;
