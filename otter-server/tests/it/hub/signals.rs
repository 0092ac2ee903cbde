//! Streams: what is not in the log still reaches those who watch.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::harness::{CONVERSATION, World, message, run_started};

fn delta(offset: u64, text: &str) -> Value {
    let data = json!({"runId": "in_1:r", "offset": offset, "text": text});
    json!({"type": "signal", "scope": CONVERSATION, "kind": "message.delta", "data": data})
}

#[tokio::test]
async fn a_stream_reaches_watchers_and_one_who_joins_gets_the_text_so_far() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    let mut early = world.member().await;
    early.subscribe(CONVERSATION, 1).await;
    bridge.publish("run.started", "in_1:r", run_started()).await;
    assert_eq!(early.frame("events").await["events"][0]["kind"], "run.started");
    bridge.send(&delta(0, "Hel")).await;
    bridge.send(&delta(3, "lo 😀")).await;
    assert_eq!(early.frame("signal").await, delta(0, "Hel"));
    assert_eq!(early.frame("signal").await, delta(3, "lo 😀"));
    let mut late = world.member().await;
    late.send(&json!({"type": "subscribe", "scope": CONVERSATION, "sub": 1})).await;
    late.frame("subscribed").await;
    assert_eq!(late.next().await.unwrap(), delta(0, "Hello 😀"), "right behind the answer");
    bridge.send(&delta(8, "!")).await;
    assert_eq!(late.frame("signal").await, delta(8, "!"));
    bridge.publish("message.created", "in_1:r:answer", message("Hello 😀!")).await;
    bridge.send(&delta(9, "late")).await;
    bridge.lives().await;
    let mut after = world.member().await;
    after.subscribe(CONVERSATION, 1).await;
    after.lives().await;
    early.lives().await;
    // The run's start may come behind the snapshot, too.
    let mut answer = late.frame("events").await;
    while answer["events"][0]["kind"] == "run.started" {
        answer = late.frame("events").await;
    }
    assert_eq!(answer["events"][0]["data"]["text"], "Hello 😀!");
}

#[tokio::test]
async fn a_stream_of_another_instance_is_refused_and_reaches_nobody() {
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    let foreign = json!({
        "type": "signal",
        "scope": "conversation/in_2:c",
        "kind": "message.delta",
        "data": {"runId": "in_2:r", "offset": 0, "text": "x"},
    });
    bridge.send(&foreign).await;
    assert_eq!(bridge.frame("error").await["error"]["code"], "notOwner");
    bridge.lives().await;
}
