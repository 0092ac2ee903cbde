//! What every store must do, whatever it keeps its rows in.

use std::sync::Arc;

use otter_proto::UnixMillis;
use otter_proto::error::ErrorCode;
use otter_proto::frame::{Lane, Rejection};
use otter_proto::id::{BootId, CommandId, EntityKey, Epoch, EventId, InstanceId, OrgId, Scope};
use otter_proto::kind::CommandStage;
use pretty_assertions::assert_eq;

use crate::ledger::{
    CommandRow, End, EntityRow, EventRow, LaneRow, MAX_EPOCHS, OrgRow, ReplyRow, Rows, ScopeRow, StoreError,
    WindowRow,
};
use crate::store::memory::MemoryStore;
use crate::store::sqlite::{SqliteReads, SqliteStore};
use crate::store::{
    EventPage, ListAsk, ListRead, ListRow, LiveRow, PositionRead, Reads, SnapshotEnd, SnapshotRead, Store,
    WholeRead,
};

/// A store under test with its reading side.
pub(crate) struct Subject {
    pub(crate) store: Box<dyn Store>,
    pub(crate) reads: Arc<dyn Reads>,
    _dir: Option<tempfile::TempDir>,
}

pub(crate) fn memory() -> Subject {
    let store = MemoryStore::new();
    Subject { reads: Arc::new(store.clone()), store: Box::new(store), _dir: None }
}

pub(crate) fn sqlite() -> Subject {
    let dir = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(dir.path()).unwrap();
    let reads = Arc::new(SqliteReads::new(dir.path()));
    Subject { reads, store: Box::new(store), _dir: Some(dir) }
}

macro_rules! conformance {
    ($($name:ident,)*) => {
        mod memory_store { $(#[test] fn $name() { super::$name(super::memory()); })* }
        mod sqlite_store { $(#[test] fn $name() { super::$name(super::sqlite()); })* }
    };
}

conformance! {
    an_org_is_moved_by_compare_and_set,
    a_transaction_that_fails_leaves_nothing,
    entities_are_listed_from_both_ends_of_their_window,
    rows_beside_entities_come_back,
    lanes_rejections_and_boots_come_back,
    commands_are_listed_while_they_are_open,
    events_are_paged_by_bytes,
    snapshots_are_paged_in_key_order,
    lists_are_paged_from_new_to_old,
    positions_know_their_epoch,
    orgs_do_not_see_each_other,
}

fn org() -> OrgId {
    OrgId::new("org_1").unwrap()
}

fn epoch(name: &str) -> Epoch {
    Epoch::new(name).unwrap()
}

fn org_row(name: &str, head: u64) -> OrgRow {
    OrgRow { epoch: epoch(name), head }
}

fn key(text: &str) -> EntityKey {
    EntityKey::parse(text).unwrap()
}

fn talk() -> Scope {
    Scope::parse("conversation/in_1:c").unwrap()
}

fn entity(text: &str, rev: u64, live: bool, order: &str) -> EntityRow {
    EntityRow { text: text.to_owned(), rev, live, open: false, order: order.to_owned() }
}

fn event(scope: &Scope, seq: u64, text: &str) -> EventRow {
    EventRow { scope: scope.clone(), seq, at: UnixMillis(seq), text: text.into() }
}

impl Subject {
    fn write<T>(
        &mut self,
        work: impl FnOnce(&mut dyn Rows) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.write_to(&org(), work)
    }

    fn write_to<T>(
        &mut self,
        org: &OrgId,
        work: impl FnOnce(&mut dyn Rows) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (mut work, mut value) = (Some(work), None);
        self.store.transaction(org, &mut |rows| {
            value = Some(work.take().unwrap()(rows)?);
            Ok(())
        })?;
        Ok(value.unwrap())
    }

    fn started(mut self) -> Self {
        self.write(|rows| rows.swap_org(None, &org_row("e1", 0))).unwrap();
        self
    }
}

fn an_org_is_moved_by_compare_and_set(mut subject: Subject) {
    assert_eq!(subject.write(|rows| rows.org()), Ok(None));
    assert_eq!(subject.write(|rows| rows.swap_org(None, &org_row("e1", 0))), Ok(()));
    assert_eq!(subject.write(|rows| rows.swap_org(None, &org_row("e2", 0))), Err(StoreError::Fenced));
    let moved = subject.write(|rows| rows.swap_org(Some(&org_row("e1", 0)), &org_row("e1", 5)));
    assert_eq!(moved, Ok(()));
    for stale in [org_row("e1", 0), org_row("e2", 5)] {
        let moved = subject.write(|rows| rows.swap_org(Some(&stale), &org_row("e1", 9)));
        assert_eq!(moved, Err(StoreError::Fenced));
    }
    assert_eq!(subject.reads.org(&org()), Ok(Some(org_row("e1", 5))));
}

fn a_transaction_that_fails_leaves_nothing(subject: Subject) {
    let mut subject = subject.started();
    let kept = entity("{}", 1, true, "a");
    subject.write(|rows| rows.put_entity(&talk(), &key("message/a"), &kept)).unwrap();
    let failed = subject.write(|rows| {
        rows.swap_org(Some(&org_row("e1", 0)), &org_row("e1", 1))?;
        rows.put_scope(&talk(), &ScopeRow { head: 1, ..ScopeRow::default() })?;
        rows.append(&event(&talk(), 1, "{}"))?;
        rows.put_entity(&talk(), &key("message/a"), &entity("{\"a\":1}", 2, false, "b"))?;
        rows.put_entity(&talk(), &key("message/b"), &entity("{}", 1, true, "b"))?;
        rows.put_boot(&InstanceId::new("in_1").unwrap(), &BootId::new("b").unwrap())?;
        Err::<(), _>(StoreError::Full)
    });
    assert_eq!(failed, Err(StoreError::Full));
    assert_eq!(subject.reads.org(&org()), Ok(Some(org_row("e1", 0))));
    assert_eq!(subject.reads.scope(&org(), &talk()), Ok(ScopeRow::default()));
    assert_eq!(subject.reads.events_after(&org(), &talk(), 0, 1_000), Ok(EventPage::default()));
    assert_eq!(subject.reads.boot(&org(), &InstanceId::new("in_1").unwrap()), Ok(None));
    let listed = subject.write(|rows| rows.live(&talk(), "message", false, End::Oldest, 9)).unwrap();
    assert_eq!(listed, [(key("message/a"), kept)]);
}

fn entities_are_listed_from_both_ends_of_their_window(subject: Subject) {
    let mut subject = subject.started();
    let rows = [
        ("message/a", entity("{\"n\":1}", 1, true, "2")),
        ("message/b", entity("{\"n\":2}", 2, true, "1")),
        ("message/c", entity("{\"n\":3}", 3, true, "2")),
        ("message/d", entity("{\"n\":4}", 4, false, "0")),
        ("message/e", EntityRow { open: true, ..entity("{\"n\":5}", 5, true, "3") }),
        ("run/a", entity("{\"n\":6}", 6, true, "1")),
    ];
    for (name, row) in &rows {
        subject.write(|store| store.put_entity(&talk(), &key(name), row)).unwrap();
    }
    let mut list = |open, end, limit| {
        let rows = subject.write(|rows| rows.live(&talk(), "message", open, end, limit)).unwrap();
        rows.into_iter().map(|(key, _)| key.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(list(false, End::Oldest, 9), ["message/b", "message/a", "message/c"]);
    assert_eq!(list(false, End::Newest, 2), ["message/c", "message/a"]);
    assert_eq!(list(true, End::Newest, 9), ["message/e"]);
    subject.write(|rows| rows.put_entity(&talk(), &key("message/b"), &entity("{}", 7, true, "9"))).unwrap();
    subject.write(|rows| rows.delete_entity(&talk(), &key("message/c"))).unwrap();
    let listed = subject.write(|rows| rows.live(&talk(), "message", false, End::Newest, 9)).unwrap();
    assert_eq!(
        listed,
        [(key("message/b"), entity("{}", 7, true, "9")), (key("message/a"), rows[0].1.clone())]
    );
    let mut read = |name: &str| subject.write(|rows| rows.entity(&talk(), &key(name))).unwrap();
    assert_eq!(read("message/d"), Some(rows[3].1.clone()));
    assert_eq!(read("message/c"), None);
    assert_eq!(subject.write(|rows| rows.entity(&Scope::Org, &key("message/a"))), Ok(None));
}

fn rows_beside_entities_come_back(subject: Subject) {
    let mut subject = subject.started();
    let (m, window) = (key("message/m"), WindowRow { rows: 3, bytes: 9 });
    let scope = ScopeRow { head: 7, hash: u64::MAX - 1, floor: 2, messages: 4 };
    subject
        .write(|rows| {
            rows.put_window(&talk(), "message", true, &window)?;
            rows.put_removed(&talk(), &m, UnixMillis(5))?;
            rows.put_removed(&talk(), &m, UnixMillis(6))?;
            rows.put_full_text(&talk(), &m, 1, "one")?;
            rows.put_full_text(&talk(), &m, 2, "two")?;
            rows.put_scope(&talk(), &scope)
        })
        .unwrap();
    let read = subject
        .write(|rows| {
            Ok((
                rows.window(&talk(), "message", true)?,
                rows.window(&talk(), "message", false)?,
                rows.removed_at(&talk(), &m)?,
                rows.removed_at(&Scope::Org, &m)?,
                rows.scope(&talk())?,
            ))
        })
        .unwrap();
    assert_eq!(read, (window, WindowRow::default(), Some(UnixMillis(6)), None, scope));
    assert_eq!(subject.reads.whole(&org(), &talk(), &m).unwrap().whole.unwrap().text, "two");
    subject.write(|rows| rows.delete_full_text(&talk(), &m)).unwrap();
    assert_eq!(subject.reads.whole(&org(), &talk(), &m).unwrap().whole, None);
}

fn lanes_rejections_and_boots_come_back(subject: Subject) {
    let mut subject = subject.started();
    let instance = InstanceId::new("in_1").unwrap();
    let lane = |up_to| LaneRow { producer_epoch: 2, up_to, last_id: EventId::new("ev_1").ok() };
    let rejection =
        |n| Rejection { n, id: None, code: ErrorCode::UnknownKind, pointer: Some("/kind".to_owned()) };
    subject
        .write(|rows| {
            rows.put_lane(&instance, Lane::Main, &lane(1))?;
            rows.put_lane(&instance, Lane::Main, &LaneRow { last_id: None, ..lane(2) })?;
            rows.put_lane(&instance, Lane::Bulk, &lane(9))?;
            for n in [3, 1, 2] {
                rows.put_rejection(&instance, Lane::Main, &rejection(n))?;
            }
            rows.put_rejection(&instance, Lane::Bulk, &rejection(1))?;
            rows.drop_rejections(&instance, Lane::Main, 1)?;
            rows.put_boot(&instance, &BootId::new("b1").unwrap())?;
            rows.put_boot(&instance, &BootId::new("b2").unwrap())
        })
        .unwrap();
    let read = subject
        .write(|rows| {
            Ok((
                rows.lane(&instance, Lane::Main)?,
                rows.lane(&instance, Lane::Bulk)?,
                rows.rejections(&instance, Lane::Main)?,
                rows.boot(&instance)?,
            ))
        })
        .unwrap();
    let main = LaneRow { last_id: None, ..lane(2) };
    assert_eq!(read, (Some(main), Some(lane(9)), vec![rejection(2), rejection(3)], BootId::new("b2").ok()));
}

fn commands_are_listed_while_they_are_open(subject: Subject) {
    let mut subject = subject.started();
    let instance = InstanceId::new("in_1").unwrap();
    let id = |n: u64| CommandId::new(&format!("c{n}")).unwrap();
    let row = |seq, stage, sent, expires_at| CommandRow {
        kind: "message.send".to_owned(),
        data: "{}".to_owned(),
        by: "{}".to_owned(),
        instance: Some(instance.clone()),
        address: Some("{\"kind\":\"dm\"}".to_owned()),
        stage,
        sent,
        cancel: false,
        seq,
        issued_at: UnixMillis(seq),
        expires_at: UnixMillis(expires_at),
    };
    let rows = [
        (id(1), row(4, CommandStage::Accepted, false, 100)),
        (id(2), row(3, CommandStage::Received, true, 10)),
        (id(3), row(2, CommandStage::Accepted, false, 50)),
        (id(4), row(1, CommandStage::Completed, false, 10)),
        (id(5), CommandRow { instance: None, address: None, ..row(9, CommandStage::Completed, false, 1) }),
    ];
    let reply = ReplyRow { digest: [7; 32], text: "{}".to_owned(), at: UnixMillis(1) };
    subject
        .write(|store| {
            rows.iter().try_for_each(|(id, row)| store.put_command(id, row))?;
            store.put_reply(&id(1), &reply)
        })
        .unwrap();
    let read = subject
        .write(|store| {
            Ok((
                store.open_commands(&instance)?,
                store.count_open_commands(&instance)?,
                store.overdue_commands(UnixMillis(100), 9)?,
                store.overdue_commands(UnixMillis(99), 9)?,
                store.command(&id(5))?,
                store.command(&id(6))?,
                store.reply(&id(1))?,
                store.reply(&id(2))?,
            ))
        })
        .unwrap();
    let [one, two, three, _, five] = rows.clone();
    let open = vec![three.clone(), two, one.clone()];
    let want = (open, 3, vec![three.clone(), one], vec![three], Some(five.1), None, Some(reply), None);
    assert_eq!(read, want);
    let ended = CommandRow { stage: CommandStage::Expired, cancel: true, ..rows[0].1.clone() };
    subject.write(|store| store.put_command(&id(1), &ended)).unwrap();
    assert_eq!(subject.write(|store| store.command(&id(1))), Ok(Some(ended)));
    assert_eq!(subject.write(|store| store.count_open_commands(&instance)), Ok(2));
}

fn events_are_paged_by_bytes(subject: Subject) {
    let mut subject = subject.started();
    subject
        .write(|rows| {
            for (scope, seq) in [(talk(), 1), (Scope::Org, 2), (talk(), 3), (talk(), 4)] {
                rows.append(&event(&scope, seq, &"x".repeat(10)))?;
            }
            rows.put_scope(&talk(), &ScopeRow { head: 4, ..ScopeRow::default() })
        })
        .unwrap();
    let page = |after, bytes| {
        let page = subject.reads.events_after(&org(), &talk(), after, bytes).unwrap();
        (page.events.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>(), page.more, page.head)
    };
    assert_eq!(page(0, 1_000), (vec![1, 3, 4], false, 4));
    assert_eq!(page(0, 20), (vec![1, 3], true, 4));
    assert_eq!(page(1, 1), (vec![3], true, 4));
    assert_eq!(page(3, 10), (vec![4], false, 4));
    assert_eq!(page(4, 10), (vec![], false, 4));
    let again = subject.write(|rows| rows.append(&event(&talk(), 4, "{}")));
    assert!(matches!(again, Err(StoreError::Broken(_))), "a seq is used once: {again:?}");
}

fn snapshots_are_paged_in_key_order(subject: Subject) {
    let mut subject = subject.started();
    subject
        .write(|rows| {
            for (name, live) in
                [("run/b", true), ("message/z", true), ("message/a:1", true), ("run/a", false)]
            {
                rows.put_entity(&talk(), &key(name), &entity("{\"a\":1}", 1, live, "o"))?;
            }
            rows.put_scope(&talk(), &ScopeRow { head: 4, hash: u64::MAX, ..ScopeRow::default() })
        })
        .unwrap();
    let row = |name: &str| LiveRow { key: key(name), rev: 1, text: "{\"a\":1}".into() };
    let end = Some(SnapshotEnd { head: 4, hash: u64::MAX });
    let page = |after: Option<&str>, bytes| {
        subject.reads.snapshot_page(&org(), &talk(), after.map(key).as_ref(), bytes).unwrap()
    };
    let whole = [row("message/a:1"), row("message/z"), row("run/b")];
    assert_eq!(page(None, 1_000), SnapshotRead { rows: whole.to_vec(), as_of: 4, last: end });
    assert_eq!(page(None, 14), SnapshotRead { rows: whole[..2].to_vec(), as_of: 4, last: None });
    let rest = SnapshotRead { rows: whole[2..].to_vec(), as_of: 4, last: end };
    assert_eq!(page(Some("message/z"), 1), rest);
    assert_eq!(page(Some("run/b"), 1), SnapshotRead { rows: vec![], as_of: 4, last: end });
    let none = SnapshotRead { rows: vec![], as_of: 0, last: Some(SnapshotEnd { head: 0, hash: 0 }) };
    assert_eq!(subject.reads.snapshot_page(&org(), &Scope::Org, None, 9), Ok(none));
}

fn lists_are_paged_from_new_to_old(subject: Subject) {
    let mut subject = subject.started();
    let ask = ListAsk { entity_type: "message", before: None, limit: 9, max_bytes: 9 };
    assert_eq!(subject.reads.list_page(&org(), &talk(), ask), Ok(ListRead::default()));
    let rows = [
        ("message/a", entity("{\"n\":1}", 1, false, "2")),
        ("message/b", entity("{\"n\":2}", 2, true, "1")),
        ("message/c", entity("{\"n\":3}", 3, true, "2")),
        ("message/d", EntityRow { open: true, ..entity("{\"n\":4}", 4, false, "0") }),
        ("run/a", entity("{\"n\":6}", 6, true, "1")),
    ];
    let head = ScopeRow { head: 7, ..ScopeRow::default() };
    subject.write(|store| store.put_scope(&talk(), &head)).unwrap();
    for (name, row) in &rows {
        subject.write(|store| store.put_entity(&talk(), &key(name), row)).unwrap();
    }
    let row = |at: usize| ListRow { key: key(rows[at].0), row: rows[at].1.clone() };
    let page = |ask| subject.reads.list_page(&org(), &talk(), ask).unwrap();
    let all = ListAsk { max_bytes: 999, ..ask };
    let want = ListRead { rows: vec![row(2), row(0), row(1), row(3)], more: false, as_of: 7 };
    assert_eq!(page(all), want);
    let two = ListRead { rows: vec![row(2), row(0)], more: true, as_of: 7 };
    assert_eq!(page(ListAsk { limit: 2, ..all }), two);
    assert_eq!(page(ListAsk { max_bytes: 14, ..all }), two);
    assert_eq!(page(ListAsk { max_bytes: 1, ..all }).rows, [row(2)]);
    let key_a = key("message/a");
    let rest = ListAsk { before: Some(("2", &key_a)), limit: 2, ..all };
    assert_eq!(page(rest), ListRead { rows: vec![row(1), row(3)], more: false, as_of: 7 });
    let whole = subject.reads.whole(&org(), &talk(), &key("message/b"));
    assert_eq!(whole, Ok(WholeRead { row: Some(rows[1].1.clone()), whole: None, as_of: 7 }));
    let none = subject.reads.whole(&org(), &talk(), &key("message/x"));
    assert_eq!(none, Ok(WholeRead { row: None, whole: None, as_of: 7 }));
}

fn positions_know_their_epoch(mut subject: Subject) {
    assert_eq!(subject.reads.position(&org(), &talk(), &epoch("e1"), 0, 9), Ok(None));
    subject
        .write(|rows| {
            rows.swap_org(None, &org_row("e2", 8))?;
            rows.add_epoch(&epoch("e1"), 1)?;
            rows.add_epoch(&epoch("e2"), 6)?;
            for seq in [2, 5, 7] {
                rows.append(&event(&talk(), seq, "{}"))?;
            }
            rows.put_scope(&talk(), &ScopeRow { head: 7, ..ScopeRow::default() })
        })
        .unwrap();
    let scope = ScopeRow { head: 7, ..ScopeRow::default() };
    let want =
        |epoch_last, behind| Ok(Some(PositionRead { org: org_row("e2", 8), epoch_last, scope, behind }));
    let position = |name, pos, limit| subject.reads.position(&org(), &talk(), &epoch(name), pos, limit);
    assert_eq!(position("e1", 2, 9), want(Some(5), 2));
    assert_eq!(position("e2", 0, 2), want(Some(8), 2));
    assert_eq!(position("e3", 7, 9), want(None, 0));
    subject
        .write(|rows| (0..MAX_EPOCHS).try_for_each(|n| rows.add_epoch(&epoch(&format!("f{n}")), 9)))
        .unwrap();
    let epoch_last =
        |name: &str| subject.reads.position(&org(), &talk(), &epoch(name), 0, 1).unwrap().unwrap().epoch_last;
    assert_eq!((epoch_last("e2"), epoch_last("f0"), epoch_last("f999")), (None, Some(8), Some(8)));
}

fn orgs_do_not_see_each_other(subject: Subject) {
    let mut subject = subject.started();
    let other = OrgId::new("org_2").unwrap();
    let instance = InstanceId::new("in_1").unwrap();
    subject.write_to(&other, |rows| rows.swap_org(None, &org_row("e1", 0))).unwrap();
    subject
        .write(|rows| {
            rows.put_entity(&Scope::Org, &key("agent/a"), &entity("{}", 1, true, ""))?;
            rows.append(&event(&Scope::Org, 1, "{}"))?;
            rows.put_boot(&instance, &BootId::new("b").unwrap())?;
            rows.put_scope(&Scope::Org, &ScopeRow { head: 1, ..ScopeRow::default() })
        })
        .unwrap();
    let seen = subject
        .write_to(&other, |rows| {
            Ok((
                rows.entity(&Scope::Org, &key("agent/a"))?,
                rows.live(&Scope::Org, "agent", false, End::Newest, 9)?,
                rows.scope(&Scope::Org)?,
                rows.boot(&instance)?,
            ))
        })
        .unwrap();
    assert_eq!(seen, (None, vec![], ScopeRow::default(), None));
    assert_eq!(subject.reads.events_after(&other, &Scope::Org, 0, 99), Ok(EventPage::default()));
    assert_eq!(subject.reads.boot(&other, &instance), Ok(None));
}
