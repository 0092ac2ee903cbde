//! The writer thread.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use otter_proto::UnixMillis;
use otter_proto::id::{Epoch, InstanceId, OrgId};

use crate::ledger::{Ledger, StoreError};
use crate::log::handle::{Message, Queued};
use crate::log::{Commit, FanOut, Lease, LogHandle};
use crate::store::Store;

/// Requests that may wait for the writer.
const QUEUE: usize = 1_024;
/// Requests, and bytes of them, that one transaction takes at most.
const GROUP: usize = 256;
const GROUP_BYTES: usize = 1 << 20;
/// How often commands that waited too long are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Commands that one sweep ends at most.
const SWEEP: usize = 256;

/// Reads the hub's clock.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// Is told why the log cannot go on. It should end the process: what was not answered was not promised, and going on
/// after a failed write could acknowledge what is not on disk.
pub type Fatal = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// Ends the process with a line in the log.
pub fn exit() -> Fatal {
    Arc::new(|error| {
        tracing::error!(%error, "the log cannot go on");
        std::process::exit(74);
    })
}

/// What the log works with.
#[allow(missing_debug_implementations)] // holds closures
pub struct LogConfig {
    /// Random, made for this start: positions are valid only together with it.
    pub epoch: Epoch,
    /// The hub's clock.
    pub clock: Clock,
    /// Takes commits to those who are connected.
    pub fan_out: Arc<dyn FanOut>,
    /// What to do when the store is broken or taken over; normally [`exit`].
    pub fatal: Fatal,
}

/// The writer thread. It commits whatever gathered while the last transaction went to disk, without added delay.
#[derive(Debug)]
pub struct Log {
    handle: LogHandle,
    queue: SyncSender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Starts the writer: records the epoch for `orgs`, then takes requests. Other orgs are made when they are first
    /// asked for.
    pub fn start(store: impl Store + 'static, orgs: &[OrgId], config: LogConfig) -> Result<Self, StoreError> {
        let (queue, requests) = sync_channel(QUEUE);
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        let handle = LogHandle::new(queue.clone(), Arc::clone(&queued_bytes));
        let fatal = Arc::clone(&config.fatal);
        let mut writer = Writer::new(store, config, queued_bytes);
        for org in orgs {
            writer.open(org)?;
        }
        let thread = std::thread::Builder::new().name("otter-log".to_owned()).spawn(move || {
            // A panic in here is a defect: the process must not go on without its log.
            let ended = catch_unwind(AssertUnwindSafe(|| writer.run(&requests)));
            match ended {
                Ok(Ok(())) => {}
                Ok(Err(error)) => fatal(&error),
                Err(_) => fatal(&StoreError::Broken("the log writer panicked".to_owned())),
            }
        });
        let thread = thread.map_err(|error| StoreError::Broken(format!("no thread for the log: {error}")))?;
        Ok(Self { handle, queue, thread: Some(thread) })
    }

    /// The handle to ask it.
    pub fn handle(&self) -> LogHandle {
        self.handle.clone()
    }

    /// Commits what is queued and ends. Later requests get `unavailable`.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        let _ = self.queue.send(Message::Stop);
        let _ = thread.join();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.end();
    }
}

/// What the writer keeps of an org between transactions.
#[derive(Debug, Default, Clone)]
pub(super) struct Desk {
    pub(super) attached: BTreeMap<InstanceId, Lease>,
}

impl Desk {
    /// Ends an attachment, unless a newer one took its place.
    pub(super) fn detach(&mut self, instance: &InstanceId, lease: Lease) {
        if self.attached.get(instance) == Some(&lease) {
            self.attached.remove(instance);
        }
    }

    pub(super) fn instances(&self) -> BTreeSet<InstanceId> {
        self.attached.keys().cloned().collect()
    }
}

pub(super) struct Writer {
    store: Box<dyn Store>,
    config: LogConfig,
    desks: BTreeMap<OrgId, Desk>,
    queued_bytes: Arc<AtomicUsize>,
    leases: u64,
    now: UnixMillis,
}

impl Writer {
    pub(super) fn new(
        store: impl Store + 'static,
        config: LogConfig,
        queued_bytes: Arc<AtomicUsize>,
    ) -> Self {
        let now = UnixMillis(0);
        Self { store: Box::new(store), config, desks: BTreeMap::new(), queued_bytes, leases: 0, now }
    }

    fn run(&mut self, requests: &Receiver<Message>) -> Result<(), StoreError> {
        let mut swept = Instant::now();
        loop {
            let wait = SWEEP_EVERY.saturating_sub(swept.elapsed());
            let stopping = match requests.recv_timeout(wait) {
                Ok(Message::Ask(first)) => self.gather(first, requests)?,
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => true,
                Err(RecvTimeoutError::Timeout) => false,
            };
            if stopping {
                return Ok(());
            }
            if swept.elapsed() >= SWEEP_EVERY {
                self.sweep()?;
                swept = Instant::now();
            }
        }
    }

    /// Takes what gathered in the queue; returns whether to stop after it.
    fn gather(&mut self, first: Queued, requests: &Receiver<Message>) -> Result<bool, StoreError> {
        let mut stopping = false;
        let mut bytes = first.bytes;
        let mut count = 1;
        let mut groups: BTreeMap<OrgId, Vec<Queued>> = BTreeMap::new();
        groups.entry(first.org.clone()).or_default().push(first);
        while count < GROUP && bytes < GROUP_BYTES {
            match requests.try_recv() {
                Ok(Message::Ask(next)) => {
                    count += 1;
                    bytes += next.bytes;
                    groups.entry(next.org.clone()).or_default().push(next);
                }
                Ok(Message::Stop) => {
                    stopping = true;
                    break;
                }
                Err(_) => break,
            }
        }
        for (org, group) in groups {
            self.commit(&org, group)?;
        }
        Ok(stopping)
    }

    /// Runs the requests of one org in one transaction, passes the commit on, then answers.
    fn commit(&mut self, org: &OrgId, group: Vec<Queued>) -> Result<(), StoreError> {
        let bytes: usize = group.iter().map(|queued| queued.bytes).sum();
        let mut outcomes = Vec::with_capacity(group.len());
        let result = self.open(org).and_then(|()| {
            self.transact(org, &mut |ledger, desk, leases| {
                for queued in &group {
                    outcomes.push(queued.request.run(ledger, desk, leases)?);
                }
                Ok(())
            })
        });
        // Before the answers: who has one may ask for as much again.
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        match result {
            Ok(()) => {
                for (queued, outcome) in group.into_iter().zip(outcomes) {
                    queued.request.answer(outcome);
                }
                Ok(())
            }
            Err(error @ (StoreError::Full | StoreError::Busy)) => {
                tracing::warn!(%error, "a commit was refused");
                for queued in group {
                    queued.request.refuse(&error);
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Ends commands that waited too long.
    pub(super) fn sweep(&mut self) -> Result<(), StoreError> {
        let orgs: Vec<OrgId> = self.desks.keys().cloned().collect();
        for org in orgs {
            let swept = self.transact(&org, &mut |ledger, _, _| ledger.expire(SWEEP).map(|_| ()));
            match swept {
                Ok(()) | Err(StoreError::Full | StoreError::Busy) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One transaction; what it wrote is passed on. Nothing is changed when it fails.
    fn transact(
        &mut self,
        org: &OrgId,
        work: &mut dyn FnMut(&mut Ledger<'_>, &mut Desk, &mut u64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.now = self.now.max((self.config.clock)());
        let (now, epoch) = (self.now, &self.config.epoch);
        let mut desk = self.desks.get(org).cloned().unwrap_or_default();
        let leases = &mut self.leases;
        let mut commit: Option<Commit> = None;
        self.store.transaction(org, &mut |rows| {
            let mut ledger = Ledger::open(rows, org, epoch, now)?;
            work(&mut ledger, &mut desk, leases)?;
            commit = Some(ledger.finish()?);
            Ok(())
        })?;
        for gone in commit.iter().flat_map(|commit| &commit.removed) {
            desk.attached.remove(gone);
        }
        self.desks.insert(org.clone(), desk);
        if let Some(commit) = commit.filter(|commit| {
            !commit.appended.is_empty() || !commit.dispatch.is_empty() || !commit.removed.is_empty()
        }) {
            self.config.fan_out.committed(&commit);
        }
        Ok(())
    }

    /// Records the epoch of an org that this writer has not opened yet.
    pub(super) fn open(&mut self, org: &OrgId) -> Result<(), StoreError> {
        if self.desks.contains_key(org) {
            return Ok(());
        }
        let epoch = &self.config.epoch;
        self.store.transaction(org, &mut |rows| Ledger::start(rows, epoch))?;
        self.desks.insert(org.clone(), Desk::default());
        Ok(())
    }
}
