//! One connection: the task between a WebSocket and the hub.
//!
//! [`otter_proto::connection::server::ServerConnection`] knows the rules; this task carries its questions to the log
//! and the fan-out, and its messages to the socket. One task owns one socket.

mod admission;
mod answers;
pub mod fetches;
mod needs;
mod session;
mod socket;

use std::future::Future;
use std::sync::Arc;

use axum::extract::ws::WebSocket;
use otter_proto::connection::server::ServerConnection;
use otter_proto::error::ErrorBody;
use otter_proto::frame::Principal;

use crate::hub::Hub;
use crate::received::Received;
use session::Session;
use socket::Socket;

/// Serves an accepted socket until it is closed.
///
/// `received` counts the bytes of its connection. `principal` is who the credential says the client is, or why it is refused: browsers cannot see why a handshake
/// failed, so that is said after it. `ended` resolves when the credential ends (expired, revoked, signed out) with
/// what the client is to be told.
pub async fn serve(
    socket: WebSocket,
    received: Received,
    principal: Result<Principal, ErrorBody>,
    ended: impl Future<Output = ErrorBody> + Send,
    hub: Arc<Hub>,
) {
    let tracked = hub.connections.token();
    let place = principal.and_then(|principal| hub.place(&principal).map(|place| (principal, place)));
    match place {
        Ok((principal, place)) => {
            let number = hub.next_connection();
            tracing::info!(connection = number, org = %principal.org, id = %principal.id, "connected");
            let began = hub.clock.now();
            // On the heap once, instead of in every future on the way.
            let session =
                Box::new(Session::new(Arc::clone(&hub), machine(&hub, socket, received), principal, number));
            session.run(ended).await;
            tracing::info!(connection = number, ms = hub.clock.now().since(began), "disconnected");
            drop(place);
        }
        Err(error) => {
            tracing::info!(code = %error.code, "refused");
            Box::pin(refuse(machine(&hub, socket, received), error)).await;
        }
    }
    drop(tracked);
}

fn machine(hub: &Hub, socket: WebSocket, received: Received) -> Socket {
    let machine = ServerConnection::new(hub.config.connection.clone(), hub.clock.now());
    Socket::new(socket, received, machine, hub.clock)
}

async fn refuse(mut socket: Socket, error: ErrorBody) {
    let code = error.close_code();
    socket.machine.refuse(error, code);
    socket.finish().await;
}
