//! Many readers on real sockets and threads, who come, go, pause and resume while a bridge publishes.

use std::collections::BTreeMap;
use std::sync::Arc;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

use super::harness::{LONG, Peer, World, event, message, publish};
use otter_server::hub::HubConfig;

const SCOPES: [&str; 4] = ["org", "conversation/in_1:c", "conversation/in_1:d", "conversation/in_1:e"];

/// A client by the book: forty lines, as the protocol promises.
struct Reader {
    peer: Peer,
    seed: u64,
    epoch: String,
    pos: BTreeMap<String, u64>,
    live: BTreeMap<String, u64>,
    next_sub: u64,
    frames: u64,
    applied: u64,
    resumed: u64,
}

impl Reader {
    async fn connect(world: &World, seed: u64) -> Self {
        let peer = world.member().await;
        let mut reader = Self {
            peer,
            seed,
            epoch: String::new(),
            pos: BTreeMap::new(),
            live: BTreeMap::new(),
            next_sub: 1,
            frames: 0,
            applied: 0,
            resumed: 0,
        };
        for scope in SCOPES {
            reader.subscribe(scope).await;
        }
        reader
    }

    fn dice(&mut self, limit: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % limit
    }

    async fn subscribe(&mut self, scope: &str) {
        self.live.remove(scope);
        let mut ask = json!({"type": "subscribe", "scope": scope, "sub": self.next_sub});
        if let Some(pos) = self.pos.get(scope) {
            ask["epoch"] = self.epoch.clone().into();
            ask["pos"] = (*pos).into();
        }
        self.live.insert(scope.to_owned(), self.next_sub << 1);
        self.next_sub += 1;
        self.peer.send(&ask).await;
    }

    async fn reconnect(&mut self, world: &World) {
        self.peer = world.member().await;
        (self.frames, self.next_sub) = (0, 1);
        for scope in SCOPES {
            self.subscribe(scope).await;
        }
    }

    /// Whether frames of this scope count: its newest subscription was answered.
    fn is_answered(&self, scope: &str) -> bool {
        self.live.get(scope).is_some_and(|state| state & 1 == 1)
    }

    async fn take(&mut self) {
        let frame = self.peer.next().await.expect("the hub does not close anybody here");
        let scope = frame["scope"].as_str().unwrap_or_default().to_owned();
        match frame["type"].as_str().unwrap() {
            "subscribed" => {
                let state = self.live.get_mut(&scope).unwrap();
                if frame["sub"].as_u64() == Some(*state >> 1) {
                    *state |= 1;
                    frame["epoch"].as_str().unwrap().clone_into(&mut self.epoch);
                    if frame["mode"] == "resumed" {
                        self.resumed += 1;
                    } else {
                        self.pos.remove(&scope);
                    }
                }
            }
            "snapshot" => {
                self.frames += 1;
                if self.is_answered(&scope) && frame.get("head").is_some() {
                    self.pos.insert(scope, frame["asOf"].as_u64().unwrap());
                }
            }
            "events" => {
                self.frames += 1;
                if self.is_answered(&scope) {
                    self.apply(&scope, frame["events"].as_array().unwrap());
                }
            }
            "ping" => self.ping(&frame).await,
            "signal" => {}
            other => panic!("{other}: {frame}"),
        }
        if self.dice(8) == 0 {
            let ack = json!({"type": "ack", "frames": self.frames});
            self.peer.send(&ack).await;
        }
    }

    fn apply(&mut self, scope: &str, events: &[Value]) {
        let pos = self.pos.get_mut(scope).expect("events come after resumed or the last page");
        for event in events {
            let (prev, seq) = (event["prev"].as_u64().unwrap(), event["seq"].as_u64().unwrap());
            if seq > *pos {
                assert!(prev <= *pos, "{scope}: {seq} follows {prev}, but the reader is at {pos}");
                *pos = seq;
                self.applied += 1;
            }
        }
    }

    async fn ping(&mut self, ping: &Value) {
        let up_to = ping["pos"].as_u64().unwrap();
        for scope in SCOPES {
            if let (true, Some(pos)) = (self.is_answered(scope), self.pos.get_mut(scope)) {
                let head = ping["heads"][scope].as_u64().unwrap_or(0);
                assert!(head <= *pos, "{scope}: nothing was lost, but the ping says so ({head} > {pos})");
                *pos = (*pos).max(up_to);
            }
        }
        self.peer.send(&json!({"type": "pong", "pos": {}})).await;
    }
}

async fn bridge(mut bridge: Peer) {
    let mut n = 3;
    let conversations = ["in_1:d", "in_1:e"].map(|id| {
        let data = json!({"instanceId": "in_1", "agentId": "in_1:main", "address": {"kind": "session"}});
        event("conversation.upserted", id, data)
    });
    bridge.send(&publish(n, &conversations)).await;
    n += 2;
    for batch in 0_u64..100 {
        let events: Vec<_> = (0..20)
            .map(|row| {
                let conversation =
                    ["in_1:c", "in_1:d", "in_1:e"][usize::try_from((batch + row / 7) % 3).unwrap()];
                let mut data = message(&"x".repeat(400));
                data["conversationId"] = conversation.into();
                let mut event = event("message.created", &format!("in_1:m{batch}-{row}"), data);
                event["conversation"] = conversation.into();
                event
            })
            .collect();
        bridge.send(&publish(n, &events)).await;
        n += 20;
        let published = loop {
            let published = bridge.frame("published").await;
            if published["upTo"] == n - 1 || published.get("error").is_some() {
                break published;
            }
        };
        assert_eq!(published.get("error"), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_who_come_and_go_get_everything_once_and_in_order() {
    let mut config = HubConfig::default();
    config.connection.limits.window_bytes = 16 << 10;
    config.connection.heartbeat_ms = 2_000;
    config.connection.frames_per_second = 10_000;
    config.connection.frame_burst = 10_000;
    let world = Arc::new(World::start_with(config).await);
    let instance = world.with_conversation().await;
    let (done, head) = watch::channel(None::<u64>);
    let publishing = tokio::spawn(bridge(instance));
    let readers = (1..=8).map(|seed| {
        let (world, head) = (Arc::clone(&world), head.clone());
        tokio::spawn(async move {
            let mut reader = Reader::connect(&world, seed * 7_919).await;
            loop {
                let calm = head.borrow().is_some();
                if calm && reader.resumed >= 5 {
                    break;
                }
                match reader.dice(if calm { 3 } else { 12 }) {
                    0 => reader.reconnect(&world).await,
                    1 => {
                        let scope = SCOPES[usize::try_from(reader.dice(4)).unwrap()];
                        reader.subscribe(scope).await;
                    }
                    _ => reader.take().await,
                }
            }
            // Whoever is complete is at the same place: the position that pings agree on.
            let head = head.borrow().unwrap();
            loop {
                reader.take().await;
                let ack = json!({"type": "ack", "frames": reader.frames});
                reader.peer.send(&ack).await;
                let end = reader.pos.values().copied().min().unwrap_or(0);
                let agree = reader.pos.len() == SCOPES.len() && reader.pos.values().all(|pos| *pos == end);
                if agree && end >= head {
                    return (reader.applied, reader.resumed);
                }
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    publishing.await.unwrap();
    let (_, org) = world.member().await.subscribe("org", 1).await;
    done.send(org["head"].as_u64()).unwrap();
    let (mut applied, mut resumed) = (0, 0);
    for reader in readers {
        let (events, again) = timeout(LONG, reader).await.expect("it gets to the end").unwrap();
        applied += events;
        resumed += again;
    }
    assert!(applied > 2_000 && resumed >= 40, "too little happened: {applied} events, {resumed} resumes");
}
