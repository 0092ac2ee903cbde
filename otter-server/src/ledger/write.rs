//! One transaction of an org: facts become events, entities, heads and hashes.

use std::collections::BTreeMap;
use std::sync::Arc;

use otter_proto::catalogue::{self, EntityRow as EntityType};
use otter_proto::effect::{Effect, EffectOp};
use otter_proto::error::ErrorCode;
use otter_proto::frame::CommandDispatch;
use otter_proto::id::{EntityKey, Epoch, EventId, InstanceId, OrgId, Scope};
use otter_proto::limits::{ENTITY_BYTES, ENTITY_BYTES_CONVERSATION};
use otter_proto::{UnixMillis, hash, text};

use crate::ledger::fact::{Fact, Outcome, Refusal, Said, hub_id, record};
use crate::ledger::shape::{Shaped, cut};
use crate::ledger::window::{is_open, order};
use crate::ledger::{EntityRow, EventRow, OrgRow, Rows, ScopeRow, StoreError};
use crate::log::{Appended, Commit};

/// An id is free again this long after its entity was removed, in milliseconds.
const REMOVED_FOR_MS: u64 = 30 * 86_400_000;

/// The ledger of one org inside one transaction.
///
/// After an error nothing of the transaction may be kept. After success [`Ledger::finish`] stores the heads and says
/// what was written.
#[allow(missing_debug_implementations)] // borrows a store
pub struct Ledger<'r> {
    pub(super) rows: &'r mut dyn Rows,
    pub(super) now: UnixMillis,
    pub(super) dispatch: Vec<(InstanceId, CommandDispatch)>,
    /// Instances that were taken out of the org.
    pub(super) removed: Vec<InstanceId>,
    org: OrgId,
    before: OrgRow,
    head: u64,
    scopes: BTreeMap<Scope, ScopeRow>,
    appended: Vec<Appended>,
}

impl<'r> Ledger<'r> {
    /// Makes `epoch` the org's epoch, from its next seq on, and the org itself when it is new. Every start of a
    /// writer does this with a new random epoch, before it does anything else.
    pub fn start(rows: &mut dyn Rows, epoch: &Epoch) -> Result<(), StoreError> {
        let before = rows.org()?;
        let head = before.as_ref().map_or(0, |row| row.head);
        rows.swap_org(before.as_ref(), &OrgRow { epoch: epoch.clone(), head })?;
        rows.add_epoch(epoch, head + 1)
    }

    /// Opens the org for the writer of `epoch`. [`StoreError::Fenced`] when another writer has it.
    pub fn open(
        rows: &'r mut dyn Rows,
        org: &OrgId,
        epoch: &Epoch,
        now: UnixMillis,
    ) -> Result<Self, StoreError> {
        let before = rows.org()?.filter(|row| row.epoch == *epoch).ok_or(StoreError::Fenced)?;
        Ok(Self {
            rows,
            now,
            dispatch: Vec::new(),
            removed: Vec::new(),
            org: org.clone(),
            head: before.head,
            before,
            scopes: BTreeMap::new(),
            appended: Vec::new(),
        })
    }

    /// Stores the heads; what was written is to be passed on once the transaction is committed.
    pub fn finish(self) -> Result<Commit, StoreError> {
        let epoch = self.before.epoch.clone();
        for (scope, row) in &self.scopes {
            self.rows.put_scope(scope, row)?;
        }
        if self.head != self.before.head {
            self.rows.swap_org(Some(&self.before), &OrgRow { epoch: epoch.clone(), head: self.head })?;
        }
        let hashes = self.scopes.into_iter().map(|(scope, row)| (scope, row.hash)).collect();
        Ok(Commit {
            org: self.org,
            epoch,
            head: self.head,
            appended: self.appended,
            hashes,
            dispatch: self.dispatch,
            removed: self.removed,
        })
    }

    /// The org.
    pub(super) const fn org(&self) -> &OrgId {
        &self.org
    }

    /// The epoch of this writer.
    pub const fn epoch(&self) -> &Epoch {
        &self.before.epoch
    }

    /// The seq of the next event.
    pub(super) const fn next_seq(&self) -> u64 {
        self.head + 1
    }

    /// How many events were appended so far: a mark for [`Ledger::since`].
    pub(super) fn mark(&self) -> usize {
        self.appended.len()
    }

    /// The events appended after a mark.
    pub(super) fn since(&self, mark: usize) -> &[Appended] {
        self.appended.get(mark..).unwrap_or_default()
    }

    /// The id of the next event that the hub makes itself.
    pub(super) fn next_id(&self) -> Result<EventId, StoreError> {
        hub_id(&self.before.epoch, self.head + 1)
            .ok_or_else(|| StoreError::Broken("an event id is malformed".to_owned()))
    }

    /// The head of a scope, in this transaction.
    pub(super) fn scope(&mut self, scope: &Scope) -> Result<ScopeRow, StoreError> {
        match self.scopes.get(scope) {
            Some(row) => Ok(*row),
            None => self.rows.scope(scope),
        }
    }

    /// Writes a fact: appends the event with its effects, or finds that it changes nothing or must be refused.
    /// Derived events follow it directly.
    pub(super) fn write(&mut self, fact: Fact) -> Result<Outcome, StoreError> {
        let Some(entity_type) = catalogue::entity(fact.kind.entity_type) else {
            return Ok(Outcome::Refused(Refusal::new(ErrorCode::UnknownKind)));
        };
        let Ok(key) = EntityKey::new(entity_type.name, fact.subject.as_str()) else {
            return Ok(Outcome::Refused(Refusal::at(ErrorCode::BadId, "/subject")));
        };
        let existing = self.rows.entity(&fact.scope, &key)?;
        let Some(op) = fact.kind.class.effect(existing.is_some()) else { return Ok(Outcome::Unchanged) };
        if op == EffectOp::Put && self.was_removed(entity_type, &fact.scope, &key)? {
            return Ok(Outcome::Unchanged);
        }
        if op == EffectOp::Delete {
            self.delete(&fact, &key, existing.as_ref())?;
            return Ok(Outcome::Appended);
        }
        let Some(fact) = self.shape(fact, existing.as_ref())? else { return Ok(Outcome::Unchanged) };
        let limit = entity_limit(&fact.scope);
        let shaped = match cut(entity_type, existing.as_ref().map(|row| &*row.text), fact.data, limit) {
            Ok(shaped) => shaped,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        if existing.as_ref().is_some_and(|row| row.text == shaped.entity) {
            return Ok(Outcome::Unchanged);
        }
        let fact = Fact { data: shaped.data.clone(), ..fact };
        self.store(&fact, entity_type, &key, existing.as_ref(), shaped)?;
        Ok(Outcome::Appended)
    }

    fn was_removed(
        &mut self,
        entity_type: &EntityType,
        scope: &Scope,
        key: &EntityKey,
    ) -> Result<bool, StoreError> {
        if matches!(entity_type.name, "agent" | "member") {
            return Ok(false);
        }
        let removed = self.rows.removed_at(scope, key)?;
        Ok(removed.is_some_and(|at| self.now.0.saturating_sub(at.0) < REMOVED_FOR_MS))
    }

    fn delete(
        &mut self,
        fact: &Fact,
        key: &EntityKey,
        existing: Option<&EntityRow>,
    ) -> Result<(), StoreError> {
        let was_live = existing.filter(|row| row.live);
        if let Some(row) = was_live {
            self.leave_window(&fact.scope, key, row)?;
        }
        self.rehash(&fact.scope, key, was_live, None)?;
        self.rows.delete_entity(&fact.scope, key)?;
        self.rows.delete_full_text(&fact.scope, key)?;
        self.rows.put_removed(&fact.scope, key, self.now)?;
        let effect = Effect { op: EffectOp::Delete, entity: key.clone(), value: None };
        self.append(fact.said(), &[effect])?;
        self.derive(fact)
    }

    fn store(
        &mut self,
        fact: &Fact,
        entity_type: &'static EntityType,
        key: &EntityKey,
        existing: Option<&EntityRow>,
        shaped: Shaped,
    ) -> Result<(), StoreError> {
        let seq = self.next_seq();
        let was_live = existing.filter(|row| row.live);
        let mut row = EntityRow {
            open: is_open(entity_type, &shaped.entity),
            order: order(entity_type, &shaped.entity, self.now),
            text: shaped.entity,
            rev: seq,
            live: existing.is_none() || was_live.is_some() || fact.kind.revives,
        };
        let evicted = self.settle(&fact.scope, entity_type, key, existing, &mut row)?;
        self.rehash(&fact.scope, key, was_live, Some(&row).filter(|row| row.live))?;
        self.rows.put_entity(&fact.scope, key, &row)?;
        for (gone, old) in &evicted {
            self.rehash(&fact.scope, gone, Some(old), None)?;
            let out = EntityRow { live: false, rev: seq, ..old.clone() };
            self.rows.put_entity(&fact.scope, gone, &out)?;
        }
        match &shaped.whole {
            Some(whole) => self.rows.put_full_text(&fact.scope, key, seq, whole)?,
            None if shaped.forget_whole => self.rows.delete_full_text(&fact.scope, key)?,
            None => {}
        }
        if fact.kind.name == "message.created" {
            let mut scope = self.scope(&fact.scope)?;
            scope.messages += 1;
            self.scopes.insert(fact.scope.clone(), scope);
        }
        let evicted =
            evicted.into_iter().map(|(entity, _)| Effect { op: EffectOp::Evict, entity, value: None });
        let own = own_effect(&fact.data, key, existing, &row);
        let effects: Vec<_> = own.into_iter().chain(evicted).collect();
        self.append(fact.said(), &effects)?;
        self.derive(fact)
    }

    pub(super) fn rehash(
        &mut self,
        scope: &Scope,
        key: &EntityKey,
        old: Option<&EntityRow>,
        new: Option<&EntityRow>,
    ) -> Result<(), StoreError> {
        if old.is_none() && new.is_none() {
            return Ok(());
        }
        let part = |row: Option<&EntityRow>| row.map_or(0, |row| hash::entity(key, row.rev, &row.text));
        let mut row = self.scope(scope)?;
        row.hash = row.hash.wrapping_sub(part(old)).wrapping_add(part(new));
        self.scopes.insert(scope.clone(), row);
        Ok(())
    }

    pub(super) fn append(&mut self, said: Said<'_>, effects: &[Effect<'_>]) -> Result<(), StoreError> {
        let mut scope = self.scope(said.scope)?;
        let (seq, prev) = (self.head + 1, scope.head);
        let text: Arc<str> = record(said, seq, prev, self.now, effects).into();
        let event = EventRow { scope: said.scope.clone(), seq, at: self.now, text: Arc::clone(&text) };
        self.rows.append(&event)?;
        self.appended.push(Appended { scope: said.scope.clone(), seq, prev, text });
        self.head = seq;
        scope.head = seq;
        self.scopes.insert(said.scope.clone(), scope);
        Ok(())
    }
}

/// The effect on the entity itself; none when it is older than its window.
fn own_effect<'a>(
    data: &str,
    key: &EntityKey,
    existing: Option<&EntityRow>,
    row: &'a EntityRow,
) -> Option<Effect<'a>> {
    let entity = key.clone();
    let put = |value: Option<&'a str>| Effect { op: EffectOp::Put, entity: key.clone(), value };
    match existing {
        None if !row.live => None,
        None => Some(put(Some(&*row.text).filter(|text| *text != data))),
        Some(old) if !old.live && row.live => Some(put(Some(&row.text))),
        Some(_) => Some(Effect { op: EffectOp::Merge, entity, value: None }),
    }
}

/// The largest entity of a scope, in bytes.
pub(super) fn entity_limit(scope: &Scope) -> usize {
    match scope {
        Scope::Conversation(_) => ENTITY_BYTES_CONVERSATION,
        Scope::Org | Scope::Member(_) => ENTITY_BYTES,
    }
}

/// The canonical text that `data` leaves where `existing` was.
pub(super) fn result(existing: Option<&str>, data: &str) -> String {
    match existing {
        Some(existing) => text::merge(existing, data),
        None => text::drop_nulls(data),
    }
}
