//! One scope that somebody follows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use otter_proto::connection::server::Piece;
use otter_proto::id::Scope;

use super::inbox::{Inbox, QueuedSignal};
use super::locked;
use crate::ring::{Recent, Ring};

/// Ring, head and subscribers of a scope.
#[derive(Debug, Default)]
pub(crate) struct ScopeFeed(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    ring: Ring,
    head: Option<u64>,
    subscribers: BTreeMap<u64, Arc<Inbox>>,
    idle_since: Option<Instant>,
}

impl ScopeFeed {
    /// The scope's head as far as it is known here; never below what was fanned out.
    pub(crate) fn head(&self) -> Option<u64> {
        locked(&self.0).head
    }

    /// Notes a head that was read from the log after the subscription was registered.
    pub(crate) fn raise_head(&self, head: u64) {
        let mut inner = locked(&self.0);
        inner.head = Some(inner.head.map_or(head, |known| known.max(head)));
    }

    /// Frames after a position.
    pub(crate) fn after(&self, after: u64, max_bytes: u64) -> Recent {
        let inner = locked(&self.0);
        inner.ring.after(after, max_bytes, inner.head)
    }

    pub(super) fn add(&self, connection: u64, inbox: Arc<Inbox>) {
        let mut inner = locked(&self.0);
        inner.subscribers.insert(connection, inbox);
        inner.idle_since = None;
    }

    pub(super) fn remove(&self, connection: u64, now: Instant) {
        let mut inner = locked(&self.0);
        inner.subscribers.remove(&connection);
        if inner.subscribers.is_empty() {
            inner.idle_since.get_or_insert(now);
        }
    }

    pub(super) fn idle_since(&self) -> Option<Instant> {
        locked(&self.0).idle_since
    }

    pub(super) fn committed(&self, scope: &Scope, pieces: Vec<(Piece, usize)>) {
        let mut inner = locked(&self.0);
        let head = pieces.last().map(|(piece, _)| piece.last);
        inner.head = inner.head.max(head);
        inner.ring.push(pieces);
        for inbox in inner.subscribers.values() {
            inbox.news(scope);
        }
    }

    /// Drops the frames up to `last` from the ring.
    pub(super) fn forget(&self, last: u64) {
        locked(&self.0).ring.forget(last);
    }

    pub(super) fn signal(&self, signal: &Arc<QueuedSignal>) {
        for inbox in locked(&self.0).subscribers.values() {
            inbox.signal(signal);
        }
    }
}
