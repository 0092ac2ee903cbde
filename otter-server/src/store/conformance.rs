//! What every store must do, whatever it keeps its rows in.

mod reads;

use std::sync::Arc;

use otter_proto::UnixMillis;
use otter_proto::error::ErrorCode;
use otter_proto::frame::{Lane, Rejection};
use otter_proto::id::{BootId, CommandId, EntityKey, Epoch, EventId, InstanceId, OrgId, Scope};
use otter_proto::kind::CommandStage;
use pretty_assertions::assert_eq;

use reads::{
    events_are_paged_by_bytes, lists_are_paged_from_new_to_old, positions_know_their_epoch,
    snapshots_are_paged_in_key_order,
};

use crate::ledger::{
    CommandRow, End, EntityRow, EventRow, LaneRow, OrgRow, ReplyRow, Rows, ScopeRow, StoreError, WindowRow,
};
use crate::store::memory::MemoryStore;
use crate::store::sqlite::{SqliteReads, SqliteStore};
use crate::store::{EventPage, Reads, Store};

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
