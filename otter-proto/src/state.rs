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
/// Rows that are not live may be dropped any time: at most [`MAX_NOT_LIVE`] are kept, those written last, besides those
/// of the types that a list shows.
#[derive(Debug, Clone, Default)]
pub struct ScopeState {
    // A sorted vector: pages arrive in key order, and one container for everything keeps the browser's module small.
    rows: Vec<Row>,
    hash: u64,
    /// Rows that are not live and not of a kept type.
    not_live: usize,
    /// Types whose rows stay although they are not live.
    kept: Vec<String>,
    writes: u64,
}

/// Rows that are not live and in no list: per scope, and of all scopes of a client.
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
        Self { rows: Vec::new(), hash: 0, not_live: 0, kept: Vec::new(), writes: 0 }
    }

    /// Takes a row of a snapshot or of a page. It wins over what is here iff its `rev` is greater; returns whether.
    ///
    /// Pages may be read at different heads, each while events go on. When every event above the lowest of those
    /// heads is applied afterwards, the state is that of the last event: a row that a page holds "too new" ignores
    /// the events it already contains, one that an old event brings back although it is gone is deleted or evicted
    /// by the event that did it, which comes later.
    pub fn load(&mut self, key: EntityKey, rev: u64, live: bool, text: &str) -> bool {
        let at = self.find(&key);
        if at.ok().and_then(|at| self.rows.get(at)).is_some_and(|row| row.entity.rev >= rev) {
            return false;
        }
        self.store(at, key, Entity { text: text.to_owned(), rev, live });
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
            changed.append(&mut self.shrink(KEPT_NOT_LIVE));
        }
        changed
    }

    /// Keeps the rows of a type, live or not, from here on.
    pub fn keep(&mut self, entity_type: &str) {
        if !self.kept.iter().any(|kept| kept == entity_type) {
            self.kept.push(entity_type.to_owned());
            let counted = self.rows.iter().filter(|row| row.counts(&self.kept));
            self.not_live = counted.count();
        }
    }

    /// Keeps nothing that is not live.
    pub fn live_only(&mut self) -> Vec<EntityKey> {
        self.kept.clear();
        self.shrink(0)
    }

    /// How many rows may be dropped any time.
    pub const fn not_live(&self) -> usize {
        self.not_live
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
        let row = Row { key, entity, hash, written: self.writes };
        self.not_live += usize::from(row.counts(&self.kept));
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
        self.not_live -= usize::from(row.counts(&self.kept));
    }

    /// Drops the rows that are not live and were written longest ago, all but `stay`; returns them.
    pub fn shrink(&mut self, stay: usize) -> Vec<EntityKey> {
        let newer = |than: u64| {
            let counts = |row: &&Row| row.counts(&self.kept) && row.written > than;
            self.rows.iter().filter(counts).count()
        };
        // The number of writes above which no more rows are than may stay, by bisection: no sort is needed here.
        let (mut low, mut last) = (0, self.writes);
        while low < last {
            let middle = low + (last - low) / 2;
            if newer(middle) > stay { low = middle + 1 } else { last = middle }
        }
        let (mut dropped, mut stayed) = (Vec::new(), 0);
        self.rows.retain(|row| {
            let counts = row.counts(&self.kept);
            let stays = !counts || row.written > last;
            stayed += usize::from(counts && stays);
            if !stays {
                dropped.push(row.key.clone());
            }
            stays
        });
        self.not_live = stayed;
        dropped
    }
}

impl Row {
    /// Whether it is one of those that may be dropped.
    fn counts(&self, kept: &[String]) -> bool {
        !self.entity.live && !kept.iter().any(|kept| kept == self.key.entity_type())
    }
}

#[cfg(test)]
mod tests;
