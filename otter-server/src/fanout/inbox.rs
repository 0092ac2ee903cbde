//! What reaches one connection from the rest of the hub. Bounded: data is only named here, never queued.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use otter_proto::error::CloseCode;
use otter_proto::frame::CommandDispatch;
use otter_proto::id::Scope;
use otter_proto::limits::MAX_OPEN_COMMANDS;
use tokio::sync::{Notify, oneshot};

use super::locked;

/// Bytes of signals that wait for one connection; beyond them only the keys are kept.
const SIGNAL_BYTES: usize = 256 << 10;
/// Keys of signals that wait for one connection.
const SIGNAL_KEYS: usize = 4_096;

/// A signal on its way to subscribers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedSignal {
    /// Its scope.
    pub scope: Scope,
    /// Later signals of the same key replace earlier ones.
    pub key: String,
    /// Grows with every signal of the org.
    pub number: u64,
    /// The encoded frame.
    pub frame: Arc<str>,
}

/// Why the hub ends a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// The close code.
    pub(crate) code: CloseCode,
    /// Why, in words.
    pub(crate) reason: String,
}

/// Everything that waited.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Scopes with commits.
    pub(crate) scopes: BTreeSet<Scope>,
    /// Signals, in order.
    pub(crate) signals: VecDeque<Arc<QueuedSignal>>,
    /// Keys whose signals did not fit: the latest is to be looked up.
    pub(crate) stale: BTreeSet<(Scope, String)>,
    /// Commands for the instance.
    pub(crate) commands: Vec<CommandDispatch>,
    /// Commands did not fit: the open ones are to be read again.
    pub(crate) reread: bool,
    /// Somebody wants to know whether the peer answers.
    pub(crate) probes: Vec<oneshot::Sender<()>>,
    /// The connection is to end.
    pub(crate) end: Option<End>,
    signal_bytes: usize,
}

/// The mailbox of one connection.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    news: Mutex<News>,
    notify: Notify,
}

impl Inbox {
    /// Waits until there is something; a permit is kept when nobody waits.
    pub(crate) async fn wait(&self) {
        self.notify.notified().await;
    }

    /// Takes everything.
    pub(crate) fn take(&self) -> News {
        std::mem::take(&mut *locked(&self.news))
    }

    /// Asks the connection to find out whether its peer answers; the receiver fails when the connection ends.
    pub(crate) fn probe(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.change(|news| news.probes.push(sender));
        receiver
    }

    /// Asks the connection to end.
    pub(crate) fn end(&self, end: End) {
        self.change(|news| news.end = Some(end));
    }

    pub(super) fn news(&self, scope: &Scope) {
        self.change(|news| {
            if !news.scopes.contains(scope) {
                news.scopes.insert(scope.clone());
            }
        });
    }

    pub(super) fn signal(&self, signal: &Arc<QueuedSignal>) {
        self.change(|news| {
            let key = || (signal.scope.clone(), signal.key.clone());
            if !news.stale.is_empty() && news.stale.contains(&key()) {
                return;
            }
            if news.signal_bytes + signal.frame.len() <= SIGNAL_BYTES {
                news.signal_bytes += signal.frame.len();
                news.signals.push_back(Arc::clone(signal));
            } else if news.stale.len() < SIGNAL_KEYS {
                news.stale.insert(key());
            }
        });
    }

    pub(super) fn command(&self, command: &CommandDispatch) {
        self.change(|news| {
            if news.commands.len() < MAX_OPEN_COMMANDS {
                news.commands.push(command.clone());
            } else {
                news.reread = true;
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut News)) {
        change(&mut locked(&self.news));
        self.notify.notify_one();
    }
}
