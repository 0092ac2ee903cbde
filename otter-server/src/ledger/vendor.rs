//! Events of integrators: what they do to entities they say themselves.

use std::collections::BTreeSet;

use otter_proto::catalogue::{VENDOR_ENTITY, VENDOR_WINDOW, Window};
use otter_proto::effect::{self, Effect, EffectOp};
use otter_proto::error::ErrorCode;
use otter_proto::id::{CommandId, EntityKey, EventId, Scope};
use otter_proto::limits::MAX_VENDOR_EFFECTS;
use otter_proto::state::Entity;

use crate::ledger::fact::{Outcome, Refusal, Said, Source};
use crate::ledger::window::{bytes, order};
use crate::ledger::write::{Ledger, entity_limit};
use crate::ledger::{End, EntityRow, StoreError, WindowRow};

/// The row that counts what the live rows of all integrators' types of a scope hold.
const SHARED: &str = "x";

/// What an integrator says. `data` and the values are canonical.
#[derive(Debug, Clone)]
pub(super) struct VendorFact {
    pub(super) id: EventId,
    pub(super) kind: String,
    pub(super) scope: Scope,
    pub(super) caused_by: Option<CommandId>,
    pub(super) source: Source,
    pub(super) data: String,
    /// Each on another entity.
    pub(super) effects: Vec<VendorEffect>,
}

/// What an event of an integrator does to one entity.
#[derive(Debug, Clone)]
pub(super) struct VendorEffect {
    pub(super) op: EffectOp,
    pub(super) key: EntityKey,
    /// `None` means the event's data.
    pub(super) value: Option<String>,
}

/// An effect that changes its entity.
struct Change<'f> {
    effect: &'f VendorEffect,
    old: Option<EntityRow>,
    new: Option<EntityRow>,
    /// Whether the event tells it: a new row that is older than its window is not told.
    told: bool,
}

impl VendorFact {
    fn said(&self) -> Said<'_> {
        Said {
            id: &self.id,
            kind: &self.kind,
            scope: &self.scope,
            caused_by: self.caused_by.as_ref(),
            source: &self.source,
            data: &self.data,
        }
    }
}

impl Ledger<'_> {
    /// Writes what an integrator says. Effects apply as they would in any client; those that change nothing are left
    /// out, and an event of which nothing remains is not appended.
    pub(super) fn write_vendor(&mut self, fact: &VendorFact) -> Result<Outcome, StoreError> {
        let mut changes = Vec::new();
        for (at, effect) in fact.effects.iter().enumerate() {
            let old = self.rows.entity(&fact.scope, &effect.key)?;
            let Some(change) = self.vendor_change(fact, effect, old) else { continue };
            if change.new.as_ref().is_some_and(|row| row.text.len() > entity_limit(&fact.scope)) {
                return Ok(Outcome::Refused(Refusal::at(
                    ErrorCode::EntityTooLarge,
                    format!("/effects/{at}"),
                )));
            }
            changes.push(change);
        }
        if changes.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        for change in &changes {
            self.store_vendor(&fact.scope, change)?;
        }
        let evicted = self.trim_vendors(&fact.scope, &mut changes)?;
        let told = changes.iter().filter(|change| change.told).map(|change| Effect {
            op: change.effect.op,
            entity: change.effect.key.clone(),
            value: change.effect.value.as_deref(),
        });
        let gone = evicted.into_iter().map(|entity| Effect { op: EffectOp::Evict, entity, value: None });
        let effects: Vec<_> = told.chain(gone).collect();
        self.append(fact.said(), &effects)?;
        Ok(Outcome::Appended)
    }

    fn vendor_change<'f>(
        &self,
        fact: &'f VendorFact,
        effect: &'f VendorEffect,
        old: Option<EntityRow>,
    ) -> Option<Change<'f>> {
        let value = effect.value.as_deref().unwrap_or(&fact.data);
        let before = old.as_ref().map(|row| Entity { text: row.text.clone(), rev: row.rev, live: row.live });
        let new = match effect::apply(effect.op, before.as_ref(), value, self.next_seq()) {
            effect::Outcome::Unchanged => return None,
            effect::Outcome::Removed => None,
            effect::Outcome::Stored(Entity { text, rev, live }) => {
                let order = match &old {
                    Some(old) if old.text == text && old.live == live => return None,
                    Some(old) if old.text == text => old.order.clone(),
                    Some(_) | None => order(&VENDOR_ENTITY, &text, self.now),
                };
                Some(EntityRow { text, rev, live, open: false, order })
            }
        };
        Some(Change { effect, old, new, told: true })
    }

    fn store_vendor(&mut self, scope: &Scope, change: &Change<'_>) -> Result<(), StoreError> {
        let key = &change.effect.key;
        let live = |row: &'_ Option<EntityRow>| row.clone().filter(|row| row.live);
        let (old, new) = (live(&change.old), live(&change.new));
        if let Some(old) = &old {
            self.count_vendor(scope, key, old, u64::saturating_sub)?;
        }
        if let Some(new) = &new {
            self.count_vendor(scope, key, new, u64::saturating_add)?;
        }
        self.rehash(scope, key, old.as_ref(), new.as_ref())?;
        match &change.new {
            Some(row) => self.rows.put_entity(scope, key, row),
            None => self.rows.delete_entity(scope, key),
        }
    }

    /// Counts a live row in or out of its windows.
    fn count_vendor(
        &mut self,
        scope: &Scope,
        key: &EntityKey,
        row: &EntityRow,
        by: impl Fn(u64, u64) -> u64,
    ) -> Result<(), StoreError> {
        for window in [key.entity_type(), SHARED] {
            let held = self.rows.window(scope, window, false)?;
            let held = WindowRow { rows: by(held.rows, 1), bytes: by(held.bytes, bytes(row)) };
            self.rows.put_window(scope, window, false, &held)?;
        }
        Ok(())
    }

    /// Moves the oldest rows out until every window holds what it may. What the event itself writes stays, but a new
    /// row that is older than all others is stored not live.
    fn trim_vendors(
        &mut self,
        scope: &Scope,
        changes: &mut [Change<'_>],
    ) -> Result<Vec<EntityKey>, StoreError> {
        let mut evicted = Vec::new();
        let types: BTreeSet<&str> = changes.iter().map(|change| change.effect.key.entity_type()).collect();
        for entity_type in types {
            while is_over(VENDOR_ENTITY.window, self.rows.window(scope, entity_type, false)?) {
                let oldest =
                    self.rows.live(scope, entity_type, false, End::Oldest, MAX_VENDOR_EFFECTS + 1)?;
                if !self.push_out(scope, oldest, changes, &mut evicted)? {
                    break;
                }
            }
        }
        while is_over(VENDOR_WINDOW, self.rows.window(scope, SHARED, false)?) {
            let oldest = self.rows.oldest_of_vendors(scope, MAX_VENDOR_EFFECTS + 1)?;
            if !self.push_out(scope, oldest, changes, &mut evicted)? {
                break;
            }
        }
        Ok(evicted)
    }

    /// Makes the first row not live that may be; returns whether there was one.
    fn push_out(
        &mut self,
        scope: &Scope,
        oldest: Vec<(EntityKey, EntityRow)>,
        changes: &mut [Change<'_>],
        evicted: &mut Vec<EntityKey>,
    ) -> Result<bool, StoreError> {
        let rev = self.next_seq();
        for (key, row) in oldest {
            match changes.iter_mut().find(|change| change.effect.key == key) {
                Some(change) if change.old.is_some() => continue,
                Some(change) => change.told = false,
                None => evicted.push(key.clone()),
            }
            self.count_vendor(scope, &key, &row, u64::saturating_sub)?;
            self.rehash(scope, &key, Some(&row), None)?;
            self.rows.put_entity(scope, &key, &EntityRow { live: false, rev, ..row })?;
            return Ok(true);
        }
        Ok(false)
    }
}

const fn is_over(window: Window, held: WindowRow) -> bool {
    held.rows > window.rows || held.bytes > window.bytes
}
