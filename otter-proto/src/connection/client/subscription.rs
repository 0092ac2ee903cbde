//! One followed scope: its state, its position, and how the two are brought up to date without a silent gap.

use crate::Instant;
use crate::connection::client::event::ScopePhase;
use crate::connection::client::step::{Heard, Step, Trouble};
use crate::event::RecordedEvent;
use crate::frame::{SnapshotPage, SnapshotRow, Subscribe, Subscribed, SubscribedMode};
use crate::hash;
use crate::id::{EntityKey, Epoch, Scope};
use crate::state::ScopeState;

/// What has been applied of a scope. Epoch and number are one value: neither means anything without the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The epoch in which `pos` was reached, or proven to be continued.
    pub epoch: Epoch,
    /// The seq of the last event applied.
    pub pos: u64,
}

/// A scope that is or was followed.
#[derive(Debug)]
pub(super) struct Subscription {
    /// Whether someone wants it at present. State and position of an unwanted one are kept for its return.
    pub(super) wanted: bool,
    /// The number of the newest `subscribe`; only its answer and what follows counts.
    pub(super) sub: u64,
    /// What was last told of the scope.
    pub(super) told: Option<(ScopePhase, Option<String>)>,
    /// When a resync that must not come at once is due.
    pub(super) resync_at: Option<Instant>,
    /// The number of the newest `subscribe` after which signals of it were told; a later one starts without them.
    pub(super) signalled: Option<u64>,
    /// A snapshot waits for the older rows that lists show.
    pub(super) held: bool,
    /// The highest head at which a page of rows was read: below it the state is no moment of the hub.
    paged: u64,
    stage: Stage,
    state: ScopeState,
    position: Option<Position>,
    shown: bool,
    reason: Option<String>,
    /// What the hub has not been told of.
    trouble: Option<Trouble>,
    resyncs: u32,
    last_resync: Option<Instant>,
}

#[derive(Debug)]
enum Stage {
    /// Nothing was asked on this connection.
    Unasked,
    /// A `subscribe` is not answered yet: everything of the scope belongs to an earlier one and is ignored.
    Asked,
    /// Events are applied as they come; those up to `head` happened before the answer.
    Following { head: u64 },
    /// A snapshot is being received.
    Staging(Staging),
    /// The hub said no.
    Denied,
}

/// A snapshot in the making. It replaces the state at once, when it has reached the head of its last page.
#[derive(Debug)]
struct Staging {
    /// The head when the subscription was answered.
    head: u64,
    epoch: Epoch,
    state: ScopeState,
    /// After the last page.
    tail: Option<Tail>,
    /// Events that happened since the answer, to be told after the swap; the newest [`MAX_HELD`].
    held: Vec<Heard>,
}

#[derive(Debug)]
struct Tail {
    pos: u64,
    head: u64,
    hash: Option<String>,
}

impl Subscription {
    pub(super) const fn new() -> Self {
        Self {
            wanted: true,
            sub: 0,
            told: None,
            resync_at: None,
            signalled: None,
            held: false,
            paged: 0,
            stage: Stage::Unasked,
            state: ScopeState::new(),
            position: None,
            shown: false,
            reason: None,
            trouble: None,
            resyncs: 0,
            last_resync: None,
        }
    }

    /// The `subscribe` that asks for the scope, from its position when it has one.
    pub(super) fn ask(&mut self, scope: &Scope, sub: u64) -> Subscribe {
        self.stage = Stage::Asked;
        self.sub = sub;
        self.resync_at = None;
        // Rows that are newer than the position would hide what a hub that was set back writes in their place.
        let position = self.position.clone().filter(|at| at.pos >= self.paged);
        let (epoch, pos) = position.map_or((None, None), |at| (Some(at.epoch), Some(at.pos)));
        let trouble = self.trouble.take().map(|trouble| trouble.word().to_owned());
        Subscribe { scope: scope.clone(), sub, epoch, pos, trouble }
    }

    /// The connection is gone, or the scope given up: what was under way is void, state and position stay.
    pub(super) fn detach(&mut self) {
        self.stage = Stage::Unasked;
        self.resync_at = None;
        self.held = false;
    }

    /// Gives up the position; the state stays on screen until another takes its place.
    pub(super) fn forget_position(&mut self) {
        self.position = None;
    }

    /// Ends the subscription because of `trouble`; returns when to ask again.
    pub(super) fn fail(&mut self, trouble: Trouble, now: Instant) -> Instant {
        if trouble != Trouble::Epoch {
            self.position = None;
            self.trouble = Some(trouble);
        }
        self.stage = Stage::Unasked;
        self.reason = Some(trouble.word().to_owned());
        let calm = self.last_resync.is_none_or(|last| now.since(last) > CALM_MS);
        self.resyncs = if calm { 0 } else { (self.resyncs + 1).min(5) };
        self.last_resync = Some(now);
        let wait = if calm { 0 } else { 500 << self.resyncs };
        let at = now.plus(wait);
        self.resync_at = Some(at);
        at
    }

    /// The answer to `ask`. Returns what went away with a denial.
    pub(super) fn answered(&mut self, answer: &Subscribed) -> Vec<EntityKey> {
        if answer.reason.is_some() {
            self.reason.clone_from(&answer.reason);
        }
        match answer.mode {
            SubscribedMode::Resumed => match &mut self.position {
                Some(position) => {
                    position.epoch = answer.epoch.clone();
                    self.stage = Stage::Following { head: answer.head };
                }
                None => self.stage = Stage::Unasked,
            },
            SubscribedMode::Snapshot => {
                // Pages of the state that is replaced; the hub may have been set back behind them.
                self.paged = 0;
                self.stage = Stage::Staging(Staging {
                    head: answer.head,
                    epoch: answer.epoch.clone(),
                    state: ScopeState::new(),
                    tail: None,
                    held: Vec::new(),
                });
            }
            SubscribedMode::Denied => {
                self.stage = Stage::Denied;
                return self.clear();
            }
        }
        Vec::new()
    }

    /// Drops state and position; returns what is gone.
    pub(super) fn clear(&mut self) -> Vec<EntityKey> {
        self.position = None;
        self.shown = false;
        let gone = std::mem::take(&mut self.state);
        gone.iter().map(|(key, _)| key.clone()).collect()
    }

    /// A page of the snapshot.
    pub(super) fn page(&mut self, page: &SnapshotPage<'_>) -> Result<Step, Trouble> {
        let Stage::Staging(staging) = &mut self.stage else { return Ok(Step::Quiet) };
        if staging.tail.is_some() {
            return Ok(Step::Quiet);
        }
        if staging.epoch != page.epoch {
            return Err(Trouble::Epoch);
        }
        for row in &page.entities {
            staging.state.load(row.entity.clone(), row.rev, row.live, row.value);
        }
        if let Some(head) = page.head {
            staging.tail = Some(Tail { pos: page.as_of, head, hash: page.hash.clone() });
        }
        self.swap()
    }

    /// Rows that were fetched; returns which of the shown ones changed.
    pub(super) fn rows(&mut self, entity_type: &str, rows: &[SnapshotRow<'_>], as_of: u64) -> Vec<EntityKey> {
        let (state, shown) = match &mut self.stage {
            Stage::Staging(staging) => (&mut staging.state, false),
            Stage::Following { .. } | Stage::Unasked | Stage::Asked | Stage::Denied => {
                (&mut self.state, true)
            }
        };
        self.paged = self.paged.max(as_of);
        state.keep(entity_type);
        let newer = rows.iter().filter(|row| state.load(row.entity.clone(), row.rev, row.live, row.value));
        let changed: Vec<EntityKey> = newer.map(|row| row.entity.clone()).collect();
        if shown { changed } else { Vec::new() }
    }

    /// A recorded event of the scope, under the epoch of its frame.
    pub(super) fn event(
        &mut self,
        event: &RecordedEvent<'_>,
        text: &str,
        epoch: &Epoch,
    ) -> Result<Step, Trouble> {
        match &mut self.stage {
            Stage::Following { head } => {
                let head = *head;
                let Some(position) = &mut self.position else { return Ok(Step::Quiet) };
                if position.epoch != *epoch {
                    return Err(Trouble::Epoch);
                }
                if !advance(&mut position.pos, event)? {
                    return Ok(Step::Quiet);
                }
                let told = Heard { seq: event.seq, text: text.to_owned(), replayed: event.seq <= head };
                Ok(Step::Applied(self.state.apply(event), told))
            }
            Stage::Staging(staging) => {
                if staging.epoch != *epoch {
                    return Err(Trouble::Epoch);
                }
                // Events between the answer and the last page are contained in the pages still to come.
                let Some(tail) = &mut staging.tail else { return Ok(Step::Quiet) };
                if !advance(&mut tail.pos, event)? {
                    return Ok(Step::Quiet);
                }
                staging.state.apply(event);
                if event.seq > staging.head {
                    if staging.held.len() >= MAX_HELD {
                        staging.held.remove(0);
                    }
                    staging.held.push(Heard { seq: event.seq, text: text.to_owned(), replayed: false });
                }
                self.swap()
            }
            Stage::Unasked | Stage::Asked | Stage::Denied => Ok(Step::Quiet),
        }
    }

    /// The hub's word that everything up to `pos` was sent before, and the scope's head if it moved.
    pub(super) fn ping(&mut self, pos: u64, head: Option<u64>, epoch: &Epoch) -> Result<Step, Trouble> {
        let (own, own_epoch) = match &mut self.stage {
            Stage::Following { .. } => match &mut self.position {
                Some(position) => (&mut position.pos, &position.epoch),
                None => return Ok(Step::Quiet),
            },
            Stage::Staging(Staging { tail: Some(tail), epoch, .. }) => (&mut tail.pos, &*epoch),
            Stage::Staging(_) | Stage::Unasked | Stage::Asked | Stage::Denied => return Ok(Step::Quiet),
        };
        if own_epoch != epoch {
            return Err(Trouble::Epoch);
        }
        if head.is_some_and(|head| head > *own) {
            return Err(Trouble::Behind);
        }
        *own = pos.max(*own);
        self.swap()
    }

    /// Compares the state after the last event of a frame with the hub's hash of it.
    pub(super) fn check(&self, last_seq: u64, hash: &str) -> Result<(), Trouble> {
        let Stage::Following { .. } = self.stage else { return Ok(()) };
        let here =
            self.position.as_ref().is_some_and(|position| position.pos == last_seq && last_seq >= self.paged);
        if here && hash::hex(self.state.hash()) != hash { Err(Trouble::Hash) } else { Ok(()) }
    }

    /// Replaces the state once the snapshot has reached the head of its last page, and lists have their rows.
    pub(super) fn swap(&mut self) -> Result<Step, Trouble> {
        let Stage::Staging(Staging { tail: Some(tail), state, .. }) = &mut self.stage else {
            return Ok(Step::Quiet);
        };
        if tail.pos < tail.head {
            return Ok(Step::Quiet);
        }
        if tail.hash.take().is_some_and(|hash| hash != hash::hex(state.hash())) {
            return Err(Trouble::Hash);
        }
        if self.held {
            return Ok(Step::Quiet);
        }
        let Stage::Staging(staging) = std::mem::replace(&mut self.stage, Stage::Asked) else {
            return Ok(Step::Quiet);
        };
        let Some(tail) = staging.tail else { return Ok(Step::Quiet) };
        let changed = self.state.differences(&staging.state);
        self.state = staging.state;
        self.position = Some(Position { epoch: staging.epoch, pos: tail.pos });
        self.shown = true;
        self.stage = Stage::Following { head: staging.head };
        Ok(Step::Swapped { changed, held: staging.held })
    }

    /// Whether the newest `subscribe` is not answered yet, so that frames of the scope mean nothing.
    pub(super) const fn is_asked(&self) -> bool {
        matches!(self.stage, Stage::Asked)
    }

    /// Whether rows may be fetched: what happened before the answer was received.
    pub(super) const fn is_fetchable(&self) -> bool {
        match &self.stage {
            Stage::Following { .. } => true,
            Stage::Staging(Staging { tail: Some(tail), .. }) => tail.pos >= tail.head,
            Stage::Staging(_) | Stage::Unasked | Stage::Asked | Stage::Denied => false,
        }
    }

    /// Whether nothing was asked on this connection.
    pub(super) const fn is_unasked(&self) -> bool {
        matches!(self.stage, Stage::Unasked)
    }

    /// Whether everything that happened before the answer is applied.
    pub(super) fn is_caught_up(&self) -> bool {
        let Stage::Following { head } = self.stage else { return false };
        self.position.as_ref().is_some_and(|position| position.pos >= head)
    }

    /// Where the scope is, and why.
    pub(super) fn phase(&self) -> (ScopePhase, Option<String>) {
        let phase = match self.stage {
            Stage::Denied => ScopePhase::Denied,
            _ if !self.shown => ScopePhase::Loading,
            _ if self.is_caught_up() => ScopePhase::Live,
            _ => ScopePhase::Stale,
        };
        (phase, if phase == ScopePhase::Live { None } else { self.reason.clone() })
    }

    pub(super) const fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    pub(super) const fn state_mut(&mut self) -> &mut ScopeState {
        &mut self.state
    }

    pub(super) const fn state(&self) -> &ScopeState {
        &self.state
    }

    /// Whether there is a state to show.
    pub(super) const fn is_shown(&self) -> bool {
        self.shown
    }
}

/// The rule of positions: skips what is applied, finds a hole, moves on. Returns whether the event is to be applied.
fn advance(pos: &mut u64, event: &RecordedEvent<'_>) -> Result<bool, Trouble> {
    if event.seq <= *pos {
        return Ok(false);
    }
    if event.prev > *pos {
        return Err(Trouble::Gap);
    }
    *pos = event.seq;
    Ok(true)
}

/// Events kept for handlers while a snapshot is on its way.
const MAX_HELD: usize = 1_000;
/// A scope that needed no resync for so long is asked again at once.
const CALM_MS: u64 = 30_000;
