//! A hub without credentials: a header says who connects.

use std::collections::VecDeque;
use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use futures_util::{SinkExt as _, StreamExt as _};
use otter_proto::UnixMillis;
use otter_proto::error::{ErrorBody, ErrorCode};
use otter_proto::frame::{Principal, PrincipalType};
use otter_proto::id::{Epoch, OrgId};
use otter_proto::limits::Limits;
use otter_server::auth::unix_now;
use otter_server::fanout::Fanout;
use otter_server::http;
use otter_server::hub::{Hub, HubConfig};
use otter_server::log::{FanOut, Log, LogConfig, Reader};
use otter_server::store::memory::MemoryStore;
use otter_server::{conn, ws};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

pub(super) const LONG: Duration = Duration::from_secs(20);
/// More connections than a test opens.
const PLACES: usize = 10_000;
pub(crate) const CONVERSATION: &str = "conversation/in_1:c";

/// A running hub.
pub(crate) struct World {
    pub(crate) hub: Arc<Hub>,
    pub(crate) addr: SocketAddr,
    /// Ends the credential of `revoked`.
    pub(crate) revoke: Arc<Notify>,
    _log: Log,
    server: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(HubConfig::default()).await
    }

    pub(crate) async fn start_with(config: HubConfig) -> Self {
        Self::start_on(config, TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// A hub for whose peers the kernel keeps hardly anything.
    pub(crate) fn start_narrow() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(4 << 10).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self::start_on(HubConfig::default(), socket.listen(1_024).unwrap())
    }

    fn start_on(config: HubConfig, listener: TcpListener) -> Self {
        let store = MemoryStore::new();
        let fanout = Arc::new(Fanout::new());
        let log_config = LogConfig {
            epoch: Epoch::new("e1").unwrap(),
            clock: Arc::new(unix_now),
            fan_out: Arc::clone(&fanout) as Arc<dyn FanOut>,
            fatal: Arc::new(|error| panic!("{error}")),
        };
        let log = Log::start(store.clone(), &[org()], log_config).unwrap();
        let hub = Hub::new(config, log.handle(), Reader::new(Arc::new(store)), fanout);
        let revoke = Arc::new(Notify::new());
        let router = Router::new().route("/", get(open)).with_state((Arc::clone(&hub), Arc::clone(&revoke)));
        let addr = listener.local_addr().unwrap();
        let server = tokio::spawn(http::serve(
            listener,
            router,
            Arc::new(Semaphore::new(PLACES)),
            CancellationToken::new(),
        ));
        Self { hub, addr, revoke, _log: log, server }
    }

    /// An accepted socket on which nothing was sent.
    pub(crate) async fn socket(&self, who: &str) -> Peer {
        self.try_socket(who).await.unwrap()
    }

    /// A socket, when the hub accepts it.
    pub(crate) async fn try_socket(&self, who: &str) -> Result<Peer, tungstenite::Error> {
        let mut request = format!("ws://{}/", self.addr).into_client_request().unwrap();
        request.headers_mut().insert("x-who", who.parse().unwrap());
        let (socket, _) = timeout(LONG, connect_async(request)).await.expect("an answer")?;
        Ok(Peer::over(socket))
    }

    /// Waits until no more connections than these are left.
    pub(crate) async fn until_connected(&self, at_most: usize) {
        let left = async {
            while self.hub.connection_count() > at_most {
                tokio::task::yield_now().await;
            }
        };
        timeout(LONG, left).await.expect("the others are gone");
    }

    /// Accepts nobody any more.
    pub(crate) fn stop_listening(&self) {
        self.server.abort();
    }

    /// A member past `welcome`.
    pub(crate) async fn member(&self) -> Peer {
        self.person("member").await
    }

    /// Somebody past `welcome`.
    pub(crate) async fn person(&self, who: &str) -> Peer {
        let mut peer = self.socket(who).await;
        peer.send(&hello(&[])).await;
        peer.frame("welcome").await;
        peer
    }

    /// An instance past `welcome`.
    pub(crate) async fn instance(&self, boots: &[&str]) -> Peer {
        let mut peer = self.socket("instance").await;
        peer.send(&hello(boots)).await;
        peer.frame("welcome").await;
        peer
    }

    /// Another instance than `in_1`, past `welcome`.
    pub(super) async fn other_instance(&self, id: &str) -> Peer {
        let mut peer = self.socket(id).await;
        peer.send(&hello(&["b1"])).await;
        peer.frame("welcome").await;
        peer
    }

    /// An instance that has published an agent and a conversation.
    pub(crate) async fn with_conversation(&self) -> Peer {
        let mut bridge = self.instance(&["b1"]).await;
        bridge.publish("agent.upserted", "in_1:main", json!({"instanceId": "in_1", "name": "Main"})).await;
        let data = json!({"instanceId": "in_1", "agentId": "in_1:main", "address": {"kind": "session"}});
        bridge.publish("conversation.upserted", "in_1:c", data).await;
        bridge
    }
}

fn org() -> OrgId {
    OrgId::new("org_1").unwrap()
}

type Shared = (Arc<Hub>, Arc<Notify>);

async fn open(
    State((hub, revoke)): State<Shared>,
    Extension(peer): Extension<http::Peer>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let who = headers.get("x-who").and_then(|who| who.to_str().ok()).unwrap_or_default().to_owned();
    let principal = |principal_type, id: &str, role: Option<&str>| Principal {
        principal_type,
        id: id.into(),
        org: org(),
        name: Some(if id == "mb_4" { "Bo" } else { "Ada" }.into()),
        role: role.map(str::to_owned),
    };
    let admitted = match who.as_str() {
        "member" => Ok(principal(PrincipalType::Member, "mb_1", Some("member"))),
        "other" => Ok(principal(PrincipalType::Member, "mb_4", Some("admin"))),
        "viewer" => Ok(principal(PrincipalType::Member, "mb_2", Some("viewer"))),
        "instance" => Ok(principal(PrincipalType::Instance, "in_1", None)),
        id if id.starts_with("in_") => Ok(principal(PrincipalType::Instance, id, None)),
        "revoked" => Ok(principal(PrincipalType::Member, "mb_3", Some("member"))),
        "expired" => Err(ErrorBody::new(ErrorCode::AuthExpired, "sign in again")),
        "foreign" => Err(ErrorBody::new(ErrorCode::BadOrigin, "add this origin")),
        _ => Err(ErrorBody::new(ErrorCode::AuthRequired, "sign in")),
    };
    let ended = async move {
        if who == "revoked" {
            revoke.notified().await;
            return ErrorBody::new(ErrorCode::Revoked, "an admin ended this session");
        }
        pending().await
    };
    let upgrade = ws::member_socket(upgrade, &Limits::V1);
    upgrade.on_upgrade(async move |socket| {
        conn::serve(socket, peer.received.clone(), admitted, ended, hub).await;
        drop(peer);
    })
}

/// A client that sends exactly what a test says.
pub(crate) struct Peer {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    frames: VecDeque<Value>,
    pub(crate) text: usize,
    pub(crate) binary: usize,
    pub(crate) next_n: u64,
}

impl Peer {
    pub(crate) const fn over(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self { socket, frames: VecDeque::new(), text: 0, binary: 0, next_n: 1 }
    }

    pub(crate) async fn send(&mut self, frame: &Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends, unless the hub has closed.
    pub(crate) async fn try_send_text(&mut self, text: &str) -> Result<(), tungstenite::Error> {
        self.socket.send(Message::text(text)).await
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next frame of a type; others before it are skipped.
    pub(crate) async fn frame(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|code| panic!("closed {code} before {kind}"));
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// The next frame, or the close code.
    pub(crate) async fn next(&mut self) -> Result<Value, u16> {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return Ok(frame);
            }
            let message = timeout(LONG, self.socket.next()).await.expect("the hub says something");
            let text = match message {
                Some(Ok(Message::Text(text))) => {
                    self.text += 1;
                    text.to_string()
                }
                Some(Ok(Message::Binary(bytes))) => {
                    self.binary += 1;
                    String::from_utf8(bytes.to_vec()).unwrap()
                }
                Some(Ok(Message::Close(close))) => return Err(close.map_or(1005, |close| close.code.into())),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(1006),
            };
            self.frames.extend(text.split('\n').map(|frame| serde_json::from_str(frame).unwrap()));
        }
    }

    /// Reads to the end: the types of the last frames and the close code.
    pub(crate) async fn end(&mut self) -> (Vec<Value>, u16) {
        let mut frames = Vec::new();
        loop {
            match self.next().await {
                Ok(frame) => frames.push(frame),
                Err(code) => return (frames, code),
            }
        }
    }

    /// Subscribes and reads nothing.
    pub(crate) async fn ask(&mut self, scope: &str, sub: u64) {
        self.send(&json!({"type": "subscribe", "scope": scope, "sub": sub})).await;
    }

    /// Subscribes and reads to the end of the snapshot: the entities and the last page.
    pub(crate) async fn subscribe(&mut self, scope: &str, sub: u64) -> (Vec<Value>, Value) {
        self.ask(scope, sub).await;
        assert_eq!(self.frame("subscribed").await["mode"], "snapshot");
        let mut entities = Vec::new();
        loop {
            let page = self.frame("snapshot").await;
            entities.extend(page["entities"].as_array().cloned().unwrap_or_default());
            if page.get("head").is_some() {
                return (entities, page);
            }
        }
    }

    /// Publishes one event on lane `main` and waits until it is on disk.
    pub(crate) async fn publish(&mut self, kind: &str, subject: &str, data: Value) -> Value {
        let n = self.next_n;
        self.next_n += 1;
        self.send(&publish(n, &[event(kind, subject, data)])).await;
        loop {
            let published = self.frame("published").await;
            if published["upTo"].as_u64() >= Some(n) || published.get("error").is_some() {
                return published;
            }
        }
    }

    /// The signals of one kind up to here. What this connection was told is in order, so a fetch, whose answer comes in
    /// that order, ends them.
    pub(crate) async fn signals(&mut self, kind: &str, scope: &str) -> Vec<Value> {
        self.send(
            &json!({"type": "fetch", "id": self.next_n, "scope": scope, "entityType": "member", "limit": 1}),
        )
        .await;
        self.next_n += 1;
        let mut signals = Vec::new();
        loop {
            let frame = self.next().await.unwrap_or_else(|code| panic!("closed {code}"));
            match frame["type"].as_str() {
                Some("page") => return signals,
                Some("signal") if frame["kind"] == kind => signals.push(frame["data"].clone()),
                _ => {}
            }
        }
    }

    /// Whether the connection still answers.
    pub(crate) async fn lives(&mut self) {
        self.send(&json!({"type": "probe", "n": 7})).await;
        assert_eq!(self.frame("probed").await["n"], 7);
    }
}

pub(crate) fn hello(boots: &[&str]) -> Value {
    json!({
        "type": "hello",
        "protocol": {"min": 1, "max": 1},
        "client": {"name": "test", "version": "0"},
        "boots": boots,
    })
}

#[allow(clippy::needless_pass_by_value)] // read like the JSON they are
pub(crate) fn event(kind: &str, subject: &str, data: Value) -> Value {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let id = format!("ev_{}", LAST.fetch_add(1, Ordering::Relaxed));
    let mut event = json!({"id": id, "kind": kind, "subject": subject, "data": data});
    if kind.starts_with("message.") || kind.starts_with("run.") {
        event["conversation"] = "in_1:c".into();
    }
    event
}

pub(crate) fn publish(first: u64, events: &[Value]) -> Value {
    json!({"type": "publish", "lane": "main", "producerEpoch": 1, "first": first, "events": events})
}

pub(crate) fn run_started() -> Value {
    json!({
        "conversationId": "in_1:c",
        "agentId": "in_1:main",
        "state": "running",
        "startedAt": UnixMillis(1_795_000_000_000).to_string(),
    })
}

pub(crate) fn message(text: &str) -> Value {
    json!({
        "conversationId": "in_1:c",
        "author": {"type": "agent", "id": "in_1:main"},
        "text": text,
        "status": "complete",
    })
}
