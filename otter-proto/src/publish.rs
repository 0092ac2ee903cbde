//! Publishing exactly once: the sending end of an instance's outbox, without its disk.
//!
//! An instance numbers its events `n` = 1, 2, … per [`Lane`] and producer epoch before they are sent, and stores them
//! in an [`Outbox`]. The hub answers with the highest number it has on disk. [`Publisher`] decides what to send, and
//! notices when either side lost something: then it sends again what the hub lost, or begins another epoch.

mod boots;
mod coalesce;
mod lane;
mod memory;
mod outbox;

pub use boots::{Boot, Boots};
pub use coalesce::Coalescer;
pub use memory::{DeadLetter, MemoryOutbox};
pub use outbox::{LaneState, Outbox, OutboxRow};

use crate::Instant;
use crate::catalogue;
use crate::error::ErrorBody;
use crate::frame::{Lane, Lanes, Publish, Published};
use crate::limits::Limits;

use lane::LaneSender;

/// Sends the lanes of an outbox. The driver calls it after each welcome, `published`, append and disconnect, then
/// polls until there is nothing left.
#[derive(Debug)]
pub struct Publisher {
    bulk: LaneSender,
    main: LaneSender,
}

/// What the owner of the outbox has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishNews {
    /// A new producer epoch began, because events may be missing at the hub that are not in the outbox any more:
    /// everything observed has to be published again. The outbox keeps it until that is done.
    Restate {
        /// The lane.
        lane: Lane,
        /// The epoch that begins.
        epoch: u64,
        /// Which side lost what.
        reason: RestateReason,
    },
    /// Events were refused for good and are dead letters now.
    DeadLetters {
        /// The lane.
        lane: Lane,
        /// How many.
        count: usize,
    },
    /// The hub took nothing more, and will be asked again.
    Refused {
        /// The lane.
        lane: Lane,
        /// Why.
        error: ErrorBody,
    },
    /// The hub knows another epoch than it said at the welcome: only a new connection can tell which.
    Reconnect,
}

/// Why a new producer epoch began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestateReason {
    /// The hub has fewer events than it had acknowledged, and they are not kept any more.
    HubLostEvents,
    /// The hub has events that this outbox does not know.
    OutboxLostTail,
    /// The hub knows a later epoch: this outbox was put back to an earlier state.
    OutboxIsOld,
}

impl RestateReason {
    /// The word under which an outbox keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HubLostEvents => "hubLostEvents",
            Self::OutboxLostTail => "outboxLostTail",
            Self::OutboxIsOld => "outboxIsOld",
        }
    }

    /// Reads such a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::HubLostEvents, Self::OutboxLostTail, Self::OutboxIsOld]
            .into_iter()
            .find(|reason| reason.as_str() == word)
    }
}

/// The lane of a kind; `None` when the kind is not known here.
pub fn lane_of(kind: &str) -> Option<Lane> {
    if catalogue::vendor(kind).is_some() {
        return Some(catalogue::VENDOR_ENTITY.lane);
    }
    let row = catalogue::kind(kind)?;
    catalogue::entity(row.entity_type).map(|entity| entity.lane)
}

impl Default for Publisher {
    fn default() -> Self {
        Self::new()
    }
}

impl Publisher {
    /// Sends nothing before the first welcome.
    pub const fn new() -> Self {
        Self { bulk: LaneSender::new(Lane::Bulk), main: LaneSender::new(Lane::Main) }
    }

    /// The hub said what it has: finds where to go on.
    pub fn handle_welcome<O: Outbox>(
        &mut self,
        lanes: &Lanes,
        limits: &Limits,
        outbox: &mut O,
    ) -> Result<Vec<PublishNews>, O::Error> {
        let mut news = self.main.welcomed(&lanes.main, limits, outbox)?;
        news.extend(self.bulk.welcomed(&lanes.bulk, limits, outbox)?);
        Ok(news)
    }

    /// The hub answered a publish.
    pub fn handle_published<O: Outbox>(
        &mut self,
        published: &Published,
        outbox: &mut O,
        now: Instant,
    ) -> Result<Vec<PublishNews>, O::Error> {
        self.lane(published.lane).published(published, outbox, now)
    }

    /// Events were appended to the outbox.
    pub const fn handle_appended(&mut self) {
        self.bulk.more = true;
        self.main.more = true;
    }

    /// The connection is gone.
    pub fn handle_disconnected(&mut self) {
        self.bulk.disconnected();
        self.main.disconnected();
    }

    /// Whether [`Publisher::poll_publish`] has nothing to send, whatever the time.
    pub fn is_idle(&self) -> bool {
        self.bulk.is_idle() && self.main.is_idle()
    }

    /// When a refused publish is tried again.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.bulk.retry_at(), self.main.retry_at()].into_iter().flatten().min()
    }

    /// The next frame to send.
    pub fn poll_publish<O: Outbox>(&mut self, outbox: &O, now: Instant) -> Result<Option<Publish>, O::Error> {
        match self.main.next(outbox, now)? {
            None => self.bulk.next(outbox, now),
            publish => Ok(publish),
        }
    }

    const fn lane(&mut self, lane: Lane) -> &mut LaneSender {
        match lane {
            Lane::Bulk => &mut self.bulk,
            Lane::Main => &mut self.main,
        }
    }
}

#[cfg(test)]
mod tests;
