//! Instances: one at a time, and commands reach the one that is there.

use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::harness::{Peer, World, hello};
use otter_server::hub::HubConfig;

fn say(n: u32) -> Value {
    let id = format!("01900000-0000-7000-8000-{n:012}");
    json!({"type": "command", "id": id, "kind": "message.send", "data": {"conversationId": "in_1:c", "text": "hi"}})
}

/// Answers pings until the connection ends.
fn answering(mut peer: Peer) -> tokio::task::JoinHandle<u16> {
    tokio::spawn(async move {
        loop {
            match peer.next().await {
                Ok(frame) if frame["type"] == "ping" => peer.send(&json!({"type": "pong", "pos": {}})).await,
                Ok(_) => {}
                Err(code) => return code,
            }
        }
    })
}

#[tokio::test]
async fn the_same_process_run_takes_over_at_once() {
    let world = World::start().await;
    let mut old = world.instance(&["b1"]).await;
    let mut new = world.instance(&["b1"]).await;
    let (frames, code) = old.end().await;
    let types: Vec<_> = frames.iter().map(|frame| &frame["type"]).collect();
    assert_eq!(types, ["bye"], "it was not asked whether it lives");
    assert_eq!((&frames[0]["code"], code), (&json!(4002), 4002));
    new.lives().await;
}

#[tokio::test]
async fn a_copy_is_refused_while_the_original_answers() {
    let world = World::start().await;
    let original = answering(world.instance(&["b1"]).await);
    let mut copy = world.socket("instance").await;
    copy.send(&hello(&["b2", "b1"])).await;
    let (frames, code) = copy.end().await;
    assert_eq!((&frames[0]["error"]["code"], code), (&json!("forked"), 4504));
    assert!(!original.is_finished(), "the original goes on");
    original.abort();
}

#[tokio::test]
async fn a_restarted_process_takes_over_when_the_old_socket_does_not_answer() {
    let world = World::start().await;
    let mut dead = world.instance(&["b1"]).await;
    let mut restarted = world.instance(&["b2", "b1"]).await;
    restarted.lives().await;
    assert_eq!(dead.end().await.1, 4002);
}

#[tokio::test]
async fn an_identity_that_was_used_elsewhere_is_forked_also_when_nobody_is_connected() {
    let world = World::start().await;
    drop(world.instance(&["b1"]).await);
    let mut copy = world.socket("instance").await;
    copy.send(&hello(&["b3", "b2"])).await;
    assert_eq!(copy.end().await.1, 4504);
}

#[tokio::test]
async fn commands_reach_the_instance_and_open_ones_again_when_it_comes_back() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    let mut member = world.member().await;
    member.send(&say(1)).await;
    let first = bridge.frame("command").await;
    drop(bridge);
    member.frame("reply").await;
    member.send(&say(2)).await;
    member.frame("reply").await;
    let mut bridge = world.socket("instance").await;
    bridge.send(&hello(&["b2", "b1"])).await;
    bridge.frame("welcome").await;
    let again = bridge.frame("command").await;
    let second = bridge.frame("command").await;
    assert_eq!(again["id"], first["id"]);
    assert_eq!(second["id"], "01900000-0000-7000-8000-000000000002");
}

#[tokio::test]
async fn instances_subscribe_to_nothing() {
    let world = World::start().await;
    let mut bridge = world.instance(&["b1"]).await;
    bridge.send(&json!({"type": "subscribe", "scope": "org", "sub": 1})).await;
    let answer = bridge.frame("subscribed").await;
    assert_eq!((&answer["mode"], &answer["reason"]), (&json!("denied"), &json!("forbidden")));
}

#[tokio::test]
async fn many_interleavings_of_connect_and_close_leave_the_newest_in_place() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    for _ in 0..25 {
        let next = world.instance(&["b1"]).await;
        let old = std::mem::replace(&mut bridge, next);
        drop(old);
    }
    let mut member = world.member().await;
    member.send(&say(1)).await;
    assert_eq!(bridge.frame("command").await["kind"], "message.send");
    let (entities, _) = member.subscribe("org", 1).await;
    let online = entities.iter().find(|row| row["entity"] == "instance/in_1").unwrap();
    assert_eq!(online["value"]["connection"], "online");
}

#[tokio::test]
async fn an_instance_is_offline_after_the_grace_time_and_not_when_it_comes_back_before() {
    let config = HubConfig { instance_grace: Duration::from_secs(2), ..HubConfig::default() };
    let world = World::start_with(config).await;
    let mut bridge = world.with_conversation().await;
    let mut member = world.member().await;
    member.subscribe("org", 1).await;
    drop(bridge);
    bridge = world.socket("instance").await;
    bridge.send(&hello(&["b2", "b1"])).await;
    bridge.frame("welcome").await;
    bridge.next_n = 3;
    // Another one leaves later for good: when that is told, the time of this one was over, too.
    drop(world.other_instance("in_2").await);
    let kinds = |frame: &Value| -> Vec<String> {
        let events = frame["events"].as_array().unwrap().iter();
        events.filter_map(|event| event["kind"].as_str().map(str::to_owned)).collect()
    };
    let gone = loop {
        let frame = member.frame("events").await;
        let mut events = frame["events"].as_array().unwrap().iter();
        if let Some(event) = events.find(|event| event["kind"] == "instance.disconnected") {
            break event["effects"][0]["entity"].clone();
        }
    };
    assert_eq!(gone, "instance/in_2");
    bridge.publish("agent.upserted", "in_1:b", json!({"instanceId": "in_1", "name": "B"})).await;
    assert_eq!(kinds(&member.frame("events").await), ["agent.upserted"]);
    drop(bridge);
    assert_eq!(kinds(&member.frame("events").await), ["instance.disconnected"]);
    let mut bridge = world.socket("instance").await;
    bridge.send(&hello(&["b3", "b2", "b1"])).await;
    bridge.frame("welcome").await;
    assert_eq!(kinds(&member.frame("events").await), ["instance.connected"]);
}

/// What an instance says about itself, with an agent of its own.
async fn introduce(peer: &mut Peer, id: &str) {
    peer.publish("instance.updated", id, json!({"name": id})).await;
    for n in 0..20 {
        let agent = json!({"instanceId": id, "name": format!("{id} agent {n}")});
        peer.publish("agent.upserted", &format!("{id}:a{n}"), agent).await;
    }
}

fn deploy(n: u32, instance: &str) -> Value {
    let id = format!("01900000-0000-7000-8000-{n:012}");
    json!({"type": "command", "id": id, "kind": "x.acme.deploy", "data": {"instanceId": instance}})
}

#[tokio::test]
async fn three_instances_work_side_by_side_and_one_that_is_removed_goes_alone() {
    let world = World::start().await;
    let (mut one, mut two, mut three) = (
        world.other_instance("in_1").await,
        world.other_instance("in_2").await,
        world.other_instance("in_3").await,
    );
    tokio::join!(introduce(&mut one, "in_1"), introduce(&mut two, "in_2"), introduce(&mut three, "in_3"));
    let mut admin = world.socket("other").await;
    admin.send(&hello(&[])).await;
    admin.frame("welcome").await;
    let (rows, _) = admin.subscribe("org", 1).await;
    let count = |rows: &[Value], prefix: &str| {
        rows.iter().filter(|row| row["entity"].as_str().unwrap().starts_with(prefix)).count()
    };
    assert_eq!((count(&rows, "instance/"), count(&rows, "agent/")), (3, 60));

    for (n, (bridge, id)) in (1..).zip([(&mut one, "in_1"), (&mut two, "in_2"), (&mut three, "in_3")]) {
        admin.send(&deploy(n, id)).await;
        assert_eq!(bridge.frame("command").await["data"]["instanceId"], id);
    }
    let remove = json!({"type": "command", "id": "01900000-0000-7000-8000-000000000009",
        "kind": "instance.remove", "data": {"instanceId": "in_2"}});
    admin.send(&remove).await;
    let (_, code) = two.end().await;
    assert_eq!(code, 4503);
    let mut again = world.socket("in_2").await;
    again.send(&hello(&["b1"])).await;
    let (frames, code) = again.end().await;
    assert_eq!((&frames[0]["error"]["code"], code), (&json!("revoked"), 4503));

    let mut told = Vec::new();
    while !told.contains(&"delete instance/in_2".to_owned()) {
        for event in admin.frame("events").await["events"].as_array().unwrap() {
            let stage = event["data"]["stage"].as_str().unwrap_or_default();
            told.extend(event["effects"].as_array().unwrap().iter().map(|effect| {
                let words = format!(
                    "{} {} {stage}",
                    effect["op"].as_str().unwrap(),
                    effect["entity"].as_str().unwrap()
                );
                words.trim_end().to_owned()
            }));
        }
    }
    let gone = told.iter().filter(|effect| effect.starts_with("delete agent/in_2:")).count();
    let unknown = "merge command/01900000-0000-7000-8000-000000000002 outcomeUnknown".to_owned();
    assert_eq!((gone, told.contains(&unknown)), (20, true), "{told:?}");
    assert!(!told.iter().any(|effect| effect.contains("in_1") || effect.contains("in_3")), "{told:?}");
    one.lives().await;
    three.lives().await;
    three.publish("agent.upserted", "in_3:new", json!({"instanceId": "in_3", "name": "New"})).await;
}

#[tokio::test]
async fn a_copy_that_is_adopted_takes_the_place_of_one_that_answers() {
    let world = World::start().await;
    let original = answering(world.instance(&["b1"]).await);
    let mut copy = world.socket("instance").await;
    let mut words = hello(&["other"]);
    words["capabilities"] = json!(["adopt"]);
    copy.send(&words).await;
    copy.frame("welcome").await;
    assert_eq!(original.await.unwrap(), 4002);
    let mut again = world.socket("instance").await;
    again.send(&hello(&["b2", "b1"])).await;
    assert_eq!(again.end().await.1, 4504);
    copy.lives().await;
}
