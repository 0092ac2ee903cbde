use pretty_assertions::assert_eq;

use super::*;
use crate::frame::{Lane, Published, Rejection};

fn published(up_to: u64) -> Published {
    Published { lane: Lane::Main, producer_epoch: 1, up_to, rejected: vec![], error: None, expected: None }
}

fn command(n: usize) -> String {
    format!(r#"{{"type":"command","id":"c{n}","kind":"message.send","data":{{}}}}"#)
}

#[test]
fn bad_frames_are_refused_one_by_one_and_the_connection_lives() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_message("{\"type\":\"fly\"}\nnonsense\n{\"type\":\"probe\",\"n\":1}", Instant(1));
    conn.handle_message(&"[".repeat(100_000), Instant(1));
    conn.handle_message(MEMBER_HELLO, Instant(1));
    assert_eq!(
        drain(&mut conn),
        [
            r#"{"type":"probed","n":1,"serverTime":"1970-01-01T00:00:00.000Z"}"#,
            r#"{"type":"error","error":{"code":"unknownFrame","message":"unknown frame type `fly`","retryable":false}}"#,
            r#"{"type":"error","error":{"code":"badFrame","message":"bad frame: unexpected JSON type at byte 0","retryable":false}}"#,
            r#"{"type":"error","error":{"code":"badFrame","message":"bad frame: unexpected JSON type at byte 0","retryable":false}}"#,
            r#"{"type":"error","error":{"code":"unexpectedFrame","message":"`hello` comes once","retryable":false}}"#,
        ]
    );
    assert!(conn.is_open());
}

#[test]
fn a_message_over_the_limit_is_refused_and_the_connection_lives() {
    let mut conn = open(PrincipalType::Member);
    let mut long = command(1);
    long.push_str(&" ".repeat(1 << 20));
    conn.handle_message(&long, Instant(1));
    let frames = drain(&mut conn);
    assert_eq!(kinds(&frames), ["error"]);
    assert!(frames[0].contains("tooLarge"));
    assert_eq!(needs(&mut conn), []);
}

#[test]
fn refused_frames_are_counted_and_too_many_close_with_4101() {
    let mut conn = open(PrincipalType::Member);
    for n in 0..50 {
        conn.handle_message("x", Instant(n));
    }
    assert!(conn.is_open());
    assert_eq!(drain(&mut conn).len(), 50);
    conn.handle_message("x\nx\nx", Instant(60));
    assert_eq!(kinds(&drain(&mut conn)), ["error", "bye", "close 4101"]);
    let closing = Need::Closing { code: 4101, reason: "too many refused frames".into() };
    assert_eq!(needs(&mut conn), [closing]);
}

#[test]
fn refused_frames_are_forgiven_with_time() {
    let mut conn = open(PrincipalType::Member);
    for n in 0..500 {
        conn.handle_message("x", Instant(n * 201));
    }
    assert!(conn.is_open());
}

#[test]
fn a_flood_of_frames_is_refused_then_closed() {
    let mut conn = open(PrincipalType::Member);
    for _ in 0..200 {
        conn.handle_message(r#"{"type":"probe","n":1}"#, Instant(1));
    }
    assert!(drain(&mut conn).iter().all(|frame| frame.contains("probed")));
    conn.handle_message(r#"{"type":"probe","n":1}"#, Instant(1));
    assert_eq!(
        drain(&mut conn),
        [
            r#"{"type":"error","error":{"code":"rateLimited","message":"send fewer frames per second","retryable":true,"retryAfterMs":20}}"#
        ]
    );
    for _ in 0..60 {
        conn.handle_message(r#"{"type":"probe","n":1}"#, Instant(1));
    }
    assert!(!conn.is_open());
}

#[test]
fn the_sixty_first_command_of_a_minute_is_refused_in_its_reply() {
    let mut conn = open(PrincipalType::Member);
    for n in 0..61 {
        conn.handle_message(&command(n), Instant(n as u64 * 30));
    }
    assert_eq!(needs(&mut conn).len(), 60);
    assert_eq!(
        drain(&mut conn),
        [
            r#"{"type":"reply","id":"c60","refused":{"code":"rateLimited","message":"send fewer commands per minute","retryable":true,"retryAfterMs":58200}}"#
        ]
    );
}

#[test]
fn commands_held_while_offline_are_put_off_and_never_close_the_connection() {
    let mut conn = open(PrincipalType::Member);
    for n in 0..200 {
        conn.handle_message(&command(n), Instant(1));
    }
    assert_eq!((needs(&mut conn).len(), drain(&mut conn).len()), (60, 140));
    conn.handle_message(&command(200), Instant(1));
    let refused = drain(&mut conn);
    assert!(refused[0].contains("\"reply\"") && refused[0].contains("frames per second"), "{refused:?}");
    assert!(conn.is_open());
}

#[test]
fn members_do_not_publish_and_instances_do_not_command() {
    let publish = r#"{"type":"publish","lane":"main","producerEpoch":1,"first":1,"events":[]}"#;
    let mut member = open(PrincipalType::Member);
    member.handle_message(publish, Instant(1));
    assert_eq!((kinds(&drain(&mut member)), needs(&mut member)), (vec!["error".to_owned()], vec![]));
    let mut instance = open(PrincipalType::Instance);
    instance.handle_message(&command(1), Instant(1));
    assert_eq!((kinds(&drain(&mut instance)), needs(&mut instance)), (vec!["error".to_owned()], vec![]));
    instance.handle_message(publish, Instant(1));
    assert!(matches!(&needs(&mut instance)[..], [Need::Publish(_)]));
}

#[test]
fn answers_to_publishes_that_wait_become_one() {
    let mut conn = open(PrincipalType::Instance);
    let rejection = |n| Rejection { n, id: None, code: ErrorCode::UnknownKind, pointer: None };
    conn.published(Published { rejected: vec![rejection(2)], ..published(3) });
    conn.published(published(7));
    conn.published(Published { rejected: vec![rejection(8)], ..published(9) });
    assert_eq!(
        drain(&mut conn),
        [
            r#"{"type":"published","lane":"main","producerEpoch":1,"upTo":9,"rejected":[{"n":2,"code":"unknownKind"},{"n":8,"code":"unknownKind"}]}"#
        ]
    );
}

#[test]
fn a_client_that_does_not_take_its_answers_is_not_read_from() {
    let mut conn = open(PrincipalType::Member);
    assert!(conn.wants_read());
    let error = ErrorBody::new(ErrorCode::NotFound, "x".repeat(1000));
    for n in 0..300 {
        let id = crate::id::CommandId::new(&format!("c{n}")).unwrap();
        conn.reply(crate::frame::Reply {
            id,
            accepted: None,
            refused: Some(error.clone()),
            epoch: None,
            at: crate::wire::Positions::default(),
        });
    }
    assert!(!conn.wants_read());
    drain(&mut conn);
    assert!(conn.wants_read());
}

#[test]
fn what_came_before_bye_is_still_handled() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_message(&format!("{}\n{{\"type\":\"bye\"}}", command(1)), Instant(1));
    let asked = needs(&mut conn);
    assert!(matches!(&asked[..], [Need::Command(_), Need::Closing { code: 1000, .. }]), "{asked:?}");
    assert_eq!(kinds(&drain(&mut conn)), ["close 1000"]);
}

#[test]
fn drain_is_announced_and_the_connection_goes_on() {
    let mut conn = open(PrincipalType::Member);
    conn.drain(10_000);
    assert_eq!(drain(&mut conn), [r#"{"type":"drain","windowMs":10000}"#]);
    conn.close(CloseCode::Drain, "the hub restarts", Some(500));
    assert_eq!(
        drain(&mut conn),
        [r#"{"type":"bye","code":4001,"reason":"the hub restarts","retryAfterMs":500}"#, "close 4001"]
    );
}

#[test]
fn a_close_does_not_wait_behind_data() {
    let mut conn = open(PrincipalType::Member);
    let ticket = resumed(&mut conn, "org", 0);
    conn.handle_news(&scope("org"));
    conn.poll_event();
    conn.provide_events(ticket, &[piece(0, 1, 200 << 10)], false);
    conn.close(CloseCode::Superseded, "a newer connection took over", None);
    assert_eq!(kinds(&drain(&mut conn)), ["bye", "close 4002"]);
}

#[test]
fn a_long_reason_is_cut_to_what_a_close_frame_holds() {
    let mut conn = open(PrincipalType::Member);
    conn.close(CloseCode::Internal, &"é".repeat(100), None);
    let mut last = None;
    while let Some(transmit) = conn.poll_transmit() {
        last = Some(transmit);
    }
    assert_eq!(last, Some(Transmit::Close { code: 4103, reason: "é".repeat(61) }));
}

#[test]
fn a_flood_of_websocket_pings_ends_with_4101() {
    let mut conn = open(PrincipalType::Instance);
    for n in 0..50 {
        conn.handle_control(Instant(n * 1000));
    }
    assert!(conn.is_open());
    for _ in 0..101 {
        conn.handle_control(Instant(60_000));
    }
    assert_eq!(kinds(&drain(&mut conn)), ["bye", "close 4101"]);
}

#[test]
fn signals_beyond_the_rate_of_an_instance_are_dropped_in_silence() {
    let mut conn = open(PrincipalType::Instance);
    let signal = r#"{"type":"signal","scope":"org","kind":"instance.heartbeat","data":{}}"#;
    for _ in 0..3_000 {
        conn.handle_message(signal, Instant(1));
    }
    assert_eq!((needs(&mut conn).len(), drain(&mut conn)), (2_000, vec![]));
}

#[test]
fn a_message_without_a_frame_is_refused() {
    let mut conn = open(PrincipalType::Member);
    conn.handle_message("", Instant(1));
    conn.handle_message("\n\n", Instant(1));
    assert_eq!(kinds(&drain(&mut conn)), ["error", "error"]);
}
