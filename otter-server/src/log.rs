//! The log: one writer thread that commits what gathers, readers with their own connections, and what they say.
//!
//! ```text
//! LogHandle --bounded queue--> writer: drain -> ledger in one transaction -> fsync -> FanOut::committed -> answers
//! Reader ----------------------------------------------------------------> the store, read-only
//! ```

mod answer;
mod handle;
mod reader;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use otter_proto::frame::CommandDispatch;
use otter_proto::id::{Epoch, InstanceId, OrgId, Scope};

pub use handle::{Attach, Attached, Lease, LogHandle};
pub use reader::{Reader, Resume, ResumeMiss};
pub use writer::{Clock, Fatal, Log, LogConfig, exit};

/// One recorded event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Its scope.
    pub scope: Scope,
    /// Its place in the org's log.
    pub seq: u64,
    /// The seq of the previous event of the scope.
    pub prev: u64,
    /// The recorded event as canonical JSON text.
    pub text: Arc<str>,
}

/// What one transaction of an org wrote. It is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The org.
    pub org: OrgId,
    /// The epoch of every seq in here.
    pub epoch: Epoch,
    /// The org's head after it.
    pub head: u64,
    /// The events, ascending by seq without holes. Empty when only bookkeeping changed.
    pub appended: Vec<Appended>,
    /// The state hash of every scope in `appended`, after its last event here.
    pub hashes: BTreeMap<Scope, u64>,
    /// Commands to hand to attached instances, in this order. They are recorded as sent. A hub prepares an instance's
    /// queue before it calls [`LogHandle::attach`]: commands accepted after the attach may be passed on before its
    /// answer arrives, and belong behind `outstanding`.
    pub dispatch: Vec<(InstanceId, CommandDispatch)>,
    /// Instances that were taken out of the org: their sockets and credentials end.
    pub removed: Vec<InstanceId>,
}

/// Takes commits to those who are connected.
///
/// The writer thread calls it in the order of commits, after the data is on disk and before it answers the requests.
/// It must not block: everything slower than a lock and a push belongs elsewhere.
pub trait FanOut: Send + Sync {
    /// Passes a commit on.
    fn committed(&self, commit: &Commit);
}

#[cfg(test)]
mod tests;
