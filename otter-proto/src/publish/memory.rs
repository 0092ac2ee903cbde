//! An outbox in memory, for simulations and tests. Its clone is a backup; [`MemoryOutbox::lose_tail`] is a disk that
//! lied.

use std::convert::Infallible;

use crate::event::NewEvent;
use crate::frame::{Lane, Rejection};
use crate::id::EventId;
use crate::publish::{LaneState, Outbox, OutboxRow, RestateReason, lane_of};
use crate::wire::Wire;

/// The outbox of a simulated instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryOutbox {
    bulk: Rows,
    main: Rows,
    dead: Vec<DeadLetter>,
}

/// An event that was refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its lane.
    pub lane: Lane,
    /// Why it was refused.
    pub rejection: Rejection,
    /// The event.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rows {
    epoch: u64,
    acked: u64,
    trimmed: u64,
    trimmed_id: Option<EventId>,
    opened: Option<u64>,
    restate: Option<RestateReason>,
    kept: Vec<(EventId, String)>,
}

impl Rows {
    const fn new() -> Self {
        let kept = Vec::new();
        Self { epoch: 1, acked: 0, trimmed: 0, trimmed_id: None, opened: None, restate: None, kept }
    }

    fn last(&self) -> u64 {
        self.trimmed + self.kept.len() as u64
    }

    fn at(&self, n: u64) -> Option<&(EventId, String)> {
        let at = usize::try_from(n.checked_sub(self.trimmed + 1)?).ok()?;
        self.kept.get(at)
    }

    /// Forgets rows up to `n`.
    fn trim(&mut self, n: u64) {
        while self.trimmed < n && !self.kept.is_empty() {
            let (id, _) = self.kept.remove(0);
            self.trimmed += 1;
            self.trimmed_id = Some(id);
        }
    }
}

impl Default for MemoryOutbox {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryOutbox {
    /// An empty outbox.
    pub const fn new() -> Self {
        Self { bulk: Rows::new(), main: Rows::new(), dead: Vec::new() }
    }

    /// Appends an event to the lane of its kind; `None` when the kind is not known.
    pub fn append(&mut self, event: &NewEvent) -> Option<Lane> {
        let lane = lane_of(&event.kind)?;
        let mut text = String::new();
        event.write(&mut text);
        self.of(lane).kept.push((event.id.clone(), text));
        Some(lane)
    }

    /// A process start: the outbox is opened.
    pub fn open(&mut self) {
        for rows in [&mut self.bulk, &mut self.main] {
            rows.opened = rows.opened.or(Some(rows.last()));
        }
    }

    /// Drops acknowledged rows, except the newest `keep`.
    pub fn trim(&mut self, lane: Lane, keep: u64) {
        let rows = self.of(lane);
        rows.trim(rows.acked.saturating_sub(keep));
    }

    /// Loses the newest `count` rows, as a disk that did not write what it said.
    pub fn lose_tail(&mut self, lane: Lane, count: usize) {
        let rows = self.of(lane);
        let left = rows.kept.len().saturating_sub(count);
        rows.kept.truncate(left);
        rows.opened = rows.opened.map(|opened| opened.min(rows.trimmed + left as u64));
        rows.acked = rows.acked.min(rows.last());
    }

    /// Why everything observed has to be published again, until [`MemoryOutbox::restated`].
    pub const fn restate(&self, lane: Lane) -> Option<RestateReason> {
        self.rows_of(lane).restate
    }

    /// Everything observed was published again.
    pub const fn restated(&mut self, lane: Lane) {
        self.of(lane).restate = None;
    }

    /// Events that were refused for good.
    pub fn dead_letters(&self) -> &[DeadLetter] {
        &self.dead
    }

    const fn of(&mut self, lane: Lane) -> &mut Rows {
        match lane {
            Lane::Bulk => &mut self.bulk,
            Lane::Main => &mut self.main,
        }
    }

    const fn rows_of(&self, lane: Lane) -> &Rows {
        match lane {
            Lane::Bulk => &self.bulk,
            Lane::Main => &self.main,
        }
    }
}

impl Outbox for MemoryOutbox {
    type Error = Infallible;

    fn lane(&self, lane: Lane) -> Result<LaneState, Infallible> {
        let rows = self.rows_of(lane);
        Ok(LaneState { epoch: rows.epoch, last: rows.last(), acked: rows.acked, trimmed: rows.trimmed })
    }

    fn rows(&self, lane: Lane, after: u64, max_bytes: u64) -> Result<Vec<OutboxRow>, Infallible> {
        let (rows, mut found, mut bytes) = (self.rows_of(lane), Vec::new(), 0);
        let mut n = after + 1;
        while let Some((_, text)) = rows.at(n) {
            bytes += text.len() as u64;
            if bytes > max_bytes && !found.is_empty() {
                break;
            }
            found.push(OutboxRow { n, text: text.clone() });
            n += 1;
        }
        Ok(found)
    }

    fn id_at(&self, lane: Lane, n: u64) -> Result<Option<EventId>, Infallible> {
        let rows = self.rows_of(lane);
        let trimmed = rows.trimmed_id.as_ref().filter(|_| n == rows.trimmed);
        Ok(trimmed.or_else(|| rows.at(n).map(|(id, _)| id)).cloned())
    }

    fn set_acked(&mut self, lane: Lane, up_to: u64) -> Result<(), Infallible> {
        self.of(lane).acked = up_to;
        Ok(())
    }

    fn reject(&mut self, lane: Lane, rejected: &[Rejection]) -> Result<usize, Infallible> {
        let mut count = 0;
        for rejection in rejected {
            let Some((id, text)) = self.rows_of(lane).at(rejection.n).cloned() else { continue };
            let known = self.dead.iter().any(|dead| dead.rejection.id.as_ref() == Some(&id));
            if !known {
                let rejection = Rejection { id: Some(id), ..rejection.clone() };
                self.dead.push(DeadLetter { lane, rejection, text });
                count += 1;
            }
        }
        Ok(count)
    }

    fn renew(&mut self, lane: Lane, epoch: u64, after: u64, reason: RestateReason) -> Result<(), Infallible> {
        let rows = self.of(lane);
        rows.trim(after);
        let kept = std::mem::take(&mut rows.kept);
        *rows = Rows { epoch, kept, restate: Some(reason), ..Rows::new() };
        Ok(())
    }

    fn opened_at(&self, lane: Lane) -> Result<Option<u64>, Infallible> {
        Ok(self.rows_of(lane).opened)
    }

    fn welcomed(&mut self, lane: Lane) -> Result<(), Infallible> {
        self.of(lane).opened = None;
        Ok(())
    }
}
