//! Numbers for operators. They are counted without a lock, and put together when somebody asks.
//!
//! None names an org, a member or an instance.

mod text;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otter_proto::connection::server::{Counters, ServerConnection};
use otter_proto::frame::{Principal, PrincipalType};

use crate::fanout::locked;

pub(crate) use text::Gauges;

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        if more > 0 {
            self.0.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long something took: a histogram.
#[derive(Debug, Default)]
pub struct Timing {
    /// How many took at most as long as the bound, and longer than the one before; the last took longer than all.
    counts: [Counter; BOUNDS.len() + 1],
    micros: Counter,
}

/// Upper bounds of a [`Timing`], in microseconds and as seconds in text.
const BOUNDS: [(u64, &str); 9] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (2_500_000, "2.5"),
];

impl Timing {
    /// Counts one.
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let at = BOUNDS.iter().position(|(bound, _)| micros <= *bound).unwrap_or(BOUNDS.len());
        if let Some(count) = self.counts.get(at) {
            count.add(1);
        }
        self.micros.add(micros);
    }
}

/// What a hub counts. One per process.
#[derive(Debug, Default)]
pub struct Metrics {
    readers: Mutex<BTreeMap<u64, Arc<Reader>>>,
    /// Transactions that reached the disk and had something for somebody.
    pub(crate) commits: Counter,
    /// Events in them.
    pub(crate) events: Counter,
    /// From the end of a transaction's work until it is on disk.
    pub(crate) fsync: Arc<Timing>,
    /// Events that instances published and that were taken, those that were known already included.
    pub(crate) published: Counter,
    /// Events that were rejected for good.
    pub(crate) rejected: Counter,
    refused: Counter,
    dropped_signals: Counter,
    resyncs: Counter,
    hash_mismatches: Counter,
    /// Pages of snapshots that were read from the store.
    pub(crate) snapshot_reads: Counter,
    /// Pages of the log that were read for readers behind the rings.
    pub(crate) log_reads: Counter,
    /// Pages of rows, and whole texts, that clients fetched.
    pub(crate) page_reads: Counter,
}

/// One connection past its credential. It is taken off the list when dropped.
#[derive(Debug)]
pub(crate) struct Connected {
    metrics: Arc<Metrics>,
    number: u64,
    reader: Arc<Reader>,
    counted: Counters,
}

#[derive(Debug)]
struct Reader {
    role: Role,
    paused: AtomicBool,
    behind: AtomicU64,
    queue_bytes: AtomicU64,
}

/// Who connects, in the words of the label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Admin,
    Instance,
    Member,
    Owner,
    Viewer,
}

impl Role {
    const ALL: [Self; 5] = [Self::Admin, Self::Instance, Self::Member, Self::Owner, Self::Viewer];

    fn of(principal: &Principal) -> Self {
        match (principal.principal_type, principal.role.as_deref()) {
            (PrincipalType::Instance, _) => Self::Instance,
            (PrincipalType::Member, Some("owner")) => Self::Owner,
            (PrincipalType::Member, Some("admin")) => Self::Admin,
            (PrincipalType::Member, Some("member")) => Self::Member,
            (PrincipalType::Member, _) => Self::Viewer,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Instance => "instance",
            Self::Member => "member",
            Self::Owner => "owner",
            Self::Viewer => "viewer",
        }
    }
}

impl Metrics {
    /// A connection came.
    pub(crate) fn connected(self: &Arc<Self>, number: u64, principal: &Principal) -> Connected {
        let reader = Arc::new(Reader {
            role: Role::of(principal),
            paused: AtomicBool::new(false),
            behind: AtomicU64::new(0),
            queue_bytes: AtomicU64::new(0),
        });
        locked(&self.readers).insert(number, Arc::clone(&reader));
        Connected { metrics: Arc::clone(self), number, reader, counted: Counters::default() }
    }
}

impl Connected {
    /// Notes how a connection stands.
    pub(crate) fn note(&mut self, machine: &ServerConnection) {
        self.reader.paused.store(machine.is_paused(), Ordering::Relaxed);
        let queued = u64::try_from(machine.queued_bytes()).unwrap_or(u64::MAX);
        self.reader.queue_bytes.store(queued, Ordering::Relaxed);
        let (now, before) = (machine.counters(), self.counted);
        if now != before {
            self.counted = now;
            self.metrics.refused.add(now.refused - before.refused);
            self.metrics.dropped_signals.add(now.dropped_signals - before.dropped_signals);
            self.metrics.resyncs.add(now.resyncs - before.resyncs);
            self.metrics.hash_mismatches.add(now.hash_mismatches - before.hash_mismatches);
        }
    }

    /// Notes how many events of its org the connection has not been sent, at a heartbeat.
    pub(crate) fn behind(&self, events: u64) {
        self.reader.behind.store(events, Ordering::Relaxed);
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        locked(&self.metrics.readers).remove(&self.number);
    }
}

#[cfg(test)]
mod tests;
