use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use otter_client_native::{Client, CommandOutcome, CommandRequest, Store};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::hub::{Lane, builder, pair, welcome};

fn command(id: &str, kind: &str, more: &Value) -> Value {
    let mut frame = json!({"type": "command", "id": id, "kind": kind, "data": {"text": "hi"},
        "by": {"type": "member", "id": "mb_1"}, "ttlMs": 60_000, "cancel": false});
    for (key, value) in more.as_object().unwrap() {
        frame[key] = value.clone();
    }
    frame
}

fn stages(publish: &Value) -> Vec<String> {
    let events = publish["events"].as_array().unwrap();
    let stage = |event: &Value| {
        format!("{} {}", event["subject"].as_str().unwrap(), event["data"]["stage"].as_str().unwrap())
    };
    events.iter().map(stage).collect()
}

async fn until(peer: &mut crate::hub::Peer, lane: &mut Lane, last: &str) -> Vec<String> {
    let mut all = Vec::new();
    while all.last().map(String::as_str) != Some(last) {
        all.extend(stages(&peer.take(lane).await));
    }
    all
}

#[tokio::test]
async fn a_command_is_carried_out_once_and_repeats_its_end_when_it_is_dispatched_again() {
    let runs = Arc::new(AtomicU32::new(0));
    let (mut hub, transport) = pair();
    let counted = Arc::clone(&runs);
    let handler = move |_: Client, request: CommandRequest| {
        assert_eq!(
            (request.kind.as_str(), &request.data, request.again),
            ("message.send", &json!({"text": "hi"}), false)
        );
        counted.fetch_add(1, Ordering::SeqCst);
        async { CommandOutcome::Completed(Some("ok".to_owned())) }
    };
    let client = builder(transport).handler(handler).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    peer.say(&command("c1", "message.send", &json!({}))).await;
    assert_eq!(until(&mut peer, &mut lane, "c1 completed").await, ["c1 received", "c1 completed"]);
    peer.say(&command("c1", "message.send", &json!({}))).await;
    assert_eq!(until(&mut peer, &mut lane, "c1 completed").await, ["c1 completed"]);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    client.shutdown().await;
}

#[tokio::test]
async fn what_is_called_off_is_not_begun() {
    let (mut hub, transport) = pair();
    let handler = |_: Client, _: CommandRequest| async { panic!("not to be begun") };
    let client = builder(transport).handler(handler).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    peer.say(&command("c1", "message.send", &json!({"cancel": true}))).await;
    assert_eq!(until(&mut peer, &mut lane, "c1 cancelled").await, ["c1 cancelled"]);
    peer.say(&command("c1", "message.send", &json!({}))).await;
    assert_eq!(until(&mut peer, &mut lane, "c1 cancelled").await, ["c1 cancelled"]);
    client.shutdown().await;
}

#[tokio::test]
async fn after_a_crash_a_safe_command_is_repeated_and_an_unsafe_one_is_unknown() {
    let store = Store::in_memory().unwrap();
    let mut lane = Lane::default();
    {
        let (mut hub, transport) = pair();
        let handler = |_: Client, _: CommandRequest| std::future::pending();
        let client = builder(transport).store(store.clone()).handler(handler).start().unwrap();
        let (mut peer, _) = welcome(&mut hub, &lane).await;
        peer.say(&command("c1", "message.send", &json!({}))).await;
        peer.say(&command("c2", "x.acme.deploy", &json!({}))).await;
        let said = until(&mut peer, &mut lane, "c2 started").await;
        assert_eq!(said, ["c1 received", "c2 received", "c2 started"]);
        client.shutdown().await;
    }
    let (mut hub, transport) = pair();
    let handler = |_: Client, request: CommandRequest| async move {
        assert!(request.again);
        CommandOutcome::completed()
    };
    let client = builder(transport).store(store).handler(handler).start().unwrap();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    let mut said = Vec::new();
    while said.len() < 2 {
        said.extend(stages(&peer.take(&mut lane).await));
    }
    said.sort();
    assert_eq!(said, ["c1 completed", "c2 outcomeUnknown"]);
    client.shutdown().await;
}

#[tokio::test]
async fn an_answer_of_thirty_megabytes_is_cut_and_the_command_ends() {
    let (mut hub, transport) = pair();
    let handler = |_: Client, _: CommandRequest| async { CommandOutcome::answered("é".repeat(15 << 20)) };
    let client = builder(transport).handler(handler).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    peer.say(&command("c1", "x.acme.dump", &json!({}))).await;
    let mut ended = None;
    while ended.is_none() {
        let publish = peer.take(&mut lane).await;
        ended = publish["events"]
            .as_array()
            .unwrap()
            .iter()
            .find(|event| event["data"]["stage"] == "completed")
            .cloned();
    }
    let kept = ended.unwrap()["data"]["result"].as_str().unwrap().to_owned();
    assert_eq!((kept.len(), kept.chars().all(|character| character == 'é')), (256 << 10, true));
    client.shutdown().await;
}
