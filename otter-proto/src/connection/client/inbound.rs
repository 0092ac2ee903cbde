//! What the hub says.

use crate::Instant;
use crate::connection::client::ClientConnection;
use crate::connection::client::event::{ConnectionEvent, Phase};
use crate::connection::client::heartbeat::Heartbeat;
use crate::connection::client::link::{Farewell, Link};
use crate::connection::client::step::{Heard, Step, Trouble};
use crate::connection::client::subscription::Subscription;
use crate::event::RecordedEvent;
use crate::frame::{
    ClientFrame, Events, FrameError, HubFrame, Ping, Probed, SnapshotPage, Subscribed, SubscribedMode,
    Welcome, frame_type, split,
};
use crate::id::{Epoch, Scope};
use crate::text::{self, TextErrorKind};

impl ClientConnection {
    /// One WebSocket message of the current socket.
    pub fn handle_message(&mut self, message: &str, now: Instant) {
        for frame in split(message) {
            // A frame may end the connection; what follows it belongs to nobody.
            let Some(live) = &mut self.live else { return };
            live.heartbeat.received(now);
            if matches!(frame_type(frame).as_deref(), Ok("events" | "snapshot" | "page"))
                && let Some(ack) = live.window.received(frame.len(), now)
            {
                self.send(&ClientFrame::Ack(ack));
            }
            match HubFrame::decode(frame) {
                Ok(frame) => self.dispatch(frame, now),
                Err(FrameError::Unknown(_)) => self.count().unknown_frames += 1,
                Err(FrameError::Bad(error)) => {
                    if is_unknown_op(&error) {
                        return self.upgrade_required(now);
                    }
                    self.bad_frame(frame, now);
                }
            }
        }
        self.trim_rows();
        self.send_fetches();
    }

    /// A frame that cannot be read: its scope starts over when it names one, else the connection does.
    fn bad_frame(&mut self, frame: &str, now: Instant) {
        let scope = text::member_word(frame, "scope").and_then(|name| Scope::parse(name).ok());
        match scope.filter(|scope| self.find(scope).is_some()) {
            Some(scope) if matches!(self.link, Link::Online { .. }) => {
                let asked = self.subscription(&scope).is_some_and(|subscription| subscription.is_asked());
                if asked {
                    self.count().bad_frames += 1;
                } else {
                    self.resync(&scope, Trouble::BadFrame, now);
                }
            }
            _ => {
                self.count().bad_frames += 1;
                self.unreadable(now);
            }
        }
    }

    fn dispatch(&mut self, frame: HubFrame<'_>, now: Instant) {
        let online = matches!(self.link, Link::Online { .. });
        match frame {
            HubFrame::Welcome(welcome) => self.welcomed(welcome, now),
            HubFrame::Refuse(refuse) => self.farewell(Farewell::of(&refuse.error)),
            HubFrame::Bye(bye) => self.farewell(Farewell {
                code: u16::try_from(bye.code).unwrap_or(1006),
                reason: bye.reason,
                retry_after_ms: bye.retry_after_ms,
            }),
            HubFrame::Error(notice) => self.emit(ConnectionEvent::Notice(notice.error)),
            _ if !online => {}
            HubFrame::Subscribed(answer) => self.subscribed(&answer),
            HubFrame::Snapshot(page) => self.page(&page, now),
            HubFrame::Events(events) => self.events(&events, now),
            HubFrame::Page(page) => self.fetched(&page, now),
            HubFrame::Signal(signal) => self.signalled(signal),
            HubFrame::Published(published) => self.emit(ConnectionEvent::Published(published)),
            HubFrame::Command(command) => self.emit(ConnectionEvent::Dispatch(command)),
            HubFrame::Reply(reply) => self.replied(reply, now),
            HubFrame::Resync(resync) => {
                let answered =
                    self.subscription(&resync.scope).is_some_and(|of| !of.is_asked() && !of.is_unasked());
                if answered {
                    self.resync(&resync.scope, Trouble::Resync, now);
                }
            }
            HubFrame::Ping(ping) => self.pinged(&ping, now),
            HubFrame::Probed(probed) => self.probed(&probed, now),
            HubFrame::Drain(drain) => {
                let wait = self.backoff.spread(drain.window_ms);
                if let Some(live) = &mut self.live {
                    live.drain_at.get_or_insert(now.plus(wait));
                }
            }
        }
    }

    fn farewell(&mut self, farewell: Farewell) {
        if let Some(live) = &mut self.live {
            live.farewell = Some(farewell);
        }
    }

    fn welcomed(&mut self, welcome: Welcome, now: Instant) {
        if !matches!(self.link, Link::Greeting { .. }) {
            return;
        }
        self.link = Link::Online { since: now };
        if let Some(live) = &mut self.live {
            live.heartbeat = Heartbeat::new(welcome.heartbeat_ms, now);
        }
        self.clock = Some((welcome.server_time, now));
        let same = |old: &crate::frame::Principal| {
            (&old.org, old.principal_type, &old.id)
                == (&welcome.principal.org, welcome.principal.principal_type, &welcome.principal.id)
        };
        if self.principal.as_ref().is_some_and(|old| !same(old)) {
            self.reset_scopes(&welcome.principal.id);
            self.reset_commands();
            self.epoch = None;
            self.emit(ConnectionEvent::Reset);
        }
        self.principal = Some(welcome.principal.clone());
        self.commands.welcomed(&welcome.limits, now);
        self.tell(Phase::Online, None, now);
        self.emit(ConnectionEvent::Welcome {
            principal: welcome.principal,
            server_time: welcome.server_time,
            limits: welcome.limits,
            lanes: welcome.lanes,
        });
        self.predict_all();
        self.ask_due(now);
        self.tell_scopes();
        self.send_commands(now);
        self.measure(now);
    }

    fn measure(&mut self, now: Instant) {
        if let Some(probe) = self.live.as_mut().and_then(|live| live.heartbeat.measure(now)) {
            self.send(&ClientFrame::Probe(probe));
        }
    }

    fn probed(&mut self, probed: &Probed, now: Instant) {
        let measured = self.live.as_mut().and_then(|live| live.heartbeat.answered(probed.n, now));
        let Some(round_trip) = measured else { return };
        // It is as old as its way was long: within that it says nothing against the clock here.
        let said = probed.server_time.0;
        let known = self.server_time(now).filter(|here| (said..=said + round_trip).contains(&here.0));
        let server_time = known.unwrap_or(probed.server_time);
        self.clock = Some((server_time, now));
        self.emit(ConnectionEvent::Clock { server_time });
        if measured != self.status.round_trip_ms {
            self.status.round_trip_ms = measured;
            self.emit(ConnectionEvent::Status(self.status.clone()));
        }
    }

    fn subscribed(&mut self, answer: &Subscribed) {
        let asked = self.scopes.iter_mut().find(|(_, each)| each.is_asked() && each.sub == answer.sub);
        let Some((name, subscription)) = asked else { return };
        let gone = subscription.answered(answer);
        let signalled = subscription.signalled.take();
        let renamed = *name != answer.scope;
        if renamed {
            *name = answer.scope.clone();
            // Followed under both of its names: the one that was just answered stays.
            let is_twin =
                |(name, each): &(Scope, Subscription)| *name == answer.scope && each.sub != answer.sub;
            if let Some(at) = self.scopes.iter().position(is_twin) {
                self.scopes.remove(at);
            }
        }
        let scope = &answer.scope;
        if signalled.is_some() {
            self.emit(ConnectionEvent::SignalsOver { scope: scope.clone() });
        }
        self.fetches_answered(scope, answer.mode);
        self.saw_epoch(&answer.epoch);
        for key in gone {
            self.changed(scope, key);
        }
        if answer.mode == SubscribedMode::Resumed {
            self.caught_up(scope);
        }
        self.reached(scope);
        self.tell_scope(scope);
    }

    /// Another epoch: what the hub had accepted may be lost, so it is asked again.
    fn saw_epoch(&mut self, epoch: &Epoch) {
        if self.epoch.as_ref() != Some(epoch) {
            if self.epoch.is_some() {
                self.commands.epoch_changed();
            }
            self.epoch = Some(epoch.clone());
        }
    }

    fn page(&mut self, page: &SnapshotPage<'_>, now: Instant) {
        let Some(subscription) = self.subscription(&page.scope) else { return };
        let step = subscription.page(page);
        self.take(&page.scope, step, None, now);
        self.tell_scope(&page.scope);
    }

    fn events(&mut self, frame: &Events<'_>, now: Instant) {
        let scope = &frame.scope;
        let mut last = None;
        for text in &frame.events {
            let event = match RecordedEvent::parse(text) {
                Ok(event) if event.scope == *scope => event,
                Err(error) if is_unknown_op(&error) => return self.upgrade_required(now),
                Ok(_) | Err(_) => return self.bad_frame_of(scope, now),
            };
            let Some(subscription) = self.subscription(scope) else { return };
            let behind = !subscription.is_caught_up();
            let step = subscription.event(&event, text, &frame.epoch);
            if !self.take(scope, step, Some(&event), now) {
                return;
            }
            if behind && self.subscription(scope).is_some_and(|subscription| subscription.is_caught_up()) {
                self.caught_up(scope);
            }
            last = Some(event.seq);
        }
        if let (Some(last), Some(hash)) = (last, &frame.hash) {
            let checked =
                self.subscription(scope).map_or(Ok(()), |subscription| subscription.check(last, hash));
            if let Err(trouble) = checked {
                return self.resync(scope, trouble, now);
            }
        }
        self.tell_scope(scope);
    }

    fn bad_frame_of(&mut self, scope: &Scope, now: Instant) {
        let followed = self.subscription(scope).is_some_and(|of| !of.is_asked() && !of.is_unasked());
        if followed {
            self.resync(scope, Trouble::BadFrame, now);
        } else {
            self.count().bad_frames += 1;
        }
    }

    /// Shows what a frame did. Returns whether the subscription goes on.
    pub(super) fn take(
        &mut self,
        scope: &Scope,
        step: Result<Step, Trouble>,
        event: Option<&RecordedEvent<'_>>,
        now: Instant,
    ) -> bool {
        match step {
            Ok(Step::Quiet) => {}
            Ok(Step::Applied(changed, heard)) => {
                for key in changed {
                    self.changed(scope, key);
                }
                if let Some(event) = event {
                    self.left_overlay(event);
                }
                self.reached(scope);
                self.heard(scope, heard);
            }
            Ok(Step::Swapped { changed, held }) => {
                for key in changed {
                    self.changed(scope, key);
                }
                self.caught_up(scope);
                self.reached(scope);
                for heard in held {
                    self.heard(scope, heard);
                }
            }
            Err(trouble) => {
                self.resync(scope, trouble, now);
                return false;
            }
        }
        true
    }

    fn heard(&mut self, scope: &Scope, heard: Heard) {
        let Heard { seq, text, replayed } = heard;
        self.emit(ConnectionEvent::Event { scope: scope.clone(), seq, text, replayed });
    }

    fn pinged(&mut self, ping: &Ping, now: Instant) {
        self.saw_epoch(&ping.epoch);
        for scope in &self.names() {
            let head = ping.heads.0.get(scope).copied();
            let Some(subscription) = self.subscription(scope) else { continue };
            let step = subscription.ping(ping.pos, head, &ping.epoch);
            if self.take(scope, step, None, now) {
                self.reached(scope);
                self.tell_scope(scope);
            }
        }
        self.send(&ClientFrame::Pong(self.applied()));
        self.measure(now);
        self.send_commands(now);
    }
}

/// Whether a text holds an effect whose operation is not known here: this program is too old for the log.
fn is_unknown_op(error: &text::TextError) -> bool {
    error.kind() == TextErrorKind::Choice && error.member() == Some("op")
}
