use pretty_assertions::assert_eq;

use super::*;
use crate::frame::SnapshotRow;
use crate::id::EntityKey;

fn ack(conn: &mut ServerConnection, frames: u64) {
    conn.handle_message(&format!(r#"{{"type":"ack","frames":{frames}}}"#), Instant(2));
}

fn event_need(conn: &mut ServerConnection) -> (u64, u64) {
    match conn.poll_event() {
        Some(Need::Events { after, max_bytes, .. }) => (after, max_bytes),
        other => panic!("{other:?}"),
    }
}

#[test]
fn news_are_asked_for_by_position_and_overlap_is_skipped() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 10);
    conn.handle_news(&scope("org"));
    assert_eq!(event_need(&mut conn), (10, 256 << 10));
    conn.provide_events(ticket, &[piece(5, 10, 0), piece(8, 12, 0), piece(12, 15, 0)], false);
    let frames = drain(&mut conn);
    assert_eq!(frames, [r#"{"type":"events","last":12}"#, r#"{"type":"events","last":15}"#]);
    conn.handle_news(&scope("org"));
    assert_eq!(event_need(&mut conn).0, 15);
    conn.provide_events(ticket, &[], false);
    assert_eq!(conn.poll_event(), None);
}

#[test]
fn news_during_a_read_are_asked_for_after_it() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 10);
    conn.handle_news(&scope("org"));
    event_need(&mut conn);
    conn.handle_news(&scope("org"));
    assert_eq!(conn.poll_event(), None, "one question per scope at a time");
    conn.provide_events(ticket, &[piece(10, 11, 0)], false);
    assert_eq!(event_need(&mut conn).0, 11);
}

#[test]
fn a_hole_ends_the_subscription_with_resync() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 10);
    conn.handle_news(&scope("org"));
    event_need(&mut conn);
    conn.provide_events(ticket, &[piece(11, 12, 0)], false);
    assert_eq!(kinds(&drain(&mut conn)), ["resync"]);
    assert_eq!(conn.poll_event(), Some(Need::Unsubscribed { scope: scope("org") }));
    conn.provide_events(ticket, &[piece(10, 12, 0)], false);
    assert_eq!(drain(&mut conn), Vec::<String>::new());
}

#[test]
fn the_window_pauses_data_after_one_frame_of_overshoot_and_ack_opens_it() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 0);
    conn.handle_news(&scope("org"));
    event_need(&mut conn);
    let pieces: Vec<Piece> = (0..4).map(|n| piece(n, n + 1, 200 << 10)).collect();
    conn.provide_events(ticket, &pieces, false);
    assert_eq!(drain(&mut conn).len(), 2, "256 KiB and the frame that crosses them");
    assert_eq!(conn.poll_event(), None, "a paused reader is not asked for");
    ack(&mut conn, 1);
    assert_eq!(event_need(&mut conn), (2, 56 << 10));
    conn.provide_events(ticket, &pieces[2..], false);
    assert_eq!(drain(&mut conn).len(), 1);
    ack(&mut conn, 3);
    assert_eq!(event_need(&mut conn), (3, 256 << 10));
}

#[test]
fn an_impossible_ack_is_refused_and_changes_nothing() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 0);
    conn.handle_news(&scope("org"));
    event_need(&mut conn);
    conn.provide_events(ticket, &[piece(0, 1, 0)], false);
    drain(&mut conn);
    ack(&mut conn, 2);
    assert_eq!(kinds(&drain(&mut conn)), ["error"]);
    ack(&mut conn, 1);
    ack(&mut conn, 0);
    assert_eq!(kinds(&drain(&mut conn)), ["error"]);
    assert!(conn.is_open());
}

#[test]
fn scopes_take_turns() {
    let mut conn = open(PrincipalType::Member);
    let scopes = ["conversation/a", "conversation/b", "org"];
    for of in scopes {
        resumed(&mut conn, of, 0);
    }
    for of in scopes {
        conn.handle_news(&scope(of));
    }
    let order: Vec<String> = needs(&mut conn)
        .into_iter()
        .map(|need| match need {
            Need::Events { scope, .. } => scope.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(order, ["conversation/a", "conversation/b", "org"]);
}

#[test]
fn a_snapshot_is_pages_then_the_events_after_its_lowest_page() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_message(r#"{"type":"subscribe","scope":"conversation/c","sub":4}"#, Instant(1));
    let Some(Need::Subscribe { ticket, position: None, .. }) = conn.poll_event() else { panic!() };
    conn.subscribed(ticket, Start::Snapshot { head: 20, reason: None });
    assert_eq!(conn.poll_event(), Some(Need::Signals { scope: scope("conversation/c") }));
    let page = |after| Need::Snapshot { ticket, scope: scope("conversation/c"), after };
    let row = |id: &str| SnapshotRow {
        entity: EntityKey::new("message", id).unwrap(),
        rev: 3,
        live: true,
        value: "{}",
    };
    assert_eq!(conn.poll_event(), Some(page(None)));
    conn.provide_snapshot(ticket, &SnapshotRead { rows: &[row("a")], as_of: 19, end: None });
    assert_eq!(conn.poll_event(), Some(page(Some(EntityKey::new("message", "a").unwrap()))));
    conn.provide_snapshot(ticket, &SnapshotRead { rows: &[row("b")], as_of: 21, end: None });
    assert_eq!(conn.poll_event(), Some(page(Some(EntityKey::new("message", "b").unwrap()))));
    let end = SnapshotEnd { head: 25, hash: Some("00000000000000ff".into()) };
    conn.provide_snapshot(ticket, &SnapshotRead { rows: &[], as_of: 25, end: Some(end) });
    assert_eq!(
        drain(&mut conn),
        [
            r#"{"type":"subscribed","scope":"conversation/c","sub":4,"epoch":"e1","head":20,"mode":"snapshot"}"#,
            r#"{"type":"snapshot","scope":"conversation/c","epoch":"e1","entities":[{"entity":"message/a","rev":3,"value":{}}],"asOf":19}"#,
            r#"{"type":"snapshot","scope":"conversation/c","epoch":"e1","entities":[{"entity":"message/b","rev":3,"value":{}}],"asOf":21}"#,
            r#"{"type":"snapshot","scope":"conversation/c","epoch":"e1","entities":[],"asOf":19,"head":25,"hash":"00000000000000ff"}"#,
        ]
    );
    assert_eq!(event_need(&mut conn).0, 19);
}

#[test]
fn answers_to_an_ended_subscription_are_ignored() {
    let mut conn = open(PrincipalType::Member);
    let old = resumed(&mut conn, "org", 10);
    conn.handle_news(&scope("org"));
    event_need(&mut conn);
    conn.handle_message(r#"{"type":"unsubscribe","scope":"org"}"#, Instant(1));
    assert_eq!(conn.poll_event(), Some(Need::Unsubscribed { scope: scope("org") }));
    resumed(&mut conn, "org", 4);
    conn.provide_events(old, &[piece(10, 11, 0)], false);
    assert_eq!(drain(&mut conn), Vec::<String>::new());
}

#[test]
fn every_subscribe_is_answered_also_when_it_was_given_up() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_message(
        "{\"type\":\"subscribe\",\"scope\":\"org\",\"sub\":1}\n{\"type\":\"unsubscribe\",\"scope\":\"org\"}",
        Instant(1),
    );
    let asked = needs(&mut conn);
    let [Need::Subscribe { ticket, .. }, Need::Unsubscribed { .. }] = &asked[..] else { panic!("{asked:?}") };
    conn.subscribed(*ticket, Start::Snapshot { head: 3, reason: None });
    assert_eq!(kinds(&drain(&mut conn)), ["subscribed"]);
    assert_eq!(conn.poll_event(), None);
}

#[test]
fn a_foreign_member_scope_and_one_subscription_too_many_are_denied() {
    let mut config = config();
    config.limits.subscriptions = 1;
    let mut conn = open_with(config, PrincipalType::Member);
    resumed(&mut conn, "org", 0);
    conn.handle_message(r#"{"type":"subscribe","scope":"member/mb_2","sub":2}"#, Instant(1));
    conn.handle_message(r#"{"type":"subscribe","scope":"conversation/c","sub":3}"#, Instant(1));
    assert_eq!(
        drain(&mut conn),
        [
            r#"{"type":"subscribed","scope":"member/mb_2","sub":2,"epoch":"e1","head":0,"mode":"denied","reason":"unknownScope"}"#,
            r#"{"type":"subscribed","scope":"conversation/c","sub":3,"epoch":"e1","head":0,"mode":"denied","reason":"too many subscriptions, see limits.subscriptions"}"#,
        ]
    );
    assert_eq!(needs(&mut conn), []);
}

#[test]
fn one_pending_frame_goes_out_without_a_copy() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 0);
    conn.handle_news(&scope("org"));
    event_need(&mut conn);
    let shared = piece(0, 1, 0);
    conn.provide_events(ticket, std::slice::from_ref(&shared), false);
    let Some(Transmit::Message(Message::Shared(sent))) = conn.poll_transmit() else { panic!() };
    assert!(Arc::ptr_eq(&sent, &shared.frame));
}

#[test]
fn everything_pending_is_packed_into_messages_of_at_most_64_kib() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 0);
    conn.handle_news(&scope("org"));
    event_need(&mut conn);
    let pieces: Vec<Piece> =
        [25, 25, 25, 25, 100, 25].into_iter().zip(0..).map(|(kib, n)| piece(n, n + 1, kib << 10)).collect();
    conn.provide_events(ticket, &pieces, false);
    let mut counts = Vec::new();
    while let Some(Transmit::Message(message)) = conn.poll_transmit() {
        let count = message.as_str().split('\n').count();
        assert!(count == 1 || message.as_str().len() <= 64 << 10);
        counts.push(count);
    }
    assert_eq!(counts, [2, 2, 1, 1]);
}

#[test]
fn the_own_member_scope_is_given_up_by_either_name() {
    let mut conn = open(PrincipalType::Member);
    for name in ["member/self", "member/mb_1"] {
        conn.handle_message(r#"{"type":"subscribe","scope":"member/self","sub":1}"#, Instant(1));
        conn.handle_message(&format!(r#"{{"type":"unsubscribe","scope":"{name}"}}"#), Instant(1));
        let asked = needs(&mut conn);
        let [Need::Subscribe { ticket, .. }, Need::Unsubscribed { scope: gone }] = &asked[..] else {
            panic!("{asked:?}")
        };
        assert_eq!(gone, &scope("member/mb_1"));
        conn.subscribed(*ticket, Start::Snapshot { head: 0, reason: None });
        drain(&mut conn);
    }
}

#[test]
fn answers_that_are_still_to_come_take_their_part_of_the_window() {
    let mut conn = open(PrincipalType::Member);
    for n in 0..20 {
        let text = format!(r#"{{"type":"subscribe","scope":"conversation/c{n}","sub":{n}}}"#);
        conn.handle_message(&text, Instant(1));
    }
    for need in needs(&mut conn) {
        let Need::Subscribe { ticket, .. } = need else { panic!("{need:?}") };
        conn.subscribed(ticket, Start::Snapshot { head: 1, reason: None });
    }
    let pages = |conn: &mut ServerConnection| -> Vec<Ticket> {
        let asked = needs(conn).into_iter();
        asked
            .filter_map(|need| match need {
                Need::Snapshot { ticket, .. } => Some(ticket),
                _ => None,
            })
            .collect()
    };
    let asked = pages(&mut conn);
    assert_eq!(asked.len(), 4, "as many messages as the window holds");
    let value = format!("\"{}\"", "x".repeat(60 << 10));
    let entity = EntityKey::new("message", "a").unwrap();
    let rows = [SnapshotRow { entity, rev: 1, live: true, value: &value }];
    for ticket in asked {
        conn.provide_snapshot(ticket, &SnapshotRead { rows: &rows, as_of: 1, end: None });
    }
    assert_eq!(pages(&mut conn).len(), 1, "what is left of the window");
    drain(&mut conn);
    ack(&mut conn, 4);
    assert_eq!(pages(&mut conn).len(), 3, "one is on its way");
}

#[test]
fn a_late_answer_cannot_end_a_newer_subscription() {
    let mut conn = open(PrincipalType::Member);
    let old = resumed(&mut conn, "org", 10);
    let new = resumed(&mut conn, "org", 10);
    conn.resync(old, "trimmed");
    assert_eq!(drain(&mut conn), Vec::<String>::new());
    conn.resync(new, "trimmed");
    assert_eq!(drain(&mut conn), [r#"{"type":"resync","scope":"org","reason":"trimmed"}"#]);
}
