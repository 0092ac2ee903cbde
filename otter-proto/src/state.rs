//! State: the entities of one scope as its events leave them. The same code in the hub, the native client and the
//! browser.

use crate::effect::{self, Outcome};
use crate::event::RecordedEvent;
use crate::hash;
use crate::id::EntityKey;

/// A JSON object of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Canonical text.
    pub text: String,
    /// The seq of the event that wrote it last.
    pub rev: u64,
    /// Whether it is in the live window of its type. One that is not stays fetchable.
    pub live: bool,
}

/// The entities of one scope, in the order of their keys, and their hash.
///
/// Rows that are not live may be dropped any time: at most [`MAX_NOT_LIVE`] are kept, those written last.
#[derive(Debug, Clone, Default)]
pub struct ScopeState {
    // A sorted vector: pages arrive in key order, and one container for everything keeps the browser's module small.
    rows: Vec<Row>,
    hash: u64,
    not_live: usize,
    writes: u64,
}

/// Rows that are not live, per scope.
pub const MAX_NOT_LIVE: usize = 2_000;
/// What stays after they were more, so that dropping is not repeated for each.
const KEPT_NOT_LIVE: usize = 1_750;

#[derive(Debug, Clone)]
struct Row {
    key: EntityKey,
    entity: Entity,
    /// What it adds to the hash; 0 when it is not live.
    hash: u64,
    /// The number of the write that touched it last.
    written: u64,
}

impl ScopeState {
    /// An empty scope.
    pub const fn new() -> Self {
        Self { rows: Vec::new(), hash: 0, not_live: 0, writes: 0 }
    }

    /// Takes a live row of a snapshot page. It wins over what is here iff its `rev` is greater; returns whether.
    ///
    /// Pages may be read at different heads, each while events go on. When every event above the lowest of those
    /// heads is applied afterwards, the state is that of the last event: a row that a page holds "too new" ignores
    /// the events it already contains, one that an old event brings back although it is gone is deleted or evicted
    /// by the event that did it, which comes later.
    pub fn load(&mut self, key: EntityKey, rev: u64, text: &str) -> bool {
        let at = self.find(&key);
        if at.ok().and_then(|at| self.rows.get(at)).is_some_and(|row| row.entity.rev >= rev) {
            return false;
        }
        self.store(at, key, Entity { text: text.to_owned(), rev, live: true });
        true
    }

    /// Applies the effects of an event of this scope; returns what changed, also what was dropped to make room.
    pub fn apply(&mut self, event: &RecordedEvent<'_>) -> Vec<EntityKey> {
        let mut changed = Vec::new();
        for each in &event.effects {
            let at = self.find(&each.entity);
            let existing = at.ok().and_then(|at| self.rows.get(at)).map(|row| &row.entity);
            match effect::apply(each.op, existing, each.value.unwrap_or(event.data), event.seq) {
                Outcome::Unchanged => continue,
                Outcome::Stored(entity) => self.store(at, each.entity.clone(), entity),
                Outcome::Removed => self.remove(at),
            }
            changed.push(each.entity.clone());
        }
        if self.not_live > MAX_NOT_LIVE {
            self.shrink(&mut changed);
        }
        changed
    }

    /// The entity, live or not.
    pub fn get(&self, key: &EntityKey) -> Option<&Entity> {
        self.rows.get(self.find(key).ok()?).map(|row| &row.entity)
    }

    /// Every entity, live or not, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&EntityKey, &Entity)> {
        self.rows.iter().map(|row| (&row.key, &row.entity))
    }

    /// The live entities, in the order of their keys.
    pub fn live(&self) -> impl Iterator<Item = (&EntityKey, &Entity)> {
        self.iter().filter(|(_, entity)| entity.live)
    }

    /// How many entities there are, live or not.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The state hash: the sum of [`hash::entity`] over the live entities.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// The keys of what is here or in `newer` and not equal in both, in their order.
    pub fn differences(&self, newer: &Self) -> Vec<EntityKey> {
        let mut keys = Vec::new();
        let mut left = self.rows.iter().peekable();
        for row in &newer.rows {
            while let Some(gone) = left.next_if(|old| old.key < row.key) {
                keys.push(gone.key.clone());
            }
            let same = left.next_if(|old| old.key == row.key).is_some_and(|old| old.entity == row.entity);
            if !same {
                keys.push(row.key.clone());
            }
        }
        keys.extend(left.map(|gone| gone.key.clone()));
        keys
    }

    fn find(&self, key: &EntityKey) -> Result<usize, usize> {
        if self.rows.last().is_none_or(|last| last.key < *key) {
            return Err(self.rows.len());
        }
        self.rows.binary_search_by(|row| row.key.cmp(key))
    }

    fn store(&mut self, at: Result<usize, usize>, key: EntityKey, entity: Entity) {
        self.writes += 1;
        let hash = if entity.live { hash::entity(&key, entity.rev, &entity.text) } else { 0 };
        self.hash = self.hash.wrapping_add(hash);
        self.not_live += usize::from(!entity.live);
        let row = Row { key, entity, hash, written: self.writes };
        match at {
            Err(at) => self.rows.insert(at, row),
            Ok(at) => {
                if let Some(slot) = self.rows.get_mut(at) {
                    let old = std::mem::replace(slot, row);
                    self.discount(&old);
                }
            }
        }
    }

    fn remove(&mut self, at: Result<usize, usize>) {
        if let Ok(at) = at {
            let old = self.rows.remove(at);
            self.discount(&old);
        }
    }

    fn discount(&mut self, row: &Row) {
        self.hash = self.hash.wrapping_sub(row.hash);
        self.not_live -= usize::from(!row.entity.live);
    }

    /// Drops the rows that are not live and were written longest ago.
    fn shrink(&mut self, dropped: &mut Vec<EntityKey>) {
        let newer = |than: u64| self.rows.iter().filter(|row| !row.entity.live && row.written > than).count();
        // The number of writes above which just as many rows are as may stay, by bisection: no sort is needed here.
        let (mut low, mut last) = (0, self.writes);
        while low < last {
            let middle = low + (last - low) / 2;
            if newer(middle) > KEPT_NOT_LIVE { low = middle + 1 } else { last = middle }
        }
        self.rows.retain(|row| {
            let keep = row.entity.live || row.written > last;
            if !keep {
                dropped.push(row.key.clone());
            }
            keep
        });
        self.not_live = KEPT_NOT_LIVE;
    }
}

#[cfg(test)]
mod tests;
