//! The bridge on its real client: a scripted gateway at one end, a scripted hub at the other.

use std::path::Path;
use std::time::Duration;

use otter_client_native::bridge::{BridgeCore, ClientHub, Clock, GATEWAY_ROW, run};
use otter_client_native::openclaw::{DeviceIdentity, GatewayConfig, Secret, TokenStore};
use otter_client_native::policy::Policy;
use otter_client_native::{StateDir, Store};
use otter_proto::frame::Lane as WireLane;
use otter_proto::id::InstanceId;
use otter_proto::publish::{Outbox as _, RestateReason};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::gateway::Gateway;
use crate::peer::{Lane, Peer, builder, pair, welcome};

const CONVERSATION: &str = "in_1:nwjbp7txy7yr3hgjskvl5anc2c";

/// Starts a bridge in a state folder, as a process would.
fn start(
    gateway: &Gateway,
    transport: otter_client_native::transport::MemoryTransport,
    folder: &Path,
) -> (Store, CancellationToken, JoinHandle<()>) {
    let store = Store::open(&StateDir::open(folder).unwrap()).unwrap();
    let (client, events) = builder(transport).store(store.clone()).start_with_events().unwrap();
    let mut config = GatewayConfig::new(gateway.url.clone());
    config.credentials.token = Some(Secret::new("shared"));
    let instance = InstanceId::new("in_1").unwrap();
    let rows = store.states("").unwrap().into_iter();
    let rows: Vec<(String, Value)> =
        rows.map(|(key, text)| (key, serde_json::from_str(&text).unwrap())).collect();
    let (clock, stop) = (Clock::start(), CancellationToken::new());
    let identity = DeviceIdentity::from_seed(&[7; 32]);
    let core =
        BridgeCore::new(instance.clone(), Policy::default(), config, identity, None, rows, clock.now());
    let tokens = TokenStore::open(&folder.join("tokens.json")).unwrap();
    let (url, token, end) = (gateway.url.clone(), stop.clone(), stop.clone());
    let task = tokio::spawn(async move {
        let hub = ClientHub::new(client, events, instance, end);
        run(core, url, tokens, hub, clock, token).await.unwrap();
    });
    (store, stop, task)
}

/// Publishes taken until one holds an event of this kind; all events so far.
async fn until(peer: &mut Peer, lane: &mut Lane, kind: &str) -> Vec<(String, String)> {
    let mut seen = Vec::new();
    while !seen.iter().any(|(seen, _)| seen == kind) {
        let publish = peer.take(lane).await;
        let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
        let events = publish["events"].as_array().unwrap();
        seen.extend(events.iter().map(|event| (text(event, "kind"), text(event, "subject"))));
    }
    seen
}

#[tokio::test]
async fn a_command_of_the_hub_becomes_a_turn_and_its_answer_an_event() {
    let gateway = Gateway::start("b1").await;
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, transport) = pair();
    let (store, stop, task) = start(&gateway, transport, folder.path());
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    until(&mut peer, &mut lane, "conversation.upserted").await;
    peer.say(&json!({"type": "command", "id": "c1", "kind": "message.send", "ttlMs": 60000, "cancel": false,
        "data": {"conversationId": CONVERSATION, "text": "hello"}, "by": {"type": "member", "id": "mb_1", "name": "Ada"}}))
        .await;
    let told = until(&mut peer, &mut lane, "run.completed").await;
    let told: Vec<(&str, &str)> =
        told.iter().map(|(kind, subject)| (kind.as_str(), subject.as_str())).collect();
    assert_eq!(
        told,
        [
            ("command.updated", "c1"),
            ("command.updated", "c1"),
            ("message.deliveryChanged", "in_1:c1:user"),
            ("message.created", "in_1:c1:user"),
            ("message.deliveryChanged", "in_1:c1:user"),
            ("run.started", "in_1:c1"),
            ("message.created", "in_1:c1:answer"),
            ("run.completed", "in_1:c1"),
        ]
    );
    let gateway_row: Value = serde_json::from_str(&store.state(GATEWAY_ROW).unwrap().unwrap()).unwrap();
    assert_eq!(gateway_row["state"], "online");
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn what_happens_while_the_hub_is_away_reaches_it_later_once() {
    let gateway = Gateway::start("b1").await;
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, transport) = pair();
    let (store, stop, task) = start(&gateway, transport, folder.path());
    let online = |text: String| text.contains("\"online\"");
    while !store.state(GATEWAY_ROW).unwrap().is_some_and(online) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    gateway.turn("outside", "said elsewhere");
    while !store.states("observed/meta").unwrap().iter().any(|(_, text)| text.contains("outside")) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut lane = Lane::default();
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    let told = until(&mut peer, &mut lane, "run.completed").await;
    let answers = told.iter().filter(|(_, subject)| subject == "in_1:outside:answer").count();
    assert_eq!(answers, 1);
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn the_bridge_says_at_once_and_again_that_it_is_alive_and_what_waits() {
    let gateway = Gateway::start("b1").await;
    let folder = tempfile::tempdir().unwrap();
    let (mut hub, transport) = pair();
    let (_store, stop, task) = start(&gateway, transport, folder.path());
    let (mut peer, _) = welcome(&mut hub, &Lane::default()).await;
    let beat = peer.next("signal").await;
    assert_eq!((&beat["scope"], &beat["kind"]), (&json!("org"), &json!("instance.heartbeat")));
    let data = beat["data"].to_string();
    assert_eq!(otter_proto::kind::check_signal("instance.heartbeat", &data), Some(Ok(())), "{data}");
    assert_eq!((&beat["data"]["instanceId"], &beat["data"]["outbox"]["dead"]), (&json!("in_1"), &json!(0)));
    stop.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn what_is_owed_after_an_adoption_or_a_kill_is_published_again_and_only_once() {
    let gateway = Gateway::start("b1").await;
    let folder = tempfile::tempdir().unwrap();
    let mut lane = Lane::default();
    {
        let (mut hub, transport) = pair();
        let (_store, stop, task) = start(&gateway, transport, folder.path());
        let (mut peer, _) = welcome(&mut hub, &lane).await;
        until(&mut peer, &mut lane, "conversation.upserted").await;
        stop.cancel();
        task.await.unwrap();
    }
    // `adopt` was welcomed, began another epoch and ended; or the process was killed right then.
    {
        let mut store = open(folder.path()).await;
        store.renew(WireLane::Main, 2, lane.up_to, RestateReason::OutboxIsOld).unwrap();
    }
    let (mut hub, transport) = pair();
    let (store, stop, task) = start(&gateway, transport, folder.path());
    let mut lane = Lane { epoch: 2, ..Lane::default() };
    let (mut peer, _) = welcome(&mut hub, &lane).await;
    let seen = until(&mut peer, &mut lane, "conversation.upserted").await;
    assert!(seen.iter().any(|(kind, _)| kind == "agent.upserted"), "{seen:?}");
    assert_eq!(store.to_restate().unwrap(), []);
    stop.cancel();
    task.await.unwrap();
}

/// The store of a bridge that has just ended, as soon as it is free.
async fn open(folder: &Path) -> Store {
    loop {
        match StateDir::open(folder) {
            Ok(dir) => return Store::open(&dir).unwrap(),
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
