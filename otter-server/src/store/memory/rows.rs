//! The ledger's rows in memory.

use std::collections::BTreeMap;

use otter_proto::UnixMillis;
use otter_proto::frame::{Lane, Rejection};
use otter_proto::id::{BootId, CommandId, EntityKey, Epoch, InstanceId, OrgId, Scope};

use super::{Key, Value, get};
use crate::ledger::{
    CommandRow, CommandRows, End, EntityRow, EventRow, LaneRow, LaneRows, MAX_EPOCHS, OrgRow, ReplyRow,
    ScopeRow, StateRows, StoreError, WindowRow,
};
use crate::store::WholeText;

/// The rows of one org inside one transaction.
pub(super) struct MemoryRows<'r> {
    pub(super) rows: &'r mut BTreeMap<Key, Value>,
    pub(super) org: &'r OrgId,
    /// What was there before each write.
    pub(super) undo: Vec<(Key, Option<Value>)>,
}

impl MemoryRows<'_> {
    pub(super) fn roll_back(&mut self) {
        while let Some((key, before)) = self.undo.pop() {
            match before {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
    }

    fn put(&mut self, key: Key, value: Value) {
        let before = self.rows.insert(key.clone(), value);
        self.undo.push((key, before));
    }

    fn delete(&mut self, key: Key) {
        if let Some(before) = self.rows.remove(&key) {
            self.undo.push((key, Some(before)));
        }
    }

    fn org(&self) -> OrgId {
        self.org.clone()
    }

    fn entity_key(&self, scope: &Scope, key: &EntityKey) -> Key {
        Key::Entity(self.org(), scope.clone(), key.clone())
    }

    fn live_key(&self, scope: &Scope, key: &EntityKey, row: &EntityRow) -> Key {
        let entity_type = key.entity_type().to_owned();
        Key::Live(self.org(), scope.clone(), entity_type, row.open, row.order.clone(), Some(key.clone()))
    }

    fn commands(&self) -> impl Iterator<Item = (&CommandId, &CommandRow)> {
        self.rows.iter().filter_map(|(key, value)| match (key, value) {
            (Key::Command(org, id), Value::Command(row)) if org == self.org => Some((id, row)),
            _ => None,
        })
    }
}

impl StateRows for MemoryRows<'_> {
    fn org(&mut self) -> Result<Option<OrgRow>, StoreError> {
        Ok(get!(self.rows, Org, Key::Org(Self::org(self))))
    }

    fn swap_org(&mut self, from: Option<&OrgRow>, to: &OrgRow) -> Result<(), StoreError> {
        if StateRows::org(self)?.as_ref() != from {
            return Err(StoreError::Fenced);
        }
        self.put(Key::Org(self.org.clone()), Value::Org(to.clone()));
        Ok(())
    }

    fn add_epoch(&mut self, epoch: &Epoch, first: u64) -> Result<(), StoreError> {
        let org = self.org.clone();
        let epochs = Key::Epoch(org.clone(), 0)..=Key::Epoch(org.clone(), u64::MAX);
        let numbers: Vec<u64> = self
            .rows
            .range(epochs)
            .filter_map(|(key, _)| if let Key::Epoch(_, n) = key { Some(*n) } else { None })
            .collect();
        let next = numbers.last().map_or(0, |n| n + 1);
        for old in numbers.into_iter().filter(|n| n + MAX_EPOCHS <= next) {
            self.delete(Key::Epoch(org.clone(), old));
        }
        self.put(Key::Epoch(org, next), Value::Epoch(epoch.clone(), first));
        Ok(())
    }

    fn scope(&mut self, scope: &Scope) -> Result<ScopeRow, StoreError> {
        Ok(get!(self.rows, Scope, Key::Scope(Self::org(self), scope.clone())).unwrap_or_default())
    }

    fn put_scope(&mut self, scope: &Scope, row: &ScopeRow) -> Result<(), StoreError> {
        self.put(Key::Scope(self.org.clone(), scope.clone()), Value::Scope(*row));
        Ok(())
    }

    fn append(&mut self, event: &EventRow) -> Result<(), StoreError> {
        let key = Key::Event(self.org.clone(), event.scope.clone(), event.seq);
        if self.rows.contains_key(&key) {
            return Err(StoreError::Broken(format!("event {} is there already", event.seq)));
        }
        self.put(key, Value::Event(event.text.clone()));
        Ok(())
    }

    fn entity(&mut self, scope: &Scope, key: &EntityKey) -> Result<Option<EntityRow>, StoreError> {
        Ok(get!(self.rows, Entity, self.entity_key(scope, key)))
    }

    fn put_entity(&mut self, scope: &Scope, key: &EntityKey, row: &EntityRow) -> Result<(), StoreError> {
        self.delete_entity(scope, key)?;
        if row.live {
            self.put(self.live_key(scope, key, row), Value::Live);
        }
        self.put(self.entity_key(scope, key), Value::Entity(row.clone()));
        Ok(())
    }

    fn delete_entity(&mut self, scope: &Scope, key: &EntityKey) -> Result<(), StoreError> {
        if let Some(old) = self.entity(scope, key)? {
            self.delete(self.live_key(scope, key, &old));
        }
        self.delete(self.entity_key(scope, key));
        Ok(())
    }

    fn live(
        &mut self,
        scope: &Scope,
        entity_type: &str,
        open: bool,
        end: End,
        limit: usize,
    ) -> Result<Vec<(EntityKey, EntityRow)>, StoreError> {
        let from =
            Key::Live(self.org.clone(), scope.clone(), entity_type.to_owned(), open, String::new(), None);
        let of_window = |key: &Key| match key {
            Key::Live(org, in_scope, of_type, is_open, _, entity) => {
                let here = org == self.org && in_scope == scope && of_type == entity_type && *is_open == open;
                if here { entity.clone() } else { None }
            }
            _ => None,
        };
        let mut keys: Vec<EntityKey> = self.rows.range(from..).map_while(|(key, _)| of_window(key)).collect();
        if end == End::Newest {
            keys.reverse();
        }
        keys.truncate(limit);
        let row = |key: EntityKey| {
            get!(self.rows, Entity, self.entity_key(scope, &key)).map(|row: EntityRow| (key, row))
        };
        Ok(keys.into_iter().filter_map(row).collect())
    }

    fn oldest_of_vendors(
        &mut self,
        scope: &Scope,
        limit: usize,
    ) -> Result<Vec<(EntityKey, EntityRow)>, StoreError> {
        let from = Key::Live(self.org.clone(), scope.clone(), "x.".to_owned(), false, String::new(), None);
        let of_vendor = |key: &Key| match key {
            Key::Live(org, in_scope, of_type, _, order, entity) => {
                let here = org == self.org && in_scope == scope && of_type.starts_with("x.");
                if here { Some((order.clone(), entity.clone()?)) } else { None }
            }
            _ => None,
        };
        let mut keys: Vec<_> = self.rows.range(from..).map_while(|(key, _)| of_vendor(key)).collect();
        keys.sort();
        keys.truncate(limit);
        let row = |(_, key): (String, EntityKey)| {
            get!(self.rows, Entity, self.entity_key(scope, &key)).map(|row: EntityRow| (key, row))
        };
        Ok(keys.into_iter().filter_map(row).collect())
    }

    fn window(&mut self, scope: &Scope, entity_type: &str, open: bool) -> Result<WindowRow, StoreError> {
        let key = Key::Window(self.org.clone(), scope.clone(), entity_type.to_owned(), open);
        Ok(get!(self.rows, Window, key).unwrap_or_default())
    }

    fn put_window(
        &mut self,
        scope: &Scope,
        entity_type: &str,
        open: bool,
        row: &WindowRow,
    ) -> Result<(), StoreError> {
        let key = Key::Window(self.org.clone(), scope.clone(), entity_type.to_owned(), open);
        self.put(key, Value::Window(*row));
        Ok(())
    }

    fn removed_at(&mut self, scope: &Scope, key: &EntityKey) -> Result<Option<UnixMillis>, StoreError> {
        Ok(get!(self.rows, Removed, Key::Removed(self.org.clone(), scope.clone(), key.clone())))
    }

    fn put_removed(&mut self, scope: &Scope, key: &EntityKey, at: UnixMillis) -> Result<(), StoreError> {
        self.put(Key::Removed(self.org.clone(), scope.clone(), key.clone()), Value::Removed(at));
        Ok(())
    }

    fn put_full_text(
        &mut self,
        scope: &Scope,
        key: &EntityKey,
        rev: u64,
        text: &str,
    ) -> Result<(), StoreError> {
        let key = Key::FullText(self.org.clone(), scope.clone(), key.clone());
        self.put(key, Value::FullText(WholeText { rev, text: text.to_owned() }));
        Ok(())
    }

    fn delete_full_text(&mut self, scope: &Scope, key: &EntityKey) -> Result<(), StoreError> {
        self.delete(Key::FullText(self.org.clone(), scope.clone(), key.clone()));
        Ok(())
    }
}

impl LaneRows for MemoryRows<'_> {
    fn lane(&mut self, instance: &InstanceId, lane: Lane) -> Result<Option<LaneRow>, StoreError> {
        Ok(get!(self.rows, Lane, Key::Lane(self.org.clone(), instance.clone(), lane)))
    }

    fn put_lane(&mut self, instance: &InstanceId, lane: Lane, row: &LaneRow) -> Result<(), StoreError> {
        self.put(Key::Lane(self.org.clone(), instance.clone(), lane), Value::Lane(row.clone()));
        Ok(())
    }

    fn rejections(&mut self, instance: &InstanceId, lane: Lane) -> Result<Vec<Rejection>, StoreError> {
        let key = |n| Key::Rejection(self.org.clone(), instance.clone(), lane, n);
        let rows = self.rows.range(key(0)..=key(u64::MAX));
        Ok(rows
            .filter_map(|(_, row)| if let Value::Rejection(row) = row { Some(row.clone()) } else { None })
            .collect())
    }

    fn put_rejection(
        &mut self,
        instance: &InstanceId,
        lane: Lane,
        rejection: &Rejection,
    ) -> Result<(), StoreError> {
        let key = Key::Rejection(self.org.clone(), instance.clone(), lane, rejection.n);
        self.put(key, Value::Rejection(rejection.clone()));
        Ok(())
    }

    fn drop_rejections(&mut self, instance: &InstanceId, lane: Lane, up_to: u64) -> Result<(), StoreError> {
        for gone in self.rejections(instance, lane)?.into_iter().filter(|rejection| rejection.n <= up_to) {
            self.delete(Key::Rejection(self.org.clone(), instance.clone(), lane, gone.n));
        }
        Ok(())
    }

    fn boot(&mut self, instance: &InstanceId) -> Result<Option<BootId>, StoreError> {
        Ok(get!(self.rows, Boot, Key::Boot(self.org.clone(), instance.clone())))
    }

    fn put_boot(&mut self, instance: &InstanceId, boot: &BootId) -> Result<(), StoreError> {
        self.put(Key::Boot(self.org.clone(), instance.clone()), Value::Boot(boot.clone()));
        Ok(())
    }
}

impl CommandRows for MemoryRows<'_> {
    fn command(&mut self, id: &CommandId) -> Result<Option<CommandRow>, StoreError> {
        Ok(get!(self.rows, Command, Key::Command(self.org.clone(), id.clone())))
    }

    fn put_command(&mut self, id: &CommandId, row: &CommandRow) -> Result<(), StoreError> {
        self.put(Key::Command(self.org.clone(), id.clone()), Value::Command(row.clone()));
        Ok(())
    }

    fn open_commands(&mut self, instance: &InstanceId) -> Result<Vec<(CommandId, CommandRow)>, StoreError> {
        let of_instance = |row: &CommandRow| row.instance.as_ref() == Some(instance) && !row.stage.is_final();
        let mut open: Vec<_> = self
            .commands()
            .filter(|(_, row)| of_instance(row))
            .map(|(id, row)| (id.clone(), row.clone()))
            .collect();
        open.sort_by_key(|(_, row)| row.seq);
        Ok(open)
    }

    fn count_open_commands(&mut self, instance: &InstanceId) -> Result<u64, StoreError> {
        Ok(u64::try_from(self.open_commands(instance)?.len()).unwrap_or(u64::MAX))
    }

    fn overdue_commands(
        &mut self,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(CommandId, CommandRow)>, StoreError> {
        let overdue = |row: &CommandRow| !row.stage.is_final() && !row.sent && row.expires_at <= now;
        let mut rows: Vec<_> = self
            .commands()
            .filter(|(_, row)| overdue(row))
            .map(|(id, row)| (id.clone(), row.clone()))
            .collect();
        rows.sort_by_key(|(_, row)| (row.expires_at, row.seq));
        rows.truncate(limit);
        Ok(rows)
    }

    fn reply(&mut self, id: &CommandId) -> Result<Option<ReplyRow>, StoreError> {
        Ok(get!(self.rows, Reply, Key::Reply(self.org.clone(), id.clone())))
    }

    fn put_reply(&mut self, id: &CommandId, row: &ReplyRow) -> Result<(), StoreError> {
        self.put(Key::Reply(self.org.clone(), id.clone()), Value::Reply(row.clone()));
        Ok(())
    }
}
