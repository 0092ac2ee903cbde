//! What subscribers get.

use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::harness::{CONVERSATION, World, event, hello, message, publish};
use otter_server::hub::HubConfig;

#[tokio::test]
async fn everybody_who_follows_a_scope_gets_the_same_events_and_nobody_else() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    let (mut one, mut two, mut org) = (world.member().await, world.member().await, world.member().await);
    one.subscribe(CONVERSATION, 1).await;
    two.subscribe(CONVERSATION, 1).await;
    org.subscribe("org", 1).await;
    bridge.publish("message.created", "in_1:m1", message("hello")).await;
    let first = one.frame("events").await;
    assert_eq!(first, two.frame("events").await);
    assert_eq!(
        (&first["events"][0]["kind"], &first["scope"]),
        (&json!("message.created"), &json!(CONVERSATION))
    );
    assert_eq!(first["hash"].as_str().map(str::len), Some(16));
    let derived = org.frame("events").await;
    assert_eq!(
        (&derived["scope"], &derived["events"][0]["kind"]),
        (&json!("org"), &json!("conversation.updated"))
    );
}

#[tokio::test]
async fn a_snapshot_holds_the_live_rows_and_events_continue_after_it() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    for n in 0..5 {
        bridge.publish("message.created", &format!("in_1:m{n}"), message("x")).await;
    }
    let mut member = world.member().await;
    let (entities, last) = member.subscribe(CONVERSATION, 1).await;
    let keys: Vec<_> = entities.iter().filter_map(|row| row["entity"].as_str()).collect();
    assert_eq!(
        keys,
        ["message/in_1:m0", "message/in_1:m1", "message/in_1:m2", "message/in_1:m3", "message/in_1:m4"]
    );
    assert_eq!(last["asOf"], last["head"]);
    bridge.publish("message.created", "in_1:m5", message("x")).await;
    let events = member.frame("events").await;
    assert_eq!(events["events"][0]["prev"], last["head"]);
}

#[tokio::test]
async fn a_position_is_resumed_without_a_snapshot_and_a_foreign_one_is_not() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    bridge.publish("message.created", "in_1:m1", message("one")).await;
    let mut member = world.member().await;
    let (_, last) = member.subscribe(CONVERSATION, 1).await;
    drop(member);
    bridge.publish("message.created", "in_1:m2", message("two")).await;
    let ask = |epoch: &str, pos: &Value| {
        let mut frame = hello(&[]);
        frame["subscribe"] = json!([{"scope": CONVERSATION, "sub": 1, "epoch": epoch, "pos": pos}]);
        frame
    };
    let mut back = world.socket("member").await;
    back.send(&ask("e1", &last["head"])).await;
    assert_eq!(back.frame("subscribed").await["mode"], "resumed");
    assert_eq!(back.frame("events").await["events"][0]["data"]["text"], "two");
    for (epoch, pos, reason) in [("e0", &last["head"], "epoch"), ("e1", &json!(9_999), "ahead")] {
        let mut other = world.socket("member").await;
        other.send(&ask(epoch, pos)).await;
        let answer = other.frame("subscribed").await;
        assert_eq!((&answer["mode"], &answer["reason"]), (&json!("snapshot"), &json!(reason)));
        assert!(other.frame("snapshot").await.get("head").is_some());
    }
}

#[tokio::test]
async fn a_reader_that_does_not_ack_is_paused_and_later_gets_everything_in_order() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    let mut member = world.member().await;
    let (_, last) = member.subscribe(CONVERSATION, 1).await;
    let text = "x".repeat(12 << 10);
    let mut n = 3;
    for batch in 0..8 {
        let events: Vec<_> = (0..40)
            .map(|row| event("message.created", &format!("in_1:m{batch}-{row}"), message(&text)))
            .collect();
        bridge.send(&publish(n, &events)).await;
        n += 40;
        while bridge.frame("published").await["upTo"] != n - 1 {}
    }
    let mut pos = last["head"].as_u64().unwrap();
    let (mut seen, mut frames, mut unacked) = (0, 1_u64, 0_usize);
    while seen < 320 {
        let frame = member.frame("events").await;
        frames += 1;
        let bytes = frame.to_string().len();
        assert!(unacked < 256 << 10, "more than the window without an ack");
        unacked += bytes;
        for event in frame["events"].as_array().unwrap() {
            let (prev, seq) = (event["prev"].as_u64().unwrap(), event["seq"].as_u64().unwrap());
            if seq > pos {
                assert!(prev <= pos, "a hole before {seq}");
                pos = seq;
                seen += 1;
            }
        }
        if unacked >= 256 << 10 {
            member.send(&json!({"type": "ack", "frames": frames})).await;
            unacked = 0;
        }
    }
    member.lives().await;
}

#[tokio::test]
async fn another_members_scope_is_denied_and_the_own_one_is_named() {
    let world = World::start().await;
    let mut member = world.member().await;
    member.send(&json!({"type": "subscribe", "scope": "member/mb_2", "sub": 1})).await;
    member.send(&json!({"type": "subscribe", "scope": "member/self", "sub": 2})).await;
    let denied = member.frame("subscribed").await;
    assert_eq!((&denied["mode"], &denied["sub"]), (&json!("denied"), &json!(1)));
    let own = member.frame("subscribed").await;
    assert_eq!((&own["scope"], &own["mode"]), (&json!("member/mb_1"), &json!("snapshot")));
}

#[tokio::test]
async fn a_ping_names_the_heads_that_moved() {
    let mut config = HubConfig::default();
    config.connection.heartbeat_ms = 2_000;
    let world = World::start_with(config).await;
    let mut bridge = world.with_conversation().await;
    let mut member = world.member().await;
    member.subscribe("org", 1).await;
    bridge.publish("agent.upserted", "in_1:b", json!({"instanceId": "in_1", "name": "B"})).await;
    let seq = member.frame("events").await["events"][0]["seq"].clone();
    let ping = member.frame("ping").await;
    assert_eq!((&ping["pos"], &ping["heads"]["org"]), (&seq, &seq));
    member.send(&json!({"type": "pong", "pos": {"org": seq}})).await;
    assert!(member.frame("ping").await.get("heads").is_none());
}

#[tokio::test]
async fn a_silent_client_is_closed_with_4003() {
    let mut config = HubConfig::default();
    config.connection.heartbeat_ms = 100;
    let world = World::start_with(config).await;
    let mut member = world.member().await;
    let (frames, code) = member.end().await;
    assert_eq!((frames.last().map(|frame| &frame["code"]), code), (Some(&json!(4003)), 4003));
}

#[tokio::test]
async fn a_message_may_take_longer_than_the_client_may_be_silent() {
    let mut config = HubConfig::default();
    config.connection.heartbeat_ms = 1_000;
    let world = World::start_with(config).await;
    let mut bridge = world.instance(&["b1"]).await;
    let text = json!({"type": "probe", "n": 7, "padding": "x".repeat(1_000)}).to_string();
    // A frame by hand, masked with zeros, so that it can go in parts.
    let mut bytes = vec![0x81, 0xfe];
    bytes.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    for part in bytes.chunks(bytes.len().div_ceil(15)) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        bridge.socket.get_mut().write_all(part).await.unwrap();
    }
    assert_eq!(bridge.frame("probed").await["n"], 7);
}

#[tokio::test]
async fn clients_that_offer_it_get_binary_messages() {
    let world = World::start().await;
    let mut peer = world.socket("member").await;
    let mut frame = hello(&[]);
    frame["capabilities"] = json!(["binary", "later"]);
    peer.send(&frame).await;
    assert_eq!(peer.frame("welcome").await["capabilities"], json!(["binary"]));
    peer.lives().await;
    assert_eq!(peer.text, 0);
    assert!(peer.binary > 0);
}

#[tokio::test]
async fn a_hub_that_stops_asks_clients_to_leave_and_then_says_goodbye() {
    let world = World::start().await;
    let mut member = world.member().await;
    let hub = std::sync::Arc::clone(&world.hub);
    let draining = tokio::spawn(async move { hub.drain(Duration::from_millis(200)).await });
    assert_eq!(member.frame("drain").await["windowMs"], 200);
    let (frames, code) = member.end().await;
    assert_eq!((frames.last().map(|frame| &frame["code"]), code), (Some(&json!(4001)), 4001));
    drop(member);
    draining.await.unwrap();
    assert_eq!(world.hub.connection_count(), 0);
}

#[tokio::test]
async fn one_member_has_a_limited_number_of_connections() {
    let config = HubConfig { connections_per_principal: 2, ..HubConfig::default() };
    let world = World::start_with(config).await;
    let (one, mut two) = (world.member().await, world.member().await);
    let (frames, code) = world.socket("member").await.end().await;
    assert_eq!((&frames[0]["error"]["code"], code), (&json!("rateLimited"), 4101));
    drop(one);
    two.lives().await;
    world.until_connected(1).await;
    world.member().await.lives().await;
}

#[tokio::test]
async fn a_client_that_never_reads_holds_nobody_up_and_is_closed() {
    let mut config = HubConfig::default();
    config.connection.heartbeat_ms = 1_000;
    let world = World::start_with(config).await;
    let mut bridge = world.with_conversation().await;
    let mut stuck = world.member().await;
    stuck.subscribe(CONVERSATION, 1).await;
    let mut reader = world.member().await;
    reader.subscribe(CONVERSATION, 1).await;
    let text = "x".repeat(12 << 10);
    let mut seen = 0;
    for n in 0..100 {
        bridge.publish("message.created", &format!("in_1:m{n}"), message(&text)).await;
        seen += reader.frame("events").await["events"].as_array().unwrap().len();
        reader.send(&json!({"type": "ack", "frames": n + 2})).await;
    }
    assert_eq!(seen, 100);
    drop((reader, bridge));
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let (frames, code) = stuck.end().await;
    let events = frames.iter().filter(|frame| frame["type"] == "events").count();
    assert!(events < 30, "no more than its window was sent: {events}");
    assert_eq!(code, 4003);
}

#[tokio::test]
async fn pages_read_a_moment_ago_are_as_good_as_new_ones() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    bridge.publish("message.created", "in_1:m1", message("one")).await;
    let read = Instant::now();
    let (first, _) = world.member().await.subscribe(CONVERSATION, 1).await;
    bridge.publish("message.created", "in_1:m2", message("two")).await;
    let mut late = world.member().await;
    late.send(&json!({"type": "subscribe", "scope": CONVERSATION, "sub": 1})).await;
    let page = late.frame("snapshot").await;
    // A page is kept for a second: on a machine that stood still it is read again.
    if read.elapsed() > Duration::from_secs(1) {
        return;
    }
    assert_eq!(page["entities"], Value::from(first), "the page of the first one");
    let events = late.frame("events").await;
    assert_eq!(
        (&events["events"][0]["data"]["text"], &events["events"][0]["prev"]),
        (&json!("two"), &page["asOf"])
    );
}
