//! A hub that says what a test wants.

use std::time::Duration;

use otter_client_native::transport::{Incoming, MemoryHub, MemoryTransport, Outgoing, Socket};
use otter_client_native::{Client, ClientBuilder};
use serde_json::{Value, json};
use tokio::sync::mpsc::error::TryRecvError;

/// The scripted end of one connection.
pub(crate) struct Peer {
    socket: Socket,
    frames: Vec<Value>,
}

/// What the scripted hub has of the lane `main`.
#[derive(Clone, Default)]
pub(crate) struct Lane {
    pub(crate) epoch: u64,
    pub(crate) up_to: u64,
    pub(crate) last_id: Option<String>,
}

pub(crate) fn pair() -> (MemoryHub, MemoryTransport) {
    MemoryHub::new()
}

pub(crate) fn builder(transport: MemoryTransport) -> ClientBuilder {
    Client::builder("ws://memory").transport(transport).in_memory()
}

/// The next connection that the client has not given up by now, greeted and welcomed. Returns it with its `hello`.
pub(crate) async fn welcome(hub: &mut MemoryHub, lane: &Lane) -> (Peer, Value) {
    let (peer, hello) = loop {
        let mut peer = Peer { socket: hub.accept().await.unwrap(), frames: Vec::new() };
        if let Some(hello) = peer.hello().await {
            break (peer, hello);
        }
    };
    let empty = json!({"producerEpoch": 0, "upTo": 0});
    let mut main = json!({"producerEpoch": lane.epoch, "upTo": lane.up_to});
    if let Some(id) = &lane.last_id {
        main["lastId"] = id.as_str().into();
    }
    peer.say(&json!({
        "type": "welcome", "protocol": 1, "server": {"name": "hub", "version": "1"},
        "serverTime": "2026-11-22T14:00:00.000Z",
        "limits": {"frameBytes": 1 << 20, "windowBytes": 256 << 10, "publishBytes": 1 << 20, "eventBytes": 512 << 10,
            "subscriptions": 100, "commandsPerMinute": 60},
        "heartbeatMs": 15000, "principal": {"type": "instance", "id": "in_1", "org": "org_1"},
        "lanes": {"bulk": empty, "main": main},
    }))
    .await;
    (peer, hello)
}

impl Peer {
    pub(crate) async fn say(&self, frame: &Value) {
        // `type` comes first on the wire, but is accepted anywhere.
        self.socket.outgoing.send(Outgoing::Message(frame.to_string())).await.unwrap();
    }

    /// The next frame of this type; others before it are dropped.
    pub(crate) async fn next(&mut self, kind: &str) -> Value {
        loop {
            if let Some(frame) = self.take_first(kind) {
                return frame;
            }
            let got = tokio::time::timeout(Duration::from_mins(2), self.socket.incoming.recv()).await;
            match got.expect("the client says something").expect("the client is there") {
                Incoming::Message(text) => self.keep(&text),
                Incoming::Closed { code, reason } => panic!("closed {code} {reason}, waiting for {kind}"),
            }
        }
    }

    /// The first frame, none when the client has given this connection up.
    async fn hello(&mut self) -> Option<Value> {
        let mut next = self.socket.incoming.recv().await;
        while let Some(Incoming::Message(text)) = next {
            self.keep(&text);
            next = match self.socket.incoming.try_recv() {
                Ok(next) => Some(next),
                Err(TryRecvError::Empty) => return self.take_first("hello"),
                Err(TryRecvError::Disconnected) => None,
            };
        }
        None
    }

    fn keep(&mut self, text: &str) {
        self.frames.extend(text.split('\n').map(|frame| serde_json::from_str::<Value>(frame).unwrap()));
    }

    fn take_first(&mut self, kind: &str) -> Option<Value> {
        let at = self.frames.iter().position(|frame| frame["type"] == kind)?;
        self.frames.drain(..=at).next_back()
    }

    /// Takes the next publish whole, and answers it.
    pub(crate) async fn take(&mut self, lane: &mut Lane) -> Value {
        let publish = self.next("publish").await;
        let events = publish["events"].as_array().unwrap();
        lane.epoch = publish["producerEpoch"].as_u64().unwrap();
        lane.up_to = publish["first"].as_u64().unwrap() + events.len() as u64 - 1;
        lane.last_id = events.last().map(|event| event["id"].as_str().unwrap().to_owned());
        self.say(&json!({
            "type": "published", "lane": "main", "producerEpoch": lane.epoch, "upTo": lane.up_to,
        }))
        .await;
        publish
    }
}
