//! The ledger's rows in SQLite.

mod commands;
mod lanes;

use std::collections::BTreeMap;

use otter_proto::UnixMillis;
use otter_proto::id::{EntityKey, Epoch, OrgId, Scope};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use crate::ledger::{
    End, EntityRow, EventRow, MAX_EPOCHS, OrgRow, ScopeRow, StateRows, StoreError, WindowRow,
};
use crate::store::sqlite::convert::{instant, int, text, uint};
use crate::store::sqlite::failed;

/// `/` follows `.`: all types that begin with `x.`. The conditions are those of the index that serves this.
pub(super) const OLDEST_OF_VENDORS: &str = "SELECT text, rev, live, open, ord, key
    FROM entities INDEXED BY entities_vendors
    WHERE scope = ?1 AND type >= 'x.' AND type < 'x/' AND live = 1 ORDER BY ord, key LIMIT ?2";

/// The rows of one org inside one transaction.
pub(super) struct SqliteRows<'c> {
    connection: &'c Connection,
    name: &'c OrgId,
    org: Option<i64>,
    scopes: BTreeMap<Scope, i64>,
}

impl<'c> SqliteRows<'c> {
    pub(super) fn new(connection: &'c Connection, name: &'c OrgId) -> Result<Self, StoreError> {
        let mut rows = Self { connection, name, org: None, scopes: BTreeMap::new() };
        rows.org =
            rows.one("SELECT id FROM orgs WHERE name = ?1", params![name.as_str()], |row| row.get(0))?;
        Ok(rows)
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnOnce(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        statement.query_row(params, read).optional().map_err(failed)
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let rows = statement.query_map(params, read).map_err(failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    fn run(&self, sql: &str, params: impl rusqlite::Params) -> Result<usize, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(params))
            .map_err(failed)
    }

    fn org_id(&self) -> Result<i64, StoreError> {
        self.org.ok_or_else(|| StoreError::Broken(format!("the store has no org {}", self.name)))
    }

    fn scope_id(&mut self, scope: &Scope) -> Result<Option<i64>, StoreError> {
        if let Some(id) = self.scopes.get(scope) {
            return Ok(Some(*id));
        }
        let id = self.one(
            "SELECT id FROM scopes WHERE org = ?1 AND scope = ?2",
            params![self.org_id()?, scope.to_string()],
            |row| row.get(0),
        )?;
        if let Some(id) = id {
            self.scopes.insert(scope.clone(), id);
        }
        Ok(id)
    }

    fn make_scope(&mut self, scope: &Scope) -> Result<i64, StoreError> {
        if let Some(id) = self.scope_id(scope)? {
            return Ok(id);
        }
        self.run(
            "INSERT INTO scopes (org, scope) VALUES (?1, ?2)",
            params![self.org_id()?, scope.to_string()],
        )?;
        let id = self.connection.last_insert_rowid();
        self.scopes.insert(scope.clone(), id);
        Ok(id)
    }
}

pub(super) fn entity(row: &Row<'_>) -> Result<EntityRow, rusqlite::Error> {
    Ok(EntityRow {
        text: row.get(0)?,
        rev: uint(row, 1)?,
        live: row.get(2)?,
        open: row.get(3)?,
        order: row.get(4)?,
    })
}

impl StateRows for SqliteRows<'_> {
    fn org(&mut self) -> Result<Option<OrgRow>, StoreError> {
        self.one("SELECT epoch, head FROM orgs WHERE name = ?1", params![self.name.as_str()], |row| {
            Ok(OrgRow { epoch: text(row, 0, Epoch::new)?, head: uint(row, 1)? })
        })
    }

    fn swap_org(&mut self, from: Option<&OrgRow>, to: &OrgRow) -> Result<(), StoreError> {
        let Some(from) = from else {
            let changed = self.run(
                "INSERT INTO orgs (name, epoch, head) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![self.name.as_str(), to.epoch.as_str(), int(to.head)],
            )?;
            if changed == 0 {
                return Err(StoreError::Fenced);
            }
            self.org = Some(self.connection.last_insert_rowid());
            return Ok(());
        };
        let changed = self.run(
            "UPDATE orgs SET epoch = ?1, head = ?2 WHERE id = ?3 AND epoch = ?4 AND head = ?5",
            params![to.epoch.as_str(), int(to.head), self.org_id()?, from.epoch.as_str(), int(from.head)],
        )?;
        if changed == 1 { Ok(()) } else { Err(StoreError::Fenced) }
    }

    fn add_epoch(&mut self, epoch: &Epoch, first: u64) -> Result<(), StoreError> {
        let org = self.org_id()?;
        self.run(
            "INSERT INTO epochs (org, epoch, first) VALUES (?1, ?2, ?3)",
            params![org, epoch.as_str(), int(first)],
        )?;
        self.run(
            "DELETE FROM epochs WHERE org = ?1 AND id <= (SELECT id FROM epochs WHERE org = ?1 ORDER BY id DESC \
             LIMIT 1 OFFSET ?2)",
            params![org, int(MAX_EPOCHS)],
        )?;
        Ok(())
    }

    fn scope(&mut self, scope: &Scope) -> Result<ScopeRow, StoreError> {
        let Some(id) = self.scope_id(scope)? else { return Ok(ScopeRow::default()) };
        let row =
            self.one("SELECT head, hash, floor, messages FROM scopes WHERE id = ?1", params![id], scope_row)?;
        Ok(row.unwrap_or_default())
    }

    fn put_scope(&mut self, scope: &Scope, row: &ScopeRow) -> Result<(), StoreError> {
        let id = self.make_scope(scope)?;
        self.run(
            "UPDATE scopes SET head = ?2, hash = ?3, floor = ?4, messages = ?5 WHERE id = ?1",
            params![id, int(row.head), row.hash.cast_signed(), int(row.floor), int(row.messages)],
        )?;
        Ok(())
    }

    fn append(&mut self, event: &EventRow) -> Result<(), StoreError> {
        let scope = self.make_scope(&event.scope)?;
        self.run(
            "INSERT INTO events (org, scope, seq, at, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![self.org_id()?, scope, int(event.seq), int(event.at.0), &*event.text],
        )?;
        Ok(())
    }

    fn entity(&mut self, scope: &Scope, key: &EntityKey) -> Result<Option<EntityRow>, StoreError> {
        let Some(id) = self.scope_id(scope)? else { return Ok(None) };
        self.one(
            "SELECT text, rev, live, open, ord FROM entities WHERE scope = ?1 AND key = ?2",
            params![id, key.as_str()],
            entity,
        )
    }

    fn put_entity(&mut self, scope: &Scope, key: &EntityKey, row: &EntityRow) -> Result<(), StoreError> {
        let id = self.make_scope(scope)?;
        self.run(
            "INSERT INTO entities (scope, key, type, rev, live, open, ord, text)
             VALUES (:scope, :key, :type, :rev, :live, :open, :ord, :text)
             ON CONFLICT (scope, key) DO UPDATE SET
             rev = :rev, live = :live, open = :open, ord = :ord, text = :text",
            named_params! {
                ":scope": id, ":key": key.as_str(), ":type": key.entity_type(), ":rev": int(row.rev),
                ":live": row.live, ":open": row.open, ":ord": row.order, ":text": row.text,
            },
        )?;
        Ok(())
    }

    fn delete_entity(&mut self, scope: &Scope, key: &EntityKey) -> Result<(), StoreError> {
        let Some(id) = self.scope_id(scope)? else { return Ok(()) };
        self.run("DELETE FROM entities WHERE scope = ?1 AND key = ?2", params![id, key.as_str()])?;
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
        let Some(id) = self.scope_id(scope)? else { return Ok(Vec::new()) };
        let sql = match end {
            End::Oldest => {
                "SELECT text, rev, live, open, ord, key FROM entities
                 WHERE scope = ?1 AND type = ?2 AND open = ?3 AND live = 1 ORDER BY ord, key LIMIT ?4"
            }
            End::Newest => {
                "SELECT text, rev, live, open, ord, key FROM entities
                 WHERE scope = ?1 AND type = ?2 AND open = ?3 AND live = 1 ORDER BY ord DESC, key DESC LIMIT ?4"
            }
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.all(sql, params![id, entity_type, open, limit], |row| {
            Ok((text(row, 5, EntityKey::parse)?, entity(row)?))
        })
    }

    fn oldest_of_vendors(
        &mut self,
        scope: &Scope,
        limit: usize,
    ) -> Result<Vec<(EntityKey, EntityRow)>, StoreError> {
        let Some(id) = self.scope_id(scope)? else { return Ok(Vec::new()) };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.all(OLDEST_OF_VENDORS, params![id, limit], |row| {
            Ok((text(row, 5, EntityKey::parse)?, entity(row)?))
        })
    }

    fn window(&mut self, scope: &Scope, entity_type: &str, open: bool) -> Result<WindowRow, StoreError> {
        let Some(id) = self.scope_id(scope)? else { return Ok(WindowRow::default()) };
        let row = self.one(
            "SELECT row_count, bytes FROM windows WHERE scope = ?1 AND type = ?2 AND open = ?3",
            params![id, entity_type, open],
            |row| Ok(WindowRow { rows: uint(row, 0)?, bytes: uint(row, 1)? }),
        )?;
        Ok(row.unwrap_or_default())
    }

    fn put_window(
        &mut self,
        scope: &Scope,
        entity_type: &str,
        open: bool,
        row: &WindowRow,
    ) -> Result<(), StoreError> {
        let id = self.make_scope(scope)?;
        self.run(
            "INSERT INTO windows (scope, type, open, row_count, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (scope, type, open) DO UPDATE SET row_count = ?4, bytes = ?5",
            params![id, entity_type, open, int(row.rows), int(row.bytes)],
        )?;
        Ok(())
    }

    fn removed_at(&mut self, scope: &Scope, key: &EntityKey) -> Result<Option<UnixMillis>, StoreError> {
        let Some(id) = self.scope_id(scope)? else { return Ok(None) };
        self.one("SELECT at FROM removed WHERE scope = ?1 AND key = ?2", params![id, key.as_str()], |row| {
            instant(row, 0)
        })
    }

    fn put_removed(&mut self, scope: &Scope, key: &EntityKey, at: UnixMillis) -> Result<(), StoreError> {
        let id = self.make_scope(scope)?;
        self.run(
            "INSERT INTO removed (scope, key, at) VALUES (?1, ?2, ?3)
             ON CONFLICT (scope, key) DO UPDATE SET at = ?3",
            params![id, key.as_str(), int(at.0)],
        )?;
        Ok(())
    }

    fn put_full_text(
        &mut self,
        scope: &Scope,
        key: &EntityKey,
        rev: u64,
        text: &str,
    ) -> Result<(), StoreError> {
        let id = self.make_scope(scope)?;
        self.run(
            "INSERT INTO full_texts (scope, key, rev, text) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (scope, key) DO UPDATE SET rev = ?3, text = ?4",
            params![id, key.as_str(), int(rev), text],
        )?;
        Ok(())
    }

    fn delete_full_text(&mut self, scope: &Scope, key: &EntityKey) -> Result<(), StoreError> {
        let Some(id) = self.scope_id(scope)? else { return Ok(()) };
        self.run("DELETE FROM full_texts WHERE scope = ?1 AND key = ?2", params![id, key.as_str()])?;
        Ok(())
    }
}

/// The columns head, hash, floor, messages.
pub(super) fn scope_row(row: &Row<'_>) -> Result<ScopeRow, rusqlite::Error> {
    let hash: i64 = row.get(1)?;
    Ok(ScopeRow {
        head: uint(row, 0)?,
        hash: hash.cast_unsigned(),
        floor: uint(row, 2)?,
        messages: uint(row, 3)?,
    })
}
