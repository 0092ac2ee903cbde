use otter_proto::error::ErrorCode;
use otter_proto::event::NewEvent;
use otter_proto::frame::Rejection;
use otter_proto::id::{EntityId, EventId};
use otter_proto::publish::{LaneState, Outbox as _, OutboxRow, RestateReason};
use otter_proto::wire::{Json, Wire as _};
use pretty_assertions::assert_eq;

use super::*;
use crate::error::AppendError;

fn event(id: &str, data: &str) -> NewEvent {
    NewEvent {
        id: EventId::new(id).unwrap(),
        kind: "message.created".to_owned(),
        subject: EntityId::new("in_1:m").unwrap(),
        conversation: None,
        caused_by: None,
        observed_at: None,
        data: Json::new(data).unwrap(),
        effects: None,
    }
}

fn text(id: &str) -> String {
    let mut out = String::new();
    event(id, "{}").write(&mut out);
    out
}

fn append(store: &Store, ids: &[&str]) {
    store
        .transaction::<_, StoreError>(|tx| {
            for id in ids {
                tx.append(&event(id, "{}"))?;
            }
            Ok(())
        })
        .unwrap();
}

fn rows(store: &Store, after: u64) -> Vec<(u64, String)> {
    let rows = store.rows(Lane::Main, after, 1 << 20).unwrap();
    rows.into_iter().map(|OutboxRow { n, text }| (n, text)).collect()
}

fn lane(store: &Store) -> LaneState {
    store.lane(Lane::Main).unwrap()
}

#[test]
fn a_transaction_spans_outbox_and_state_or_leaves_nothing() {
    let store = Store::in_memory().unwrap();
    let failed = store.transaction::<(), StoreError>(|tx| {
        tx.append(&event("ev_1", "{}"))?;
        tx.put_state("session/a", "1")?;
        tx.append(&event("ev_2", &format!(r#"{{"text":"{}"}}"#, "x".repeat(600_000))))?;
        Ok(())
    });
    assert!(matches!(failed, Err(StoreError::Append(AppendError::TooLarge { .. }))));
    assert_eq!((rows(&store, 0), store.state("session/a").unwrap()), (vec![], None));
    store
        .transaction::<_, StoreError>(|tx| {
            tx.put_state("session/a", "1")?;
            tx.put_state("session/b", "2")?;
            tx.put_state("other", "3")?;
            tx.append(&event("ev_3", "{}"))
        })
        .unwrap();
    assert_eq!(rows(&store, 0), [(1, text("ev_3"))]);
    let want = [("session/a".to_owned(), "1".to_owned()), ("session/b".to_owned(), "2".to_owned())];
    assert_eq!(store.states("session/").unwrap(), want);
}

#[test]
fn an_unknown_kind_does_not_enter() {
    let store = Store::in_memory().unwrap();
    let odd = NewEvent { kind: "no.such".to_owned(), ..event("ev_1", "{}") };
    let refused = store.transaction::<_, StoreError>(|tx| tx.append(&odd));
    assert!(matches!(refused, Err(StoreError::Append(AppendError::UnknownKind(kind))) if kind == "no.such"));
}

#[test]
fn what_was_appended_survives_the_process() {
    let root = tempfile::tempdir().unwrap();
    {
        let dir = StateDir::open(root.path()).unwrap();
        let mut store = Store::open(&dir).unwrap();
        append(&store, &["ev_1", "ev_2"]);
        store.set_acked(Lane::Main, 1).unwrap();
    }
    let store = Store::open(&StateDir::open(root.path()).unwrap()).unwrap();
    assert_eq!(lane(&store), LaneState { epoch: 1, last: 2, acked: 1, trimmed: 0 });
    assert_eq!(rows(&store, 1), [(2, text("ev_2"))]);
    assert_eq!(store.depth().unwrap(), Depth { pending: 1, dead: 0 });
}

#[test]
fn a_page_of_rows_holds_at_least_one() {
    let store = Store::in_memory().unwrap();
    append(&store, &["ev_1", "ev_2", "ev_3"]);
    let one = text("ev_1").len() as u64;
    assert_eq!(store.rows(Lane::Main, 0, 1).unwrap().len(), 1);
    assert_eq!(store.rows(Lane::Main, 0, one * 2).unwrap().len(), 2);
}

#[test]
fn trimming_keeps_a_day_and_the_id_of_the_last_row() {
    let mut store = Store::in_memory().unwrap();
    append(&store, &["ev_1", "ev_2", "ev_3"]);
    store.set_acked(Lane::Main, 2).unwrap();
    store.trim_outbox(crate::outbox::unix_ms()).unwrap();
    assert_eq!(lane(&store).trimmed, 0);
    store.trim_outbox(crate::outbox::unix_ms() + 25 * 3_600_000).unwrap();
    assert_eq!(lane(&store), LaneState { epoch: 1, last: 3, acked: 2, trimmed: 2 });
    assert_eq!(store.id_at(Lane::Main, 2).unwrap(), Some(EventId::new("ev_2").unwrap()));
    assert_eq!(store.id_at(Lane::Main, 1).unwrap(), None);
    assert_eq!(rows(&store, 0), [(3, text("ev_3"))]);
}

#[test]
fn another_epoch_numbers_what_is_left_from_one() {
    let mut store = Store::in_memory().unwrap();
    append(&store, &["ev_1", "ev_2", "ev_3", "ev_4"]);
    store.renew(Lane::Main, 5, 2, RestateReason::OutboxIsOld).unwrap();
    assert_eq!(rows(&store, 0), [(1, text("ev_3")), (2, text("ev_4"))]);
    assert_eq!(lane(&store), LaneState { epoch: 5, last: 2, acked: 0, trimmed: 0 });
    append(&store, &["ev_5"]);
    assert_eq!(rows(&store, 2), [(3, text("ev_5"))]);
    store.renew(Lane::Main, 6, 3, RestateReason::OutboxLostTail).unwrap();
    assert_eq!((rows(&store, 0), lane(&store).last), (vec![], 0));
}

#[test]
fn refused_events_become_dead_letters_once_and_can_be_sent_again() {
    let mut store = Store::in_memory().unwrap();
    append(&store, &["ev_1", "ev_2"]);
    let refused =
        [Rejection { n: 2, id: None, code: ErrorCode::InvalidData, pointer: Some("/text".to_owned()) }];
    assert_eq!(store.reject(Lane::Main, &refused).unwrap(), 1);
    assert_eq!(store.reject(Lane::Main, &refused).unwrap(), 0);
    let letters = store.dead_letters().unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].id.as_str(), letters[0].code.as_str()), ("ev_2", "invalidData"));
    let again = |tx: &mut StoreTx<'_>| -> Result<usize, StoreError> { tx.requeue_dead_letters() };
    assert_eq!(store.transaction(again).unwrap(), 1);
    assert_eq!(rows(&store, 2), [(3, text("ev_2"))]);
    assert_eq!(store.dead_letters().unwrap(), []);
}

#[test]
fn boots_are_stored_when_they_start_and_when_they_are_welcomed() {
    let store = Store::in_memory().unwrap();
    let boot = |id: &str| BootId::new(id).unwrap();
    store.start_boot(boot("b1")).unwrap();
    store.boot_welcomed().unwrap();
    let boots = store.start_boot(boot("b2")).unwrap();
    assert_eq!(boots.ids(), [boot("b2"), boot("b1")]);
    assert_eq!(boots.list().iter().map(|boot| boot.welcomed).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn what_has_to_be_restated_is_known_until_it_is_done() {
    let root = tempfile::tempdir().unwrap();
    let dir = StateDir::open(root.path()).unwrap();
    let mut store = Store::open(&dir).unwrap();
    append(&store, &["ev_1"]);
    assert_eq!(store.to_restate().unwrap(), []);
    store.renew(Lane::Main, 5, 0, RestateReason::OutboxIsOld).unwrap();
    drop(store);
    let store = Store::open(&dir).unwrap();
    assert_eq!(store.to_restate().unwrap(), [(Lane::Main, RestateReason::OutboxIsOld)]);
    let failed = store.transaction(|tx| {
        tx.restated(Lane::Main)?;
        Err::<(), StoreError>(StoreError::Poisoned)
    });
    assert!(failed.is_err() && store.to_restate().unwrap().len() == 1);
    store.transaction(|tx| tx.restated(Lane::Main)).unwrap();
    assert_eq!(store.to_restate().unwrap(), []);
}

#[test]
fn a_store_of_the_first_layout_is_taken_over() {
    let root = tempfile::tempdir().unwrap();
    let dir = StateDir::open(root.path()).unwrap();
    let old = Connection::open(root.path().join("otter.db")).unwrap();
    old.execute_batch(TABLES).unwrap();
    old.execute_batch("UPDATE lane SET epoch = 3 WHERE lane = 'main'; PRAGMA user_version = 1;").unwrap();
    drop(old);
    let mut store = Store::open(&dir).unwrap();
    assert_eq!((lane(&store).epoch, store.to_restate().unwrap()), (3, vec![]));
    store.renew(Lane::Main, 4, 0, RestateReason::OutboxLostTail).unwrap();
    assert_eq!(store.to_restate().unwrap(), [(Lane::Main, RestateReason::OutboxLostTail)]);
}

#[test]
fn a_store_of_a_later_release_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let dir = StateDir::open(root.path()).unwrap();
    Store::open(&dir).unwrap().lock().unwrap().pragma_update(None, "user_version", 9).unwrap();
    assert!(matches!(Store::open(&dir), Err(StoreError::TooNew { found: 9, .. })));
}
