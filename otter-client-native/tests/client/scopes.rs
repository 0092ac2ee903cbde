use otter_client_native::ScopeUpdate;
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
