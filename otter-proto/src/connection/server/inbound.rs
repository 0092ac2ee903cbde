//! What the client sends.

use super::need::{Closing, Need};
use super::{Phase, ServerConnection};
use crate::error::{CloseCode, ErrorBody, ErrorCode};
use crate::frame::{
    ClientFrame, Command, FrameError, Hello, HubFrame, Notice, PrincipalType, Probed, Reply, Subscribe,
    VersionRange, split,
};
use crate::id::{MemberId, Scope};
use crate::limits::{HELLO_BYTES, MAX_BOOTS};
use crate::text::{Cursor, TextErrorKind};
use crate::time::{Instant, UnixMillis};
use crate::wire::{Positions, Wire};

impl ServerConnection {
    /// Sets the hub's clock for the `probed` answers of the messages that follow.
    pub fn set_server_time(&mut self, now: UnixMillis) {
        self.server_time = now;
    }

    /// Takes the message that must begin with `hello`. A version that is not spoken here is refused before anything
    /// else is looked at, because a future `hello` may have another shape.
    pub(super) fn first_message(&mut self, text: &str, now: Instant) {
        if text.len() > HELLO_BYTES {
            return self.handle_oversize(now);
        }
        let mut frames = split(text);
        let first = frames.next().unwrap_or_default();
        if let Some(range) = offered_versions(first)
            && !overlaps(&range, &self.config.supported)
        {
            let error = ErrorBody::new(ErrorCode::UnsupportedVersion, "upgrade this client or the hub");
            return self.refuse(error, CloseCode::UnsupportedVersion);
        }
        match ClientFrame::decode(first) {
            Ok(ClientFrame::Hello(hello)) if hello.boots.len() > MAX_BOOTS => {
                let error = ErrorBody::new(ErrorCode::InvalidData, "`boots` names at most 64").at("/boots");
                self.refuse(error, CloseCode::BadFrame);
            }
            Ok(ClientFrame::Hello(hello)) => {
                self.early.extend(frames.map(str::to_owned));
                self.admit(hello);
            }
            Ok(_) => {
                let error = ErrorBody::new(ErrorCode::UnexpectedFrame, "the first frame must be `hello`");
                self.refuse(error, CloseCode::BadFrame);
            }
            Err(error) => self.refuse(describe(first, &error), CloseCode::BadFrame),
        }
    }

    /// Takes the frames of a later message. One that is refused does not affect the others.
    pub(super) fn frames_of(&mut self, text: &str, now: Instant) {
        if text.len() as u64 > self.config.limits.frame_bytes {
            let error = ErrorBody::new(ErrorCode::TooLarge, "send messages within limits.frameBytes");
            return self.refuse_frame(error, now);
        }
        if split(text).next().is_none() {
            let error = ErrorBody::new(ErrorCode::BadFrame, "a message holds at least one frame");
            return self.refuse_frame(error, now);
        }
        for frame in split(text) {
            match ClientFrame::decode(frame) {
                Ok(frame) => self.frame(frame, now),
                Err(error) => self.refuse_frame(describe(frame, &error), now),
            }
            if !self.is_open() {
                return;
            }
        }
    }

    /// Handles a `subscribe`, also those of `hello`.
    pub(super) fn subscribe(&mut self, ask: Subscribe, now: Instant) {
        if let Some(trouble) = &ask.trouble {
            self.counters.resyncs += 1;
            self.counters.hash_mismatches += u64::from(trouble == "hash");
        }
        let position = ask.epoch.zip(ask.pos);
        let own = self.own_member();
        let scope = match &ask.scope {
            Scope::Member(id) if id.as_str() == SELF => {
                if ask.pos.is_some() {
                    let text = "name your member scope by its id when you hold a position of it";
                    return self.refuse_frame(ErrorBody::new(ErrorCode::UnexpectedFrame, text), now);
                }
                own.map(Scope::Member)
            }
            Scope::Member(id) => (own.as_ref() == Some(id)).then(|| ask.scope.clone()),
            Scope::Org | Scope::Conversation(_) => Some(ask.scope.clone()),
        };
        let limit = usize::try_from(self.config.limits.subscriptions).unwrap_or(usize::MAX);
        match scope {
            Some(scope) if self.subs.contains(&scope) || self.subs.len() < limit => {
                let need = self.subs.ask(scope, ask.sub, position);
                self.needs.push_back(need);
            }
            Some(scope) => self.subs.deny(scope, ask.sub, "too many subscriptions, see limits.subscriptions"),
            None => self.subs.deny(ask.scope, ask.sub, ErrorCode::UnknownScope.as_str()),
        }
        self.flush_answers();
    }

    fn admit(&mut self, hello: Hello) {
        let offered = &hello.capabilities;
        let in_force = self.config.capabilities.iter().filter(|capability| offered.contains(capability));
        self.phase = Phase::Admitting {
            protocol: hello.protocol.max.min(self.config.supported.max),
            capabilities: in_force.cloned().collect(),
            subscribe: hello.subscribe.clone(),
        };
        self.needs.push_back(Need::Hello(hello));
    }

    fn frame(&mut self, frame: ClientFrame, now: Instant) {
        if let Err(wait_ms) = self.count(&frame, now) {
            let error = too_fast("send fewer frames per second", wait_ms);
            return match frame {
                // Its sender waits for an answer that names it.
                ClientFrame::Command(command) => {
                    self.refuse_command(command, error);
                    self.strike(now);
                }
                ClientFrame::Fetch(fetch) => self.refuse_fetch(fetch.id, error, now),
                _ => self.refuse_frame(error, now),
            };
        }
        match frame {
            ClientFrame::Hello(_) => self.unexpected("`hello` comes once", now),
            ClientFrame::Subscribe(ask) => self.subscribe(ask, now),
            ClientFrame::Unsubscribe(ask) => self.unsubscribe(&ask.scope),
            ClientFrame::Publish(publish) if self.is(PrincipalType::Instance) => {
                self.needs.push_back(Need::Publish(publish));
            }
            ClientFrame::Publish(_) => self.unexpected("only instances publish", now),
            ClientFrame::Command(command) if self.is(PrincipalType::Member) => self.command(command, now),
            ClientFrame::Command(_) => self.unexpected("only members send commands", now),
            ClientFrame::Signal(_) if self.signals.admit(now).is_err() => self.counters.dropped_signals += 1,
            ClientFrame::Signal(signal) => self.needs.push_back(Need::Signal(signal)),
            ClientFrame::Fetch(fetch) => self.fetch(&fetch, now),
            ClientFrame::Ack(ack) => {
                if !self.out.ack(ack.frames) {
                    self.unexpected("`ack` counts the data frames received, never back", now);
                }
            }
            ClientFrame::Pong(_) if self.pongs_seen == self.pings_sent => {
                self.unexpected("`pong` answers a `ping`", now);
            }
            ClientFrame::Pong(pong) => {
                self.pongs_seen += 1;
                self.needs.push_back(Need::Pong(pong.pos));
            }
            ClientFrame::Probe(probe) => {
                let probed = Probed { n: probe.n, server_time: self.server_time };
                self.out.urgent(&HubFrame::Probed(probed));
            }
            ClientFrame::Bye(bye) => {
                let reason = bye.reason.unwrap_or_else(|| "the client left".to_owned());
                self.end(None, Closing { code: 1000, reason: reason.chars().take(30).collect() });
            }
        }
    }

    /// Counts a member's frame. Instances are slowed by not reading, and flow control is never refused.
    fn count(&mut self, frame: &ClientFrame, now: Instant) -> Result<(), u64> {
        match frame {
            ClientFrame::Ack(_) | ClientFrame::Pong(_) | ClientFrame::Bye(_) => Ok(()),
            ClientFrame::Hello(_)
            | ClientFrame::Subscribe(_)
            | ClientFrame::Unsubscribe(_)
            | ClientFrame::Publish(_)
            | ClientFrame::Signal(_)
            | ClientFrame::Command(_)
            | ClientFrame::Fetch(_)
            | ClientFrame::Probe(_) => {
                if self.is(PrincipalType::Member) {
                    self.frames.admit(now)
                } else {
                    Ok(())
                }
            }
        }
    }

    fn unsubscribe(&mut self, scope: &Scope) {
        let Some(scope) = &self.named(scope) else { return };
        if self.subs.remove(scope) {
            self.needs.push_back(Need::Unsubscribed { scope: scope.clone() });
        }
    }

    /// A scope by its own name; `None` when only members have one of this name.
    pub(super) fn named(&self, scope: &Scope) -> Option<Scope> {
        match scope {
            Scope::Member(id) if id.as_str() == SELF => self.own_member().map(Scope::Member),
            Scope::Org | Scope::Conversation(_) | Scope::Member(_) => Some(scope.clone()),
        }
    }

    /// A client that comes back may send everything it held: too many commands are put off, not held against it.
    fn command(&mut self, command: Command, now: Instant) {
        match self.commands.admit(now) {
            Ok(()) => self.needs.push_back(Need::Command(command)),
            Err(wait_ms) => self.refuse_command(command, too_fast("send fewer commands per minute", wait_ms)),
        }
    }

    fn refuse_command(&mut self, command: Command, error: ErrorBody) {
        self.out.control(&HubFrame::Reply(Reply {
            id: command.id,
            accepted: None,
            refused: Some(error),
            epoch: None,
            at: Positions::default(),
        }));
    }

    fn unexpected(&mut self, message: &str, now: Instant) {
        self.refuse_frame(ErrorBody::new(ErrorCode::UnexpectedFrame, message), now);
    }

    /// Refuses one frame; the connection goes on until too many were refused.
    pub fn refuse_frame(&mut self, error: ErrorBody, now: Instant) {
        self.out.control(&HubFrame::Error(Notice { error }));
        self.strike(now);
    }

    pub(super) fn strike(&mut self, now: Instant) {
        self.counters.refused += 1;
        if self.refused.admit(now).is_err() {
            self.close(CloseCode::RateLimited, "too many refused frames", Some(10_000));
        }
    }

    /// The member at the other end; `None` for instances.
    fn own_member(&self) -> Option<MemberId> {
        match &self.phase {
            Phase::Open { principal, .. } if principal.principal_type == PrincipalType::Member => {
                MemberId::new(&principal.id).ok()
            }
            Phase::AwaitHello | Phase::Admitting { .. } | Phase::Open { .. } | Phase::Closing => None,
        }
    }

    fn is(&self, kind: PrincipalType) -> bool {
        matches!(&self.phase, Phase::Open { principal, .. } if principal.principal_type == kind)
    }
}

/// Stands for the client's own member id in `member/self`.
const SELF: &str = "self";

fn too_fast(message: &str, wait_ms: u64) -> ErrorBody {
    ErrorBody { retry_after_ms: Some(wait_ms), ..ErrorBody::retryable(ErrorCode::RateLimited, message) }
}

fn describe(frame: &str, error: &FrameError) -> ErrorBody {
    let (code, pointer) = match error {
        FrameError::Bad(text) if text.kind() == TextErrorKind::TooDeep => {
            (ErrorCode::TooDeep, text.pointer(frame))
        }
        FrameError::Bad(text) => (ErrorCode::BadFrame, text.pointer(frame)),
        FrameError::Unknown(_) => (ErrorCode::UnknownFrame, String::new()),
    };
    let pointer = Some(pointer).filter(|pointer| !pointer.is_empty());
    ErrorBody { pointer, ..ErrorBody::new(code, error.to_string()) }
}

/// The `protocol` of a text that may be a `hello` of any version.
fn offered_versions(text: &str) -> Option<VersionRange> {
    let (mut is_hello, mut range) = (false, None);
    let read = Cursor::new(text).object(&mut |key, cursor| {
        match key {
            "type" => is_hello = cursor.string()? == "hello",
            "protocol" => range = Some(VersionRange::read(cursor)?),
            _ => {
                cursor.value()?;
            }
        }
        Ok(())
    });
    read.ok()?;
    range.filter(|_| is_hello)
}

const fn overlaps(one: &VersionRange, other: &VersionRange) -> bool {
    one.min <= one.max && one.min <= other.max && other.min <= one.max
}
