use pretty_assertions::assert_eq;

use super::*;
use crate::frame::{HubFrame, Welcome};
use crate::limits::Limits;

fn first(text: &str) -> Vec<String> {
    let mut conn = ServerConnection::new(config(), Instant(0));
    conn.handle_message(text, Instant(1));
    let frames = drain(&mut conn);
    assert!(!conn.is_open());
    assert!(needs(&mut conn).iter().any(|need| matches!(need, Need::Closing { .. })));
    frames
}

#[test]
fn a_client_without_hello_is_refused_after_five_seconds() {
    let mut conn = ServerConnection::new(config(), Instant(0));
    assert_eq!(conn.poll_timeout(), Some(Instant(5000)));
    conn.handle_timeout(Instant(4999));
    assert_eq!(drain(&mut conn), Vec::<String>::new());
    conn.handle_timeout(Instant(5000));
    assert_eq!(kinds(&drain(&mut conn)), ["refuse", "close 4102"]);
}

#[test]
fn another_version_is_refused_with_the_supported_range_before_the_rest_is_looked_at() {
    let frames = first(r#"{"type":"hello","protocol":{"min":2,"max":3},"client":"of another shape"}"#);
    assert_eq!(
        frames,
        [
            r#"{"type":"refuse","error":{"code":"unsupportedVersion","message":"upgrade this client or the hub","retryable":false},"supported":{"min":1,"max":1}}"#,
            "close 4501"
        ]
    );
}

#[test]
fn an_empty_version_range_is_no_common_version() {
    let frames = first(r#"{"type":"hello","protocol":{"min":2,"max":1},"client":{"name":"","version":""}}"#);
    assert_eq!(kinds(&frames), ["refuse", "close 4501"]);
}

#[test]
fn what_is_not_a_hello_is_refused() {
    for text in ["", "nonsense", "{", r#"{"type":"hello"}"#, r#"{"type":"probe","n":1}"#, r#"{"type":"x"}"#] {
        assert_eq!(kinds(&first(text)), ["refuse", "close 4506"], "{text}");
    }
    assert_eq!(kinds(&first(&"[".repeat(50_000))), ["refuse", "close 4506"]);
}

#[test]
fn a_long_first_message_is_refused_unread() {
    assert_eq!(kinds(&first(&" ".repeat(64 * 1024 + 1))), ["refuse", "close 4505"]);
}

#[test]
fn welcome_says_what_is_in_force_and_subscriptions_are_answered_in_order() {
    let mut conn = ServerConnection::new(config(), Instant(0));
    let hello = r#"{"type":"hello","protocol":{"min":1,"max":4},"client":{"name":"t","version":"1"},"capabilities":["later","binary"],"subscribe":[{"scope":"org","sub":1},{"scope":"member/self","sub":2}]}"#;
    conn.handle_message(hello, Instant(1));
    assert!(!conn.wants_read());
    assert!(matches!(&needs(&mut conn)[..], [Need::Hello(_)]));
    conn.welcome(admission(PrincipalType::Member), Instant(2));
    assert!(conn.wants_read() && conn.is_binary() && conn.is_open());
    let asked = needs(&mut conn);
    let [Need::Subscribe { ticket: org, .. }, Need::Subscribe { ticket: own, scope: own_scope, .. }] =
        &asked[..]
    else {
        panic!("{asked:?}")
    };
    assert_eq!(own_scope, &scope("member/mb_1"));
    conn.subscribed(*own, Start::Denied { reason: "no".into() });
    let frames = drain(&mut conn);
    let HubFrame::Welcome(welcome) = HubFrame::decode(&frames[0]).unwrap() else { panic!() };
    assert_eq!(
        welcome,
        Welcome {
            protocol: 1,
            server: config().server,
            server_time: UnixMillis(0),
            limits: Limits::V1,
            heartbeat_ms: 15_000,
            principal: admission(PrincipalType::Member).principal,
            capabilities: vec!["binary".into()],
            lanes: None,
        }
    );
    assert_eq!(frames.len(), 1, "the second answer waits for the first");
    conn.subscribed(*org, Start::Snapshot { head: 7, reason: None });
    assert_eq!(
        drain(&mut conn),
        [
            r#"{"type":"subscribed","scope":"org","sub":1,"epoch":"e1","head":7,"mode":"snapshot"}"#,
            r#"{"type":"subscribed","scope":"member/mb_1","sub":2,"epoch":"e1","head":0,"mode":"denied","reason":"no"}"#,
        ]
    );
}

#[test]
fn frames_that_came_with_hello_are_handled_after_welcome() {
    let mut conn = ServerConnection::new(config(), Instant(0));
    conn.handle_message(&format!("{MEMBER_HELLO}\n{{\"type\":\"probe\",\"n\":5}}"), Instant(1));
    assert_eq!(needs(&mut conn).len(), 1);
    assert_eq!(drain(&mut conn), Vec::<String>::new());
    conn.welcome(admission(PrincipalType::Member), Instant(2));
    assert_eq!(kinds(&drain(&mut conn)), ["probed", "welcome"]);
}

#[test]
fn a_refused_credential_is_a_refuse_and_a_close() {
    let mut conn = ServerConnection::new(config(), Instant(0));
    let error = ErrorBody::new(ErrorCode::AuthExpired, "sign in again");
    conn.refuse(error, CloseCode::AuthExpired);
    assert_eq!(kinds(&drain(&mut conn)), ["refuse", "close 4201"]);
    assert_eq!(needs(&mut conn), [Need::Closing { code: 4201, reason: "sign in again".into() }]);
    conn.handle_message(MEMBER_HELLO, Instant(3));
    assert_eq!((needs(&mut conn), drain(&mut conn)), (vec![], vec![]));
}
