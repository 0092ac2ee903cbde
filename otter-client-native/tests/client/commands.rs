use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use otter_client_native::{Client, ClientStatus, CommandOutcome, CommandRequest, JournalStage, Store};
use otter_proto::connection::client::CommandState;
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::id::CommandId;
use otter_proto::kind::{CommandStage, check_event};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

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

#[tokio::test(start_paused = true)]
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

/// The data of the event with which a command ends.
async fn end_of(peer: &mut crate::hub::Peer, lane: &mut Lane, id: &str) -> Value {
    loop {
        let publish = peer.take(lane).await;
        let ends = ["completed", "failed", "rejected", "cancelled", "expired", "outcomeUnknown"];
        let is_end = |event: &&Value| ends.iter().any(|end| event["data"]["stage"] == *end);
        let mut events = publish["events"].as_array().unwrap().iter().filter(is_end);
        if let Some(event) = events.find(|event| event["subject"] == id) {
            assert_eq!(check_event("command.updated", &event["data"].to_string()), Some(Ok(())), "{event}");
            return event["data"].clone();
        }
    }
}

#[tokio::test]
async fn a_command_whose_handler_panics_ends_and_the_others_go_on() {
    let (mut hub, transport) = pair();
    let handler = |_: Client, request: CommandRequest| {
        // One falls before it has given its future, one in the middle of it.
        assert_ne!(request.id.as_str(), "c1", "no such thing");
        async move {
            assert_ne!(request.id.as_str(), "c2", "half done");
            CommandOutcome::completed()
        }
    };
    let client = builder(transport).handler(handler).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    for id in ["c1", "c2"] {
        peer.say(&command(id, "x.acme.deploy", &json!({}))).await;
        let end = end_of(&mut peer, &mut lane, id).await;
        assert_eq!((&end["stage"], &end["error"]["code"]), (&json!("outcomeUnknown"), &json!("panicked")));
    }
    peer.say(&command("c3", "x.acme.deploy", &json!({}))).await;
    assert_eq!(end_of(&mut peer, &mut lane, "c3").await, json!({"stage": "completed"}));
    // It is over here, too.
    peer.say(&command("c1", "x.acme.deploy", &json!({}))).await;
    assert_eq!(until(&mut peer, &mut lane, "c1 outcomeUnknown").await, ["c1 outcomeUnknown"]);
    client.shutdown().await;
}

#[tokio::test]
async fn an_answer_that_grows_on_the_wire_is_cut_and_the_command_ends() {
    let (mut hub, transport) = pair();
    let handler = |_: Client, _: CommandRequest| async { CommandOutcome::answered("\u{1}".repeat(250_000)) };
    let client = builder(transport).handler(handler).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    peer.say(&command("c1", "x.acme.dump", &json!({}))).await;
    let end = end_of(&mut peer, &mut lane, "c1").await;
    assert_eq!(
        (&end["stage"], end["result"].as_str().unwrap().len()),
        (&json!("completed"), (256 << 10) / 6)
    );
    client.shutdown().await;
}

/// A handler that counts how often it is called and ends when it is let go.
fn held(calls: &Arc<AtomicU32>, gate: &Arc<Semaphore>) -> impl otter_client_native::CommandHandler + use<> {
    let (calls, gate) = (Arc::clone(calls), Arc::clone(gate));
    move |_: Client, _: CommandRequest| {
        let gate = Arc::clone(&gate);
        calls.fetch_add(1, Ordering::SeqCst);
        async move {
            gate.acquire_owned().await.unwrap().forget();
            CommandOutcome::completed()
        }
    }
}

#[tokio::test]
async fn a_command_that_waits_for_its_turn_can_be_called_off() {
    let (calls, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let (mut hub, transport) = pair();
    let client = builder(transport).handler(held(&calls, &gate)).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    for n in 1..=17 {
        peer.say(&command(&format!("c{n}"), "message.send", &json!({}))).await;
        until(&mut peer, &mut lane, &format!("c{n} received")).await;
    }
    peer.say(&command("c17", "message.send", &json!({"cancel": true}))).await;
    assert_eq!(until(&mut peer, &mut lane, "c17 cancelled").await, ["c17 cancelled"]);
    // One that has begun is not called off any more.
    while calls.load(Ordering::SeqCst) < 16 {
        tokio::task::yield_now().await;
    }
    peer.say(&command("c1", "message.send", &json!({"cancel": true}))).await;
    gate.add_permits(16);
    let mut said = Vec::new();
    while said.len() < 16 {
        said.extend(stages(&peer.take(&mut lane).await));
    }
    assert!(said.iter().all(|stage| stage.ends_with(" completed")), "{said:?}");
    client.shutdown().await;
    assert_eq!(calls.load(Ordering::SeqCst), 16);
}

/// The hub hands over what it sent already, however late it is.
#[tokio::test]
async fn what_comes_when_its_time_is_over_expires_and_is_not_begun() {
    let (mut hub, transport) = pair();
    let handler = |_: Client, _: CommandRequest| async { panic!("not to be begun") };
    let client = builder(transport).handler(handler).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    for (id, kind) in [("c1", "message.send"), ("c2", "x.acme.deploy")] {
        for _ in 0..2 {
            peer.say(&command(id, kind, &json!({"ttlMs": 0}))).await;
            let expired = format!("{id} expired");
            assert_eq!(until(&mut peer, &mut lane, &expired).await, [expired.as_str()]);
        }
    }
    client.shutdown().await;
}

/// The wall clock of the machine stands still here.
#[tokio::test(start_paused = true)]
async fn a_command_that_waits_too_long_for_its_turn_expires() {
    let (calls, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let (mut hub, transport) = pair();
    let client = builder(transport).handler(held(&calls, &gate)).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    for n in 1..=17 {
        let ttl = if n == 17 { 1_000 } else { 60_000 };
        peer.say(&command(&format!("c{n}"), "message.send", &json!({"ttlMs": ttl}))).await;
        until(&mut peer, &mut lane, &format!("c{n} received")).await;
    }
    while calls.load(Ordering::SeqCst) < 16 {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    gate.add_permits(17);
    let mut said = Vec::new();
    while said.len() < 17 {
        said.extend(stages(&peer.take(&mut lane).await));
    }
    said.sort();
    let mut expected: Vec<String> = (1..=16).map(|n| format!("c{n} completed")).collect();
    expected.push("c17 expired".to_owned());
    expected.sort();
    assert_eq!(said, expected);
    client.shutdown().await;
    assert_eq!(calls.load(Ordering::SeqCst), 16);
}

#[tokio::test]
async fn a_shutdown_waits_for_what_was_begun_and_begins_nothing_more() {
    let (calls, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
    let (mut hub, transport) = pair();
    let store = Store::in_memory().unwrap();
    let client = builder(transport).store(store.clone()).handler(held(&calls, &gate)).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    for n in 1..=17 {
        peer.say(&command(&format!("c{n}"), "x.acme.deploy", &json!({}))).await;
        let stage = if n == 17 { "received" } else { "started" };
        until(&mut peer, &mut lane, &format!("c{n} {stage}")).await;
    }
    let ended = tokio::spawn({
        let client = client.clone();
        async move { client.shutdown().await }
    });
    tokio::task::yield_now().await;
    assert!(!ended.is_finished());
    gate.add_permits(20);
    ended.await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 16);
    let stage = |id: &str| {
        let id = CommandId::new(id).unwrap();
        let row = store.transaction::<_, otter_client_native::StoreError>(|tx| tx.journal(&id)).unwrap();
        row.map(|row| row.stage)
    };
    assert!(matches!(stage("c1"), Some(JournalStage::Done(end)) if end.stage == CommandStage::Completed));
    assert_eq!(stage("c17"), None, "the hub dispatches it again");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_ever_not_even_for_itself() {
    let (mut hub, transport) = pair();
    let store = Store::in_memory().unwrap();
    let handler = |client: Client, _: CommandRequest| async move {
        client.shutdown().await;
        CommandOutcome::completed()
    };
    let client = builder(transport).store(store.clone()).handler(handler).start().unwrap();
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    peer.say(&command("c1", "x.acme.deploy", &json!({}))).await;
    until(&mut peer, &mut lane, "c1 started").await;
    let before = tokio::time::Instant::now();
    client.shutdown().await;
    assert!(before.elapsed() < Duration::from_secs(15), "{:?}", before.elapsed());
    let begun = store.transaction::<_, otter_client_native::StoreError>(|tx| tx.begun_commands()).unwrap();
    assert_eq!(begun.len(), 1, "the next start says that nobody knows what became of it");
}

#[tokio::test]
async fn a_command_that_no_message_may_hold_is_refused_here() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let (mut peer, _) = welcome(&mut hub, &Lane::default()).await;
    client.principal().await.unwrap();
    let mut long = client.command("x.acme.log", &json!({"lines": "x".repeat(1 << 20)})).await.unwrap();
    let state = long.state.wait_for(|state| *state != CommandState::Held).await.unwrap().clone();
    let error = ErrorBody::new(ErrorCode::TooLarge, "a command has at most 1048576 bytes in all");
    assert_eq!(state, CommandState::Refused(error));
    let short = client.command("x.acme.log", &json!({"lines": "x"})).await.unwrap();
    assert_eq!(peer.next("command").await["id"], json!(short.id.as_str()));
    client.shutdown().await;
}

#[tokio::test]
async fn a_wall_clock_that_is_wrong_by_hours_is_heard_of_with_the_next_answered_probe() {
    let (mut hub, transport) = pair();
    let client = builder(transport).start().unwrap();
    let (mut peer, _) = welcome(&mut hub, &Lane::default()).await;
    client.principal().await.unwrap();
    let mut status = client.status();
    let before = status.borrow_and_update().server_offset_ms.unwrap();
    let probe = peer.next("probe").await["n"].clone();
    // For the offset it is the same whether the hub's clock moved or the one here.
    let later = json!({"type": "probed", "n": probe, "serverTime": "2026-11-22T17:00:00.000Z"});
    peer.say(&later).await;
    let moved = |status: &ClientStatus| status.server_offset_ms.unwrap() - before > 3_590_000;
    status.wait_for(moved).await.unwrap();
    assert_eq!(client.now().0 / 60_000, 1_795_366_800_000 / 60_000);
    client.shutdown().await;
}
