//! Peers that misbehave on a hub where others work.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use otter_server::hub::HubConfig;
use pretty_assertions::assert_eq;
use serde_json::json;
use tokio::net::TcpSocket;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, client_async};
use tracing::subscriber::DefaultGuard;

use super::harness::{CONVERSATION, Peer, World, event, hello, message, publish};

/// What the hub logs on this thread.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn record() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (lines, tracing::subscriber::set_default(subscriber))
    }

    fn holding(&self, word: &str) -> Vec<String> {
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
    assert!(during < calm * 10 + Duration::from_millis(250), "{calm:?} became {during:?}");
    while world.hub.connection_count() > 1 {
        tokio::task::yield_now().await;
    }
    let said = lines.holding("connection=2");
    assert!(!said.is_empty() && said.len() <= 10, "{said:#?}");
}

#[tokio::test]
async fn why_it_is_closed_reaches_a_peer_that_stopped_reading() {
    let (lines, _guard) = Lines::record();
    let world = World::start().await;
    let mut bridge = world.with_conversation().await;
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4 << 10).unwrap();
    let stream = tcp.connect(world.addr).await.unwrap();
    let mut request = format!("ws://{}/", world.addr).into_client_request().unwrap();
    request.headers_mut().insert("x-who", "member".parse().unwrap());
    let (socket, _) = client_async(request, MaybeTlsStream::Plain(stream)).await.unwrap();
    let mut stuck = Peer::over(socket);
    stuck.send(&hello(&[])).await;
    stuck.frame("welcome").await;
    stuck.subscribe(CONVERSATION, 1).await;
    let text = "x".repeat(12 << 10);
    let events: Vec<_> =
        (0..40).map(|n| event("message.created", &format!("in_1:m{n}"), message(&text))).collect();
    bridge.send(&publish(3, &events)).await;
    while bridge.frame("published").await["upTo"] != 42 {}
    bridge.lives().await;
    let hub = Arc::clone(&world.hub);
    let draining = tokio::spawn(async move { hub.drain(Duration::ZERO).await });
    while lines.holding("closing").is_empty() {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    let (frames, code) = stuck.end().await;
    assert_eq!((code, &frames.last().unwrap()["type"]), (4001, &json!("bye")));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    drop(stuck);
    draining.await.unwrap();
    while world.hub.connection_count() > 0 {
        tokio::task::yield_now().await;
    }
    let said = lines.holding("connection=2");
    let closing: Vec<_> = said.iter().filter(|line| line.contains("closing")).collect();
    assert_eq!((closing.len(), said.len()), (1, 3), "connected, closing, disconnected: {said:#?}");
}

#[tokio::test]
async fn peers_that_vanish_give_their_places_back_within_two_heartbeats() {
    let mut config = HubConfig { connections_per_principal: 1_000, ..HubConfig::default() };
    config.connection.heartbeat_ms = 500;
    let world = World::start_with(config).await;
    let mut vanished = Vec::new();
    for _ in 0..150 {
        vanished.push(world.member().await);
    }
    let start = Instant::now();
    // Nothing is said any more, and nothing closed: what a peer looks like whose network is gone.
    let mut slowest = Duration::ZERO;
    while world.hub.connection_count() > 0 {
        let began = Instant::now();
        drop(world.socket("member").await);
        slowest = slowest.max(began.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(start.elapsed() < Duration::from_secs(15), "{} are left", world.hub.connection_count());
    }
    assert!(slowest < Duration::from_secs(2), "accepting goes on: {slowest:?}");
    drop(vanished);
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
            assert_eq!(world.hub.connection_count(), 0, "step {steps}");
        };
        tokio::join!(futures_util::future::join_all(clients), closing);
    }
}
