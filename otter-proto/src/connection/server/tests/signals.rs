use pretty_assertions::assert_eq;

use super::*;

fn signal(text: &str) -> Arc<str> {
    Arc::from(text)
}

#[test]
fn signals_of_scopes_that_are_not_subscribed_are_dropped() {
    let mut conn = open(PrincipalType::Member);
    conn.signal(&scope("org"), "k", signal("s1"));
    conn.handle_message(r#"{"type":"subscribe","scope":"org","sub":1}"#, Instant(1));
    conn.signal(&scope("org"), "k", signal("s2"));
    assert_eq!(drain(&mut conn), Vec::<String>::new());
    let Some(Need::Subscribe { ticket, .. }) = conn.poll_event() else { panic!() };
    conn.subscribed(ticket, Start::Snapshot { head: 0, reason: None });
    assert_eq!(conn.poll_event(), Some(Need::Signals { scope: scope("org") }));
    conn.signal(&scope("org"), "k", signal("s3"));
    assert_eq!(kinds(&drain(&mut conn)), ["subscribed", "s3"]);
}

#[test]
fn a_paused_reader_gets_the_latest_of_each_key_when_the_window_opens() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 0);
    conn.handle_news(&scope("org"));
    conn.poll_event();
    conn.provide_events(ticket, &[piece(0, 1, 256 << 10)], false);
    drain(&mut conn);
    for _ in 0..3 {
        conn.signal(&scope("org"), "b", signal("old"));
        conn.signal(&scope("org"), "a", signal("old"));
    }
    assert_eq!((conn.poll_event(), drain(&mut conn)), (None, vec![]));
    conn.handle_message(r#"{"type":"ack","frames":1}"#, Instant(2));
    for key in ["a", "b"] {
        assert_eq!(conn.poll_event(), Some(Need::LatestSignal { scope: scope("org"), key: key.into() }));
        conn.signal(&scope("org"), key, signal("new"));
    }
    assert_eq!(drain(&mut conn), ["new", "new"]);
}

#[test]
fn signals_wait_while_256_kib_are_queued() {
    let mut conn = open(PrincipalType::Member);
    resumed(&mut conn, "org", 0);
    conn.signal(&scope("org"), "big", signal(&"x".repeat(256 << 10)));
    conn.signal(&scope("org"), "k", signal("s"));
    assert_eq!(conn.poll_event(), None);
    assert_eq!(drain(&mut conn).len(), 1);
    assert_eq!(conn.poll_event(), Some(Need::LatestSignal { scope: scope("org"), key: "k".into() }));
}
