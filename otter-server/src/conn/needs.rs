//! What the machine of a connection asks for.

use std::sync::Arc;

use futures_util::FutureExt;
use otter_proto::catalogue::Role;
use otter_proto::connection::server::{Need, Start, Ticket};
use otter_proto::error::{CloseCode, ErrorBody, ErrorCode};
use otter_proto::frame::{Command, PrincipalType, Publish, Signal};
use otter_proto::id::{Epoch, InstanceId, MemberId, Scope};

use super::admission::admit_to_the_end;
use super::answers::{Answer, Work, events, snapshot, start};
use super::fetches::fetch;
use super::session::Session;
use crate::ledger::Actor;
use crate::ring::Recent;
use crate::signals::{Current, Sender};

/// Keys for which a later signal may still be on its way; forgetting some costs a repeated word at most.
const MAX_MADE_GOOD: usize = 1_024;

impl Session {
    pub(super) fn need(&mut self, need: Need) {
        match need {
            Need::Publish(_) | Need::Command(_) | Need::Signal(_) if self.barred => {}
            Need::Hello(hello) => {
                let (hub, principal) = (Arc::clone(&self.hub), self.principal.clone());
                let decision = admit_to_the_end(hub, principal, hello, self.number, Arc::clone(&self.inbox));
                self.work.push(Box::pin(async { Answer::Welcomed(decision.await.map(Box::new)) }));
            }
            Need::Subscribe { ticket, scope, position } => self.subscribe(ticket, scope, position),
            Need::Unsubscribed { scope } => self.unsubscribe(&scope),
            Need::Events { ticket, scope, after, max_bytes } => self.events(ticket, scope, after, max_bytes),
            Need::Snapshot { ticket, scope, after } => {
                let org = self.principal.org.clone();
                self.work.push(Box::pin(snapshot(Arc::clone(&self.hub), org, scope, after, ticket)));
            }
            Need::Page { ticket, scope, id, ask } => {
                let (hub, org) = (Arc::clone(&self.hub), self.principal.org.clone());
                self.work.push(Box::pin(fetch(hub, org, scope, ticket, id, ask)));
            }
            Need::Signals { scope } => {
                for current in self.feed.current_signals(&scope, self.hub.clock.now()) {
                    self.make_good(&scope, current);
                }
            }
            Need::LatestSignal { scope, key } => self.latest_signal(&scope, &key),
            Need::Heads { scopes } => {
                let watermark = self.feed.watermark();
                let head = |scope: Scope| {
                    let head = self.scopes.get(&scope)?.head()?;
                    Some((scope, head))
                };
                let heads: Vec<_> = scopes.into_iter().filter_map(head).collect();
                let pos = self.socket.machine.provide_heads(watermark, &heads);
                self.counted.behind(watermark.saturating_sub(pos));
            }
            Need::Publish(publish) => self.publish(publish),
            Need::Command(command) => self.command(command),
            Need::Signal(signal) => self.signal(&signal),
            Need::Pong(_) => {
                let seen = self.socket.machine.pongs_seen();
                for (_, probe) in self.probes.extract_if(.., |(wanted, _)| *wanted <= seen) {
                    // Who asked may have stopped waiting.
                    let _ = probe.send(());
                }
            }
            Need::Closing { code, reason } => {
                if code == CloseCode::Silent.number() {
                    self.is_silent();
                }
                tracing::info!(connection = self.number, id = %self.principal.id, code, reason, "closing");
            }
        }
    }

    fn subscribe(&mut self, ticket: Ticket, scope: Scope, position: Option<(Epoch, u64)>) {
        if self.principal.principal_type == PrincipalType::Instance {
            let reason = ErrorCode::Forbidden.as_str().to_owned();
            return self.socket.machine.subscribed(ticket, Start::Denied { reason });
        }
        let feed = self.feed.subscribe(&scope, self.number, &self.inbox);
        self.scopes.insert(scope.clone(), Arc::clone(&feed));
        let org = self.principal.org.clone();
        self.work.push(Box::pin(start(Arc::clone(&self.hub), org, scope, position, ticket, feed)));
    }

    fn unsubscribe(&mut self, scope: &Scope) {
        self.scopes.remove(scope);
        self.made_good.retain(|(of, _), _| of != scope);
        self.feed.unsubscribe(scope, self.number);
    }

    fn events(&mut self, ticket: Ticket, scope: Scope, after: u64, max_bytes: u64) {
        let (Some(feed), Some(epoch)) = (self.scopes.get(&scope), &self.epoch) else { return };
        match feed.after(after, max_bytes) {
            Recent::Pieces { pieces, more } => self.socket.machine.provide_events(ticket, &pieces, more),
            Recent::Behind => {
                let (hub, org) = (Arc::clone(&self.hub), self.principal.org.clone());
                let work = events(hub, org, scope, epoch.clone(), after, ticket, Arc::clone(feed));
                self.work.push(Box::pin(work));
            }
        }
    }

    pub(super) fn latest_signal(&mut self, scope: &Scope, key: &str) {
        if let Some(current) = self.feed.latest_signal(scope, key, self.hub.clock.now()) {
            self.make_good(scope, current);
        }
    }

    /// Sends the latest value of a key in place of its signals so far.
    fn make_good(&mut self, scope: &Scope, current: Current) {
        if self.made_good.len() >= MAX_MADE_GOOD {
            self.made_good.clear();
        }
        self.socket.machine.signal(scope, &current.key, current.frame);
        self.made_good.insert((scope.clone(), current.key), current.number);
    }

    fn publish(&mut self, publish: Publish) {
        let Ok(instance) = InstanceId::new(&self.principal.id) else { return };
        let (log, org) = (self.hub.log.clone(), self.principal.org.clone());
        let events = publish.events.len() as u64;
        let mut work: Work =
            Box::pin(async move { Answer::Published(log.publish(&org, &instance, publish).await, events) });
        // The request joins the log's queue at the first poll: now, so that publishes keep their order.
        match (&mut work).now_or_never() {
            Some(answer) => self.publishes.push_back(Box::pin(async { answer })),
            None => self.publishes.push_back(work),
        }
    }

    fn command(&mut self, command: Command) {
        let role = self.principal.role.as_deref().and_then(Role::parse);
        let (Ok(id), Some(role)) = (MemberId::new(&self.principal.id), role) else { return };
        let actor = Actor { name: self.principal.name.clone(), id, role };
        let (log, org) = (self.hub.log.clone(), self.principal.org.clone());
        let mut work: Work = Box::pin(async move { Answer::Reply(log.command(&org, actor, command).await) });
        match (&mut work).now_or_never() {
            Some(answer) => self.answer(answer),
            None => self.requests.push(work),
        }
    }

    fn signal(&mut self, signal: &Signal) {
        if let Err(error) = self.accept_signal(signal) {
            self.socket.machine.refuse_frame(error, self.hub.clock.now());
        }
    }

    fn accept_signal(&self, signal: &Signal) -> Result<(), ErrorBody> {
        let unnamed = |_| ErrorBody::new(ErrorCode::Forbidden, "the credential names nobody");
        let at = self.hub.clock.moment();
        match self.principal.principal_type {
            PrincipalType::Instance => {
                let instance = InstanceId::new(&self.principal.id).map_err(unnamed)?;
                self.feed.signal(Sender::Instance(&instance), signal, at)
            }
            PrincipalType::Member => {
                let member = MemberId::new(&self.principal.id).map_err(unnamed)?;
                let role = self.principal.role.as_deref().and_then(Role::parse).unwrap_or(Role::Viewer);
                let follows = self.scopes.contains_key(&signal.scope);
                self.feed.signal(Sender::Member { id: &member, role, follows }, signal, at)
            }
        }
    }
}
