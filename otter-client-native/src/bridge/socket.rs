//! The sockets to the gateway: one task each, driven by [`Transmit`].

use std::io;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Error};
use tokio_tungstenite::{connect_async_with_config, tungstenite::protocol::frame::coding::CloseCode};

use crate::openclaw::{CloseReason, Generation, OpenFailure, Transmit};

/// What happened on a socket.
#[derive(Debug)]
pub(super) enum SocketEvent {
    Opened,
    Failed(OpenFailure),
    Text(String),
    /// Something arrived that is no text, such as a ping.
    Alive,
    Closed(CloseReason),
}

/// The socket of the current attempt. Dropping it ends its task.
#[derive(Debug)]
pub(super) struct GatewaySocket {
    url: String,
    events: mpsc::Sender<(Generation, SocketEvent)>,
    current: Option<(Generation, mpsc::Sender<Order>, JoinHandle<()>)>,
}

#[derive(Debug)]
enum Order {
    Send(String),
    Close(u16),
}

impl GatewaySocket {
    /// Sends what happens into `events`.
    pub(super) fn new(url: String, events: mpsc::Sender<(Generation, SocketEvent)>) -> Self {
        Self { url, events, current: None }
    }

    /// Does what the dialogue wants done.
    pub(super) fn perform(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Open(generation) => self.open(generation),
            Transmit::Send(generation, text) => self.order(generation, Order::Send(text)),
            Transmit::Close(generation, code) => {
                self.order(generation, Order::Close(code));
                self.current.take_if(|(current, ..)| *current == generation);
            }
        }
    }

    fn open(&mut self, generation: Generation) {
        let (orders, inbox) = mpsc::channel(MAX_ORDERS);
        let task = tokio::spawn(run(self.url.clone(), generation, inbox, self.events.clone()));
        if let Some((.., old)) = self.current.replace((generation, orders, task)) {
            old.abort();
        }
    }

    fn order(&self, generation: Generation, order: Order) {
        let Some((_, orders, task)) = self.current.as_ref().filter(|(current, ..)| *current == generation)
        else {
            return;
        };
        // The dialogue bounds its open requests; a socket that takes none of them is as good as dead.
        if orders.try_send(order).is_err() {
            task.abort();
        }
    }
}

impl Drop for GatewaySocket {
    fn drop(&mut self) {
        if let Some((.., task)) = self.current.take() {
            task.abort();
        }
    }
}

async fn run(
    url: String,
    generation: Generation,
    mut orders: mpsc::Receiver<Order>,
    events: mpsc::Sender<(Generation, SocketEvent)>,
) {
    let report = |event| events.send((generation, event));
    let opened = tokio::select! {
        opened = open(&url) => opened,
        () = closed_early(&mut orders) => return,
    };
    let mut socket = match opened {
        Ok(socket) => socket,
        Err(error) => {
            let _receiver_gone = report(SocketEvent::Failed(failure(&error))).await;
            return;
        }
    };
    if report(SocketEvent::Opened).await.is_err() {
        return;
    }
    let reason = loop {
        let event = tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(text)) => match socket.send(Message::text(text)).await {
                    Ok(()) => continue,
                    Err(error) => break closed(&error),
                },
                Some(Order::Close(code)) => {
                    let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
                    let _already_closed = tokio::time::timeout(FAREWELL, socket.close(Some(frame))).await;
                    return;
                }
                None => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => SocketEvent::Text(text.as_str().to_owned()),
                Some(Ok(Message::Close(frame))) => break frame.map_or(vanished(), |frame| CloseReason {
                    code: frame.code.into(),
                    reason: frame.reason.as_str().to_owned(),
                }),
                Some(Ok(_)) => SocketEvent::Alive,
                Some(Err(error)) => break closed(&error),
                None => break vanished(),
            },
        };
        if report(event).await.is_err() {
            return;
        }
    };
    let _receiver_gone = report(SocketEvent::Closed(reason)).await;
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A plain upgrade: headers that look as if a proxy had added them would make the gateway drop the socket.
async fn open(url: &str) -> Result<Socket, Error> {
    let config =
        WebSocketConfig::default().max_message_size(Some(MAX_MESSAGE)).max_frame_size(Some(MAX_MESSAGE));
    let request = url.into_client_request()?;
    let (socket, _) = connect_async_with_config(request, Some(config), true).await?;
    Ok(socket)
}

async fn closed_early(orders: &mut mpsc::Receiver<Order>) {
    while let Some(Order::Send(_)) = orders.recv().await {}
}

fn failure(error: &Error) -> OpenFailure {
    match error {
        Error::Http(response) => OpenFailure::Status(response.status().as_u16()),
        Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => OpenFailure::Refused,
        Error::Url(tungstenite::error::UrlError::UnableToConnect(_)) => OpenFailure::Refused,
        other => OpenFailure::Other(other.to_string()),
    }
}

fn closed(error: &Error) -> CloseReason {
    let reason = match error {
        Error::ConnectionClosed | Error::AlreadyClosed => String::new(),
        other => other.to_string(),
    };
    CloseReason { code: 1006, reason }
}

fn vanished() -> CloseReason {
    CloseReason { code: 1006, reason: String::new() }
}

/// A little more than a gateway sends at most.
const MAX_MESSAGE: usize = 26 << 20;
const MAX_ORDERS: usize = 1_024;
const FAREWELL: Duration = Duration::from_secs(2);
