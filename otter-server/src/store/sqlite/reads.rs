//! Reading connections.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use otter_proto::id::{BootId, EntityKey, Epoch, InstanceId, OrgId, Scope};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::ledger::{OrgRow, ScopeRow, StoreError};
use crate::store::sqlite::connect::connect_read_only;
use crate::store::sqlite::convert::{int, text, uint};
use crate::store::sqlite::failed;
use crate::store::sqlite::rows::{entity, scope_row};
use crate::store::{
    EventPage, ListAsk, ListRead, ListRow, LiveRow, PositionRead, Reads, SnapshotEnd, SnapshotRead,
    WholeRead, WholeText,
};

/// Connections kept for the next reader.
const IDLE_CONNECTIONS: usize = 4;

/// Reads the file in parallel to its writer.
#[derive(Debug)]
pub struct SqliteReads {
    dir: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl SqliteReads {
    /// Reads the store in `dir`, which a [`super::SqliteStore`] opened.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    /// Runs `read` in one read transaction: it sees one committed state.
    fn read<T>(
        &self,
        read: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect_read_only(&self.dir).map_err(failed)?,
        };
        let transaction = connection.transaction().map_err(failed)?;
        let value = read(&transaction).map_err(failed)?;
        transaction.finish().map_err(failed)?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS {
            idle.push(connection);
        }
        Ok(value)
    }
}

impl Reads for SqliteReads {
    fn org(&self, org: &OrgId) -> Result<Option<OrgRow>, StoreError> {
        self.read(|transaction| org_row(transaction, org))
    }

    fn scope(&self, org: &OrgId, scope: &Scope) -> Result<ScopeRow, StoreError> {
        self.read(|transaction| {
            Ok(find_scope(transaction, org, scope)?.map_or_else(Default::default, |s| s.1))
        })
    }

    fn events_after(
        &self,
        org: &OrgId,
        scope: &Scope,
        after: u64,
        max_bytes: usize,
    ) -> Result<EventPage, StoreError> {
        self.read(|transaction| {
            let Some((id, row)) = find_scope(transaction, org, scope)? else {
                return Ok(EventPage::default());
            };
            let mut page = EventPage { head: row.head, ..EventPage::default() };
            let mut statement = transaction
                .prepare_cached("SELECT seq, text FROM events WHERE scope = ?1 AND seq > ?2 ORDER BY seq")?;
            let mut rows = statement.query(params![id, int(after)])?;
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let text = row.get_ref(1)?.as_str()?;
                bytes += text.len();
                if bytes > max_bytes && !page.events.is_empty() {
                    page.more = true;
                    break;
                }
                page.events.push((uint(row, 0)?, Arc::from(text)));
            }
            Ok(page)
        })
    }

    fn snapshot_page(
        &self,
        org: &OrgId,
        scope: &Scope,
        after: Option<&EntityKey>,
        max_bytes: usize,
    ) -> Result<SnapshotRead, StoreError> {
        self.read(|transaction| {
            let Some((id, scope)) = find_scope(transaction, org, scope)? else {
                let last = Some(SnapshotEnd { head: 0, hash: 0 });
                return Ok(SnapshotRead { rows: Vec::new(), as_of: 0, last });
            };
            let end = SnapshotEnd { head: scope.head, hash: scope.hash };
            let mut page = SnapshotRead { rows: Vec::new(), as_of: scope.head, last: Some(end) };
            let mut statement = transaction.prepare_cached(
                "SELECT key, rev, text FROM entities WHERE scope = ?1 AND live = 1 AND key > ?2 ORDER BY key",
            )?;
            let mut rows = statement.query(params![id, after.map_or("", EntityKey::as_str)])?;
            let mut bytes = 0;
            while let Some(row) = rows.next()? {
                let value = row.get_ref(2)?.as_str()?;
                bytes += value.len();
                if bytes > max_bytes && !page.rows.is_empty() {
                    page.last = None;
                    break;
                }
                let key = text(row, 0, EntityKey::parse)?;
                page.rows.push(LiveRow { key, rev: uint(row, 1)?, text: Arc::from(value) });
            }
            Ok(page)
        })
    }

    fn position(
        &self,
        org: &OrgId,
        scope: &Scope,
        epoch: &Epoch,
        pos: u64,
        limit: u64,
    ) -> Result<Option<PositionRead>, StoreError> {
        self.read(|transaction| {
            let Some(row) = org_row(transaction, org)? else { return Ok(None) };
            let epoch_last = epoch_last(transaction, org, epoch, &row)?;
            let Some((id, scope)) = find_scope(transaction, org, scope)? else {
                return Ok(Some(PositionRead {
                    org: row,
                    epoch_last,
                    scope: ScopeRow::default(),
                    behind: 0,
                }));
            };
            let behind = transaction
                .prepare_cached(
                    "SELECT count(*) FROM (SELECT 1 FROM events WHERE scope = ?1 AND seq > ?2 LIMIT ?3)",
                )?
                .query_row(params![id, int(pos), int(limit)], |row| uint(row, 0))?;
            Ok(Some(PositionRead { org: row, epoch_last, scope, behind }))
        })
    }

    fn boot(&self, org: &OrgId, instance: &InstanceId) -> Result<Option<BootId>, StoreError> {
        self.read(|transaction| {
            transaction
                .prepare_cached(
                    "SELECT boot FROM boots JOIN orgs ON orgs.id = boots.org
                     WHERE orgs.name = ?1 AND instance = ?2",
                )?
                .query_row(params![org.as_str(), instance.as_str()], |row| text(row, 0, BootId::new))
                .optional()
        })
    }

    fn open_commands(&self, org: &OrgId) -> Result<u64, StoreError> {
        self.read(|transaction| {
            transaction
                .prepare_cached(
                    "SELECT count(*) FROM commands JOIN orgs ON orgs.id = commands.org
                     WHERE orgs.name = ?1 AND ended = 0",
                )?
                .query_row(params![org.as_str()], |row| uint(row, 0))
        })
    }

    fn list_page(&self, org: &OrgId, scope: &Scope, ask: ListAsk<'_>) -> Result<ListRead, StoreError> {
        self.read(|transaction| {
            let Some((id, row)) = find_scope(transaction, org, scope)? else {
                return Ok(ListRead::default());
            };
            list_page(transaction, id, row.head, ask)
        })
    }

    fn whole(&self, org: &OrgId, scope: &Scope, key: &EntityKey) -> Result<WholeRead, StoreError> {
        self.read(|transaction| {
            let Some((id, row)) = find_scope(transaction, org, scope)? else {
                return Ok(WholeRead::default());
            };
            let entity = transaction
                .prepare_cached(
                    "SELECT text, rev, live, open, ord FROM entities WHERE scope = ?1 AND key = ?2",
                )?
                .query_row(params![id, key.as_str()], entity)
                .optional()?;
            let whole = transaction
                .prepare_cached("SELECT rev, text FROM full_texts WHERE scope = ?1 AND key = ?2")?
                .query_row(params![id, key.as_str()], |row| {
                    Ok(WholeText { rev: uint(row, 0)?, text: row.get(1)? })
                })
                .optional()?;
            Ok(WholeRead { row: entity, whole, as_of: row.head })
        })
    }
}

/// A page from the index of lists.
fn list_page(
    transaction: &Transaction<'_>,
    scope: i64,
    head: u64,
    ask: ListAsk<'_>,
) -> Result<ListRead, rusqlite::Error> {
    let mut page = ListRead { as_of: head, ..ListRead::default() };
    let mut statement = transaction.prepare_cached(match ask.before {
        Some(_) => {
            "SELECT text, rev, live, open, ord, key FROM entities
             WHERE scope = ?1 AND type = ?2 AND (ord, key) < (?3, ?4) ORDER BY ord DESC, key DESC"
        }
        None => {
            "SELECT text, rev, live, open, ord, key FROM entities
             WHERE scope = ?1 AND type = ?2 AND ?3 = ?4 ORDER BY ord DESC, key DESC"
        }
    })?;
    let (order, key) = ask.before.map_or(("", ""), |(order, key)| (order, key.as_str()));
    let mut rows = statement.query(params![scope, ask.entity_type, order, key])?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        bytes += row.get_ref(0)?.as_str()?.len();
        if page.rows.len() >= ask.limit || (bytes > ask.max_bytes && !page.rows.is_empty()) {
            page.more = true;
            break;
        }
        page.rows.push(ListRow { key: text(row, 5, EntityKey::parse)?, row: entity(row)? });
    }
    Ok(page)
}

fn org_row(transaction: &Transaction<'_>, org: &OrgId) -> Result<Option<OrgRow>, rusqlite::Error> {
    transaction
        .prepare_cached("SELECT epoch, head FROM orgs WHERE name = ?1")?
        .query_row(params![org.as_str()], |row| {
            Ok(OrgRow { epoch: text(row, 0, Epoch::new)?, head: uint(row, 1)? })
        })
        .optional()
}

fn find_scope(
    transaction: &Transaction<'_>,
    org: &OrgId,
    scope: &Scope,
) -> Result<Option<(i64, ScopeRow)>, rusqlite::Error> {
    transaction
        .prepare_cached(
            "SELECT scopes.head, hash, floor, messages, scopes.id FROM scopes JOIN orgs ON orgs.id = scopes.org
             WHERE orgs.name = ?1 AND scope = ?2",
        )?
        .query_row(params![org.as_str(), scope.to_string()], |row| Ok((row.get(4)?, scope_row(row)?)))
        .optional()
}

/// The last seq of an epoch: the one before the next epoch's first, or the org's head.
fn epoch_last(
    transaction: &Transaction<'_>,
    org: &OrgId,
    epoch: &Epoch,
    row: &OrgRow,
) -> Result<Option<u64>, rusqlite::Error> {
    let next = transaction
        .prepare_cached(
            "SELECT (SELECT min(next.first) FROM epochs next WHERE next.org = this.org AND next.id > this.id)
             FROM epochs this JOIN orgs ON orgs.id = this.org WHERE orgs.name = ?1 AND this.epoch = ?2",
        )?
        .query_row(params![org.as_str(), epoch.as_str()], |row| row.get::<_, Option<i64>>(0))
        .optional()?;
    Ok(next.map(|next| match next {
        Some(first) => u64::try_from(first).unwrap_or(0).saturating_sub(1),
        None => row.head,
    }))
}
