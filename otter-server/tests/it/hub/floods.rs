//! Peers that misbehave on a hub where others work.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use pretty_assertions::assert_eq;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tracing::Dispatch;
use tracing::subscriber::{DefaultGuard, NoSubscriber};

use super::harness::{CONVERSATION, Peer, World, hello};

/// With one subscriber only, a line that another thread is the first to reach is off for the whole process.
static ANOTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

/// What the hub logs on this thread.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(super) fn record() -> (Self, DefaultGuard) {
        LazyLock::force(&ANOTHER);
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    pub(super) fn holding(&self, word: &str) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(word)).map(str::to_owned).collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The longest of some round trips.
async fn slowest(peer: &mut Peer, count: usize) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..count {
        let start = Instant::now();
        peer.lives().await;
        slowest = slowest.max(start.elapsed());
    }
    slowest
}

#[tokio::test]
async fn a_flood_of_refused_frames_is_closed_with_few_lines_and_nobody_else_waits() {
    let (lines, _guard) = Lines::record();
    let world = World::start().await;
    let mut other = world.person("other").await;
    let calm = slowest(&mut other, 40).await;
    let mut flood = world.member().await;
    let flooding = tokio::spawn(async move {
        let start = Instant::now();
        for _ in 0..1_000 {
            // The hub may have closed already.
            if flood.socket.send(Message::text("nonsense")).await.is_err() {
                break;
            }
        }
        let (_, code) = flood.end().await;
        (code, start.elapsed())
    });
    let during = slowest(&mut other, 40).await;
    let (code, took) = flooding.await.unwrap();
    assert_eq!(code, 4101);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(during < calm * 10 + Duration::from_secs(2), "{calm:?} became {during:?}");
    world.until_connected(1).await;
    let said = lines.holding("connection=2");
    assert!(!said.is_empty() && said.len() <= 10, "{said:#?}");
}

#[tokio::test]
async fn a_hub_that_closes_at_any_moment_leaves_no_connection_behind() {
    for steps in 0..40 {
        let world = World::start().await;
        let clients = (0..4).map(async |_| {
            let Ok(mut peer) = world.try_socket("member").await else { return };
            let subscribe = json!([{"scope": "org", "sub": 1}, {"scope": CONVERSATION, "sub": 2}]);
            let mut frame = hello(&[]);
            frame["subscribe"] = subscribe;
            // Each of these may be the moment at which the hub goes.
            let _ = peer.socket.send(Message::text(frame.to_string())).await;
            let (_, code) = peer.end().await;
            assert!([4001, 1006].contains(&code), "step {steps}: {code}");
        });
        let closing = async {
            for _ in 0..steps * 5 {
                tokio::task::yield_now().await;
            }
            world.hub.drain(Duration::ZERO).await;
            world.stop_listening();
            // A handshake that was under way is told to come back, too.
            world.until_connected(0).await;
        };
        tokio::join!(futures_util::future::join_all(clients), closing);
    }
}
