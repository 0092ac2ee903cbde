//! The whole hub with its file and its credentials, stopped and started again.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::harness::{Peer, event, hello, publish};
use crate::net::Hub;

async fn bridge(hub: &Hub, token: &str, boots: &[&str]) -> (Peer, Value) {
    let bearer = format!("Bearer {token}");
    let mut peer = Peer::over(hub.socket("/ws/openclaw", &[("authorization", &bearer)]).await);
    peer.send(&hello(boots)).await;
    let welcome = peer.frame("welcome").await;
    (peer, welcome)
}

async fn browser(hub: &Hub, cookie: &str, subscribe: Value) -> (Peer, Value) {
    let headers = [("origin", hub.origin()), ("cookie", cookie.to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut peer = Peer::over(hub.socket("/ws", &headers).await);
    let mut frame = hello(&[]);
    frame["subscribe"] = json!([subscribe]);
    peer.send(&frame).await;
    let subscribed = peer.frame("subscribed").await;
    (peer, subscribed)
}

#[tokio::test]
async fn after_a_restart_everybody_continues_where_they_were() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let token = hub.instance();
    let (mut instance, welcome) = bridge(&hub, &token, &["b1"]).await;
    let id = welcome["principal"]["id"].as_str().unwrap().to_owned();
    let agent =
        |n: u32| event("agent.upserted", &format!("{id}:a{n}"), json!({"instanceId": id, "name": "A"}));
    instance.send(&publish(1, &[agent(1), agent(2)])).await;
    assert_eq!(instance.frame("published").await["upTo"], 2);
    let (mut member, subscribed) = browser(&hub, &cookie, json!({"scope": "org", "sub": 1})).await;
    let page = member.frame("snapshot").await;
    let types = page["entities"].as_array().unwrap().iter().filter_map(|row| row["entity"].as_str());
    let mut types: Vec<_> = types.filter_map(|key| key.split('/').next()).collect();
    types.dedup();
    assert_eq!(types, ["agent", "instance", "member"]);
    drop((instance, member));
    let dir = hub.stop().await;
    let hub = Hub::start_in(dir, |_| {}).await;
    let (mut instance, welcome) = bridge(&hub, &token, &["b2", "b1"]).await;
    assert_eq!(welcome["lanes"]["main"]["upTo"], 2);
    instance.send(&publish(3, &[agent(3)])).await;
    assert_eq!(instance.frame("published").await["upTo"], 3);
    let at = json!({"scope": "org", "sub": 1, "epoch": subscribed["epoch"], "pos": page["asOf"]});
    let (mut member, again) = browser(&hub, &cookie, at).await;
    assert_eq!(again["mode"], "resumed");
    assert_ne!(again["epoch"], subscribed["epoch"]);
    let mut subjects = Vec::new();
    while subjects.last().is_none_or(|subject| *subject != json!(format!("agent/{id}:a3"))) {
        let events = member.frame("events").await;
        let events = events["events"].as_array().unwrap().clone();
        subjects.extend(events.iter().map(|event| event["effects"][0]["entity"].clone()));
    }
    assert!(!subjects.contains(&json!(format!("agent/{id}:a2"))), "nothing comes twice");
    drop((instance, member));
    hub.stop().await;
}
