//! Sockets inside one process, for tests and simulations.

use tokio::sync::mpsc;

use super::{BoxFuture, Incoming, OpenError, Outgoing, QUEUE, Socket, Transport};

/// Opens sockets to a [`MemoryHub`].
#[derive(Debug, Clone)]
pub struct MemoryTransport {
    hub: mpsc::Sender<Socket>,
}

/// The other end of a [`MemoryTransport`].
#[derive(Debug)]
pub struct MemoryHub {
    sockets: mpsc::Receiver<Socket>,
}

impl MemoryHub {
    /// A hub and the way to it.
    pub fn new() -> (Self, MemoryTransport) {
        let (hub, sockets) = mpsc::channel(QUEUE);
        (Self { sockets }, MemoryTransport { hub })
    }

    /// The next socket a client opens; `None` when there is no client any more.
    pub async fn accept(&mut self) -> Option<Socket> {
        self.sockets.recv().await
    }
}

impl Transport for MemoryTransport {
    fn open(&self) -> BoxFuture<Result<Socket, OpenError>> {
        let hub = self.hub.clone();
        Box::pin(async move {
            let (near_out, far_in) = mpsc::channel(QUEUE);
            let (far_out, near_in) = mpsc::channel(QUEUE);
            let (near, far) = (joined(near_out, near_in), joined(far_out, far_in));
            let refused = |_| OpenError::Unreachable("nobody listens".to_owned());
            hub.send(far).await.map_err(refused)?;
            Ok(near)
        })
    }
}

/// A socket whose outgoing messages are the peer's incoming ones.
fn joined(to_peer: mpsc::Sender<Incoming>, incoming: mpsc::Receiver<Incoming>) -> Socket {
    let (outgoing, mut orders) = mpsc::channel(QUEUE);
    let task = tokio::spawn(async move {
        while let Some(order) = orders.recv().await {
            let (message, last) = match order {
                Outgoing::Message(text) => (Incoming::Message(text), false),
                Outgoing::Close { code, reason } => (Incoming::Closed { code, reason }, true),
            };
            if to_peer.send(message).await.is_err() || last {
                return;
            }
        }
    });
    Socket::new(outgoing, incoming, Some(task))
}
