//! A reader on a phone in a train, while a hub is busy.

use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::hub::harness::{Peer, event, hello, publish};
use crate::net::{Hub, LONG, open};

/// What 3G gives: 1.6 Mbit/s and 300 ms until an ack is there. Four times as fast, to be done sooner.
const BYTES_PER_SECOND: u64 = 800_000;
const ROUND_TRIP: Duration = Duration::from_millis(75);
/// Entities of the burst, each of about this many bytes.
const ENTITIES: usize = 5_000;
const TEXT: usize = 300;

/// A number of `/metrics`.
async fn number(hub: &Hub, name: &str) -> u64 {
    let text = hub.get("/metrics").await.body;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{name}: {text}"))
}

/// Publishes the burst.
async fn burst(mut bridge: Peer, instance: String) {
    let mut n = 1;
    for batch in 0..ENTITIES / 50 {
        let events: Vec<Value> = (0..50)
            .map(|row| {
                let id = format!("{instance}:b{batch}-{row}");
                event("agent.upserted", &id, json!({"instanceId": instance, "name": "x".repeat(TEXT)}))
            })
            .collect();
        bridge.send(&publish(n, &events)).await;
        n += 50;
        while bridge.frame("published").await["upTo"] != n - 1 {}
    }
}

#[tokio::test]
async fn a_slow_reader_is_paused_not_dropped_costs_its_window_and_catches_up() {
    let hub = Hub::start().await;
    let cookie = hub.owner().await;
    let bearer = format!("Bearer {}", hub.instance());
    let mut bridge = Peer::over(hub.socket("/ws/openclaw", &[("authorization", &bearer)]).await);
    bridge.send(&hello(&["b1"])).await;
    let instance = bridge.frame("welcome").await["principal"]["id"].as_str().unwrap().to_owned();
    let mut slow = Peer::over(open(&hub, &cookie).await);
    slow.send(&hello(&[])).await;
    let (_, last) = slow.subscribe("org", 1).await;
    let publishing = tokio::spawn(burst(bridge, instance));
    let (mut pos, mut frames, mut unacked, mut seen) = (last["head"].as_u64().unwrap(), 1_u64, 0, 0);
    let mut most_queued = 0;
    let start = Instant::now();
    // It takes nothing until its window is full, so that it is paused however slow the disk is.
    let paused = async {
        while number(&hub, "otter_readers_paused").await == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, paused).await.expect("it is paused");
    while seen < ENTITIES {
        let frame = slow.next().await.expect("it is never disconnected");
        if frame["type"] == "ping" {
            slow.send(&json!({"type": "pong", "pos": {"org": pos}})).await;
        }
        if frame["type"] != "events" {
            continue;
        }
        frames += 1;
        let bytes = frame.to_string().len() as u64;
        tokio::time::sleep(Duration::from_micros(bytes * 1_000_000 / BYTES_PER_SECOND)).await;
        for event in frame["events"].as_array().unwrap() {
            assert!(event["prev"].as_u64().unwrap() <= pos, "a hole after {pos}: {event}");
            pos = event["seq"].as_u64().unwrap();
            seen += usize::from(event["kind"] == "agent.upserted");
        }
        unacked += bytes;
        if unacked >= 200 << 10 {
            most_queued = most_queued.max(number(&hub, "otter_queue_bytes{queue=\"sockets\"}").await);
            tokio::time::sleep(ROUND_TRIP).await;
            slow.send(&json!({"type": "ack", "frames": frames})).await;
            unacked = 0;
        }
    }
    publishing.await.unwrap();
    slow.lives().await;
    assert!(most_queued <= 512 << 10, "{most_queued} bytes waited for one reader");
    assert_eq!(number(&hub, "otter_hash_mismatches_total").await, 0);
    println!(
        "caught up with {ENTITIES} entities after {:?}, at most {most_queued} bytes waited",
        start.elapsed()
    );
}
