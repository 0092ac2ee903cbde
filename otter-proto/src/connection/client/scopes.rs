//! The followed scopes: what is asked of the hub, and where each is.

use crate::Instant;
use crate::connection::client::ClientConnection;
use crate::connection::client::event::{ConnectionEvent, ScopePhase};
use crate::connection::client::link::Link;
use crate::connection::client::step::Trouble;
use crate::connection::client::subscription::{Position, Subscription};
use crate::frame::{ClientFrame, Pong, Subscribe, Unsubscribe};
use crate::id::{MemberId, Scope};
use crate::state::ScopeState;
use crate::wire::Positions;

impl ClientConnection {
    /// Follows a scope; a state kept from before is resumed. Events of it that were not delivered when it was given
    /// up are delivered after all.
    pub fn subscribe(&mut self, scope: Scope, now: Instant) {
        let scope = self.resolve(scope);
        let at = self.find(&scope).unwrap_or_else(|| {
            self.scopes.push((scope.clone(), Subscription::new()));
            self.scopes.len() - 1
        });
        if let Some((_, subscription)) = self.scopes.get_mut(at) {
            subscription.wanted = true;
        }
        for event in std::mem::take(&mut self.held_back) {
            if scope_of(&event) == Some(&scope) {
                self.events.push(event);
            } else {
                self.held_back.push(event);
            }
        }
        self.ask_due(now);
        self.tell_scope(&scope);
    }

    /// Gives a scope up; its state and position are kept for a while. None of its events is delivered any more, but
    /// what came of a text that was asked for, and its end.
    pub fn unsubscribe(&mut self, scope: &Scope) {
        let scope = self.resolve(scope.clone());
        let online = matches!(self.link, Link::Online { .. });
        let Some(subscription) = self.subscription(&scope).filter(|subscription| subscription.wanted) else {
            return;
        };
        let asked = !subscription.is_unasked();
        subscription.wanted = false;
        subscription.told = None;
        subscription.detach();
        if asked && online {
            self.send(&ClientFrame::Unsubscribe(Unsubscribe { scope: scope.clone() }));
        }
        self.suspend_slots(Some(&scope));
        for event in self.events.take() {
            // Who waits for a text hears all of it that came, and then that no more does.
            if scope_of(&event) != Some(&scope) || matches!(event, ConnectionEvent::Text { .. }) {
                self.events.push(event);
            } else if !matches!(event, ConnectionEvent::Scope { .. } | ConnectionEvent::Signal { .. }) {
                self.held_back.push(event);
            }
        }
        self.drop_fetches(Some(&scope));
        // Only what comes back by resuming is worth its memory.
        let dropped = self.subscription(&scope).map(|of| of.state_mut().live_only()).unwrap_or_default();
        for key in dropped {
            self.changed(&scope, key);
        }
        self.drop_unwanted();
    }

    /// Gives a scope up and drops its state and position.
    pub fn forget(&mut self, scope: &Scope) {
        let scope = self.resolve(scope.clone());
        self.unsubscribe(&scope);
        if let Some(at) = self.find(&scope) {
            self.drop_scope(at);
        }
    }

    /// How current a scope is; `None` when it is not followed.
    pub fn scope_phase(&self, scope: &Scope) -> Option<ScopePhase> {
        self.scope_status(scope).map(|(phase, _)| phase)
    }

    /// How current a scope is, and why when there is something to say; `None` when it is not followed.
    pub fn scope_status(&self, scope: &Scope) -> Option<(ScopePhase, Option<String>)> {
        let (_, subscription) = self.scopes.get(self.find(&self.resolve(scope.clone()))?)?;
        subscription.wanted.then(|| subscription.phase())
    }

    /// What has been applied of a scope.
    pub fn position(&self, scope: &Scope) -> Option<&Position> {
        self.scopes.get(self.find(scope)?)?.1.position()
    }

    /// The entities of a scope as the hub has them, without predictions; `None` before there are any.
    pub fn state(&self, scope: &Scope) -> Option<&ScopeState> {
        let (_, subscription) = self.scopes.get(self.find(scope)?)?;
        subscription.is_shown().then(|| subscription.state())
    }

    /// The state hash of a scope, as 16 hex digits.
    pub fn hash(&self, scope: &Scope) -> Option<String> {
        self.state(scope).map(|state| crate::hash::hex(state.hash()))
    }

    /// The scopes that are followed or kept.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.scopes.iter().map(|(scope, _)| scope)
    }

    /// Everything wanted, for `hello`.
    pub(super) fn ask_all(&mut self) -> Vec<Subscribe> {
        let mut asked = Vec::new();
        for (scope, subscription) in self.scopes.iter_mut().filter(|(_, subscription)| subscription.wanted) {
            asked.push(subscription.ask(scope, self.next_sub));
            self.next_sub += 1;
        }
        asked
    }

    /// Asks for what is wanted and not asked yet, except resyncs that have to wait.
    pub(super) fn ask_due(&mut self, now: Instant) {
        if !matches!(self.link, Link::Online { .. }) {
            return;
        }
        let mut asked = Vec::new();
        for (scope, subscription) in &mut self.scopes {
            let due = subscription.resync_at.is_none_or(|at| now >= at);
            if subscription.wanted && subscription.is_unasked() && due {
                asked.push(subscription.ask(scope, self.next_sub));
                self.next_sub += 1;
            }
        }
        for subscribe in asked {
            self.send(&ClientFrame::Subscribe(subscribe));
        }
    }

    /// When a resync is due.
    pub(super) fn scopes_deadline(&self) -> Option<Instant> {
        self.scopes.iter().filter_map(|(_, subscription)| subscription.resync_at).min()
    }

    /// Makes a subscription anew, because what was received cannot be trusted or continued.
    pub(super) fn resync(&mut self, scope: &Scope, trouble: Trouble, now: Instant) {
        self.counters.resyncs += 1;
        match trouble {
            Trouble::Gap | Trouble::Behind => self.counters.gaps += 1,
            Trouble::Hash => self.counters.hash_mismatches += 1,
            Trouble::BadFrame => self.counters.bad_frames += 1,
            Trouble::Resync | Trouble::Epoch => {}
        }
        if let Some(subscription) = self.subscription(scope) {
            subscription.fail(trouble, now);
        }
        self.suspend_slots(Some(scope));
        self.ask_due(now);
        self.tell_scope(scope);
    }

    /// The socket is gone: nothing is asked any more, everything shown is stale.
    pub(super) fn detach_scopes(&mut self) {
        for (_, subscription) in &mut self.scopes {
            subscription.detach();
        }
        self.suspend_slots(None);
        self.detach_fetches();
        self.tell_scopes();
    }

    /// Tells the phases that changed.
    pub(super) fn tell_scopes(&mut self) {
        for scope in &self.names() {
            self.tell_scope(scope);
        }
    }

    /// The names of all scopes.
    pub(super) fn names(&self) -> Vec<Scope> {
        self.scopes().cloned().collect()
    }

    /// Another principal: nothing of the former one stays, and the own scope is that of the new one.
    pub(super) fn reset_scopes(&mut self, principal: &str) {
        let own = MemberId::new(principal).ok();
        self.scopes.retain(|(_, subscription)| subscription.wanted);
        for (scope, subscription) in &mut self.scopes {
            if let (Scope::Member(id), Some(own)) = (scope, &own) {
                *id = own.clone();
            }
            subscription.clear();
            subscription.detach();
            subscription.told = None;
        }
        self.held_back.clear();
        self.drop_fetches(None);
        for event in self.events.take() {
            if scope_of(&event).is_none() {
                self.events.push(event);
            }
        }
    }

    /// Applied positions, for `pong`.
    pub(super) fn applied(&self) -> Pong {
        let mut applied = Positions::default();
        for (scope, subscription) in &self.scopes {
            if let Some(position) = subscription.position().filter(|_| subscription.is_caught_up()) {
                applied.0.insert(scope.clone(), position.pos);
            }
        }
        Pong { pos: applied }
    }

    /// Tells a scope's phase when it changed.
    pub(super) fn tell_scope(&mut self, scope: &Scope) {
        let Some(subscription) = self.subscription(scope).filter(|subscription| subscription.wanted) else {
            return;
        };
        let now = subscription.phase();
        if subscription.told.as_ref() == Some(&now) {
            return;
        }
        subscription.told = Some(now.clone());
        self.emit(ConnectionEvent::Scope { scope: scope.clone(), phase: now.0, reason: now.1 });
    }

    pub(super) fn find(&self, scope: &Scope) -> Option<usize> {
        self.scopes.iter().position(|(name, _)| name == scope)
    }

    pub(super) fn subscription(&mut self, scope: &Scope) -> Option<&mut Subscription> {
        self.scopes.iter_mut().find(|(name, _)| name == scope).map(|(_, subscription)| subscription)
    }

    /// `member/self` as the hub names it, once it is known who this is.
    pub(super) fn resolve(&self, scope: Scope) -> Scope {
        match (&scope, &self.principal) {
            (Scope::Member(id), Some(principal)) if id.as_str() == "self" => {
                MemberId::new(&principal.id).map_or(scope, Scope::Member)
            }
            _ => scope,
        }
    }

    /// Drops the oldest of the kept scopes.
    fn drop_unwanted(&mut self) {
        while self.scopes.iter().filter(|(_, subscription)| !subscription.wanted).count() > MAX_KEPT {
            let Some(at) = self.scopes.iter().position(|(_, subscription)| !subscription.wanted) else {
                return;
            };
            self.drop_scope(at);
        }
    }

    fn drop_scope(&mut self, at: usize) {
        let (scope, _) = self.scopes.remove(at);
        self.held_back.retain(|event| scope_of(event) != Some(&scope));
        self.forget_slots(&scope);
    }
}

/// The scope that an event belongs to.
fn scope_of(event: &ConnectionEvent) -> Option<&Scope> {
    match event {
        ConnectionEvent::Scope { scope, .. }
        | ConnectionEvent::Changed { scope, .. }
        | ConnectionEvent::List { scope, .. }
        | ConnectionEvent::Text { scope, .. }
        | ConnectionEvent::Slot { scope, .. }
        | ConnectionEvent::Signal { scope, .. }
        | ConnectionEvent::SignalsOver { scope }
        | ConnectionEvent::Event { scope, .. } => Some(scope),
        ConnectionEvent::Status(_)
        | ConnectionEvent::Welcome { .. }
        | ConnectionEvent::Clock { .. }
        | ConnectionEvent::Reset
        | ConnectionEvent::Command { .. }
        | ConnectionEvent::Dispatch(_)
        | ConnectionEvent::Published(_)
        | ConnectionEvent::Notice(_) => None,
    }
}

/// Scopes given up whose state is kept.
const MAX_KEPT: usize = 32;
