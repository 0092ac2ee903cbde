//! The bridge and its gateway are killed at every step of a message and of a task: each is carried out once, and nobody is
//! told otherwise.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use otter_client_native::bridge::{Batch, BridgeCore, HubCommand};
use otter_client_native::openclaw::{
    CloseReason, DeviceIdentity, GatewayConfig, Generation, Instant, Now, Publish, Secret, Transmit,
    UnixMillis,
};
use otter_client_native::policy::Policy;
use otter_proto::id::{CommandId, InstanceId};
use otter_proto::kind::check_event;
use serde_json::{Value, json};

const T: u64 = 1_795_355_000_000;
const MAIN: &str = "agent:main:main";
const C: &str = "0193-c";
const TASK: &str = "hub:0193-t";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Victim {
    Bridge,
    Gateway,
}

/// A gateway as far as a turn goes: what is in its memory dies with it, what is in its transcript stays.
#[derive(Default)]
struct Gateway {
    boot: u64,
    known: BTreeSet<String>,
    /// Keys whose turn began, in order.
    carried_out: Vec<String>,
    transcript: Vec<Value>,
    /// What the turn under way still has to do, by run.
    work: VecDeque<(String, Step)>,
    /// The run whose prompt is in the transcript and whose answer is not.
    unanswered: Option<String>,
}

#[derive(Clone, Copy)]
enum Step {
    Prompt,
    Begin,
    Answer,
}

impl Gateway {
    fn kill(&mut self) {
        self.boot += 1;
        self.known.clear();
        self.work.clear();
        // A turn that was cut off is taken up by the gateway itself.
        if self.unanswered.take().is_some() {
            let run = format!("resumed-{}", self.boot);
            let prompt = json!({"kind": "internal_system", "sourceTool": "main_session_restart_recovery"});
            let mut row = self.row(&run, "user", &json!("[System] Your previous turn was interrupted"));
            (row["provenance"], row["idempotencyKey"]) = (prompt, json!(format!("{run}:user")));
            self.transcript.push(row);
            self.unanswered = Some(run.clone());
            self.work.extend([(run.clone(), Step::Begin), (run, Step::Answer)]);
        }
    }

    fn row(&self, run: &str, role: &str, content: &Value) -> Value {
        let at = self.transcript.len() as u64 + 1;
        json!({"role": role, "content": content, "timestamp": T + at,
            "__openclaw": {"id": format!("row-{at}"), "runId": run, "transcriptPosition": {"rawSeq": at}}})
    }

    fn is_busy(&self) -> bool {
        !self.work.is_empty()
    }

    fn session(&self) -> Value {
        json!({"key": MAIN, "agentId": "main", "hasActiveRun": self.is_busy(), "sessionId": "s1",
            "updatedAt": T + self.transcript.len() as u64, "snapshotAt": T + self.transcript.len() as u64})
    }

    fn answer(&mut self, method: &str, params: &Value) -> Value {
        match method {
            "connect" => {
                json!({"type": "hello-ok", "protocol": 4, "auth": {"scopes": params["scopes"]},
                    "server": {"version": "2026.9.6", "bootId": format!("b{}", self.boot)}})
            }
            "agents.list" => {
                json!({"defaultId": "main", "mainKey": "main", "agents": [{"id": "main", "name": "Main"}]})
            }
            "sessions.list" => json!({"sessions": [self.session()], "hasMore": false}),
            "chat.history" => {
                json!({"sessionKey": MAIN, "sessionId": "s1", "messages": self.transcript, "hasMore": false,
                    "pendingInputs": {"items": []}, "sessionInfo": self.session()})
            }
            "chat.send" => {
                let key = params["idempotencyKey"].as_str().unwrap().to_owned();
                let status = if self.known.insert(key.clone()) {
                    self.carried_out.push(key.clone());
                    self.work
                        .extend([Step::Prompt, Step::Begin, Step::Answer].map(|step| (key.clone(), step)));
                    "started"
                } else {
                    "in_flight"
                };
                json!({"runId": key, "status": status})
            }
            "exec.approval.list" => json!([]),
            _ => json!({}),
        }
    }

    /// Goes on with the turn under way: the events that tells.
    fn work(&mut self) -> Vec<Value> {
        let Some((run, step)) = self.work.pop_front() else { return Vec::new() };
        let base = json!({"sessionKey": MAIN, "agentId": "main", "runId": run});
        let with = |more: Value| {
            let mut payload = base.clone();
            payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            payload
        };
        let text = json!([{"type": "text", "text": format!("done by {run}")}]);
        match step {
            Step::Prompt => {
                let mut row = self.row(&run, "user", &json!("hello"));
                row["idempotencyKey"] = json!(format!("{run}:user"));
                row["__openclaw"]["senderId"] = json!("gateway-owner");
                self.transcript.push(row.clone());
                self.unanswered = Some(run);
                vec![event("session.message", &with(json!({"sessionId": "s1", "message": row})))]
            }
            Step::Begin => {
                let begin = json!({"stream": "lifecycle", "data": {"phase": "start"}, "isHeartbeat": false});
                vec![event("agent", &with(begin))]
            }
            Step::Answer => {
                let mut row = self.row(&run, "assistant", &text);
                row["stopReason"] = json!("stop");
                self.transcript.push(row);
                self.unanswered = None;
                let end = json!({"state": "final", "message": {"role": "assistant", "content": text}});
                let settled = json!({"sessionKey": MAIN, "session": self.session()});
                vec![event("chat", &with(end)), event("sessions.changed", &settled)]
            }
        }
    }
}

fn event(name: &str, payload: &Value) -> Value {
    json!({"type": "event", "event": name, "payload": payload})
}

/// Both of them, the wire between them, and the bridge's disk.
struct World {
    command: HubCommand,
    gateway: Gateway,
    core: BridgeCore,
    batch: Option<Batch>,
    stored: bool,
    socket: Option<Generation>,
    to_gateway: VecDeque<Value>,
    to_bridge: VecDeque<Value>,
    rows: BTreeMap<String, Value>,
    events: Vec<Publish>,
    now: Now,
    asked: bool,
}

impl World {
    fn new(command: HubCommand) -> Self {
        let rows = BTreeMap::new();
        let now = Now { at: Instant(0), wall: UnixMillis(T) };
        Self {
            command,
            gateway: Gateway { boot: 1, ..Gateway::default() },
            core: core(&rows, now),
            batch: None,
            stored: false,
            socket: None,
            to_gateway: VecDeque::new(),
            to_bridge: VecDeque::new(),
            rows,
            events: Vec::new(),
            now,
            asked: false,
        }
    }

    /// One step of whoever has something to do; false when nobody has.
    fn step(&mut self) -> bool {
        if let Some(batch) = self.batch.take() {
            return self.settle(batch);
        }
        let batch = self.core.take_batch();
        if batch != Batch::default() {
            (self.batch, self.stored) = (Some(batch), false);
            return true;
        }
        if let Some(transmit) = self.core.poll_transmit() {
            self.transmit(transmit);
        } else if let Some(frame) = self.to_gateway.pop_front() {
            let payload = self.gateway.answer(frame["method"].as_str().unwrap(), &frame["params"]);
            self.to_bridge
                .push_back(json!({"type": "res", "id": frame["id"], "ok": true, "payload": payload}));
        } else if let Some(frame) = self.to_bridge.pop_front() {
            let generation = self.socket.unwrap();
            self.core.handle_message(generation, &frame.to_string(), self.now);
        } else if !self.asked && self.core.status().state == "online" {
            self.asked = true;
            self.core.handle_command(self.command.clone(), self.now);
        } else if self.gateway.is_busy() {
            let told = self.gateway.work();
            if self.socket.is_some() {
                self.to_bridge.extend(told);
            }
        } else {
            return self.wait();
        }
        true
    }

    /// A batch goes to disk in one step and is acted on in another.
    fn settle(&mut self, mut batch: Batch) -> bool {
        if self.stored {
            self.core.handle_stored(batch, self.now);
            return true;
        }
        self.events.append(&mut batch.events);
        for (key, value) in batch.rows.drain(..) {
            match value {
                Some(value) => drop(self.rows.insert(key, value)),
                None => drop(self.rows.remove(&key)),
            }
        }
        (self.batch, self.stored) = (Some(batch), true);
        true
    }

    fn transmit(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Open(generation) => {
                self.socket = Some(generation);
                self.core.handle_opened(generation, self.now);
                let nonce = json!({"nonce": "n", "ts": self.now.wall.0});
                self.to_bridge.push_back(event("connect.challenge", &nonce));
            }
            Transmit::Send(generation, text) if self.socket == Some(generation) => {
                self.to_gateway.push_back(serde_json::from_str(&text).unwrap());
            }
            Transmit::Send(..) | Transmit::Close(..) => {}
        }
    }

    /// Time passes until somebody has something to do, less than a minute in all.
    fn wait(&mut self) -> bool {
        let Some(due) = self.core.poll_timeout().filter(|due| due.0 < 50_000) else { return false };
        let passed = due.0.saturating_sub(self.now.at.0).max(1);
        self.now = Now { at: Instant(self.now.at.0 + passed), wall: UnixMillis(self.now.wall.0 + passed) };
        self.core.handle_timeout(self.now);
        true
    }

    fn kill(&mut self, victim: Victim) {
        self.to_gateway.clear();
        self.to_bridge.clear();
        let socket = self.socket.take();
        match victim {
            Victim::Bridge => {
                self.batch = None;
                self.core = core(&self.rows, self.now);
                // The hub hands over again what has not ended.
                self.asked =
                    self.ends().last().is_some_and(|stage| stage != "received" && stage != "started");
            }
            Victim::Gateway => {
                self.gateway.kill();
                if let Some(socket) = socket {
                    let why = CloseReason { code: 1006, reason: String::new() };
                    self.core.handle_closed(socket, &why, self.now);
                }
            }
        }
    }

    fn of(&self, kind: &str, subject: &str) -> Vec<&Value> {
        let is_it = |event: &&Publish| event.kind == kind && event.subject.as_str() == subject;
        self.events.iter().filter(is_it).map(|event| &event.data).collect()
    }

    fn ends(&self) -> Vec<String> {
        self.of("command.updated", C).iter().map(|data| data["stage"].as_str().unwrap().to_owned()).collect()
    }

    fn deliveries(&self) -> Vec<&str> {
        let prompt = format!("in_test:{C}:user");
        let told = self.of("message.deliveryChanged", &prompt);
        told.iter().map(|data| data["delivery"]["state"].as_str().unwrap()).collect()
    }
}

fn core(rows: &BTreeMap<String, Value>, now: Now) -> BridgeCore {
    let mut config = GatewayConfig::new("ws://127.0.0.1:18789");
    config.credentials.token = Some(Secret::new("shared"));
    let instance = InstanceId::new("in_test").unwrap();
    let identity = DeviceIdentity::from_seed(&[7; 32]);
    BridgeCore::new(instance, Policy::default(), config, identity, None, rows.clone(), now)
}

fn command(kind: &str, mut data: Value) -> HubCommand {
    data["conversationId"] = json!("in_test:nwjbp7txy7yr3hgjskvl5anc2c");
    HubCommand {
        id: CommandId::new(C).unwrap(),
        kind: kind.into(),
        data,
        by: json!({"type": "member", "id": "mb_1", "name": "Ada"}),
        ttl: Duration::from_mins(30),
        cancel: false,
    }
}

/// Runs the command, with a kill before a step; also the number of steps that it took until all was quiet.
fn played(command: &HubCommand, kill: Option<(usize, Victim)>) -> (World, usize) {
    let mut world = World::new(command.clone());
    for steps in 0..20_000 {
        if let Some((_, victim)) = kill.filter(|(at, _)| *at == steps) {
            world.kill(victim);
        }
        if !world.step() {
            return (world, steps);
        }
    }
    panic!("it never ends");
}

fn check(world: &World, label: &str) {
    let times = world.gateway.carried_out.iter().filter(|key| *key == C).count();
    let rows = |suffix: &str| {
        let key = format!("{C}{suffix}");
        world.gateway.transcript.iter().filter(|row| row["idempotencyKey"] == key.as_str()).count()
    };
    let (ends, deliveries) = (world.ends(), world.deliveries());
    assert_eq!(
        ends.iter().filter(|end| *end != "received").collect::<BTreeSet<_>>().len(),
        1,
        "{label}: {ends:?}"
    );
    assert!(rows(":user") <= 1, "{label}: it was said twice");
    match deliveries.last() {
        // Taken by a boot that died before it wrote it down: shown as failed, and never tried again.
        Some(&"failed") => assert_eq!((rows(":user"), times), (0, 1), "{label}"),
        Some(&"delivered") => assert_eq!(rows(":user"), 1, "{label}: {deliveries:?}"),
        other => panic!("{label}: it ends as {other:?}, {ends:?}"),
    }
    for event in &world.events {
        assert_eq!(check_event(event.kind, &event.data.to_string()), Some(Ok(())), "{label}: {event:?}");
    }
    let open = |event: &&Publish| event.kind == "run.started";
    for run in world.events.iter().filter(open).map(|event| event.subject.as_str()) {
        let ends = ["run.completed", "run.failed", "run.aborted"];
        let ended: usize = ends.iter().map(|kind| world.of(kind, run).len()).sum();
        assert_eq!(ended, 1, "{label}: the end of {run}");
    }
}

#[test]
fn a_message_is_carried_out_once_whoever_is_killed_and_whenever() {
    let say = command("message.send", json!({"text": "hello"}));
    let (_, steps) = played(&say, None);
    assert!(steps > 20, "{steps} points");
    for (victim, ends) in [(Victim::Bridge, &["delivered"][..]), (Victim::Gateway, &["delivered", "failed"])]
    {
        let mut seen = BTreeSet::new();
        for at in 0..steps {
            let (world, _) = played(&say, Some((at, victim)));
            check(&world, &format!("{victim:?} killed before step {at}"));
            seen.extend(world.deliveries().last().map(|end| (*end).to_owned()));
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ends, "only a gateway can lose what it took");
    }
}

#[test]
fn a_task_is_carried_out_once_and_comes_to_an_end_whoever_is_killed_and_whenever() {
    let hand = command("task.dispatch", json!({"taskId": TASK, "text": "hello"}));
    let (_, steps) = played(&hand, None);
    assert!(steps > 20, "{steps} points");
    for victim in [Victim::Bridge, Victim::Gateway] {
        for at in 0..steps {
            let (world, _) = played(&hand, Some((at, victim)));
            let label = format!("{victim:?} killed before step {at}");
            check(&world, &label);
            let moves = world.of("task.upserted", TASK);
            let told: Vec<&str> = moves.iter().map(|data| data["status"].as_str().unwrap()).collect();
            let end = if world.deliveries().last() == Some(&"failed") { "failed" } else { "done" };
            assert_eq!(told.last(), Some(&end), "{label}: {told:?}");
            let ends = told.iter().filter(|status| matches!(**status, "done" | "failed")).count();
            assert_eq!(ends, 1, "{label}: {told:?}");
        }
    }
}
