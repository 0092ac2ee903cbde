use pretty_assertions::assert_eq;

use super::*;

const PONG: &str = r#"{"type":"pong","pos":{}}"#;

fn beat(conn: &mut ServerConnection, now: u64) -> Vec<Scope> {
    conn.handle_timeout(Instant(now));
    match conn.poll_event() {
        Some(Need::Heads { scopes }) => scopes,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_complete_scope_counts_as_the_watermark_and_its_head_is_named_once() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 5);
    conn.handle_news(&scope("org"));
    conn.poll_event();
    conn.provide_events(ticket, &[piece(5, 8, 0)], false);
    drain(&mut conn);
    assert_eq!(beat(&mut conn, 15_000), [scope("org")]);
    conn.provide_heads(12, &[(scope("org"), 8)]);
    assert_eq!(drain(&mut conn), [r#"{"type":"ping","pos":12,"epoch":"e1","heads":{"org":8}}"#]);
    conn.handle_message(PONG, Instant(15_001));
    assert!(matches!(conn.poll_event(), Some(Need::Pong(_))));
    beat(&mut conn, 30_000);
    conn.provide_heads(13, &[(scope("org"), 8)]);
    assert_eq!(drain(&mut conn), [r#"{"type":"ping","pos":13,"epoch":"e1"}"#]);
}

#[test]
fn a_scope_that_is_behind_holds_the_ping_at_what_was_written() {
    let mut conn = open(PrincipalType::Member);
    resumed(&mut conn, "org", 5);
    resumed(&mut conn, "conversation/c", 9);
    beat(&mut conn, 15_000);
    conn.provide_heads(12, &[(scope("conversation/c"), 9), (scope("org"), 11)]);
    assert_eq!(drain(&mut conn), [r#"{"type":"ping","pos":5,"epoch":"e1"}"#]);
}

#[test]
fn a_lost_last_event_shows_in_heads_although_nothing_follows() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 5);
    conn.handle_news(&scope("org"));
    conn.poll_event();
    conn.provide_events(ticket, &[piece(5, 8, 0)], false);
    let lost = drain(&mut conn);
    assert_eq!(lost.len(), 1);
    beat(&mut conn, 15_000);
    conn.provide_heads(8, &[(scope("org"), 8)]);
    assert_eq!(drain(&mut conn), [r#"{"type":"ping","pos":8,"epoch":"e1","heads":{"org":8}}"#]);
}

#[test]
fn a_scope_written_beyond_the_watermark_never_lowers_nor_raises_the_others() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "conversation/c", 0);
    resumed(&mut conn, "org", 5);
    conn.handle_news(&scope("conversation/c"));
    conn.poll_event();
    conn.provide_events(ticket, &[piece(0, 30, 0)], false);
    drain(&mut conn);
    beat(&mut conn, 15_000);
    conn.provide_heads(20, &[(scope("conversation/c"), 20), (scope("org"), 5)]);
    assert_eq!(drain(&mut conn), [r#"{"type":"ping","pos":20,"epoch":"e1"}"#]);
    conn.handle_control(Instant(16_000));
    beat(&mut conn, 30_000);
    conn.provide_heads(31, &[(scope("conversation/c"), 30), (scope("org"), 5)]);
    assert_eq!(drain(&mut conn), [r#"{"type":"ping","pos":31,"epoch":"e1","heads":{"conversation/c":30}}"#]);
}

#[test]
fn the_last_written_event_of_a_scope_that_is_behind_is_named_when_it_holds_the_ping() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 5);
    conn.handle_news(&scope("org"));
    conn.poll_event();
    conn.provide_events(ticket, &[piece(5, 8, 0)], false);
    drain(&mut conn);
    beat(&mut conn, 15_000);
    conn.provide_heads(12, &[(scope("org"), 11)]);
    assert_eq!(drain(&mut conn), [r#"{"type":"ping","pos":8,"epoch":"e1","heads":{"org":8}}"#]);
}

#[test]
fn scopes_before_their_last_page_are_not_covered() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_message(r#"{"type":"subscribe","scope":"org","sub":1}"#, Instant(1));
    let Some(Need::Subscribe { ticket, .. }) = conn.poll_event() else { panic!() };
    conn.subscribed(ticket, Start::Snapshot { head: 7, reason: None });
    needs(&mut conn);
    assert_eq!(beat(&mut conn, 15_000), []);
    let end = SnapshotEnd { head: 7, hash: None };
    conn.provide_snapshot(ticket, &SnapshotRead { rows: &[], as_of: 7, end: Some(end) });
    conn.provide_heads(9, &[]);
    let frames = drain(&mut conn);
    assert_eq!(kinds(&frames), ["subscribed", "snapshot", "ping"]);
    assert_eq!(
        frames.last().unwrap(),
        r#"{"type":"ping","pos":7,"epoch":"e1"}"#,
        "a scope that became complete after the question counts as what was written"
    );
}

#[test]
fn the_ping_goes_behind_data_and_a_probe_answer_before_it() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 0);
    conn.handle_news(&scope("org"));
    conn.poll_event();
    conn.provide_events(ticket, &[piece(0, 1, 0)], false);
    beat(&mut conn, 15_000);
    conn.provide_heads(1, &[(scope("org"), 1)]);
    conn.set_server_time(UnixMillis(1000));
    conn.handle_message(r#"{"type":"probe","n":3}"#, Instant(15_000));
    let frames = drain(&mut conn);
    assert_eq!(kinds(&frames), ["probed", "events", "ping"]);
    assert_eq!(frames[0], r#"{"type":"probed","n":3,"serverTime":"1970-01-01T00:00:01.000Z"}"#);
}

#[test]
fn probes_are_answered_while_the_window_is_shut() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 0);
    conn.handle_news(&scope("org"));
    conn.poll_event();
    conn.provide_events(ticket, &[piece(0, 1, 300 << 10)], true);
    drain(&mut conn);
    conn.handle_message(r#"{"type":"probe","n":1}"#, Instant(2));
    assert_eq!(kinds(&drain(&mut conn)), ["probed"]);
}

#[test]
fn two_silent_heartbeats_close_with_4003() {
    let mut conn = open(PrincipalType::Member);
    beat(&mut conn, 15_000);
    conn.provide_heads(0, &[]);
    assert_eq!(conn.poll_timeout(), Some(Instant(30_000)));
    drain(&mut conn);
    conn.handle_timeout(Instant(30_000));
    assert_eq!(kinds(&drain(&mut conn)), ["bye", "close 4003"]);
}

#[test]
fn a_hub_that_stood_still_hears_its_clients_before_it_calls_them_silent() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_timeout(Instant(90_000));
    assert!(conn.is_open());
    conn.handle_timeout(Instant(104_999));
    assert!(conn.is_open());
    conn.handle_timeout(Instant(105_000));
    assert!(!conn.is_open());
}

#[test]
fn a_client_that_was_not_asked_in_time_is_asked_before_it_is_called_silent() {
    let mut conn = open(PrincipalType::Member);
    assert_eq!(beat(&mut conn, 30_500), [], "the hub stood still since before the ping was due");
    conn.provide_heads(0, &[]);
    assert_eq!(kinds(&drain(&mut conn)), ["ping"]);
    assert_eq!(conn.poll_timeout(), Some(Instant(45_500)));
    conn.handle_timeout(Instant(45_500));
    assert_eq!(kinds(&drain(&mut conn)), ["bye", "close 4003"]);
}

#[test]
fn any_byte_counts_as_life() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_control(Instant(20_000));
    conn.handle_timeout(Instant(30_000));
    assert!(conn.is_open());
}

#[test]
fn a_message_that_takes_longer_than_two_heartbeats_is_no_silence() {
    let mut conn = open(PrincipalType::Instance);
    conn.handle_received(1_000, Instant(1));
    conn.handle_received(200_000, Instant(15_000));
    beat(&mut conn, 15_000);
    conn.handle_received(400_000, Instant(30_001));
    conn.handle_timeout(Instant(30_001));
    assert!(conn.is_open(), "bytes came");
    beat(&mut conn, 45_001);
    conn.handle_received(400_000, Instant(60_001));
    conn.handle_timeout(Instant(60_001));
    assert!(!conn.is_open(), "none came since");
}

#[test]
fn silence_says_nothing_while_the_hub_does_not_read() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_reading(false, Instant(10_000));
    conn.drain(1);
    drain(&mut conn);
    beat(&mut conn, 15_000);
    conn.handle_timeout(Instant(30_000));
    conn.handle_timeout(Instant(40_000));
    assert!(conn.is_open(), "it took a message meanwhile");
    conn.handle_timeout(Instant(45_000));
    conn.handle_reading(true, Instant(60_000));
    conn.handle_timeout(Instant(60_000));
    conn.handle_timeout(Instant(75_000));
    conn.handle_timeout(Instant(89_999));
    assert!(conn.is_open());
    conn.handle_timeout(Instant(90_000));
    assert!(!conn.is_open());
}

#[test]
fn a_client_that_neither_sends_nor_takes_is_closed_also_when_the_hub_does_not_read() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_reading(false, Instant(10_000));
    conn.drain(1);
    beat(&mut conn, 15_000);
    conn.handle_timeout(Instant(30_000));
    conn.handle_timeout(Instant(40_000));
    assert_eq!(kinds(&drain(&mut conn)), ["drain", "bye", "close 4003"]);
}

#[test]
fn one_ping_waits_at_a_time() {
    let mut conn = open(PrincipalType::Member);
    for now in [15_000, 30_000, 45_000] {
        conn.handle_control(Instant(now));
        conn.handle_timeout(Instant(now));
        if let Some(Need::Heads { .. }) = conn.poll_event() {
            conn.provide_heads(1, &[]);
        }
    }
    assert_eq!(kinds(&drain(&mut conn)), ["ping"]);
}

#[test]
fn a_probed_client_answers_with_the_pong_of_that_ping() {
    let mut conn = open(PrincipalType::Instance);
    let wanted = conn.probe_client();
    assert!(matches!(conn.poll_event(), Some(Need::Heads { .. })));
    conn.provide_heads(0, &[]);
    drain(&mut conn);
    assert!(conn.pongs_seen() < wanted);
    conn.handle_message(PONG, Instant(5));
    assert_eq!(conn.pongs_seen(), wanted);
    conn.handle_message(PONG, Instant(6));
    assert_eq!(kinds(&drain(&mut conn)), ["error"], "a pong without a ping is superfluous");
}
