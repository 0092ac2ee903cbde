//! A network that is lost now and then, as that of a machine which somebody carries around.

use std::time::Duration;

use otter_client_native::transport::{BoxFuture, Incoming, OpenError, Socket, Transport, WebSocketTransport};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// How long it works, and how long it does not.
const THERE: Duration = Duration::from_secs(100);
const AWAY: Duration = Duration::from_secs(35);
/// Messages that may wait, per direction.
const QUEUE: usize = 8;

/// A socket that works for a while, then not, then again.
pub(crate) struct Roaming {
    inner: WebSocketTransport,
    began: Instant,
}

impl Roaming {
    pub(crate) fn new(inner: WebSocketTransport) -> Self {
        Self { inner, began: Instant::now() }
    }

    /// When the network is lost next; `None` while it is.
    fn lost_at(&self) -> Option<Instant> {
        let period = THERE + AWAY;
        let rounds = u32::try_from(self.began.elapsed().as_secs() / period.as_secs()).unwrap_or(0);
        let lost_at = self.began + period * rounds + THERE;
        Some(lost_at).filter(|at| Instant::now() < *at)
    }
}

impl Transport for Roaming {
    fn open(&self) -> BoxFuture<Result<Socket, OpenError>> {
        let Some(lost_at) = self.lost_at() else {
            return Box::pin(async { Err(OpenError::Unreachable("no network".to_owned())) });
        };
        let opening = self.inner.open();
        Box::pin(async move { opening.await.map(|socket| until(socket, lost_at)) })
    }
}

/// Passes everything on, until the moment at which nothing goes any more.
fn until(mut inner: Socket, lost_at: Instant) -> Socket {
    let (outgoing, mut out) = mpsc::channel(QUEUE);
    let (back, incoming) = mpsc::channel(QUEUE);
    let task = tokio::spawn(async move {
        loop {
            let passed = tokio::select! {
                () = sleep_until(lost_at) => false,
                message = out.recv() => match message {
                    Some(message) => inner.outgoing.send(message).await.is_ok(),
                    None => false,
                },
                message = inner.incoming.recv() => match message {
                    Some(message) => back.send(message).await.is_ok(),
                    None => false,
                },
            };
            if !passed {
                break;
            }
        }
        drop(back.send(Incoming::Closed { code: 1006, reason: String::new() }).await);
    });
    Socket::new(outgoing, incoming, Some(task))
}
