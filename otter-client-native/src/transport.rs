//! How a client reaches its hub: a socket is two bounded queues, whatever carries them.

mod memory;
mod proxy;
mod websocket;

pub use memory::{MemoryHub, MemoryTransport};
pub use proxy::Proxy;
pub use websocket::WebSocketTransport;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A future that owns what it needs.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Opens sockets to one hub.
pub trait Transport: Send + Sync + 'static {
    /// Opens a new socket.
    fn open(&self) -> BoxFuture<Result<Socket, OpenError>>;
}

/// What goes out on a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// One WebSocket message.
    Message(String),
    /// The close handshake.
    Close {
        /// The close code.
        code: u16,
        /// A word for the peer's log.
        reason: String,
    },
}

/// What comes in on a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// One WebSocket message.
    Message(String),
    /// The end; nothing follows.
    Closed {
        /// The close code; 1006 when there was none.
        code: u16,
        /// The peer's words.
        reason: String,
    },
}

/// An open socket. Dropping it drops the connection without a close handshake.
#[derive(Debug)]
pub struct Socket {
    /// Messages to the peer.
    pub outgoing: mpsc::Sender<Outgoing>,
    /// Messages from the peer.
    pub incoming: mpsc::Receiver<Incoming>,
    task: Option<JoinHandle<()>>,
}

impl Socket {
    /// Joins two queues, and the task that moves what is in them, to a socket.
    pub const fn new(
        outgoing: mpsc::Sender<Outgoing>,
        incoming: mpsc::Receiver<Incoming>,
        task: Option<JoinHandle<()>>,
    ) -> Self {
        Self { outgoing, incoming, task }
    }

    /// Closes the socket: at most a second is spent on saying so.
    pub async fn close(mut self, code: u16, reason: String) {
        let farewell = async {
            if self.outgoing.send(Outgoing::Close { code, reason }).await.is_ok() {
                while let Some(Incoming::Message(_)) = self.incoming.recv().await {}
            }
        };
        drop(tokio::time::timeout(CLOSE, farewell).await);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

/// Why a socket could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Nobody answered.
    #[error("the hub cannot be reached: {0}")]
    Unreachable(String),
    /// Something answered that wants to be asked elsewhere, for instance a login page.
    #[error(
        "the address answers with a redirect ({status}) to {location}; a hub does not: check the address, or let the proxy in front of it pass this client"
    )]
    Redirected {
        /// The HTTP status.
        status: u16,
        /// Where to.
        location: String,
    },
    /// Something answered with an HTTP status instead of a WebSocket.
    #[error(
        "the address answers with HTTP status {status} instead of a WebSocket: check the address and path"
    )]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The HTTP proxy does not let the client through.
    #[error("the proxy {proxy} does not lead to the hub: {reason}")]
    Proxy {
        /// Its host and port.
        proxy: String,
        /// What it said.
        reason: String,
    },
    /// The certificate or the encryption.
    #[error("no secure connection to the hub: {0}")]
    Tls(String),
}

impl OpenError {
    /// The close code with the same consequence.
    pub const fn close_code(&self) -> u16 {
        match self {
            Self::Unreachable(_) => 1006,
            Self::Status { status: 401 | 403 } => 4200,
            Self::Redirected { .. } | Self::Status { .. } | Self::Proxy { .. } | Self::Tls(_) => 1013,
        }
    }
}

/// Messages that may wait between a socket and its owner, per direction.
const QUEUE: usize = 8;
const CLOSE: Duration = Duration::from_secs(1);
