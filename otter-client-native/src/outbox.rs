//! The durable outbox: numbered events per lane, what the hub has of them, and dead letters.

use std::time::{SystemTime, UNIX_EPOCH};

use otter_proto::event::NewEvent;
use otter_proto::frame::{Lane, Rejection};
use otter_proto::id::EventId;
use otter_proto::limits::Limits;
use otter_proto::publish::{LaneState, Outbox, OutboxRow, RestateReason, lane_of};
use otter_proto::wire::Wire as _;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{AppendError, StoreError};
use crate::store::{Store, StoreTx, lane_word, number, sql as as_sql};

/// Where an event is in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Its lane.
    pub lane: Lane,
    /// Its number in lane and epoch.
    pub n: u64,
}

/// An event that the hub refused for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event's id.
    pub id: String,
    /// Why, as a code of the protocol.
    pub code: String,
    /// The member at fault, as a JSON pointer.
    pub pointer: Option<String>,
    /// The event.
    pub text: String,
}

impl StoreTx<'_> {
    /// Appends an event: it gets the next number of its lane. It is sent after the commit.
    pub fn append(&mut self, event: &NewEvent) -> Result<Appended, StoreError> {
        let lane = lane_of(&event.kind).ok_or_else(|| AppendError::UnknownKind(event.kind.clone()))?;
        let mut text = String::new();
        event.write(&mut text);
        let (bytes, limit) = (text.len() as u64, Limits::V1.event_bytes);
        if bytes > limit {
            let (kind, subject) = (event.kind.clone(), event.subject.to_string());
            return Err(AppendError::TooLarge { kind, subject, bytes, limit }.into());
        }
        let held = held_bytes(&self.tx)?;
        if held > self.limit {
            return Err(AppendError::Full { bytes: held }.into());
        }
        let n = self.number(lane, event.id.as_str(), &text)?;
        Ok(Appended { lane, n })
    }

    /// Publishes dead letters again, for instance after the hub was upgraded. Returns how many.
    pub fn requeue_dead_letters(&mut self) -> Result<usize, StoreError> {
        let letters = {
            let mut query = self.tx.prepare_cached("SELECT lane, id, text FROM dead ORDER BY at, n")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<Result<Vec<(String, String, String)>, _>>()?
        };
        for (word, id, text) in &letters {
            let lane = Lane::parse(word).ok_or_else(|| StoreError::Corrupt(format!("lane {word}")))?;
            self.number(lane, id, text)?;
        }
        self.tx.execute("DELETE FROM dead", [])?;
        Ok(letters.len())
    }

    /// Everything observed is published again, or will be by what this transaction stores:
    /// [`ClientEvent::Restate`](crate::ClientEvent::Restate) is not told any more.
    pub fn restated(&mut self, lane: Lane) -> Result<(), StoreError> {
        let sql = "UPDATE lane SET restate = NULL WHERE lane = ?1 AND restate IS NOT NULL";
        self.tx.prepare_cached(sql)?.execute([lane_word(lane)])?;
        Ok(())
    }

    fn number(&mut self, lane: Lane, id: &str, text: &str) -> Result<u64, StoreError> {
        let sql = "UPDATE lane SET last = last + 1 WHERE lane = ?1 RETURNING last, epoch";
        let (n, epoch): (u64, u64) = self
            .tx
            .prepare_cached(sql)?
            .query_row([lane_word(lane)], |row| Ok((number(row, 0)?, number(row, 1)?)))?;
        let sql = "INSERT INTO outbox (lane, epoch, n, id, text, bytes, appended_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let (size, at) = (as_sql(text.len() as u64), as_sql(unix_ms()));
        let row = params![lane_word(lane), as_sql(epoch), as_sql(n), id, text, size, at];
        self.tx.prepare_cached(sql)?.execute(row)?;
        self.appended = true;
        Ok(n)
    }
}

impl Store {
    /// Events that the hub refused for good, oldest first.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, StoreError> {
        let connection = self.lock()?;
        let mut query =
            connection.prepare_cached("SELECT id, code, pointer, text FROM dead ORDER BY at, n")?;
        let rows = query.query_map([], |row| {
            Ok(DeadLetter { id: row.get(0)?, code: row.get(1)?, pointer: row.get(2)?, text: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Lanes of which everything observed has to be published again, and why; until [`StoreTx::restated`].
    pub fn to_restate(&self) -> Result<Vec<(Lane, RestateReason)>, StoreError> {
        let connection = self.lock()?;
        let mut query = connection
            .prepare_cached("SELECT lane, restate FROM lane WHERE restate IS NOT NULL ORDER BY lane DESC")?;
        let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let mut lanes = Vec::new();
        for row in rows {
            let (lane, reason) = row?;
            let known = Lane::parse(&lane).zip(RestateReason::parse(&reason));
            lanes.push(known.ok_or_else(|| StoreError::Corrupt(format!("{lane} is to restate: {reason}")))?);
        }
        Ok(lanes)
    }

    /// Drops acknowledged events that are older than a day, and the oldest beyond 64 MiB.
    pub fn trim_outbox(&self, now_unix_ms: u64) -> Result<(), StoreError> {
        self.transaction(|tx| {
            for lane in Lane::ALL {
                trim(&tx.tx, lane_word(*lane), now_unix_ms)?;
            }
            Ok(())
        })
    }

    fn update_lane(&self, sql: &str, lane: Lane, value: u64) -> Result<(), StoreError> {
        self.lock()?.prepare_cached(sql)?.execute(params![lane_word(lane), as_sql(value)])?;
        Ok(())
    }
}

impl Outbox for Store {
    type Error = StoreError;

    fn lane(&self, lane: Lane) -> Result<LaneState, StoreError> {
        let connection = self.lock()?;
        let mut query =
            connection.prepare_cached("SELECT epoch, last, acked, trimmed FROM lane WHERE lane = ?1")?;
        Ok(query.query_row([lane_word(lane)], |row| {
            let [epoch, last, acked, trimmed] =
                [number(row, 0)?, number(row, 1)?, number(row, 2)?, number(row, 3)?];
            Ok(LaneState { epoch, last, acked, trimmed })
        })?)
    }

    fn rows(&self, lane: Lane, after: u64, max_bytes: u64) -> Result<Vec<OutboxRow>, StoreError> {
        let connection = self.lock()?;
        let mut query = connection.prepare_cached(
            "SELECT n, text FROM outbox JOIN lane USING (lane, epoch) WHERE lane = ?1 AND n > ?2 ORDER BY n",
        )?;
        let mut rows = query.query(params![lane_word(lane), as_sql(after)])?;
        let (mut found, mut bytes): (Vec<OutboxRow>, u64) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let row = OutboxRow { n: number(row, 0)?, text: row.get(1)? };
            bytes += row.text.len() as u64;
            if bytes > max_bytes && !found.is_empty() {
                break;
            }
            found.push(row);
        }
        Ok(found)
    }

    fn id_at(&self, lane: Lane, n: u64) -> Result<Option<EventId>, StoreError> {
        let connection = self.lock()?;
        let mut query = connection.prepare_cached(
            "SELECT id FROM outbox JOIN lane USING (lane, epoch) WHERE lane = ?1 AND n = ?2 \
             UNION ALL SELECT trimmed_id FROM lane WHERE lane = ?1 AND trimmed = ?2 AND trimmed_id IS NOT NULL",
        )?;
        let id: Option<String> =
            query.query_row(params![lane_word(lane), as_sql(n)], |row| row.get(0)).optional()?;
        id.map(|id| EventId::new(&id).map_err(|error| StoreError::Corrupt(error.to_string()))).transpose()
    }

    fn set_acked(&mut self, lane: Lane, up_to: u64) -> Result<(), StoreError> {
        self.update_lane("UPDATE lane SET acked = ?2 WHERE lane = ?1 AND acked <> ?2", lane, up_to)
    }

    fn reject(&mut self, lane: Lane, rejected: &[Rejection]) -> Result<usize, StoreError> {
        self.transaction(|tx| {
            let mut count = 0;
            for rejection in rejected {
                let sql = "INSERT OR IGNORE INTO dead (id, lane, n, code, pointer, text, at) \
                           SELECT id, lane, n, ?3, ?4, text, ?5 FROM outbox JOIN lane USING (lane, epoch) \
                           WHERE lane = ?1 AND n = ?2";
                let (code, pointer) = (rejection.code.as_str(), rejection.pointer.as_deref());
                let row = params![lane_word(lane), as_sql(rejection.n), code, pointer, as_sql(unix_ms())];
                count += tx.tx.prepare_cached(sql)?.execute(row)?;
            }
            let sql =
                "DELETE FROM dead WHERE id NOT IN (SELECT id FROM dead ORDER BY at DESC, n DESC LIMIT ?1)";
            tx.tx.prepare_cached(sql)?.execute([as_sql(MAX_DEAD)])?;
            Ok(count)
        })
    }

    fn opened_at(&self, lane: Lane) -> Result<Option<u64>, StoreError> {
        let connection = self.lock()?;
        let mut query = connection.prepare_cached("SELECT opened FROM lane WHERE lane = ?1")?;
        let opened: Option<i64> = query.query_row([lane_word(lane)], |row| row.get(0))?;
        Ok(opened.and_then(|opened| u64::try_from(opened).ok()))
    }

    fn welcomed(&mut self, lane: Lane) -> Result<(), StoreError> {
        let sql = "UPDATE lane SET opened = NULL WHERE lane = ?1 AND opened IS NOT NULL";
        self.lock()?.prepare_cached(sql)?.execute([lane_word(lane)])?;
        Ok(())
    }

    fn renew(&mut self, lane: Lane, epoch: u64, after: u64, reason: RestateReason) -> Result<(), StoreError> {
        self.transaction(|tx| {
            let word = lane_word(lane);
            tx.tx.execute("DELETE FROM outbox WHERE lane = ?1 AND n <= ?2", params![word, as_sql(after)])?;
            let first: Option<i64> =
                tx.tx.query_row("SELECT min(n) FROM outbox WHERE lane = ?1", [word], |row| row.get(0))?;
            let base = first.map_or(0, |first| first.saturating_sub(1));
            let moved = tx.tx.execute(
                "UPDATE outbox SET epoch = ?2, n = n - ?3 WHERE lane = ?1",
                params![word, as_sql(epoch), base],
            )?;
            tx.tx.execute(
                "UPDATE lane SET epoch = ?2, last = ?3, acked = 0, trimmed = 0, trimmed_id = NULL, restate = ?4 \
                 WHERE lane = ?1",
                params![word, as_sql(epoch), as_sql(moved as u64), reason.as_str()],
            )?;
            Ok(())
        })
    }
}

/// Drops acknowledged rows of one lane beyond what is kept, and remembers the id of the last one.
fn trim(connection: &Connection, lane: &str, now: u64) -> Result<(), StoreError> {
    let sql = "SELECT max(n) FROM (SELECT n, appended_at, sum(bytes) OVER (ORDER BY n DESC) AS newer \
               FROM outbox WHERE lane = ?1 AND n <= (SELECT acked FROM lane WHERE lane = ?1)) \
               WHERE appended_at < ?2 OR newer > ?3";
    let keep_from = now.saturating_sub(KEEP_MS);
    let last: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row(params![lane, as_sql(keep_from), as_sql(KEEP_BYTES)], |row| row.get(0))?;
    if let Some(last) = last {
        let sql = "UPDATE lane SET trimmed = ?2, trimmed_id = (SELECT id FROM outbox WHERE lane = ?1 AND n = ?2) \
                   WHERE lane = ?1";
        connection.prepare_cached(sql)?.execute(params![lane, last])?;
        connection
            .prepare_cached("DELETE FROM outbox WHERE lane = ?1 AND n <= ?2")?
            .execute(params![lane, last])?;
    }
    Ok(())
}

/// The bytes of the store's file that are in use.
fn held_bytes(connection: &Connection) -> Result<u64, StoreError> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| number(row, 0));
    let (pages, free) = (pragma("page_count")?, pragma("freelist_count")?);
    Ok(pages.saturating_sub(free) * pragma("page_size")?)
}

/// The wall clock.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Acknowledged events are kept so long, for a hub that is restored from a backup.
const KEEP_MS: u64 = 24 * 3_600_000;
/// ... and at most so many bytes of them per lane.
const KEEP_BYTES: u64 = 64 << 20;
/// The newest dead letters that are kept.
const MAX_DEAD: u64 = 10_000;
