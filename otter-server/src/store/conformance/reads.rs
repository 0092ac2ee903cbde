//! What is read beside the writer: pages of events, snapshots and lists, and positions.

use otter_proto::id::Scope;
use pretty_assertions::assert_eq;

use super::{Subject, entity, epoch, event, key, org, org_row, talk};
use crate::ledger::{EntityRow, MAX_EPOCHS, ScopeRow, StoreError};
use crate::store::{ListAsk, ListRead, ListRow, LiveRow, PositionRead, SnapshotEnd, SnapshotRead, WholeRead};

pub(super) fn events_are_paged_by_bytes(subject: Subject) {
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

pub(super) fn snapshots_are_paged_in_key_order(subject: Subject) {
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

pub(super) fn lists_are_paged_from_new_to_old(subject: Subject) {
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

pub(super) fn positions_know_their_epoch(mut subject: Subject) {
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
