//! The listening socket and its connections.
//!
//! hyper with a timer and header limits: a peer that sends its request slowly, sends too much of it, or vanishes,
//! costs one place for a few seconds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::received::Received;

/// A request head, and the silence between two requests, may take this long.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection answers requests for this long; one that reads its answers slowly must not keep its place.
const LIFETIME: Duration = Duration::from_mins(2);
/// Then the last answer may take this long.
const LAST_ANSWER: Duration = Duration::from_mins(1);
/// A request head may have this many bytes.
const HEADER_BYTES: usize = 32 << 10;
/// After an error of accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The connection a request came on.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The address of the other end of the TCP connection.
    pub addr: SocketAddr,
    /// The connection's place; a WebSocket keeps it until it closes.
    pub place: Arc<OwnedSemaphorePermit>,
    /// What came on the connection so far.
    pub received: Received,
}

/// Serves `router` until `stop`, with at most `places` connections. Returns when the listener is closed; connections
/// that are open finish their request.
pub async fn serve(listener: TcpListener, router: Router, places: Arc<Semaphore>, stop: CancellationToken) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, addr)) => {
                let peer = Peer { addr, place: Arc::new(place), received: Received::default() };
                tokio::spawn(connection(stream, router.clone(), peer, stop.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: Router, peer: Peer, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let addr = peer.addr;
    let stream = peer.received.counting(stream);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(served);
    // A WebSocket is not served here any more after its handshake.
    let result = tokio::select! {
        result = &mut served => Ok(result),
        () = async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = sleep(LIFETIME) => {}
            }
        } => {
            served.as_mut().graceful_shutdown();
            timeout(LAST_ANSWER, served).await
        }
    };
    match result {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%addr, %error, "a connection ended early"),
        Err(_) => tracing::debug!(%addr, "a connection took its answer too slowly"),
    }
}
