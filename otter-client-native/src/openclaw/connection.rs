//! The dialogue with one gateway: handshake, requests, liveness and when to try again.
//!
//! The driver opens, feeds and closes sockets as [`Transmit`] says and reports what happened with the
//! [`Generation`] of the socket it happened on; reports about an older socket are ignored, so a late close can
//! never take down its successor.

mod backoff;
mod config;
mod event;
mod failure;
mod handshake;
mod limits;
mod requests;
mod status;

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;

use crate::openclaw::device::{DeviceIdentity, DeviceToken, TokenKey};
use crate::openclaw::frame::{GatewayEvent, GatewayFrame, GatewayResponse, decode};
use crate::openclaw::json::Fields as _;
use crate::openclaw::rpc::{RpcCall, RpcError, RpcId};
use crate::openclaw::time::{Instant, Now, elapsed, later};

pub use backoff::Backoff;
pub use config::{Credentials, GatewayConfig, Scope, Secret};
pub use event::{ConnectionEvent, GatewayState, Generation, Oddities, Transmit};
pub use failure::{CloseReason, OpenFailure};
pub use handshake::Hello;
pub use status::GatewayStatus;

use failure::Failure;
use limits::{
    PAIRING_PAUSE, PATIENCE, REFUSAL_WINDOW, REFUSALS, REFUSED_PAUSE, SILENCE, SLOW, STABLE, WAKING_PAUSE,
};
use requests::Requests;
use status::Shown;

/// The dialogue with one gateway.
#[derive(Debug)]
pub struct GatewayConnection {
    config: GatewayConfig,
    identity: DeviceIdentity,
    token: Option<DeviceToken>,
    used_device_token: bool,
    state: GatewayState,
    generation: Generation,
    /// When the current wait began, and when it has lasted too long.
    since: Instant,
    deadline: Option<Instant>,
    silence: Duration,
    last_seq: Option<u64>,
    ready_since: Option<Instant>,
    stopping: bool,
    backoff: Backoff,
    refusals: VecDeque<Instant>,
    requests: Requests,
    shown: Shown,
    oddities: Oddities,
    transmits: VecDeque<Transmit>,
    events: VecDeque<ConnectionEvent>,
}

impl GatewayConnection {
    /// Starts a dialogue with its first attempt. `token` is what [`ConnectionEvent::TokenChanged`] said last.
    #[must_use]
    pub fn new(
        config: GatewayConfig,
        identity: DeviceIdentity,
        token: Option<DeviceToken>,
        now: Now,
    ) -> Self {
        let mut connection = Self {
            backoff: Backoff::new(config.seed),
            config,
            identity,
            token,
            used_device_token: false,
            state: GatewayState::Connecting,
            generation: Generation(0),
            since: now.at,
            deadline: None,
            silence: SILENCE,
            last_seq: None,
            ready_since: None,
            stopping: false,
            refusals: VecDeque::new(),
            requests: Requests::default(),
            shown: Shown::default(),
            oddities: Oddities::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        };
        connection.show(Shown::connecting, now);
        connection.open(now);
        connection
    }

    /// Takes note that the socket is open.
    pub fn handle_opened(&mut self, generation: Generation, now: Now) {
        if generation == self.generation && self.state == GatewayState::Connecting {
            self.enter(GatewayState::AwaitingChallenge, Some(PATIENCE), now);
        }
    }

    /// Takes note that the socket could not be opened.
    pub fn handle_open_failed(&mut self, generation: Generation, why: &OpenFailure, now: Now) {
        if generation == self.generation && self.state == GatewayState::Connecting {
            self.fail(&Failure::of_open(why, &self.config.url), false, now);
        }
    }

    /// Takes a text message.
    pub fn handle_message(&mut self, generation: Generation, text: &str, now: Now) {
        if generation != self.generation || !self.is_open() {
            return;
        }
        let decoded = decode(text);
        self.oddities.repaired += u64::from(decoded.repaired);
        if self.state == GatewayState::Ready {
            self.deadline = Some(later(now.at, self.silence));
        }
        match decoded.frame {
            Ok(GatewayFrame::Challenge { nonce, ts }) => self.answer_challenge(&nonce, ts, now),
            Ok(GatewayFrame::Response(response)) => self.take_response(response, now),
            Ok(GatewayFrame::Event(event)) => self.take_event(event, now),
            Err(_) => self.oddities.malformed += 1,
        }
    }

    /// Takes note that something other than text arrived, such as a ping.
    pub fn handle_alive(&mut self, generation: Generation, now: Now) {
        if generation == self.generation && self.state == GatewayState::Ready {
            self.deadline = Some(later(now.at, self.silence));
        }
    }

    /// Takes note that the socket is gone.
    pub fn handle_closed(&mut self, generation: Generation, why: &CloseReason, now: Now) {
        if generation == self.generation && self.is_open() {
            let failure = Failure::of_close(why, self.state == GatewayState::Ready, self.stopping);
            self.fail(&failure, false, now);
        }
    }

    /// Makes a request; refused while the handshake is not complete or too many are open.
    pub fn handle_request(&mut self, call: &RpcCall, now: Now) -> Result<RpcId, RpcError> {
        if self.state != GatewayState::Ready {
            return Err(RpcError::Disconnected);
        }
        let (id, text) = self.requests.start(call.method(), &call.params(), now.at)?;
        self.transmits.push_back(Transmit::Send(self.generation, text));
        Ok(id)
    }

    /// Starts the next attempt at once, as after a wake-up or an approval that someone reported.
    pub fn handle_retry_now(&mut self, now: Now) {
        if matches!(self.state, GatewayState::Retry(_)) {
            self.open(now);
        }
    }

    /// Ends the dialogue for good.
    pub fn handle_shutdown(&mut self, now: Now) {
        if self.is_open() || self.state == GatewayState::Connecting {
            self.transmits.push_back(Transmit::Close(self.generation, 1000));
        }
        self.lose();
        self.enter(GatewayState::Closed, None, now);
    }

    /// Acts on every deadline that has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        for id in self.requests.expire(now.at) {
            self.events.push_back(ConnectionEvent::Response(id, Err(RpcError::Timeout)));
        }
        if self.waking_at().is_some_and(|at| at <= now.at) {
            self.show(|shown| shown.waking("the gateway has not answered yet; it is busy or starting"), now);
        }
        let due = self.deadline.is_some_and(|deadline| deadline <= now.at);
        match &self.state {
            GatewayState::Retry(at) | GatewayState::Pairing { at, .. } | GatewayState::Fatal { at, .. } => {
                if *at <= now.at {
                    self.open(now);
                }
            }
            GatewayState::Ready if due => self.fail(&Failure::silent(), true, now),
            GatewayState::Connecting | GatewayState::AwaitingChallenge | GatewayState::ConnectSent if due => {
                self.fail(&Failure::unanswered(), true, now);
            }
            GatewayState::Connecting
            | GatewayState::AwaitingChallenge
            | GatewayState::ConnectSent
            | GatewayState::Ready
            | GatewayState::Closed => {}
        }
    }

    /// The next thing to do for the driver.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<ConnectionEvent> {
        self.events.pop_front()
    }

    /// When [`GatewayConnection::handle_timeout`] has to be called at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let retry = match &self.state {
            GatewayState::Retry(at) | GatewayState::Pairing { at, .. } | GatewayState::Fatal { at, .. } => {
                Some(*at)
            }
            _ => None,
        };
        [retry, self.deadline, self.waking_at(), self.requests.next_deadline()].into_iter().flatten().min()
    }

    /// Where the dialogue stands.
    #[must_use]
    pub fn state(&self) -> &GatewayState {
        &self.state
    }

    /// What people should be told about the link.
    #[must_use]
    pub fn status(&self) -> &GatewayStatus {
        self.shown.status()
    }

    /// How much had to be overlooked.
    #[must_use]
    pub fn oddities(&self) -> Oddities {
        self.oddities
    }

    /// What a device token of this dialogue is bound to.
    #[must_use]
    pub fn token_key(&self) -> TokenKey {
        handshake::token_key(&self.config, &self.identity)
    }

    fn is_open(&self) -> bool {
        matches!(
            self.state,
            GatewayState::AwaitingChallenge | GatewayState::ConnectSent | GatewayState::Ready
        )
    }

    fn open(&mut self, now: Now) {
        self.generation.0 += 1;
        self.last_seq = None;
        self.stopping = false;
        self.enter(GatewayState::Connecting, Some(PATIENCE), now);
        self.transmits.push_back(Transmit::Open(self.generation));
    }

    fn enter(&mut self, state: GatewayState, limit: Option<Duration>, now: Now) {
        self.state = state;
        self.since = now.at;
        self.deadline = limit.map(|limit| later(now.at, limit));
    }

    fn answer_challenge(&mut self, nonce: &str, ts: u64, now: Now) {
        if self.state != GatewayState::AwaitingChallenge {
            self.oddities.malformed += 1;
            return;
        }
        let (params, used) = handshake::connect(&self.config, &self.identity, self.token.as_ref(), nonce, ts);
        self.used_device_token = used;
        match self.requests.start("connect", &params, now.at) {
            Ok((_, text)) => self.transmits.push_back(Transmit::Send(self.generation, text)),
            Err(_) => self.oddities.malformed += 1,
        }
        self.enter(GatewayState::ConnectSent, Some(PATIENCE), now);
    }

    fn take_response(&mut self, response: GatewayResponse, now: Now) {
        let Some((id, is_connect)) = self.requests.finish(&response.id) else { return };
        if !is_connect {
            self.events.push_back(ConnectionEvent::Response(id, response.result));
            return;
        }
        match response.result {
            Ok(payload) => self.welcome(&payload, now),
            Err(error) => {
                let failure = Failure::of_connect(&error, self.used_device_token);
                self.fail(&failure, true, now);
            }
        }
    }

    fn welcome(&mut self, payload: &Value, now: Now) {
        let hello = Hello::read(payload);
        if hello.protocol != handshake::PROTOCOL {
            self.fail(&Failure::protocol(Some(hello.protocol)), true, now);
            return;
        }
        self.silence = hello.tick * 2;
        self.enter(GatewayState::Ready, Some(self.silence), now);
        self.ready_since = Some(now.at);
        self.refusals.clear();
        if let Some(token) = hello.device_token.clone().filter(|token| Some(token) != self.token.as_ref()) {
            self.token = Some(token.clone());
            self.events.push_back(ConnectionEvent::TokenChanged(self.token_key(), Some(token)));
        }
        let (version, boot) = (hello.version.clone(), hello.boot_id.clone());
        self.show(|shown| shown.online(version, boot), now);
        self.events.push_back(ConnectionEvent::Ready(Box::new(hello)));
    }

    fn take_event(&mut self, event: GatewayEvent, now: Now) {
        if let Some(got) = event.seq {
            let expected = self.last_seq.map(|last| last + 1);
            self.last_seq = Some(got);
            if let Some(expected) = expected.filter(|expected| got > *expected) {
                self.events.push_back(ConnectionEvent::Resync { expected, got });
            }
        }
        if event.name == "shutdown" {
            self.stopping = event.payload.int("restartExpectedMs").is_none();
            let reason = if self.stopping { "the gateway is stopping" } else { "the gateway is restarting" };
            self.show(|shown| shown.waking(reason), now);
        }
        if self.state == GatewayState::Ready {
            self.events.push_back(ConnectionEvent::Event(event));
        }
    }

    /// Ends the attempt or the link and plans the next one.
    fn fail(&mut self, failure: &Failure, close: bool, now: Now) {
        if close {
            self.transmits.push_back(Transmit::Close(self.generation, failure.close_code()));
        }
        self.lose();
        if self.ready_since.take().is_some_and(|since| elapsed(now.at, since) >= STABLE) {
            self.backoff.reset();
        }
        if failure.drops_token() && self.token.take().is_some() {
            self.events.push_back(ConnectionEvent::TokenChanged(self.token_key(), None));
        }
        self.show(|shown| shown.failed(failure, now), now);
        let at = later(now.at, self.pause(failure, now.at));
        self.enter(failure.state(at), None, now);
    }

    fn pause(&mut self, failure: &Failure, now: Instant) -> Duration {
        let wanted = match failure {
            Failure::Pairing { .. } => PAIRING_PAUSE,
            Failure::Refused { .. } => REFUSED_PAUSE,
            Failure::Waking { .. } | Failure::Offline { refused: true, .. } => {
                self.backoff.next().min(WAKING_PAUSE)
            }
            Failure::DropToken { .. } | Failure::Offline { .. } => self.backoff.next(),
        };
        let wanted = wanted.max(failure.retry_after().unwrap_or_default());
        if !matches!(failure, Failure::Refused { .. } | Failure::DropToken { .. }) {
            return wanted;
        }
        self.refusals.push_back(now);
        while self.refusals.len() > REFUSALS {
            self.refusals.pop_front();
        }
        let full = self.refusals.front().filter(|_| self.refusals.len() == REFUSALS);
        wanted.max(full.map(|first| elapsed(later(*first, REFUSAL_WINDOW), now)).unwrap_or_default())
    }

    fn lose(&mut self) {
        let was_ready = self.state == GatewayState::Ready;
        for id in self.requests.abandon() {
            self.events.push_back(ConnectionEvent::Response(id, Err(RpcError::Disconnected)));
        }
        if was_ready {
            self.events.push_back(ConnectionEvent::Lost);
        }
    }

    /// When an attempt without an answer is to be shown as a gateway that wakes up.
    fn waking_at(&self) -> Option<Instant> {
        let waits = matches!(
            self.state,
            GatewayState::Connecting | GatewayState::AwaitingChallenge | GatewayState::ConnectSent
        );
        (waits && self.shown.may_wake()).then(|| later(self.since, SLOW))
    }

    fn show(&mut self, change: impl FnOnce(&mut Shown), now: Now) {
        let before = self.shown.status().clone();
        change(&mut self.shown);
        if let Some(status) = self.shown.changed(&before, now.wall) {
            self.events.push_back(ConnectionEvent::Status(status));
        }
    }
}
