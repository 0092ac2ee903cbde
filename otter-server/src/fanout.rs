//! Fan-out: takes what the log committed to those who subscribed.
//!
//! A subscriber is a position, not a queue. Each scope that somebody follows has a `Ring` of recent frames; a
//! commit wakes the scope's subscribers, and each continues from its own position, in the ring or in the log.

mod budget;
mod inbox;
mod instances;
mod scope;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use otter_proto::UnixMillis;
use otter_proto::error::{CloseCode, ErrorBody};
use otter_proto::frame::Signal;
use otter_proto::id::{InstanceId, MemberId, OrgId, Scope};

use crate::clock::{Moment, unix_now};
use crate::log::{Appended, Commit, FanOut};
use crate::metrics::Metrics;
use crate::ring::encode;
use crate::signals::{Current, Departure, Sender, Signals};

use budget::Budget;
pub use inbox::QueuedSignal;
pub(crate) use inbox::{End, Inbox, News};
pub(crate) use instances::{Holder, Seat};
pub(crate) use scope::ScopeFeed;

/// A scope without subscribers keeps its ring this long, for those who reconnect.
const IDLE: Duration = Duration::from_mins(1);
/// Scopes without subscribers that keep their ring.
const MAX_IDLE: usize = 1_024;
/// Bytes of frames that the rings of an org hold together.
const RINGS_BYTES: usize = 64 << 20;
/// How often idle scopes are looked for.
const SWEEP: Duration = Duration::from_secs(10);

/// The fan-out of a hub: give it to the log as its [`FanOut`] and to the hub.
#[derive(Debug, Default)]
pub struct Fanout {
    orgs: Mutex<BTreeMap<OrgId, Arc<OrgFeed>>>,
    metrics: Arc<Metrics>,
}

impl Fanout {
    /// Nobody is connected yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What this hub counts.
    pub(crate) const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The orgs that somebody asked for.
    pub(crate) fn orgs(&self) -> Vec<OrgId> {
        locked(&self.orgs).keys().cloned().collect()
    }

    /// The fan-out of one org.
    pub(crate) fn org(&self, org: &OrgId) -> Arc<OrgFeed> {
        let mut orgs = locked(&self.orgs);
        Arc::clone(orgs.entry(org.clone()).or_insert_with(|| Arc::new(OrgFeed::new())))
    }
}

impl FanOut for Fanout {
    fn committed(&self, commit: &Commit) {
        self.metrics.commits.add(1);
        self.metrics.events.add(commit.appended.len() as u64);
        self.org(&commit.org).committed(commit);
    }
}

/// The fan-out of one org.
#[derive(Debug)]
pub(crate) struct OrgFeed {
    watermark: AtomicU64,
    scopes: Mutex<Scopes>,
    rings: Mutex<Budget>,
    signals: Mutex<Signals>,
    seats: Mutex<BTreeMap<InstanceId, Arc<Seat>>>,
}

#[derive(Debug)]
struct Scopes {
    feeds: BTreeMap<Scope, Arc<ScopeFeed>>,
    swept: Instant,
    /// How many scopes the last sweep left.
    left: usize,
}

impl OrgFeed {
    fn new() -> Self {
        Self {
            watermark: AtomicU64::new(0),
            scopes: Mutex::new(Scopes { feeds: BTreeMap::new(), swept: Instant::now(), left: 0 }),
            rings: Mutex::new(Budget::new(RINGS_BYTES)),
            signals: Mutex::default(),
            seats: Mutex::default(),
        }
    }

    /// Everything up to here has reached the rings. Read it before the head of a scope.
    pub(crate) fn watermark(&self) -> u64 {
        self.watermark.load(Ordering::Acquire)
    }

    /// Registers a connection for news of a scope. The scope's head may not be known yet.
    pub(crate) fn subscribe(&self, scope: &Scope, connection: u64, inbox: &Arc<Inbox>) -> Arc<ScopeFeed> {
        let mut scopes = locked(&self.scopes);
        let feed = Arc::clone(scopes.feeds.entry(scope.clone()).or_default());
        feed.add(connection, Arc::clone(inbox));
        feed
    }

    /// Ends what [`Self::subscribe`] began.
    pub(crate) fn unsubscribe(&self, scope: &Scope, connection: u64) {
        let now = Instant::now();
        let mut scopes = locked(&self.scopes);
        if let Some(feed) = scopes.feeds.get(scope) {
            feed.remove(connection, now);
        }
        if now.duration_since(scopes.swept) >= SWEEP || scopes.feeds.len() > scopes.left + MAX_IDLE {
            scopes.sweep(now);
        }
    }

    /// Takes a signal to the subscribers of its scope.
    pub(crate) fn signal(&self, sender: Sender<'_>, signal: &Signal, at: Moment) -> Result<(), ErrorBody> {
        // The lock is held until the signal is queued everywhere: signals of a key keep their order.
        let mut signals = locked(&self.signals);
        let queued = signals.accept(sender, signal, at)?;
        self.pass_on(queued);
        Ok(())
    }

    /// A socket of a person came.
    pub(crate) fn came(&self, member: &MemberId, name: Option<&str>, now: UnixMillis) {
        let mut signals = locked(&self.signals);
        let queued = signals.came(member, name, now);
        self.pass_on(queued);
    }

    /// A socket of a person is gone; `Some` when it was the last.
    pub(crate) fn left(&self, member: &MemberId) -> Option<Departure> {
        locked(&self.signals).left(member)
    }

    /// The grace time after a departure is over.
    pub(crate) fn gone(&self, member: &MemberId, departure: Departure, now: UnixMillis) {
        let mut signals = locked(&self.signals);
        let queued = signals.gone(member, departure, now);
        self.pass_on(queued);
    }

    /// The signals of a scope that are in force, for a newcomer.
    pub(crate) fn current_signals(&self, scope: &Scope, now: otter_proto::Instant) -> Vec<Current> {
        locked(&self.signals).current(scope, now)
    }

    /// The latest signal of a key, when it is still in force.
    pub(crate) fn latest_signal(
        &self,
        scope: &Scope,
        key: &str,
        now: otter_proto::Instant,
    ) -> Option<Current> {
        locked(&self.signals).latest(scope, key, now)
    }

    /// Forgets the signals of an instance that went away.
    pub(crate) fn forget_signals(&self, instance: &InstanceId) {
        locked(&self.signals).forget(instance);
    }

    /// The place that one socket of an instance takes.
    pub(crate) fn seat(&self, instance: &InstanceId) -> Arc<Seat> {
        Arc::clone(locked(&self.seats).entry(instance.clone()).or_default())
    }

    /// Queues a signal for the subscribers of its scope.
    fn pass_on(&self, signal: Option<QueuedSignal>) {
        let Some(signal) = signal else { return };
        let feed = locked(&self.scopes).feeds.get(&signal.scope).cloned();
        if let Some(feed) = feed {
            feed.signal(&Arc::new(signal));
        }
    }

    fn committed(&self, commit: &Commit) {
        let mut by_scope: BTreeMap<&Scope, Vec<&Appended>> = BTreeMap::new();
        for event in &commit.appended {
            by_scope.entry(&event.scope).or_default().push(event);
        }
        for (scope, events) in by_scope {
            let mut signals = locked(&self.signals);
            let news = signals.settle(scope, &events, unix_now());
            // Held only as long as the order of signals needs it.
            let _in_order = (!news.is_empty()).then_some(signals);
            let feed = locked(&self.scopes).feeds.get(scope).cloned();
            if let Some(feed) = feed {
                let hash = commit.hashes.get(scope).copied();
                let pieces = encode(scope, &commit.epoch, &events, hash);
                locked(&self.rings).take(&feed, &pieces);
                feed.committed(scope, pieces);
                for signal in news {
                    feed.signal(&Arc::new(signal));
                }
            }
        }
        self.watermark.fetch_max(commit.head, Ordering::AcqRel);
        for (instance, command) in &commit.dispatch {
            self.seat(instance).dispatch(command);
        }
        for instance in &commit.removed {
            if let Some(holder) = self.seat(instance).holder() {
                let reason = "this instance was removed from its org".to_owned();
                holder.inbox.end(End { code: CloseCode::Revoked, reason });
            }
            locked(&self.signals).forget(instance);
        }
    }
}

impl Scopes {
    fn sweep(&mut self, now: Instant) {
        self.swept = now;
        self.feeds.retain(|_, feed| feed.idle_since().is_none_or(|since| now.duration_since(since) < IDLE));
        let mut idle: Vec<_> =
            self.feeds.iter().filter_map(|(scope, feed)| Some((feed.idle_since()?, scope.clone()))).collect();
        idle.sort();
        for (_, scope) in idle.iter().take(idle.len().saturating_sub(MAX_IDLE)) {
            self.feeds.remove(scope);
        }
        self.left = self.feeds.len();
    }
}

/// What a panic of another thread left is still consistent: nothing here panics between two writes.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
