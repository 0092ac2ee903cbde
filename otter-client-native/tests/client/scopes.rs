use std::time::Duration;

use otter_client_native::transport::Outgoing;
use otter_client_native::{NotLive, ScopeUpdate};
use otter_proto::id::{EntityKey, Scope};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::hub::{Lane, builder, pair, welcome};

#[tokio::test]
async fn a_followed_scope_is_shown_and_its_events_are_told() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let (mut peer, _) = welcome(&mut hub, &Lane::default()).await;
    let mut org = client.subscribe(Scope::Org).await.unwrap();
    let asked = peer.next("subscribe").await;
    peer.say(&json!({"type": "subscribed", "scope": "org", "sub": asked["sub"], "epoch": "e", "head": 5, "mode": "snapshot"}))
        .await;
    peer.say(&json!({"type": "snapshot", "scope": "org", "epoch": "e", "asOf": 5, "head": 5,
        "entities": [{"entity": "agent/in_1:main", "rev": 3, "value": {"name": "Main"}}]}))
        .await;
    org.live().await.unwrap();
    // Who asks again, or comes later, is not kept waiting.
    org.live().await.unwrap();
    client.subscribe(Scope::Org).await.unwrap().live().await.unwrap();
    assert!(matches!(org.next().await, Some(ScopeUpdate::Phase { .. })));
    let key = EntityKey::parse("agent/in_1:main").unwrap();
    let rows = client.entities(Scope::Org).await.unwrap();
    assert_eq!(rows, [(key.clone(), r#"{"name":"Main"}"#.to_owned())]);
    peer.say(
        &json!({"type": "events", "scope": "org", "epoch": "e", "events": [{"seq": 6, "prev": 5, "id": "ev_6",
        "at": "2026-11-22T14:00:00.000Z", "scope": "org", "kind": "agent.statusChanged",
        "source": {"type": "instance", "id": "in_1"}, "data": {"status": "busy"},
        "effects": [{"op": "merge", "entity": "agent/in_1:main"}]}]}),
    )
    .await;
    assert_eq!(org.next().await, Some(ScopeUpdate::Changed(key.clone())));
    assert!(matches!(org.next().await, Some(ScopeUpdate::Event { seq: 6, replayed: false, .. })));
    let text = client.entity(Scope::Org, key).await.unwrap();
    assert_eq!(text.as_deref(), Some(r#"{"name":"Main","status":"busy"}"#));
    client.shutdown().await;
    assert!(client.entities(Scope::Org).await.is_err());
}

#[tokio::test]
async fn an_instance_says_that_it_lives() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let (mut peer, _) = welcome(&mut hub, &Lane::default()).await;
    let signal = peer.next("signal").await;
    assert_eq!(
        (&signal["kind"], &signal["data"]["instanceId"]),
        (&json!("instance.heartbeat"), &json!("in_1"))
    );
    assert_eq!(signal["data"]["outbox"], json!({"pending": 0, "dead": 0}));
    assert_eq!(client.principal().await.unwrap().id, "in_1");
}

#[tokio::test]
async fn who_waits_for_a_scope_that_never_comes_hears_why() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let (mut peer, _) = welcome(&mut hub, &Lane::default()).await;
    let mut org = client.subscribe(Scope::Org).await.unwrap();
    let asked = peer.next("subscribe").await;
    peer.say(&json!({"type": "subscribed", "scope": "org", "sub": asked["sub"], "epoch": "e", "head": 5, "mode": "denied",
        "reason": "notYours"}))
        .await;
    let denied = Err(NotLive::Denied("notYours".to_owned()));
    assert_eq!((org.live().await, org.live().await), (denied.clone(), denied));
    client.shutdown().await;
    assert_eq!(org.live().await, Err(NotLive::Closed));

    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let mut org = client.subscribe(Scope::Org).await.unwrap();
    let socket = hub.accept().await.unwrap();
    let error = json!({"code": "forked", "message": "another copy was connected", "retryable": false});
    let refuse = Outgoing::Message(json!({"type": "refuse", "error": error}).to_string());
    socket.outgoing.send(refuse).await.unwrap();
    socket.close(4504, "forked".to_owned()).await;
    let refused = Err(NotLive::NotWelcome("another copy was connected".to_owned()));
    assert_eq!(tokio::time::timeout(Duration::from_mins(1), org.live()).await.unwrap(), refused);
}

#[tokio::test]
async fn a_reader_that_missed_the_moment_still_hears_that_a_scope_is_live() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let (mut peer, _) = welcome(&mut hub, &Lane::default()).await;
    let mut org = client.subscribe(Scope::Org).await.unwrap();
    let asked = peer.next("subscribe").await;
    peer.say(&json!({"type": "subscribed", "scope": "org", "sub": asked["sub"], "epoch": "e", "head": 5, "mode": "snapshot"}))
        .await;
    // More changes than a reader may be behind, and only then the end of the snapshot is read.
    let rows: Vec<_> = (0..5_000)
        .map(|n| json!({"entity": format!("agent/in_1:a{n}"), "rev": 1, "value": {"name": "A"}}))
        .collect();
    peer.say(
        &json!({"type": "snapshot", "scope": "org", "epoch": "e", "asOf": 5, "head": 5, "entities": rows}),
    )
    .await;
    while client.entities(Scope::Org).await.unwrap().len() < 5_000 {
        tokio::task::yield_now().await;
    }
    tokio::time::timeout(Duration::from_mins(1), org.live()).await.unwrap().unwrap();
}
