//! Sockets as the kernel has them: half open by the thousand, and with buffers that are full.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use otter_server::hub::HubConfig;
use pretty_assertions::assert_eq;
use serde_json::json;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, client_async};

use super::floods::Lines;
use super::harness::{CONVERSATION, LONG, Peer, World, event, hello, message, publish};

/// Peers that vanish at the same moment, when this process may have as many files open.
const VANISHED: usize = 1_200;
/// What other tests of this process may open beside what they have open already.
const OTHERS: usize = 600;

/// A TCP connection of a port of this machine.
struct Connection {
    /// A program has it open.
    held: bool,
    /// Bytes that the other end has not taken.
    waiting: u64,
}

/// The connections that were accepted at a port, by the address of their other end: the kernel's table may name one
/// twice, and miss one, when it changes while it is read.
fn accepted_at(port: u16) -> BTreeMap<String, Connection> {
    const ESTABLISHED: &str = "01";
    let table = fs::read_to_string("/proc/net/tcp").expect("this test looks at the sockets of Linux");
    let of_port = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = fields.get(1)?.split_once(':')?.1;
        let waiting = u64::from_str_radix(fields.get(4)?.split_once(':')?.0, 16).ok()?;
        let held = *fields.get(9)? != "0";
        (u16::from_str_radix(local, 16) == Ok(port) && *fields.get(3)? == ESTABLISHED)
            .then(|| (fields[2].to_owned(), Connection { held, waiting }))
    };
    table.lines().filter_map(of_port).collect()
}

/// How many peers there is room for: each has a socket at both ends.
fn room() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").expect("this test looks at the limits of Linux");
    let open = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = open.and_then(|line| line.split_whitespace().next()).and_then(|soft| soft.parse().ok());
    let taken = OTHERS + fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    soft.map_or(VANISHED, |soft: usize| VANISHED.min(soft.saturating_sub(taken) / 2))
}

/// Answers the hub until it is told to vanish: then it holds its end and does nothing any more.
fn lives_until(mut peer: Peer, mut vanish: watch::Receiver<bool>) -> JoinHandle<Peer> {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = vanish.changed() => return peer,
                frame = peer.next() => {
                    if frame.expect("the hub keeps it")["type"] == "ping" {
                        peer.send(&json!({"type": "pong", "pos": {}})).await;
                    }
                }
            }
        }
    })
}

#[tokio::test]
async fn a_thousand_peers_that_vanish_give_their_sockets_back_within_two_heartbeats() {
    let mut config = HubConfig { connections_per_principal: 2_000, ..HubConfig::default() };
    config.connection.heartbeat_ms = 4_000;
    let world = World::start_with(config).await;
    let port = world.addr.port();
    let (vanish, vanishes) = watch::channel(false);
    let mut peers = Vec::new();
    let vanishing = room() / 50 * 50;
    while peers.len() < vanishing {
        let welcomed = join_all((0..50).map(|_| world.member())).await;
        peers.extend(welcomed.into_iter().map(|peer| lives_until(peer, vanishes.clone())));
    }
    let held = async |count: usize| {
        let as_many = async {
            while accepted_at(port).values().filter(|connection| connection.held).count() != count {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(LONG, as_many).await.is_ok()
    };
    assert_eq!((world.hub.connection_count(), held(vanishing).await), (vanishing, true));
    vanish.send(true).unwrap();
    let held_open = join_all(peers).await;
    let start = Instant::now();
    // Nothing is said any more, and nothing closed: what a peer looks like whose network is gone.
    let mut slowest = Duration::ZERO;
    while world.hub.connection_count() > 0 {
        let began = Instant::now();
        drop(world.socket("member").await);
        slowest = slowest.max(began.elapsed());
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(start.elapsed() < Duration::from_secs(40), "{} are left", world.hub.connection_count());
    }
    assert!(slowest < Duration::from_secs(4), "accepting goes on: {slowest:?}");
    assert!(held(0).await, "the hub has no socket of theirs any more");
    println!("{vanishing} peers vanished, accepting took at most {slowest:?}");
    drop(held_open);
}

/// A peer behind a kernel that takes 4 KiB, subscribed to the conversation.
async fn narrow_peer(world: &World) -> Peer {
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4 << 10).unwrap();
    let stream = tcp.connect(world.addr).await.unwrap();
    let mut request = format!("ws://{}/", world.addr).into_client_request().unwrap();
    request.headers_mut().insert("x-who", "member".parse().unwrap());
    let (socket, _) = client_async(request, MaybeTlsStream::Plain(stream)).await.unwrap();
    let mut peer = Peer::over(socket);
    peer.send(&hello(&[])).await;
    peer.frame("welcome").await;
    peer.subscribe(CONVERSATION, 1).await;
    peer
}

/// A hub with a peer that stopped reading, so that neither kernel takes one more byte.
async fn stuck() -> (World, Peer) {
    let world = World::start_narrow();
    let mut bridge = world.with_conversation().await;
    let stuck = narrow_peer(&world).await;
    let text = "x".repeat(12 << 10);
    let events: Vec<_> =
        (0..40).map(|n| event("message.created", &format!("in_1:m{n}"), message(&text))).collect();
    bridge.send(&publish(3, &events)).await;
    while bridge.frame("published").await["upTo"] != 42 {}
    bridge.lives().await;
    let waiting = accepted_at(world.addr.port()).values().map(|connection| connection.waiting).max();
    assert!(waiting.is_some_and(|waiting| waiting > 0 && waiting < 64 << 10), "{waiting:?}");
    (world, stuck)
}

#[tokio::test]
async fn why_it_is_closed_reaches_a_peer_that_stopped_reading() {
    let (lines, _guard) = Lines::record();
    let (world, mut stuck) = Box::pin(stuck()).await;
    let hub = Arc::clone(&world.hub);
    let draining = tokio::spawn(async move { hub.drain(Duration::ZERO).await });
    let closing = async {
        while lines.holding("closing").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, closing).await.expect("it says that it closes");
    let start = Instant::now();
    let (frames, code) = stuck.end().await;
    assert_eq!((code, &frames.last().unwrap()["type"]), (4001, &json!("bye")));
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    drop(stuck);
    draining.await.unwrap();
    world.until_connected(0).await;
    assert_said_once(&lines);
}

#[tokio::test]
async fn a_peer_that_never_reads_again_holds_no_close_up_and_finds_an_end_that_means_resume() {
    let (lines, _guard) = Lines::record();
    let (world, mut stuck) = Box::pin(stuck()).await;
    let start = Instant::now();
    world.hub.drain(Duration::ZERO).await;
    world.until_connected(0).await;
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert_said_once(&lines);
    // What the kernels held arrives, and then no close frame: a client resumes after that as after any cut.
    let (_, code) = stuck.end().await;
    assert_eq!(code, 1006);
}

/// One line for the close, beside those of the coming and the going.
fn assert_said_once(lines: &Lines) {
    let said = lines.holding("connection=2");
    let closing: Vec<_> = said.iter().filter(|line| line.contains("closing")).collect();
    assert_eq!((closing.len(), said.len()), (1, 3), "connected, closing, disconnected: {said:#?}");
}
