//! Trimming: what is old enough and beyond what every client may want to resume from goes.

use otter_proto::UnixMillis;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::ledger::StoreError;
use crate::store::sqlite::convert::int;
use crate::store::sqlite::failed;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events younger than this stay, in milliseconds.
    pub age_ms: u64,
    /// The newest events stay, whatever their age.
    pub events: u64,
    /// Ended commands, replies and the ids of removed entities, but those of instances, stay this long, in
    /// milliseconds.
    pub bookkeeping_ms: u64,
}

const DAY_MS: u64 = 86_400_000;
/// Rows that go in one transaction: the writer waits for no longer than that.
const CHUNK: u64 = 500;

impl Default for Retention {
    fn default() -> Self {
        Self { age_ms: 7 * DAY_MS, events: 100_000, bookkeeping_ms: 30 * DAY_MS }
    }
}

impl Retention {
    /// Trims one chunk of each table; returns whether there may be more. Heads and entities stay; a position below
    /// what is gone gets a snapshot.
    pub(super) fn trim(self, connection: &mut Connection, now: UnixMillis) -> Result<bool, StoreError> {
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let events = self.trim_events(&transaction, now).map_err(failed)?;
        let rest = self.trim_bookkeeping(&transaction, now).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(events.max(rest) >= CHUNK)
    }

    fn trim_events(self, connection: &Connection, now: UnixMillis) -> Result<u64, rusqlite::Error> {
        let before = now.0.saturating_sub(self.age_ms);
        // Ids are appended in order, so the newest id tells how many follow a row; the oldest rows come first.
        let last: Option<i64> = connection
            .prepare_cached(
                "SELECT max(id) FROM (SELECT id, at FROM events
                 WHERE id <= (SELECT max(id) FROM events) - ?1 ORDER BY id LIMIT ?2) WHERE at < ?3",
            )?
            .query_row(params![int(self.events), int(CHUNK), int(before)], |row| row.get(0))?;
        let Some(last) = last else { return Ok(0) };
        connection.execute(
            "UPDATE scopes SET floor = max(floor, gone.seq)
             FROM (SELECT scope, max(seq) AS seq FROM events WHERE id <= ?1 GROUP BY scope) AS gone
             WHERE scopes.id = gone.scope",
            params![last],
        )?;
        connection.execute("DELETE FROM events WHERE id <= ?1", params![last]).map(count)
    }

    fn trim_bookkeeping(self, connection: &Connection, now: UnixMillis) -> Result<u64, rusqlite::Error> {
        let before = int(now.0.saturating_sub(self.bookkeeping_ms));
        let mut most = 0;
        for sql in [
            "DELETE FROM commands WHERE rowid IN
             (SELECT rowid FROM commands WHERE ended = 1 AND issued_at < ?1 LIMIT ?2)",
            "DELETE FROM replies WHERE rowid IN (SELECT rowid FROM replies WHERE at < ?1 LIMIT ?2)",
            // A removed instance never comes back, however old its token is.
            "DELETE FROM removed WHERE (scope, key) IN
             (SELECT scope, key FROM removed WHERE at < ?1 AND key NOT GLOB 'instance/*' LIMIT ?2)",
        ] {
            most = most.max(count(connection.execute(sql, params![before, int(CHUNK)])?));
        }
        Ok(most)
    }
}

fn count(rows: usize) -> u64 {
    u64::try_from(rows).unwrap_or(u64::MAX)
}
