//! The bridge over real sockets: a scripted gateway at one end, a hub in memory at the other.

#![allow(clippy::unwrap_used, reason = "support code of tests may panic")]

mod doctor;
mod gateway;
mod hub;
mod kills;
#[allow(
    clippy::expect_used,
    clippy::duration_suboptimal_units,
    reason = "shared with the tests of the client"
)]
#[path = "../client/hub.rs"]
mod peer;
mod whole;

use std::time::Duration;

use otter_client_native::bridge::{BridgeCore, Clock, HubCommand, HubEvent, run};
use otter_client_native::openclaw::{DeviceIdentity, GatewayConfig, Secret, TokenStore};
use otter_client_native::policy::Policy;
use otter_proto::id::{CommandId, InstanceId};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use gateway::Gateway;
use hub::{FullHub, Memory, MemoryHub};

/// A bridge between a gateway and a hub in memory.
struct Bridge {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    commands: tokio::sync::mpsc::Sender<HubEvent>,
    _folder: tempfile::TempDir,
}

impl Bridge {
    fn start(gateway: &Gateway, memory: &Memory, policy: Policy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = GatewayConfig::new(gateway.url.clone());
        config.credentials.token = Some(Secret::new("shared"));
        config.scopes = policy.scopes();
        let (clock, stop) = (Clock::start(), CancellationToken::new());
        let instance = InstanceId::new("in_test").unwrap();
        let identity = DeviceIdentity::from_seed(&[7; 32]);
        let core = BridgeCore::new(instance, policy, config, identity, None, memory.rows(), clock.now());
        let tokens = TokenStore::open(&folder.path().join("tokens.json")).unwrap();
        let (commands, hub) = MemoryHub::new(memory.clone());
        let (url, token) = (gateway.url.clone(), stop.clone());
        let task = tokio::spawn(async move { run(core, url, tokens, hub, clock, token).await.unwrap() });
        Self { stop, task, commands, _folder: folder }
    }

    async fn send(&self, id: &str, text: &str) {
        let conversation = "in_test:nwjbp7txy7yr3hgjskvl5anc2c";
        let command = HubCommand {
            id: CommandId::new(id).unwrap(),
            kind: "message.send".into(),
            data: json!({"conversationId": conversation, "text": text}),
            by: json!({"type": "member", "id": "mb_1", "name": "Ada"}),
            ttl: Duration::from_mins(1),
            cancel: false,
        };
        self.commands.send(HubEvent::Command(command)).await.unwrap();
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn a_message_goes_out_and_its_answer_comes_back() {
    let gateway = Gateway::start("b1").await;
    let memory = Memory::default();
    let bridge = Bridge::start(&gateway, &memory, Policy::default());
    memory.until(|memory| memory.has("instance.updated", "/gateway/state", &json!("online"))).await;
    bridge.send("c1", "hello").await;
    memory.until(|memory| memory.has("run.completed", "/state", &json!("completed"))).await;
    let answer = memory.data("message.created", "in_test:c1:answer").unwrap();
    assert_eq!((&answer["text"], &answer["status"]), (&json!("You said hello."), &json!("complete")));
    assert_eq!(memory.signals(), [json!({"runId": "in_test:c1", "offset": 0, "text": "You said"})]);
    let headers = gateway.headers();
    assert!(
        headers.iter().all(|name| !name.starts_with("x-forwarded") && name != "forwarded"),
        "{headers:?}"
    );
    bridge.end().await;
}

#[tokio::test]
async fn the_journal_is_stored_before_the_gateway_is_asked_and_a_crash_repeats_the_key() {
    let gateway = Gateway::start("b1").await;
    gateway.swallow("chat.send", true);
    let memory = Memory::default();
    let bridge = Bridge::start(&gateway, &memory, Policy::default());
    memory.until(|memory| memory.has("instance.updated", "/gateway/state", &json!("online"))).await;
    bridge.send("c1", "hello").await;
    gateway.until_asked("chat.send", 1).await;
    let attempted = memory.row("command/c1").unwrap();
    assert_eq!(attempted["stage"], json!({"stage": "attempted", "boot": "b1"}));
    // A crash: nothing of the process is left but what it stored.
    bridge.task.abort();
    gateway.swallow("chat.send", false);
    let bridge = Bridge::start(&gateway, &memory, Policy::default());
    memory.until(|memory| memory.has("run.completed", "/state", &json!("completed"))).await;
    let keys: Vec<Value> =
        gateway.asked("chat.send").iter().map(|params| params["idempotencyKey"].clone()).collect();
    assert_eq!(keys, [json!("c1"), json!("c1")]);
    bridge.end().await;
}

#[tokio::test]
async fn the_local_policy_decides_what_the_hub_may_ask() {
    let gateway = Gateway::start("b1").await;
    let memory = Memory::default();
    let policy =
        Policy { commands: Some(Vec::new()), gateway_scopes: vec!["read".into()], ..Policy::default() };
    let bridge = Bridge::start(&gateway, &memory, policy);
    memory.until(|memory| memory.has("instance.updated", "/gateway/state", &json!("online"))).await;
    bridge.send("c1", "hello").await;
    memory.until(|memory| memory.has("command.updated", "/stage", &json!("rejected"))).await;
    assert_eq!(memory.data("command.updated", "c1").unwrap()["error"]["code"], "forbidden");
    assert_eq!(
        (gateway.asked("chat.send").len(), gateway.asked("connect")[0]["scopes"].clone()),
        (0, json!(["operator.read"]))
    );
    bridge.end().await;
}

#[tokio::test]
async fn a_gateway_that_breaks_off_is_found_again() {
    let gateway = Gateway::start("b1").await;
    let memory = Memory::default();
    let bridge = Bridge::start(&gateway, &memory, Policy::default());
    memory.until(|memory| memory.has("instance.updated", "/gateway/state", &json!("online"))).await;
    gateway.cut();
    memory.until(|memory| memory.has("instance.updated", "/gateway/state", &json!("offline"))).await;
    memory.until(|memory| memory.count("instance.updated", "/gateway/state", &json!("online")) == 2).await;
    bridge.end().await;
}

#[tokio::test]
async fn a_bridge_whose_outbox_is_full_stops_when_it_is_told_to() {
    let gateway = Gateway::start("b1").await;
    let folder = tempfile::tempdir().unwrap();
    let (clock, stop) = (Clock::start(), CancellationToken::new());
    let (instance, identity) = (InstanceId::new("in_test").unwrap(), DeviceIdentity::from_seed(&[7; 32]));
    let config = GatewayConfig::new(gateway.url.clone());
    let core = BridgeCore::new(instance, Policy::default(), config, identity, None, [], clock.now());
    let tokens = TokenStore::open(&folder.path().join("tokens.json")).unwrap();
    let (asked, mut is_asked) = tokio::sync::mpsc::channel(16);
    let hub = FullHub { stop: stop.clone(), asked };
    let running = tokio::spawn(run(core, gateway.url.clone(), tokens, hub, clock, stop.clone()));
    is_asked.recv().await.unwrap();
    stop.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(20), running).await;
    ended.unwrap().unwrap().unwrap();
}
