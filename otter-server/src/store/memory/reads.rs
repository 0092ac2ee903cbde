//! Reading the store in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use otter_proto::id::{BootId, EntityKey, Epoch, InstanceId, OrgId, Scope};

use super::{Key, MemoryStore, Value, get};
use crate::ledger::{EntityRow, OrgRow, ScopeRow, StoreError};
use crate::store::{
    EventPage, ListAsk, ListRead, ListRow, LiveRow, PositionRead, Reads, SnapshotEnd, SnapshotRead, WholeRead,
};

type Map = BTreeMap<Key, Value>;

impl Reads for MemoryStore {
    fn org(&self, org: &OrgId) -> Result<Option<OrgRow>, StoreError> {
        Ok(get!(self.lock(), Org, Key::Org(org.clone())))
    }

    fn scope(&self, org: &OrgId, scope: &Scope) -> Result<ScopeRow, StoreError> {
        Ok(scope_row(&self.lock(), org, scope))
    }

    fn events_after(
        &self,
        org: &OrgId,
        scope: &Scope,
        after: u64,
        max_bytes: usize,
    ) -> Result<EventPage, StoreError> {
        let rows = self.lock();
        let mut page = EventPage { head: scope_row(&rows, org, scope).head, ..EventPage::default() };
        let mut bytes = 0;
        for (seq, text) in events(&rows, org, scope, after) {
            bytes += text.len();
            if bytes > max_bytes && !page.events.is_empty() {
                page.more = true;
                break;
            }
            page.events.push((seq, Arc::clone(text)));
        }
        Ok(page)
    }

    fn snapshot_page(
        &self,
        org: &OrgId,
        scope: &Scope,
        after: Option<&EntityKey>,
        max_bytes: usize,
    ) -> Result<SnapshotRead, StoreError> {
        let rows = self.lock();
        let row = scope_row(&rows, org, scope);
        let end = SnapshotEnd { head: row.head, hash: row.hash };
        let mut page = SnapshotRead { rows: Vec::new(), as_of: row.head, last: Some(end) };
        let mut bytes = 0;
        let live = entities(&rows, org, scope).filter(|(key, row)| row.live && Some(*key) > after);
        for (key, row) in live {
            bytes += row.text.len();
            if bytes > max_bytes && !page.rows.is_empty() {
                page.last = None;
                break;
            }
            page.rows.push(LiveRow { key: key.clone(), rev: row.rev, text: row.text.as_str().into() });
        }
        Ok(page)
    }

    fn position(
        &self,
        org: &OrgId,
        scope: &Scope,
        epoch: &Epoch,
        pos: u64,
        limit: u64,
    ) -> Result<Option<PositionRead>, StoreError> {
        let rows = self.lock();
        let Some(row) = get!(rows, Org, Key::Org(org.clone())) else { return Ok(None) };
        let row: OrgRow = row;
        let epochs: Vec<(&Epoch, u64)> = rows
            .range(Key::Epoch(org.clone(), 0)..=Key::Epoch(org.clone(), u64::MAX))
            .filter_map(
                |(_, value)| {
                    if let Value::Epoch(epoch, first) = value { Some((epoch, *first)) } else { None }
                },
            )
            .collect();
        let epoch_last = epochs
            .iter()
            .position(|(known, _)| *known == epoch)
            .map(|at| epochs.get(at + 1).map_or(row.head, |(_, first)| first.saturating_sub(1)));
        let take = usize::try_from(limit).unwrap_or(usize::MAX);
        let behind = events(&rows, org, scope, pos).take(take).count();
        let behind = u64::try_from(behind).unwrap_or(u64::MAX);
        Ok(Some(PositionRead { scope: scope_row(&rows, org, scope), org: row, epoch_last, behind }))
    }

    fn boot(&self, org: &OrgId, instance: &InstanceId) -> Result<Option<BootId>, StoreError> {
        Ok(get!(self.lock(), Boot, Key::Boot(org.clone(), instance.clone())))
    }

    fn open_commands(&self, org: &OrgId) -> Result<u64, StoreError> {
        let rows = self.lock();
        let open = rows.iter().filter(|(key, value)| match (key, value) {
            (Key::Command(of, _), Value::Command(row)) => of == org && !row.stage.is_final(),
            _ => false,
        });
        Ok(open.count() as u64)
    }

    fn list_page(&self, org: &OrgId, scope: &Scope, ask: ListAsk<'_>) -> Result<ListRead, StoreError> {
        let rows = self.lock();
        let mut page = ListRead { as_of: scope_row(&rows, org, scope).head, ..ListRead::default() };
        let mut all: Vec<(&EntityKey, &EntityRow)> = entities(&rows, org, scope)
            .filter(|(key, row)| {
                let is_before = ask.before.is_none_or(|before| (row.order.as_str(), *key) < before);
                key.entity_type() == ask.entity_type && is_before
            })
            .collect();
        all.sort_by_key(|(key, row)| (row.order.as_str(), *key));
        let mut bytes = 0;
        for (key, row) in all.into_iter().rev() {
            bytes += row.text.len();
            if page.rows.len() >= ask.limit || (bytes > ask.max_bytes && !page.rows.is_empty()) {
                page.more = true;
                break;
            }
            page.rows.push(ListRow { key: key.clone(), row: row.clone() });
        }
        Ok(page)
    }

    fn whole(&self, org: &OrgId, scope: &Scope, key: &EntityKey) -> Result<WholeRead, StoreError> {
        let rows = self.lock();
        Ok(WholeRead {
            row: get!(rows, Entity, Key::Entity(org.clone(), scope.clone(), key.clone())),
            whole: match rows.get(&Key::FullText(org.clone(), scope.clone(), key.clone())) {
                Some(Value::FullText(text)) => Some(text.clone()),
                _ => None,
            },
            as_of: scope_row(&rows, org, scope).head,
        })
    }
}

/// The entities of a scope in the order of their keys.
fn entities<'a>(
    rows: &'a Map,
    org: &'a OrgId,
    scope: &'a Scope,
) -> impl Iterator<Item = (&'a EntityKey, &'a EntityRow)> {
    rows.iter().filter_map(move |(key, value)| match (key, value) {
        (Key::Entity(of, within, key), Value::Entity(row)) if of == org && within == scope => {
            Some((key, row))
        }
        _ => None,
    })
}

fn scope_row(rows: &Map, org: &OrgId, scope: &Scope) -> ScopeRow {
    get!(rows, Scope, Key::Scope(org.clone(), scope.clone())).unwrap_or_default()
}

fn events<'r>(
    rows: &'r Map,
    org: &OrgId,
    scope: &Scope,
    after: u64,
) -> impl Iterator<Item = (u64, &'r Arc<str>)> {
    let key = |seq| Key::Event(org.clone(), scope.clone(), seq);
    let range = (Bound::Excluded(key(after)), Bound::Included(key(u64::MAX)));
    rows.range(range).filter_map(|(key, value)| match (key, value) {
        (Key::Event(_, _, seq), Value::Event(text)) => Some((*seq, text)),
        _ => None,
    })
}
