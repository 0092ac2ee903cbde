//! A hub on a free port, and clients that send exactly what a test says.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use otter_proto::frame::HubFrame;
use otter_proto::kind::MemberRole;
use otter_server::Server;
use otter_server::auth::{CredentialStore, LinkGrant, Origin, unix_now};
use otter_server::config::Config;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderName;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use tokio_util::sync::CancellationToken;

use crate::hub::harness::hello;

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Longer than anything here takes.
pub(crate) const LONG: Duration = Duration::from_secs(20);
/// What takes well under a second, on a machine with a slow disk that does much else.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// A running hub.
pub(crate) struct Hub {
    pub(crate) dir: TempDir,
    pub(crate) addr: SocketAddr,
    pub(crate) setup: Option<String>,
    stop: CancellationToken,
    task: Option<JoinHandle<anyhow::Result<()>>>,
}

pub(crate) fn config(dir: &TempDir) -> Config {
    Config {
        data_dir: dir.path().to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        public_url: None,
        behind_proxy: false,
        dev: false,
        allow_origins: Vec::new(),
        console_dir: None,
        max_connections: 1_000,
        metrics_token: None,
    }
}

impl Hub {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), change).await
    }

    pub(crate) async fn start_in(dir: TempDir, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = config(&dir);
        change(&mut config);
        let deadline = Instant::now() + LONG;
        let server = loop {
            match Server::start(&config).await {
                // A program that another test starts holds a copy of every open file until it runs, of the lock too.
                Err(error) if error.to_string().contains("another otter-server uses") => {
                    assert!(Instant::now() < deadline, "{error}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                started => break started.unwrap(),
            }
        };
        let addr = format!("127.0.0.1:{}", server.port().unwrap()).parse().unwrap();
        let setup = server.setup.as_ref().map(|secret| secret.expose().to_owned());
        let stop = CancellationToken::new();
        let task = Some(tokio::spawn(server.run(stop.clone())));
        Self { dir, addr, setup, stop, task }
    }

    /// A hub that runs as a program of its own.
    pub(crate) fn outside(dir: TempDir, addr: SocketAddr, setup: Option<String>) -> Self {
        Self { dir, addr, setup, stop: CancellationToken::new(), task: None }
    }

    /// Stops the hub and gives its data directory.
    pub(crate) async fn stop(self) -> TempDir {
        self.stop.cancel();
        if let Some(task) = self.task {
            timeout(LONG, task).await.unwrap().unwrap().unwrap();
        }
        self.dir
    }

    /// The rows, as the command line sees them while the hub runs.
    pub(crate) fn store(&self) -> CredentialStore {
        CredentialStore::open(self.dir.path()).unwrap()
    }

    /// Runs SQL on the hub's file.
    pub(crate) fn sql(&self, text: &str) {
        let file = rusqlite::Connection::open(self.dir.path().join("otter.db")).unwrap();
        file.busy_timeout(LONG).unwrap();
        file.execute_batch(text).unwrap();
    }

    /// The number that a query of the hub's file gives.
    pub(crate) fn count(&self, query: &str) -> i64 {
        let file = rusqlite::Connection::open(self.dir.path().join("otter.db")).unwrap();
        file.busy_timeout(LONG).unwrap();
        file.query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// The origin of the hub's own page.
    pub(crate) fn origin(&self) -> String {
        Origin::localhost(self.addr.port()).to_string()
    }

    /// A new link's token.
    pub(crate) fn link(&self, grant: &LinkGrant) -> String {
        let store = self.store();
        let org = store.org(unix_now()).unwrap();
        store.add_link(&org, grant, unix_now()).unwrap().expose().to_owned()
    }

    /// The bearer token of a new instance.
    pub(crate) fn instance(&self) -> String {
        let store = self.store();
        let org = store.org(unix_now()).unwrap();
        store.add_instance(&org, "laptop", unix_now()).unwrap().expose().expose().to_owned()
    }

    /// Sends bytes and reads until the hub closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        // The hub may answer and close before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut read = Vec::new();
        let _ = timeout(LONG, stream.read_to_end(&mut read)).await.unwrap();
        Answer::parse(&read)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "").await
    }

    pub(crate) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut text =
            format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            write!(text, "host: localhost:{}\r\n", self.addr.port()).unwrap();
        }
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        self.raw(format!("{text}\r\n{body}").as_bytes()).await
    }

    /// A POST as the hub's own page sends it.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let origin = self.origin();
        let own = [("origin", origin.as_str()), ("content-type", "application/json")];
        let all: Vec<_> = own.into_iter().chain(headers.iter().copied()).collect();
        self.request("POST", path, &all, &body.to_string()).await
    }

    /// Uses a link and gives the session cookie as `name=value`.
    pub(crate) async fn sign_in(&self, token: &str, name: &str) -> String {
        let answer = self.post("/auth/confirm", &[], json!({ "token": token, "name": name })).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.cookie()
    }

    /// The owner's session cookie, by the setup link.
    pub(crate) async fn owner(&self) -> String {
        let token = self.setup.clone().expect("an org without owner has a setup link");
        self.sign_in(&token, "Ada").await
    }

    /// Opens a WebSocket with these headers.
    pub(crate) async fn socket(&self, path: &str, headers: &[(&str, &str)]) -> Socket {
        let mut request = format!("ws://{}{path}", self.addr).into_client_request().unwrap();
        request.headers_mut().append("sec-websocket-protocol", "otter.v1.json".parse().unwrap());
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        timeout(LONG, connect_async(request)).await.unwrap().unwrap().0
    }

    /// Opens a WebSocket that is refused: gives the close code and the code of the `refuse` frame before it.
    pub(crate) async fn refused(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut socket = self.socket(path, headers).await;
        ended(&mut socket).await
    }
}

/// What sign-in tests invite.
pub(crate) fn invitation() -> LinkGrant {
    LinkGrant::Invite { name: "Ann".into(), role: MemberRole::Member }
}

/// A close code and the code of the error before it.
pub(crate) fn refusal(code: u16, word: &str) -> (u16, String) {
    (code, word.to_owned())
}

/// What a browser with this cookie gets from `/ws`.
pub(crate) async fn attempt(hub: &Hub, cookie: &str) -> (u16, String) {
    hub.refused("/ws", &[("origin", &hub.origin()), ("cookie", cookie)]).await
}

/// A socket of a browser that is signed in.
pub(crate) async fn open(hub: &Hub, cookie: &str) -> Socket {
    hub.socket("/ws", &[("origin", &hub.origin()), ("cookie", cookie)]).await
}

/// A socket that has said hello: it stays open until the hub has a reason to close it.
pub(crate) async fn greeted(mut socket: Socket, boots: &[&str]) -> Socket {
    socket.send(Message::text(hello(boots).to_string())).await.unwrap();
    socket
}

/// Reads a socket to its end: the close code, and the last error the hub gave in `refuse` or the reason in `bye`.
pub(crate) async fn ended(socket: &mut Socket) -> (u16, String) {
    let mut said = String::new();
    loop {
        let message = timeout(LONG, socket.next()).await.expect("the hub closes the socket");
        match message.expect("a close frame comes before the end").unwrap() {
            Message::Text(text) => {
                for frame in otter_proto::frame::split(&text) {
                    match HubFrame::decode(frame).unwrap() {
                        HubFrame::Refuse(refuse) => said = refuse.error.code.to_string(),
                        HubFrame::Bye(bye) => said = format!("bye {}", bye.code),
                        _ => {}
                    }
                }
            }
            Message::Close(Some(close)) => return (close.code.into(), said),
            _ => {}
        }
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let header =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            status: status.unwrap_or(0),
            headers: lines.filter_map(header).collect(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    /// The `name=value` of the cookie it sets.
    pub(crate) fn cookie(&self) -> String {
        self.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
    }
}
