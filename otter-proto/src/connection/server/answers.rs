//! The driver's answers.

use std::sync::Arc;

use super::limiter::Bucket;
use super::need::{Admission, Need, Piece, SnapshotRead, Start, Ticket};
use super::subscriptions::Phase as SubPhase;
use super::{Phase, ServerConnection};
use crate::frame::{
    CommandDispatch, HubFrame, PrincipalType, Published, Reply, Resync, SnapshotPage, Subscribed,
    SubscribedMode, Welcome,
};
use crate::id::Scope;
use crate::time::Instant;

/// Keys of signals that wait for a paused reader; more are forgotten, they are ephemeral.
const WAITING_SIGNALS: usize = 4096;

impl ServerConnection {
    /// Admits the client. Its subscriptions are asked for in the order it named them.
    pub fn welcome(&mut self, admission: Admission, now: Instant) {
        let Phase::Admitting { protocol, capabilities, subscribe } =
            std::mem::replace(&mut self.phase, Phase::Closing)
        else {
            return;
        };
        self.binary = capabilities.iter().any(|capability| capability == "binary");
        let welcome = Welcome {
            protocol,
            server: self.config.server.clone(),
            server_time: admission.server_time,
            limits: self.config.limits.clone(),
            heartbeat_ms: self.config.heartbeat_ms,
            principal: admission.principal.clone(),
            capabilities,
            lanes: admission.lanes,
        };
        if admission.principal.principal_type == PrincipalType::Member {
            let rate = self.config.member_signals_per_second;
            self.signals = Bucket::new(rate, 4 * rate, now);
        }
        self.phase = Phase::Open { principal: admission.principal, epoch: admission.epoch };
        self.last_inbound = now;
        self.next_ping = now.plus(self.config.heartbeat_ms);
        self.out.control(&HubFrame::Welcome(welcome));
        for subscribe in subscribe {
            self.subscribe(subscribe, now);
        }
        while let Some(frame) = self.early.pop_front() {
            self.frames_of(&frame, now);
        }
    }

    /// Says how a subscription starts. Answers may come in any order; clients get them in the order they asked.
    pub fn subscribed(&mut self, ticket: Ticket, start: Start) {
        self.subs.answer(ticket, start);
        self.flush_answers();
    }

    /// Provides frames after the position that was asked for, the oldest first. `more`: there is more after them.
    ///
    /// Overlap with what was written is fine. A hole ends the subscription with `resync`.
    pub fn provide_events(&mut self, ticket: Ticket, pieces: &[Piece], more: bool) {
        let Some((scope, sub)) = self.subs.of(ticket) else { return };
        if sub.phase != SubPhase::Live {
            return;
        }
        sub.asked = false;
        sub.dirty |= more;
        for piece in pieces {
            if piece.last <= sub.pos {
                continue;
            }
            if piece.prev > sub.pos {
                let scope = scope.clone();
                self.end_subscription(&scope, "the hub could not continue the scope without a gap");
                return;
            }
            if self.out.window() == 0 {
                sub.dirty = true;
                return;
            }
            sub.pos = piece.last;
            self.out.data(Arc::clone(&piece.frame));
        }
    }

    /// Provides the page of a snapshot that was asked for.
    pub fn provide_snapshot(&mut self, ticket: Ticket, read: &SnapshotRead<'_>) {
        let Phase::Open { epoch, .. } = &self.phase else { return };
        let Some((scope, sub)) = self.subs.of(ticket) else { return };
        let SubPhase::Paging { after, as_of } = &mut sub.phase else { return };
        let lowest = as_of.map_or(read.as_of, |lowest| lowest.min(read.as_of));
        let page = SnapshotPage {
            scope: scope.clone(),
            epoch: epoch.clone(),
            entities: read.rows.to_vec(),
            as_of: if read.end.is_some() { lowest } else { read.as_of },
            head: read.end.as_ref().map(|end| end.head),
            hash: read.end.as_ref().and_then(|end| end.hash.clone()),
        };
        *as_of = Some(lowest);
        if let Some(row) = read.rows.last() {
            *after = Some(row.entity.clone());
        } else if read.end.is_none() {
            let scope = scope.clone();
            self.end_subscription(&scope, "the snapshot could not be read to its end");
            return;
        }
        sub.asked = false;
        sub.dirty = true;
        if read.end.is_some() {
            sub.phase = SubPhase::Live;
            sub.pos = lowest;
            sub.reported = lowest;
        }
        let mut text = String::new();
        page.write(&mut text);
        self.out.data(text.into());
    }

    /// Ends a subscription because its continuity cannot be proven; the client subscribes anew.
    pub fn resync(&mut self, ticket: Ticket, reason: &str) {
        if let Some((scope, _)) = self.subs.of(ticket) {
            let scope = scope.clone();
            self.end_subscription(&scope, reason);
        }
    }

    pub(super) fn end_subscription(&mut self, scope: &Scope, reason: &str) {
        if self.subs.remove(scope) {
            self.needs.push_back(Need::Unsubscribed { scope: scope.clone() });
            let resync = Resync { scope: scope.clone(), reason: reason.to_owned() };
            self.out.control(&HubFrame::Resync(resync));
        }
    }

    /// Completes a heartbeat: the fan-out watermark, which was read first, and the head of each scope asked for. Gives
    /// the position up to which the client was sent everything.
    pub fn provide_heads(&mut self, watermark: u64, heads: &[(Scope, u64)]) -> u64 {
        let (pos, moved) = self.subs.heartbeat(watermark, heads);
        self.send_ping(pos, moved);
        pos
    }

    /// Answers a publish.
    pub fn published(&mut self, answer: Published) {
        self.out.published(answer);
    }

    /// Answers a command.
    pub fn reply(&mut self, reply: Reply) {
        self.out.control(&HubFrame::Reply(reply));
    }

    /// Hands a command to the instance at the other end.
    pub fn dispatch(&mut self, command: CommandDispatch) {
        if self.is_open() {
            self.out.control(&HubFrame::Command(command));
        }
    }

    /// Sends a signal of a subscribed scope, an encoded `signal` frame. A reader that cannot take it now gets the
    /// latest of the same `key` later ([`Need::LatestSignal`]).
    pub fn signal(&mut self, scope: &Scope, key: &str, frame: Arc<str>) {
        if !self.subs.is_answered(scope) {
            return;
        }
        let waits = self.waiting_signals.contains(&(scope.clone(), key.to_owned()));
        if self.out.takes_signals() && !waits {
            self.out.signal(frame);
        } else if self.waiting_signals.len() < WAITING_SIGNALS {
            self.waiting_signals.insert((scope.clone(), key.to_owned()));
        }
    }

    pub(super) fn flush_answers(&mut self) {
        let Phase::Open { epoch, .. } = &self.phase else { return };
        let epoch = epoch.clone();
        while let Some((asked, start)) = self.subs.next_answer() {
            let (mode, head, reason) = match start {
                Start::Resumed { head } => match asked.position {
                    Some(_) => (SubscribedMode::Resumed, head, None),
                    None => (SubscribedMode::Snapshot, head, None),
                },
                Start::Snapshot { head, reason } => (SubscribedMode::Snapshot, head, reason),
                Start::Denied { reason } => (SubscribedMode::Denied, 0, Some(reason)),
            };
            let is_current = self.subs.of(asked.ticket).is_some();
            if let Some((_, sub)) = self.subs.of(asked.ticket) {
                sub.dirty = true;
                sub.phase = SubPhase::Paging { after: None, as_of: None };
                if let (SubscribedMode::Resumed, Some(pos)) = (mode, asked.position) {
                    sub.phase = SubPhase::Live;
                    sub.pos = pos;
                    sub.reported = pos;
                }
            }
            if mode == SubscribedMode::Denied && is_current {
                self.subs.remove(&asked.scope);
                self.needs.push_back(Need::Unsubscribed { scope: asked.scope.clone() });
            }
            if is_current && mode != SubscribedMode::Denied {
                self.needs.push_back(Need::Signals { scope: asked.scope.clone() });
            }
            let frame =
                Subscribed { scope: asked.scope, sub: asked.sub, epoch: epoch.clone(), head, mode, reason };
            self.out.control(&HubFrame::Subscribed(frame));
        }
    }
}
