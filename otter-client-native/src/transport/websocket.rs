//! WebSockets over TCP and TLS.

use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use otter_proto::limits::SUBPROTOCOL;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, http};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async_tls_with_config, connect_async_with_config,
};

use super::{BoxFuture, Incoming, OpenError, Outgoing, Proxy, QUEUE, Socket, Transport};
use crate::error::StartError;

/// Opens WebSockets to one address.
#[derive(Debug, Clone)]
pub struct WebSocketTransport {
    request: Request,
    proxy: Option<Proxy>,
}

impl WebSocketTransport {
    /// For a `ws:` or `wss:` address, with a bearer token and further headers, for instance those a proxy in front of
    /// the hub asks for. The token is marked as sensitive: it is not printed. The variables `HTTPS_PROXY`, `HTTP_PROXY`
    /// and `NO_PROXY` are obeyed.
    pub fn new(url: &str, token: Option<&str>, headers: &[(String, String)]) -> Result<Self, StartError> {
        let address = || StartError::Address(url.to_owned());
        let mut request = url.into_client_request().map_err(|_| address())?;
        if !matches!(request.uri().scheme_str(), Some("ws" | "wss")) {
            return Err(address());
        }
        let fields = request.headers_mut();
        fields.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        if let Some(token) = token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| StartError::Header("authorization".to_owned()))?;
            value.set_sensitive(true);
            fields.insert(header::AUTHORIZATION, value);
        }
        for (name, value) in headers {
            let refused = || StartError::Header(name.clone());
            let key = HeaderName::try_from(name.as_str()).map_err(|_| refused())?;
            let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| refused())?;
            value.set_sensitive(true);
            fields.append(key, value);
        }
        let proxy = Proxy::from_env(request.uri());
        Ok(Self { request, proxy })
    }

    /// Goes through this HTTP proxy, or through none, whatever the environment says.
    #[must_use]
    pub fn proxy(mut self, proxy: Option<Proxy>) -> Self {
        self.proxy = proxy;
        self
    }
}

impl Transport for WebSocketTransport {
    fn open(&self) -> BoxFuture<Result<Socket, OpenError>> {
        let (request, proxy) = (self.request.clone(), self.proxy.clone());
        Box::pin(async move {
            let config = WebSocketConfig::default()
                .read_buffer_size(READ_BYTES)
                .write_buffer_size(0)
                .max_message_size(Some(MESSAGE_BYTES))
                .max_frame_size(Some(MESSAGE_BYTES));
            let (stream, _) = match proxy {
                None => connect_async_with_config(request, Some(config), true).await.map_err(explain)?,
                Some(proxy) => {
                    let tunnel = proxy.connect(request.uri()).await?;
                    client_async_tls_with_config(request, tunnel, Some(config), None)
                        .await
                        .map_err(explain)?
                }
            };
            let (outgoing, orders) = mpsc::channel(QUEUE);
            let (reports, incoming) = mpsc::channel(QUEUE);
            let (sink, source) = stream.split();
            let task = tokio::spawn(async move {
                tokio::select! {
                    () = write(sink, orders) => {}
                    () = read(source, reports) => {}
                }
            });
            Ok(Socket::new(outgoing, incoming, Some(task)))
        })
    }
}

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn write(mut sink: SplitSink<Stream, Message>, mut orders: mpsc::Receiver<Outgoing>) {
    while let Some(order) = orders.recv().await {
        let done = match order {
            Outgoing::Message(text) => sink.send(Message::text(text)).await,
            Outgoing::Close { code, reason } => {
                let frame = CloseFrame { code: code.into(), reason: reason.into() };
                let sent = sink.send(Message::Close(Some(frame))).await;
                // The reader ends the task when the peer answers.
                tokio::time::sleep(LINGER).await;
                sent
            }
        };
        if done.is_err() {
            // The reader learns why; what it still has to hand over is not cut off.
            std::future::pending::<()>().await;
        }
    }
}

async fn read(mut source: SplitStream<Stream>, reports: mpsc::Sender<Incoming>) {
    loop {
        let (message, last) = match source.next().await {
            Some(Ok(Message::Text(text))) => (Incoming::Message(text.as_str().to_owned()), false),
            Some(Ok(Message::Binary(bytes))) => {
                (Incoming::Message(String::from_utf8_lossy(&bytes).into_owned()), false)
            }
            Some(Ok(Message::Close(frame))) => {
                let (code, reason) = frame.map_or((1005, String::new()), |frame| {
                    (u16::from(frame.code), frame.reason.as_str().to_owned())
                });
                (Incoming::Closed { code, reason }, true)
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Err(Error::Capacity(_))) => {
                (Incoming::Closed { code: 1009, reason: "a message over the limit".to_owned() }, true)
            }
            Some(Err(error)) => (Incoming::Closed { code: 1006, reason: error.to_string() }, true),
            None => (Incoming::Closed { code: 1006, reason: String::new() }, true),
        };
        if reports.send(message).await.is_err() || last {
            return;
        }
    }
}

/// Names what a person can do about it.
fn explain(error: Error) -> OpenError {
    match error {
        Error::Http(response) => {
            let status = response.status();
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            match location {
                Some(location) if status.is_redirection() => {
                    OpenError::Redirected { status: status.as_u16(), location: shorten(location) }
                }
                _ => OpenError::Status { status: status.as_u16() },
            }
        }
        Error::Tls(error) => OpenError::Tls(error.to_string()),
        Error::Io(error) if error.to_string().contains("certificate") => OpenError::Tls(error.to_string()),
        other => OpenError::Unreachable(other.to_string()),
    }
}

/// The place of a redirect without its query, which may hold secrets.
fn shorten(location: &str) -> String {
    let place = location.parse::<http::Uri>().ok();
    let path = place.as_ref().map(http::Uri::path);
    match (place.as_ref().and_then(http::Uri::host), path) {
        (Some(host), Some(path)) => format!("{host}{path}"),
        (None, Some(path)) => path.to_owned(),
        (_, None) => location.chars().take(100).collect(),
    }
}

const READ_BYTES: usize = 16 << 10;
/// Longer than anything a hub packs into one message.
const MESSAGE_BYTES: usize = 8 << 20;
/// How long the close handshake may take.
const LINGER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn answered(response: &'static str) -> OpenError {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 4096];
            let length = stream.read(&mut asked).await.unwrap();
            stream.write_all(response.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let headers = [("x-team".to_owned(), "blue".to_owned())];
        let transport =
            WebSocketTransport::new(&format!("ws://{address}/ws/openclaw"), Some("s3cret"), &headers);
        let transport = transport.unwrap();
        assert!(!format!("{transport:?}").contains("s3cret"));
        let error = transport.open().await.unwrap_err();
        let asked = server.await.unwrap().to_lowercase();
        for line in ["authorization: bearer s3cret", "sec-websocket-protocol: otter.v1.json", "x-team: blue"]
        {
            assert!(asked.contains(line), "{asked}");
        }
        error
    }

    #[tokio::test]
    async fn a_login_page_is_named_instead_of_retried_in_silence() {
        let login = "HTTP/1.1 302 Found\r\nlocation: https://login.example/start?ticket=abc\r\ncontent-length: 0\r\n\r\n";
        let error = answered(login).await;
        assert_eq!(error, OpenError::Redirected { status: 302, location: "login.example/start".to_owned() });
        assert_eq!(error.close_code(), 1013);
    }

    #[tokio::test]
    async fn a_status_is_named() {
        let error = answered("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
        assert_eq!((error.close_code(), error), (4200, OpenError::Status { status: 403 }));
    }

    #[tokio::test]
    async fn a_closed_port_and_a_wrong_address_are_told_apart() {
        let transport = WebSocketTransport::new("ws://127.0.0.1:1/ws/openclaw", None, &[]).unwrap();
        assert!(matches!(transport.open().await, Err(OpenError::Unreachable(_))));
        for bad in ["https://hub.example", "hub.example", ""] {
            assert!(matches!(WebSocketTransport::new(bad, None, &[]), Err(StartError::Address(_))), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_secure_address_has_a_way_to_encrypt() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"this is not TLS").await.unwrap();
        });
        let transport = WebSocketTransport::new(&format!("wss://{address}/ws"), None, &[]).unwrap();
        assert!(matches!(transport.open().await, Err(OpenError::Tls(_) | OpenError::Unreachable(_))));
        server.await.unwrap();
    }
}
