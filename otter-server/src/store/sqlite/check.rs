//! The check at start: the newest part of the log agrees with the stored heads, and the entities with their hash.

use std::collections::BTreeMap;

use otter_proto::event::RecordedEvent;
use otter_proto::hash;
use otter_proto::id::EntityKey;
use rusqlite::{Connection, params};

use crate::store::sqlite::convert::{self, uint};

/// Events that are looked at.
const TAIL: u64 = 1_000;

/// Scopes of those events whose entities are compared with their hash.
const SCOPES: usize = 16;

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Damage {
    /// It cannot be read.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The log ends before the head, or has a hole.
    #[error("event {expected} of {org} is missing")]
    Missing { org: String, expected: u64 },
    /// An event is not what its row says.
    #[error("event {seq} of {org} is unreadable")]
    Unreadable { org: String, seq: u64 },
    /// A scope's chain is broken.
    #[error("event {seq} of {org} does not continue its scope")]
    Chain { org: String, seq: u64 },
    /// The live entities of a scope are not those its hash was made of.
    #[error("the entities of {scope} in {org} do not match its hash")]
    Hash { org: String, scope: String },
}

/// Verifies the last events of every org up to its head.
pub(super) fn verify(connection: &Connection) -> Result<(), Damage> {
    let mut orgs = connection.prepare("SELECT id, name, head FROM orgs ORDER BY id")?;
    let orgs = orgs.query_map([], |row| Ok((row.get(0)?, row.get(1)?, uint(row, 2)?)))?;
    for org in orgs {
        let (id, name, head): (i64, String, u64) = org?;
        verify_org(connection, id, &name, head)?;
    }
    Ok(())
}

fn verify_org(connection: &Connection, org: i64, name: &str, head: u64) -> Result<(), Damage> {
    let mut events = connection.prepare(
        "SELECT events.seq, text, scope, (SELECT head FROM scopes WHERE scopes.id = events.scope) FROM events
         WHERE org = ?1 ORDER BY events.id DESC LIMIT ?2",
    )?;
    let mut events = events.query(params![org, i64::try_from(TAIL).unwrap_or(i64::MAX)])?;
    // The seq each scope must have next, going back; absent before its newest event was seen.
    let mut chain: BTreeMap<i64, u64> = BTreeMap::new();
    let mut expected = head;
    while let Some(row) = events.next()? {
        let seq = uint(row, 0)?;
        if seq != expected {
            return Err(Damage::Missing { org: name.to_owned(), expected });
        }
        let event = RecordedEvent::parse(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?)
            .ok()
            .filter(|event| event.seq == seq)
            .ok_or_else(|| Damage::Unreadable { org: name.to_owned(), seq })?;
        let scope: i64 = row.get(2)?;
        let want = match chain.get(&scope) {
            Some(prev) => *prev,
            None => uint(row, 3)?,
        };
        if want != seq {
            return Err(Damage::Chain { org: name.to_owned(), seq });
        }
        chain.insert(scope, event.prev);
        expected = seq - 1;
    }
    if expected == head && head > 0 {
        return Err(Damage::Missing { org: name.to_owned(), expected });
    }
    chain.keys().take(SCOPES).try_for_each(|scope| verify_hash(connection, *scope, name))
}

fn verify_hash(connection: &Connection, scope: i64, org: &str) -> Result<(), Damage> {
    let mut rows =
        connection.prepare_cached("SELECT key, rev, text FROM entities WHERE scope = ?1 AND live = 1")?;
    let mut rows = rows.query(params![scope])?;
    let mut sum = 0_u64;
    while let Some(row) = rows.next()? {
        let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        sum = sum.wrapping_add(hash::entity(&convert::text(row, 0, EntityKey::parse)?, uint(row, 1)?, text));
    }
    let (name, stored): (String, i64) = connection
        .prepare_cached("SELECT scope, hash FROM scopes WHERE id = ?1")?
        .query_row(params![scope], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if stored.cast_unsigned() == sum {
        Ok(())
    } else {
        Err(Damage::Hash { org: org.to_owned(), scope: name })
    }
}
