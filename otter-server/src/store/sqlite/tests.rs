use std::path::Path;

use otter_proto::UnixMillis;
use otter_proto::id::{EntityKey, Epoch, MemberId, OrgId, Scope};
use pretty_assertions::assert_eq;

use super::*;
use crate::ledger::{Ledger, StoreError};
use crate::log::{Reader, Resume, ResumeMiss};
use crate::store::Reads as _;

fn org() -> OrgId {
    OrgId::new("org_1").unwrap()
}

fn epoch() -> Epoch {
    Epoch::new("e1").unwrap()
}

/// Writes one event each at the given instants.
fn write(store: &mut SqliteStore, times: impl IntoIterator<Item = u64>) {
    for at in times {
        let member = MemberId::new(&format!("mb_{at}")).unwrap();
        store
            .transaction(&org(), &mut |rows| {
                let mut ledger = Ledger::open(rows, &org(), &epoch(), UnixMillis(at))?;
                ledger.member_joined(&member, "Ada", otter_proto::catalogue::Role::Owner)?;
                ledger.finish().map(|_| ())
            })
            .unwrap();
    }
}

fn filled(dir: &Path, times: impl IntoIterator<Item = u64>) {
    let mut store = SqliteStore::open(dir).unwrap();
    store.transaction(&org(), &mut |rows| Ledger::start(rows, &epoch())).unwrap();
    write(&mut store, times);
}

fn damage(dir: &Path, sql: &str) {
    Connection::open(dir.join(FILE)).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn what_was_written_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), [1, 2, 3]);
    let mut store = SqliteStore::open(dir.path()).unwrap();
    write(&mut store, [4]);
    let page = SqliteReads::new(dir.path()).events_after(&org(), &Scope::Org, 0, 1 << 20).unwrap();
    assert_eq!(page.events.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[test]
fn the_file_is_durable_and_checkpointed_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let pragma = |name: &str| -> String {
        store
            .connection
            .pragma_query_value(None, name, |row| {
                row.get_ref(0)?
                    .as_str()
                    .map(ToOwned::to_owned)
                    .or_else(|_| row.get::<_, i64>(0).map(|n| n.to_string()))
            })
            .unwrap()
    };
    let settings = ["journal_mode", "synchronous", "wal_autocheckpoint", "foreign_keys", "trusted_schema"];
    assert_eq!(settings.map(pragma), ["wal", "2", "0", "1", "0"]);
}

#[test]
fn one_hub_at_a_time_has_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(dir.path()).unwrap();
    let error = SqliteStore::open(dir.path()).unwrap_err().to_string();
    assert!(error.contains("another otter-server uses"), "{error}");
    drop(first);
    SqliteStore::open(dir.path()).unwrap();
}

#[test]
fn a_damaged_log_is_refused_with_what_to_do() {
    let table = [
        ("UPDATE entities SET rev = 9 WHERE rev = 1", "the entities of org in org_1 do not match its hash"),
        ("DELETE FROM entities WHERE rev = 1", "the entities of org in org_1 do not match its hash"),
        ("DELETE FROM events WHERE seq = 3", "event 3 of org_1 is missing"),
        ("DELETE FROM events WHERE seq = 2", "event 2 of org_1 is missing"),
        ("DELETE FROM events", "event 3 of org_1 is missing"),
        ("UPDATE events SET text = '{}' WHERE seq = 2", "event 2 of org_1 is unreadable"),
        ("UPDATE scopes SET head = 2", "event 3 of org_1 does not continue its scope"),
        (
            "UPDATE events SET text = replace(text, '\"prev\":1', '\"prev\":0')",
            "event 1 of org_1 does not continue its scope",
        ),
    ];
    for (sql, what) in table {
        let dir = tempfile::tempdir().unwrap();
        filled(dir.path(), [1, 2, 3]);
        damage(dir.path(), sql);
        let error = SqliteStore::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("Restore a backup"), "{sql}: {error}");
    }
}

#[test]
fn a_file_of_a_newer_release_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), []);
    damage(dir.path(), "PRAGMA user_version = 99");
    let error = SqliteStore::open(dir.path()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), [1]);
    let mut store = SqliteStore::open(dir.path()).unwrap();
    let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let member = MemberId::new("mb_x").unwrap();
    let name = "x".repeat(6_000);
    let fill = |store: &mut SqliteStore| {
        store.transaction(&org(), &mut |rows| {
            let mut ledger = Ledger::open(rows, &org(), &epoch(), UnixMillis(2))?;
            ledger.member_joined(&member, &name, otter_proto::catalogue::Role::Owner)?;
            ledger.finish().map(|_| ())
        })
    };
    assert_eq!(fill(&mut store), Err(StoreError::Full));
    assert_eq!(SqliteReads::new(dir.path()).org(&org()).unwrap().map(|row| row.head), Some(1));
    store.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    assert_eq!(fill(&mut store), Ok(()));
    assert_eq!(SqliteReads::new(dir.path()).org(&org()).unwrap().map(|row| row.head), Some(2));
}

#[test]
fn readers_do_not_wait_for_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), [1]);
    let mut store = SqliteStore::open(dir.path()).unwrap();
    let reads = SqliteReads::new(dir.path());
    store
        .transaction(&org(), &mut |rows| {
            let mut ledger = Ledger::open(rows, &org(), &epoch(), UnixMillis(2))?;
            ledger.member_removed(&MemberId::new("mb_1").unwrap())?;
            ledger.finish()?;
            assert_eq!(reads.org(&org()).unwrap().map(|row| row.head), Some(1));
            Ok(())
        })
        .unwrap();
    assert_eq!(reads.org(&org()).unwrap().map(|row| row.head), Some(2));
}

#[test]
fn retention_trims_what_is_old_and_beyond_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 1..=10);
    let retention = Retention { age_ms: 100, events: 3, bookkeeping_ms: 1_000 };
    let mut connection = connect(dir.path()).unwrap();
    assert!(!retention.trim(&mut connection, UnixMillis(105)).unwrap());
    let reads = Arc::new(SqliteReads::new(dir.path()));
    let seqs = || -> Vec<u64> {
        let page = reads.events_after(&org(), &Scope::Org, 0, 1 << 20).unwrap();
        page.events.iter().map(|(seq, _)| *seq).collect()
    };
    assert_eq!(seqs(), [5, 6, 7, 8, 9, 10], "younger than the age stay");
    retention.trim(&mut connection, UnixMillis(10_000)).unwrap();
    assert_eq!(seqs(), [8, 9, 10], "the newest stay");
    let row = reads.scope(&org(), &Scope::Org).unwrap();
    assert_eq!((row.head, row.floor), (10, 7));
    let reader = Reader::new(reads.clone());
    let resume = |pos| reader.resume(&org(), &Scope::Org, &epoch(), pos).unwrap();
    assert_eq!(resume(7), Resume::Hit);
    assert_eq!(resume(6), Resume::Miss(ResumeMiss::Trimmed));
    drop(connection);
    SqliteStore::open(dir.path()).unwrap();
}

#[test]
fn upkeep_runs_beside_the_writer_and_ends_when_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path()).unwrap();
    store.transaction(&org(), &mut |rows| Ledger::start(rows, &epoch())).unwrap();
    let upkeep = Upkeep::start(dir.path(), Retention::default(), || UnixMillis(0)).unwrap();
    write(&mut store, 1..=50);
    drop(upkeep);
    assert_eq!(SqliteReads::new(dir.path()).org(&org()).unwrap().map(|row| row.head), Some(50));
}

#[test]
fn the_id_of_a_removed_instance_is_never_free_again() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), [1]);
    let mut store = SqliteStore::open(dir.path()).unwrap();
    let key = |name: &str| EntityKey::parse(name).unwrap();
    store
        .transaction(&org(), &mut |rows| {
            rows.put_removed(&Scope::Org, &key("instance/in_1"), UnixMillis(1))?;
            rows.put_removed(&Scope::Org, &key("task/t"), UnixMillis(1))
        })
        .unwrap();
    let retention = Retention { age_ms: 100, events: 3, bookkeeping_ms: 1_000 };
    retention.trim(&mut connect(dir.path()).unwrap(), UnixMillis(10_000)).unwrap();
    store
        .transaction(&org(), &mut |rows| {
            assert_eq!(rows.removed_at(&Scope::Org, &key("instance/in_1"))?, Some(UnixMillis(1)));
            assert_eq!(rows.removed_at(&Scope::Org, &key("task/t"))?, None);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_file_that_a_hub_has_is_not_changed_by_a_newer_command_line() {
    let dir = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(dir.path()).unwrap());
    damage(dir.path(), "DROP INDEX entities_vendors; PRAGMA user_version = 3");
    let version = || -> i64 {
        let file = Connection::open(dir.path().join(FILE)).unwrap();
        file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    };
    let lock = DirLock::take(dir.path()).unwrap();
    let error = connect(dir.path()).unwrap_err().to_string();
    assert!(error.contains("in use by an older otter-server (schema 3, this one writes 4)"), "{error}");
    assert_eq!(version(), 3);
    drop(lock);
    connect(dir.path()).unwrap();
    assert_eq!(version(), 4);
    DirLock::take(dir.path()).unwrap();
}

#[test]
fn the_oldest_rows_of_integrators_are_found_without_a_scan() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let plan = format!("EXPLAIN QUERY PLAN {}", rows::OLDEST_OF_VENDORS);
    let mut statement = store.connection.prepare(&plan).unwrap();
    let steps = statement.query_map([1, 17], |row| row.get::<_, String>(3)).unwrap();
    let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
    assert_eq!(steps, ["SEARCH entities USING INDEX entities_vendors (scope=?)"]);
}

#[test]
fn a_long_write_ahead_log_is_emptied() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), [1]);
    let mut store = SqliteStore::open(dir.path()).unwrap();
    write(&mut store, 2..=100);
    let file = dir.path().join(format!("{FILE}-wal"));
    let length = || std::fs::metadata(&file).unwrap().len();
    let connection = connect(dir.path()).unwrap();
    upkeep::checkpoint(&connection, i64::MAX).unwrap();
    assert!(length() > 0, "a short one stays, to be written over");
    upkeep::checkpoint(&connection, 10).unwrap();
    assert_eq!(length(), 0);
    write(&mut store, 101..=102);
}
