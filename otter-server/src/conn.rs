//! One connection: the task between a WebSocket and the hub.
//!
//! [`otter_proto::connection::server::ServerConnection`] knows the rules; this task carries its questions to the log
//! and the fan-out, and its messages to the socket. One task owns one socket.

mod admission;
mod answers;
mod needs;
mod session;
mod socket;

use std::future::Future;
use std::sync::Arc;

use axum::extract::ws::WebSocket;
use otter_proto::connection::server::ServerConnection;
use otter_proto::error::ErrorBody;
use otter_proto::frame::Principal;

use crate::hub::{Hub, close_code};
use session::Session;
use socket::Socket;

/// Serves an accepted socket until it is closed.
///
/// `principal` is who the credential says the client is, or why it is refused: browsers cannot see why a handshake
/// failed, so that is said after it. `ended` resolves when the credential ends (expired, revoked, signed out) with
/// what the client is to be told.
pub async fn serve(
    socket: WebSocket,
    principal: Result<Principal, ErrorBody>,
    ended: impl Future<Output = ErrorBody> + Send,
    hub: Arc<Hub>,
) {
    let tracked = hub.connections.token();
    let machine = ServerConnection::new(hub.config.connection.clone(), hub.clock.now());
    let mut socket = Socket::new(socket, machine, hub.clock);
    let place = principal.and_then(|principal| hub.place(&principal).map(|place| (principal, place)));
    match place {
        Ok((principal, place)) => {
            let number = hub.next_connection();
            tracing::info!(connection = number, org = %principal.org, id = %principal.id, "connected");
            let began = hub.clock.now();
            let clock = hub.clock;
            Session::new(hub, socket, principal, number).run(ended).await;
            tracing::info!(connection = number, ms = clock.now().since(began), "disconnected");
            drop(place);
        }
        Err(error) => {
            tracing::info!(code = %error.code, "refused");
            let code = close_code(&error);
            socket.machine.refuse(error, code);
            socket.finish().await;
        }
    }
    drop(tracked);
}
