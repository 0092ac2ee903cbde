//! A gateway of two hundred lines: handshake, reads, and runs that answer at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

pub(crate) struct Gateway {
    pub(crate) url: String,
    shared: Arc<Mutex<Shared>>,
    cut: broadcast::Sender<()>,
    turns: broadcast::Sender<Value>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    boot: &'static str,
    asked: Vec<(String, Value)>,
    swallowed: BTreeSet<String>,
    refused: BTreeMap<String, Value>,
    headers: Vec<String>,
}

impl Gateway {
    pub(crate) async fn start(boot: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared { boot, ..Shared::default() }));
        let (cut, _) = broadcast::channel(4);
        let (turns, _) = broadcast::channel(4);
        let (state, cuts, more) = (shared.clone(), cut.clone(), turns.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, state.clone(), cuts.subscribe(), more.subscribe()));
            }
        });
        Self { url, shared, cut, turns, task }
    }

    /// Whether requests of this method get no answer.
    pub(crate) fn swallow(&self, method: &str, yes: bool) {
        let swallowed = &mut self.shared.lock().unwrap().swallowed;
        if yes {
            swallowed.insert(method.into())
        } else {
            swallowed.remove(method)
        };
    }

    /// Refuses requests of this method.
    pub(crate) fn refuse(&self, method: &str, error: Value) {
        self.shared.lock().unwrap().refused.insert(method.into(), error);
    }

    pub(crate) fn asked(&self, method: &str) -> Vec<Value> {
        let shared = self.shared.lock().unwrap();
        shared.asked.iter().filter(|(asked, _)| asked == method).map(|(_, params)| params.clone()).collect()
    }

    pub(crate) fn headers(&self) -> Vec<String> {
        self.shared.lock().unwrap().headers.clone()
    }

    pub(crate) async fn until_asked(&self, method: &str, times: usize) {
        while self.asked(method).len() < times {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Someone else says something to the main agent.
    pub(crate) fn turn(&self, key: &str, message: &str) {
        let params = json!({"idempotencyKey": key, "message": message, "sessionKey": "agent:main:main"});
        self.turns.send(params).unwrap();
    }

    /// Breaks every connection off.
    pub(crate) fn cut(&self) {
        self.cut.send(()).unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: TcpStream,
    shared: Arc<Mutex<Shared>>,
    mut cut: broadcast::Receiver<()>,
    mut turns: broadcast::Receiver<Value>,
) {
    #[allow(clippy::result_large_err, reason = "the signature of the codec")]
    let note = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        let names = request.headers().keys().map(|name| name.as_str().to_owned());
        shared.lock().unwrap().headers.extend(names);
        Ok(response)
    };
    let mut socket = tokio_tungstenite::accept_hdr_async(stream, note).await.unwrap();
    let challenge =
        json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n", "ts": 1}});
    say(&mut socket, &challenge).await;
    let mut seq = 0;
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            _ = cut.recv() => return,
            params = turns.recv() => {
                tell(&mut socket, &mut seq, &params.unwrap()).await;
                continue;
            }
        };
        let Some(Ok(Message::Text(text))) = message else { return };
        let request: Value = serde_json::from_str(text.as_str()).unwrap();
        let method = request["method"].as_str().unwrap().to_owned();
        let (boot, is_swallowed, refused) = {
            let mut shared = shared.lock().unwrap();
            shared.asked.push((method.clone(), request["params"].clone()));
            (shared.boot, shared.swallowed.contains(&method), shared.refused.get(&method).cloned())
        };
        if is_swallowed {
            continue;
        }
        if let Some(error) = refused {
            say(&mut socket, &json!({"type": "res", "id": request["id"], "ok": false, "error": error})).await;
            continue;
        }
        let payload = answer(&method, &request["params"], boot);
        say(&mut socket, &json!({"type": "res", "id": request["id"], "ok": true, "payload": payload})).await;
        if method == "chat.send" {
            tell(&mut socket, &mut seq, &request["params"]).await;
        }
    }
}

async fn tell(socket: &mut WebSocketStream<TcpStream>, seq: &mut u64, params: &Value) {
    for (name, payload) in turn(params) {
        *seq += 1;
        say(socket, &json!({"type": "event", "event": name, "seq": seq, "payload": payload})).await;
    }
}

async fn say(socket: &mut WebSocketStream<TcpStream>, frame: &Value) {
    let _peer_gone = socket.send(Message::text(frame.to_string())).await;
}

fn answer(method: &str, params: &Value, boot: &str) -> Value {
    match method {
        "connect" => {
            json!({"type": "hello-ok", "protocol": 4, "server": {"version": "2026.9.6", "bootId": boot},
            "features": {"methods": ["chat.send", "otter.feed.list"]}, "auth": {"scopes": params["scopes"], "deviceToken": "device-token"}, "policy": {"tickIntervalMs": 30000}})
        }
        "agents.list" => {
            json!({"defaultId": "main", "mainKey": "main", "agents": [{"id": "main", "name": "Main"}]})
        }
        "sessions.list" => json!({"sessions": [], "hasMore": false}),
        "chat.history" => json!({"sessionKey": params["sessionKey"], "messages": [], "sessionInfo": {}}),
        "chat.send" => json!({"runId": params["idempotencyKey"], "status": "started"}),
        _ => json!({}),
    }
}

/// The frames of a turn that repeats what it was told.
fn turn(params: &Value) -> Vec<(&'static str, Value)> {
    let (key, session) = (params["idempotencyKey"].as_str().unwrap(), &params["sessionKey"]);
    let text = |text: &str| json!({"role": "assistant", "content": [{"type": "text", "text": text}]});
    let said = params["message"].as_str().unwrap();
    vec![
        (
            "session.message",
            json!({"sessionKey": session, "message": {"role": "user", "content": said,
            "idempotencyKey": format!("{key}:user"), "__openclaw": {"id": "row-1", "senderId": "owner"}}}),
        ),
        (
            "agent",
            json!({"runId": key, "sessionKey": session, "agentId": "main", "stream": "lifecycle",
            "data": {"phase": "start"}, "isHeartbeat": false}),
        ),
        ("chat", json!({"runId": key, "sessionKey": session, "state": "delta", "message": text("You said")})),
        (
            "chat",
            json!({"runId": key, "sessionKey": session, "state": "final",
            "message": text(&format!("You said {said}."))}),
        ),
    ]
}
