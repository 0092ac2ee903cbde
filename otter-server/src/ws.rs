//! The WebSocket as the hub uses it: small buffers, bounded messages, frames shared between sockets.

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade};
use bytes::Bytes;
use otter_proto::connection::server;
use otter_proto::limits::Limits;
use tokio_tungstenite::tungstenite;

/// The read buffer of a browser's socket. It is zeroed at every read, so a large one costs more than its memory.
const MEMBER_READ_BYTES: usize = 1 << 10;
/// The read buffer of an instance's socket.
const INSTANCE_READ_BYTES: usize = 4 << 10;
/// A peer that takes nothing has at most this much in its write buffer.
const WRITE_BYTES: usize = 2 << 20;

/// Sets up the buffers and limits of a browser's socket.
pub fn member_socket<F>(upgrade: WebSocketUpgrade<F>, limits: &Limits) -> WebSocketUpgrade<F> {
    tuned(upgrade, limits).read_buffer_size(MEMBER_READ_BYTES)
}

/// Sets up the buffers and limits of an instance's socket.
pub fn instance_socket<F>(upgrade: WebSocketUpgrade<F>, limits: &Limits) -> WebSocketUpgrade<F> {
    tuned(upgrade, limits).read_buffer_size(INSTANCE_READ_BYTES)
}

/// A message up to twice the limit is read and refused with an `error` frame, so that the connection survives it.
/// What is longer ends the connection before it is held in memory.
fn tuned<F>(upgrade: WebSocketUpgrade<F>, limits: &Limits) -> WebSocketUpgrade<F> {
    let longest = usize::try_from(limits.frame_bytes).unwrap_or(usize::MAX).saturating_mul(2);
    upgrade
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BYTES)
        .max_message_size(longest)
        .max_frame_size(longest)
}

/// What went wrong with a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A message over the limit of the socket.
    TooLarge,
    /// Text that is not UTF-8.
    NotUtf8,
    /// Not the WebSocket protocol.
    Protocol,
    /// The transport is gone.
    Lost,
}

impl Fault {
    pub(crate) fn of(error: axum::Error) -> Self {
        let inner = error.into_inner();
        match inner.downcast_ref::<tungstenite::Error>() {
            Some(tungstenite::Error::Capacity(_)) => Self::TooLarge,
            Some(tungstenite::Error::Utf8(_)) => Self::NotUtf8,
            Some(tungstenite::Error::Protocol(error)) => match error {
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake => Self::Lost,
                _ => Self::Protocol,
            },
            _ => Self::Lost,
        }
    }

    /// The close frame that says so; the codec drops the connection without one.
    pub(crate) fn close(self) -> Option<Message> {
        let (code, reason) = match self {
            Self::TooLarge => (4505, "message too large"),
            Self::NotUtf8 => (1007, "text is not UTF-8"),
            Self::Protocol => (1002, "not the WebSocket protocol"),
            Self::Lost => return None,
        };
        Some(Message::Close(Some(CloseFrame { code, reason: reason.into() })))
    }
}

/// The WebSocket message for what the machine wants to send.
pub(crate) fn message(transmit: server::Transmit, binary: bool) -> Message {
    match transmit {
        server::Transmit::Close { code, reason } => {
            Message::Close(Some(CloseFrame { code, reason: reason.into() }))
        }
        server::Transmit::Message(server::Message::Owned(text)) if binary => {
            Message::Binary(Bytes::from(text))
        }
        server::Transmit::Message(server::Message::Owned(text)) => Message::Text(text.into()),
        server::Transmit::Message(server::Message::Shared(text)) if binary => {
            Message::Binary(Bytes::from_owner(SharedText(text)))
        }
        server::Transmit::Message(server::Message::Shared(text)) => {
            let bytes = Bytes::from_owner(SharedText(text));
            match bytes.try_into() {
                Ok(text) => Message::Text(text),
                Err(_) => Message::Binary(Bytes::new()),
            }
        }
    }
}

struct SharedText(Arc<str>);

impl AsRef<[u8]> for SharedText {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}
