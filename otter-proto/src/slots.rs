//! Delta slots: the text so far of the answers that are being written in one conversation.

use crate::id::{EntityId, EntityKey};
use crate::limits::{MAX_SLOTS, SLOT_BYTES};
use crate::state::{Entity, ScopeState};
use crate::text::{self, head};
use crate::wire::wire;

wire! {
    /// The data of the signal `message.delta`.
    pub struct Delta {
        /// The run's entity id; the text becomes message `<runId>:answer`.
        run "runId": EntityId,
        /// Where `text` goes, in UTF-16 code units. 0 is a keyframe: it replaces everything.
        offset "offset": u64,
        /// The text from there on.
        text "text": String,
    }
}

/// What a delta did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeltaOutcome {
    /// The text changed.
    Changed,
    /// It is in the text already, or its run is over.
    Unchanged,
    /// Something before it is missing: the text stays until a keyframe comes.
    Hole,
}

/// What changed in a slot since it was asked last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotChange {
    /// The run.
    pub run: EntityId,
    /// How much of the text shown before stays, in UTF-16 code units.
    pub from: usize,
    /// What follows; `None` when the slot is gone.
    pub text: Option<String>,
}

/// The slots of one conversation: at most [`MAX_SLOTS`] of [`SLOT_BYTES`] each, the oldest goes first.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    open: Vec<Slot>,
    /// Runs whose answer or terminal came, the newest last; as many as there may be slots.
    over: Vec<EntityId>,
    removed: Vec<EntityId>,
}

#[derive(Debug, Clone)]
struct Slot {
    run: EntityId,
    text: String,
    /// The length of `text` in UTF-16 code units.
    units: usize,
    /// Whether deltas are ignored until a keyframe comes.
    hole: bool,
    /// Whether it is from before the subscription and the hub has not repeated it yet.
    kept: bool,
    /// Units that stayed the same since [`Slots::take_changes`]; `None` when all did.
    dirty: Option<usize>,
    /// Whether [`Slots::take_changes`] has told of it. Only then its end is told, which bounds `removed`.
    told: bool,
}

impl Slots {
    /// No slots.
    pub const fn new() -> Self {
        Self { open: Vec::new(), over: Vec::new(), removed: Vec::new() }
    }

    /// Takes a delta. Ask [`is_over`] first where the state of the conversation is at hand.
    pub fn accept(&mut self, delta: &Delta) -> DeltaOutcome {
        if self.over.contains(&delta.run) {
            return DeltaOutcome::Unchanged;
        }
        match self.open.iter_mut().find(|slot| slot.run == delta.run) {
            Some(slot) => slot.accept(delta),
            None if delta.offset > 0 => DeltaOutcome::Hole,
            None => {
                if self.open.len() >= MAX_SLOTS {
                    let oldest = self.open.remove(0);
                    self.removed.extend(oldest.told());
                }
                let mut slot = Slot {
                    run: delta.run.clone(),
                    text: String::new(),
                    units: 0,
                    hole: false,
                    kept: false,
                    dirty: Some(0),
                    told: false,
                };
                slot.replace(&delta.text);
                self.open.push(slot);
                DeltaOutcome::Changed
            }
        }
    }

    /// An entity of the conversation changed: the answer or the terminal of a run ends its slot. `None` when it is
    /// gone, which says nothing about a run: a hub that was restored may not have heard of it yet.
    pub fn settle(&mut self, key: &EntityKey, entity: Option<&Entity>) {
        let run = match (key.entity_type(), entity) {
            ("message", Some(_)) => key.id().strip_suffix(ANSWER),
            ("run", Some(entity)) => (!is_running(entity)).then(|| key.id()),
            _ => None,
        };
        if let Some(run) = run.and_then(|run| EntityId::new(run).ok()) {
            self.end(&run);
        }
    }

    /// Ends a slot; later deltas of its run are ignored.
    pub fn end(&mut self, run: &EntityId) {
        if let Some(at) = self.open.iter().position(|slot| slot.run == *run) {
            let gone = self.open.remove(at);
            self.removed.extend(gone.told());
        }
        if !self.over.contains(run) {
            if self.over.len() >= MAX_SLOTS {
                self.over.remove(0);
            }
            self.over.push(run.clone());
        }
    }

    /// The stream of signals was cut: what is shown stays, and waits for a keyframe.
    pub fn suspend(&mut self) {
        for slot in &mut self.open {
            (slot.hole, slot.kept) = (true, true);
        }
    }

    /// The state is complete again, after a swap or at the head of a resumed subscription: slots of runs that are
    /// over go, and of those from before also each whose run is not live and running.
    pub fn reconcile(&mut self, state: &ScopeState) {
        self.over.clear();
        let removed = &mut self.removed;
        self.open.retain(|slot| {
            let keep = !is_over(state, &slot.run) && (!slot.kept || is_open(state, &slot.run));
            if !keep {
                removed.extend(slot.told());
            }
            keep
        });
    }

    /// Drops every slot.
    pub fn clear(&mut self) {
        self.removed.extend(self.open.drain(..).filter_map(|slot| slot.told()));
        self.over.clear();
    }

    /// The text so far of a run.
    pub fn get(&self, run: &EntityId) -> Option<&str> {
        self.open.iter().find(|slot| slot.run == *run).map(|slot| slot.text.as_str())
    }

    /// Runs and their texts, in the order they began.
    pub fn iter(&self) -> impl Iterator<Item = (&EntityId, &str)> {
        self.open.iter().map(|slot| (&slot.run, slot.text.as_str()))
    }

    /// The bytes of all texts.
    pub fn bytes(&self) -> usize {
        self.open.iter().map(|slot| slot.text.len()).sum()
    }

    /// What changed since the last call: slots that went, then those that are new or have other text.
    pub fn take_changes(&mut self) -> Vec<SlotChange> {
        let mut changes = Vec::new();
        for run in std::mem::take(&mut self.removed) {
            changes.push(SlotChange { run, from: 0, text: None });
        }
        for slot in &mut self.open {
            let Some(from) = slot.dirty.take() else { continue };
            slot.told = true;
            let start = slot.byte_of(from).unwrap_or_default();
            let tail = slot.text.get(start..).unwrap_or_default().to_owned();
            changes.push(SlotChange { run: slot.run.clone(), from, text: Some(tail) });
        }
        changes
    }
}

impl Slot {
    /// The run, when somebody has to hear of its end.
    fn told(&self) -> Option<EntityId> {
        self.told.then(|| self.run.clone())
    }

    fn accept(&mut self, delta: &Delta) -> DeltaOutcome {
        if delta.offset == 0 {
            (self.hole, self.kept) = (false, false);
            return self.replace(&delta.text);
        }
        let offset = usize::try_from(delta.offset).unwrap_or(usize::MAX);
        let start = if self.hole { None } else { self.byte_of(offset) };
        let Some(start) = start else {
            self.hole = true;
            return DeltaOutcome::Hole;
        };
        let tail = self.text.get(start..).unwrap_or_default();
        if tail.starts_with(&delta.text) {
            return DeltaOutcome::Unchanged;
        }
        self.text.truncate(start);
        self.units = offset;
        self.append(&delta.text);
        DeltaOutcome::Changed
    }

    fn replace(&mut self, text: &str) -> DeltaOutcome {
        let text = head(text, SLOT_BYTES);
        if text == self.text {
            return DeltaOutcome::Unchanged;
        }
        if text.starts_with(&self.text) {
            let more = text.get(self.text.len()..).unwrap_or_default();
            self.append(more);
        } else {
            self.text.clear();
            self.units = 0;
            self.append(text);
        }
        DeltaOutcome::Changed
    }

    fn append(&mut self, text: &str) {
        let text = head(text, SLOT_BYTES - self.text.len());
        self.dirty = Some(self.dirty.map_or(self.units, |dirty| dirty.min(self.units)));
        self.text.push_str(text);
        self.units += text.chars().map(char::len_utf16).sum::<usize>();
    }

    /// The byte at `units` UTF-16 code units; `None` beyond the end and inside a surrogate pair. From the end,
    /// because that is where deltas go.
    fn byte_of(&self, units: usize) -> Option<usize> {
        let (mut at, mut left) = (self.text.len(), self.units);
        for char in self.text.chars().rev() {
            if left <= units {
                break;
            }
            left -= char.len_utf16();
            at -= char.len_utf8();
        }
        (left == units).then_some(at)
    }
}

/// The message that the text of a run becomes: `<runId>:answer`.
pub fn answer_key(run: &EntityId) -> Option<EntityKey> {
    let mut id = String::from(run.as_str());
    id.push_str(ANSWER);
    EntityKey::new("message", &id).ok()
}

/// Whether the answer or the terminal of a run was applied to the state of its conversation.
pub fn is_over(state: &ScopeState, run: &EntityId) -> bool {
    let answered = answer_key(run).is_some_and(|key| state.get(&key).is_some());
    answered || run_of(state, run).is_some_and(|entity| !is_running(entity))
}

const ANSWER: &str = ":answer";

fn is_open(state: &ScopeState, run: &EntityId) -> bool {
    run_of(state, run).is_some_and(|entity| entity.live && is_running(entity))
}

fn run_of<'a>(state: &'a ScopeState, run: &EntityId) -> Option<&'a Entity> {
    EntityKey::new("run", run.as_str()).ok().and_then(|key| state.get(&key))
}

fn is_running(run: &Entity) -> bool {
    text::member(&run.text, "state") == Some("\"running\"")
}

#[cfg(test)]
mod tests;
