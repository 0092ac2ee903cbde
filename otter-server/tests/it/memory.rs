//! The memory of the program while browsers come and go.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::hub::harness::{Peer, event, hello, publish};
use crate::net::open;
use crate::process::Program;

/// Rows of the org, which every browser loads.
const ROWS: usize = 1_000;
/// Browsers that come and go between two looks at the memory.
const ROUND: usize = 120;
/// Rounds until everything has been used once, and rounds after that.
const ROUNDS: (usize, usize) = (2, 6);

/// Browsers come, ask for everything and go: half of them without having read it, none with a goodbye.
async fn round(program: &Program, cookie: &str) {
    for at in 0..ROUND {
        let mut peer = Peer::over(open(&program.hub, cookie).await);
        peer.send(&hello(&[])).await;
        peer.frame("welcome").await;
        if at % 2 == 0 {
            peer.subscribe("org", 1).await;
        } else {
            peer.ask("org", 1).await;
        }
    }
}

#[tokio::test]
async fn memory_does_not_grow_with_the_number_of_reconnects() {
    let (program, _) = Program::start(tempfile::tempdir().unwrap(), &[]);
    let cookie = program.hub.owner().await;
    let bearer = format!("Bearer {}", program.hub.instance());
    let mut bridge = Peer::over(program.hub.socket("/ws/openclaw", &[("authorization", &bearer)]).await);
    bridge.send(&hello(&["b1"])).await;
    let instance = bridge.frame("welcome").await["principal"]["id"].as_str().unwrap().to_owned();
    let agent = |at: usize| {
        let data = json!({"instanceId": instance, "name": "x".repeat(400)});
        event("agent.upserted", &format!("{instance}:a{at}"), data)
    };
    for first in (0..ROWS).step_by(100) {
        let events: Vec<_> = (first..first + 100).map(agent).collect();
        bridge.send(&publish(first as u64 + 1, &events)).await;
        while bridge.frame("published").await["upTo"] != first as u64 + 100 {}
    }
    for _ in 0..ROUNDS.0 {
        round(&program, &cookie).await;
    }
    let before = program.memory_kib(Duration::ZERO).await;
    for _ in 0..ROUNDS.1 {
        round(&program, &cookie).await;
    }
    // What the last ones held is given back when the hub has heard that they are gone.
    let after = program.memory_kib(Duration::from_secs(3)).await;
    println!(
        "{before} KiB after {} reconnects, {after} KiB after {} more",
        ROUNDS.0 * ROUND,
        ROUNDS.1 * ROUND
    );
    assert!(after * 100 < before * 130, "{before} KiB became {after} KiB");
    drop(program.kill());
}

impl Program {
    /// The least that the program allocated and has in memory during this time.
    async fn memory_kib(&self, during: Duration) -> u64 {
        let mut least = u64::MAX;
        let begun = Instant::now();
        loop {
            let status =
                fs::read_to_string(format!("/proc/{}/status", self.id())).expect("a process of Linux");
            let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
            least = least.min(line.trim().trim_end_matches(" kB").parse().unwrap());
            if begun.elapsed() >= during {
                return least;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
