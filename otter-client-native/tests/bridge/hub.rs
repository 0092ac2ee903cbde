//! A hub in memory.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use otter_client_native::bridge::{Hub, HubEvent};
use otter_client_native::openclaw::{Publish, Signal};
use otter_proto::kind::check_event;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What a bridge stored and said; survives the bridge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    events: Vec<Publish>,
    rows: BTreeMap<String, Value>,
    signals: Vec<Value>,
}

impl Memory {
    pub(crate) fn rows(&self) -> BTreeMap<String, Value> {
        self.0.lock().unwrap().rows.clone()
    }

    pub(crate) fn row(&self, key: &str) -> Option<Value> {
        self.0.lock().unwrap().rows.get(key).cloned()
    }

    pub(crate) fn signals(&self) -> Vec<Value> {
        self.0.lock().unwrap().signals.clone()
    }

    /// The newest data of an entity.
    pub(crate) fn data(&self, kind: &str, subject: &str) -> Option<Value> {
        let kept = self.0.lock().unwrap();
        let found =
            kept.events.iter().rev().find(|event| event.kind == kind && event.subject.as_str() == subject);
        found.map(|event| event.data.clone())
    }

    pub(crate) fn count(&self, kind: &str, pointer: &str, value: &Value) -> usize {
        let kept = self.0.lock().unwrap();
        kept.events
            .iter()
            .filter(|event| event.kind == kind && event.data.pointer(pointer) == Some(value))
            .count()
    }

    pub(crate) fn has(&self, kind: &str, pointer: &str, value: &Value) -> bool {
        self.count(kind, pointer, value) > 0
    }

    pub(crate) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        for _ in 0..2_000 {
            if holds(self) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never came: {:#?}", self.0.lock().unwrap().events);
    }
}

#[derive(Debug)]
pub(crate) struct MemoryHub {
    memory: Memory,
    events: mpsc::Receiver<HubEvent>,
}

impl MemoryHub {
    pub(crate) fn new(memory: Memory) -> (mpsc::Sender<HubEvent>, Self) {
        let (sender, events) = mpsc::channel(16);
        (sender, Self { memory, events })
    }
}

/// A hub's side whose outbox is full for as long as the bridge runs.
#[derive(Debug)]
pub(crate) struct FullHub {
    pub(crate) stop: CancellationToken,
    pub(crate) asked: mpsc::Sender<()>,
}

impl Hub for FullHub {
    type Error = std::fmt::Error;

    async fn store(
        &mut self,
        _events: Vec<Publish>,
        _rows: Vec<(String, Option<Value>)>,
    ) -> Result<(), std::fmt::Error> {
        self.asked.send(()).await.unwrap();
        self.stop.cancelled().await;
        Err(std::fmt::Error)
    }

    fn signal(&mut self, _signal: Signal) {}

    async fn next(&mut self) -> HubEvent {
        std::future::pending().await
    }
}

impl Hub for MemoryHub {
    type Error = Infallible;

    async fn store(
        &mut self,
        events: Vec<Publish>,
        rows: Vec<(String, Option<Value>)>,
    ) -> Result<(), Infallible> {
        let mut kept = self.memory.0.lock().unwrap();
        for event in &events {
            assert_eq!(check_event(event.kind, &event.data.to_string()), Some(Ok(())), "{event:?}");
        }
        kept.events.extend(events);
        for (key, value) in rows {
            match value {
                Some(value) => kept.rows.insert(key, value),
                None => kept.rows.remove(&key),
            };
        }
        Ok(())
    }

    fn signal(&mut self, signal: Signal) {
        if signal.kind == "message.delta" {
            self.memory.0.lock().unwrap().signals.push(signal.data);
        }
    }

    async fn next(&mut self) -> HubEvent {
        match self.events.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }
}
