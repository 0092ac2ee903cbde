//! The scopes of one connection: where each stands in its stream.

use std::collections::{BTreeMap, VecDeque};

use super::fetches::{self, Fetches};
use super::need::{Need, Start, Ticket};
use crate::id::{EntityKey, Epoch, Scope};
use crate::limits::MESSAGE_BYTES;
use crate::wire::Positions;

/// Where a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// `subscribed` was not sent yet.
    Asked,
    /// Pages of the snapshot are on their way.
    Paging {
        /// The last key sent.
        after: Option<EntityKey>,
        /// The lowest head at which a page so far was read.
        as_of: Option<u64>,
    },
    /// Events follow each other: past `resumed`, or past the last page.
    Live,
}

/// One subscribed scope.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) ticket: Ticket,
    pub(super) phase: Phase,
    /// The seq up to which everything of the scope was written.
    pub(super) pos: u64,
    /// The highest head a heartbeat named.
    pub(super) reported: u64,
    /// There may be something after `pos`.
    pub(super) dirty: bool,
    /// A question for this subscription is open.
    pub(super) asked: bool,
    /// What the client wants to have read.
    pub(super) fetches: Fetches,
}

/// A `subscribe` whose answer was not sent yet.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) ticket: Ticket,
    pub(super) scope: Scope,
    pub(super) sub: u64,
    pub(super) position: Option<u64>,
    pub(super) start: Option<Start>,
}

/// All subscriptions of a connection, and the answers they wait for.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    by_scope: BTreeMap<Scope, Subscription>,
    asked: VecDeque<Asked>,
    last_ticket: u64,
    /// The scope served last, so that a busy one does not starve the others.
    served: Option<Scope>,
}

impl Subscriptions {
    /// Registers a `subscribe`, ending an older subscription of the scope.
    pub(super) fn ask(&mut self, scope: Scope, sub: u64, position: Option<(Epoch, u64)>) -> Need {
        let ticket = self.next_ticket();
        let subscription = Subscription {
            ticket,
            phase: Phase::Asked,
            pos: 0,
            reported: 0,
            dirty: false,
            asked: false,
            fetches: Fetches::new(),
        };
        self.by_scope.insert(scope.clone(), subscription);
        let pos = position.as_ref().map(|(_, pos)| *pos);
        self.asked.push_back(Asked { ticket, scope: scope.clone(), sub, position: pos, start: None });
        Need::Subscribe { ticket, scope, position }
    }

    /// Registers a `subscribe` that is refused at once, in its turn.
    pub(super) fn deny(&mut self, scope: Scope, sub: u64, reason: &str) {
        let ticket = self.next_ticket();
        let start = Some(Start::Denied { reason: reason.to_owned() });
        self.asked.push_back(Asked { ticket, scope, sub, position: None, start });
    }

    /// Stores how a subscription starts.
    pub(super) fn answer(&mut self, ticket: Ticket, start: Start) {
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.ticket == ticket) {
            asked.start = Some(start);
        }
    }

    /// The next `subscribe`, in the order they came, whose answer is known.
    pub(super) fn next_answer(&mut self) -> Option<(Asked, Start)> {
        let start = self.asked.front_mut()?.start.take()?;
        self.asked.pop_front().map(|asked| (asked, start))
    }

    pub(super) fn remove(&mut self, scope: &Scope) -> bool {
        self.by_scope.remove(scope).is_some()
    }

    pub(super) fn clear(&mut self) -> Vec<Scope> {
        self.asked.clear();
        std::mem::take(&mut self.by_scope).into_keys().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.by_scope.len()
    }

    /// How many `subscribe`s wait for their answer.
    pub(super) fn unanswered(&self) -> usize {
        self.asked.len()
    }

    pub(super) fn get_mut(&mut self, scope: &Scope) -> Option<&mut Subscription> {
        self.by_scope.get_mut(scope)
    }

    pub(super) fn contains(&self, scope: &Scope) -> bool {
        self.by_scope.contains_key(scope)
    }

    /// Whether `subscribed` of the scope was sent.
    pub(super) fn is_answered(&self, scope: &Scope) -> bool {
        self.by_scope.get(scope).is_some_and(|sub| sub.phase != Phase::Asked)
    }

    /// The subscription of a ticket, unless it has ended.
    pub(super) fn of(&mut self, ticket: Ticket) -> Option<(&Scope, &mut Subscription)> {
        self.by_scope.iter_mut().find(|(_, sub)| sub.ticket == ticket)
    }

    /// The next question about data, round robin over the scopes that have something to send. Answers that are still to
    /// come take their part of the window.
    pub(super) fn next_data(&mut self, window: u64) -> Option<Need> {
        let open = self.by_scope.values().filter(|sub| sub.asked).count();
        let window = window.saturating_sub(open as u64 * MESSAGE_BYTES as u64);
        if window == 0 {
            return None;
        }
        let fetches = |sub: &Subscription| sub.phase == Phase::Live && !sub.fetches.is_empty();
        let wants =
            |sub: &Subscription| !sub.asked && (sub.dirty || fetches(sub)) && sub.phase != Phase::Asked;
        let after_served =
            self.by_scope.iter().find(|(scope, sub)| wants(sub) && Some(*scope) > self.served.as_ref());
        let (scope, _) = after_served.or_else(|| self.by_scope.iter().find(|(_, sub)| wants(sub)))?;
        let scope = scope.clone();
        self.served = Some(scope.clone());
        let sub = self.by_scope.get_mut(&scope)?;
        sub.asked = true;
        if fetches(sub) {
            return fetches::next(&mut sub.fetches, sub.ticket, &scope);
        }
        sub.dirty = false;
        Some(match &sub.phase {
            Phase::Paging { after, .. } => Need::Snapshot { ticket: sub.ticket, scope, after: after.clone() },
            Phase::Asked | Phase::Live => {
                Need::Events { ticket: sub.ticket, scope, after: sub.pos, max_bytes: window }
            }
        })
    }

    /// The scopes that heartbeats speak about: past `resumed` or past their last page.
    pub(super) fn covered(&self) -> Vec<Scope> {
        let live = self.by_scope.iter().filter(|(_, sub)| sub.phase == Phase::Live);
        live.map(|(scope, _)| scope.clone()).collect()
    }

    /// Position and heads of a heartbeat. A scope with nothing after what was written counts as the watermark, which
    /// was read before its head: whatever was committed up to the watermark is in that head.
    pub(super) fn heartbeat(&mut self, watermark: u64, heads: &[(Scope, u64)]) -> (u64, Positions) {
        let head_of = |scope: &Scope| heads.iter().find(|(of, _)| of == scope).map(|(_, head)| *head);
        let mut pos = watermark;
        for (scope, sub) in self.by_scope.iter().filter(|(_, sub)| sub.phase == Phase::Live) {
            let is_complete = head_of(scope).is_some_and(|head| head <= sub.pos);
            pos = pos.min(if is_complete { sub.pos.max(watermark) } else { sub.pos });
        }
        // Named is what was written, not the stored head: a scope that is behind holds `pos` at exactly the last event
        // written, and a client that lost this event would otherwise be lifted over it.
        let mut moved = Positions::default();
        for (scope, sub) in self.by_scope.iter_mut().filter(|(_, sub)| sub.phase == Phase::Live) {
            if sub.pos > sub.reported && sub.pos <= pos {
                sub.reported = sub.pos;
                moved.0.insert(scope.clone(), sub.pos);
            }
        }
        (pos, moved)
    }

    const fn next_ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }
}
