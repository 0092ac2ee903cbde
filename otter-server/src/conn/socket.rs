//! The socket of a connection together with its machine.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::{Sink, SinkExt, StreamExt};
use otter_proto::connection::server::ServerConnection;
use otter_proto::error::{CloseCode, ErrorBody, ErrorCode};
use tokio::time::{sleep, timeout};

use crate::clock::{Clock, unix_now};
use crate::received::Received;
use crate::ws::{Fault, message};

/// How long a peer may take to answer a close.
const LINGER: Duration = Duration::from_secs(5);
/// How long a peer that sent what cannot be read has to read why. Closing with unread bytes resets the connection,
/// which would take the explanation with it.
const FAULT_LINGER: Duration = Duration::from_secs(1);

/// What the socket did.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A message came and was handed to the machine.
    Read,
    /// Something was written; the machine may have more.
    Wrote,
    /// The connection is over.
    Over,
}

/// A socket and its machine.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) machine: ServerConnection,
    stream: WebSocket,
    received: Received,
    clock: Clock,
    /// Something was handed to the socket since it was last flushed.
    unflushed: bool,
    closed: bool,
    /// The stream ended in an error after which nothing can be read, but the peer has something to read.
    faulty: bool,
}

impl Socket {
    pub(super) const fn new(
        socket: WebSocket,
        received: Received,
        machine: ServerConnection,
        clock: Clock,
    ) -> Self {
        Self { machine, stream: socket, received, clock, unflushed: false, closed: false, faulty: false }
    }

    /// Writes what the machine has and reads one message, when `reads`. Cancel safe.
    pub(super) async fn turn(&mut self, reads: bool) -> Turn {
        poll_fn(|cx| self.poll_turn(cx, reads)).await
    }

    /// Runs what is due. Parts of a message that is not whole yet are heard of here.
    pub(super) fn timeout(&mut self) {
        let now = self.clock.now();
        self.machine.handle_received(self.received.bytes(), now);
        self.machine.handle_timeout(now);
    }

    /// Writes the last frames and the close, then reads until the peer has answered it: a socket dropped earlier may
    /// take them with it.
    pub(super) async fn finish(&mut self) {
        let rest = async {
            while self.turn(true).await != Turn::Over {
                while self.machine.poll_event().is_some() {}
            }
        };
        // A peer that does not answer the close is dropped.
        let _ = timeout(LINGER, rest).await;
        if self.faulty {
            sleep(FAULT_LINGER).await;
        }
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>, reads: bool) -> Poll<Turn> {
        if self.closed {
            return Poll::Ready(Turn::Over);
        }
        match self.poll_write(cx) {
            Poll::Ready(Ok(true)) => return Poll::Ready(Turn::Wrote),
            Poll::Ready(Ok(false)) | Poll::Pending => {}
            Poll::Ready(Err(_)) => return self.lost(),
        }
        if !reads {
            return Poll::Pending;
        }
        match ready!(self.stream.poll_next_unpin(cx)) {
            Some(Ok(message)) => {
                self.take(message);
                Poll::Ready(Turn::Read)
            }
            Some(Err(error)) => self.fault(Fault::of(error)),
            None => self.lost(),
        }
    }

    /// `Ok(true)` when a message was handed over, `Ok(false)` when there is nothing to write.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, axum::Error>> {
        let mut wrote = false;
        loop {
            let blocked = self.stream.poll_ready_unpin(cx)?.is_pending();
            let next = if blocked { None } else { self.machine.poll_transmit() };
            let Some(transmit) = next else { break };
            let message = message(transmit, self.machine.is_binary());
            self.stream.start_send_unpin(message)?;
            (wrote, self.unflushed) = (true, true);
        }
        if self.unflushed && self.stream.poll_flush_unpin(cx)?.is_ready() {
            self.unflushed = false;
        }
        Poll::Ready(Ok(wrote))
    }

    fn take(&mut self, message: Message) {
        let now = self.clock.now();
        self.machine.set_server_time(unix_now());
        self.machine.handle_received(self.received.bytes(), now);
        match message {
            Message::Text(text) => self.machine.handle_message(&text, now),
            Message::Binary(bytes) => {
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    return self.machine.handle_message(text, now);
                }
                let error = ErrorBody::new(ErrorCode::BadFrame, "binary messages hold UTF-8");
                if self.machine.is_open() {
                    self.machine.refuse_frame(error, now);
                } else {
                    self.machine.refuse(error, CloseCode::BadFrame);
                }
            }
            Message::Ping(_) | Message::Pong(_) => self.machine.handle_control(now),
            // The codec answers it; the stream ends after that.
            Message::Close(_) => self.machine.handle_closed(now),
        }
    }

    /// Says what is wrong before the connection ends.
    fn fault(&mut self, fault: Fault) -> Poll<Turn> {
        self.faulty = fault != Fault::Lost;
        match fault {
            Fault::TooLarge if !self.unflushed => {
                self.machine.handle_oversize(self.clock.now());
                while let Some(transmit) = self.machine.poll_transmit() {
                    let _ = self.stream.start_send_unpin(message(transmit, self.machine.is_binary()));
                }
            }
            Fault::TooLarge | Fault::NotUtf8 | Fault::Protocol | Fault::Lost => {
                if let Some(close) = fault.close() {
                    let _ = self.stream.start_send_unpin(close);
                }
            }
        }
        let _ = Sink::poll_flush(
            std::pin::Pin::new(&mut self.stream),
            &mut Context::from_waker(std::task::Waker::noop()),
        );
        self.lost()
    }

    fn lost(&mut self) -> Poll<Turn> {
        self.closed = true;
        self.machine.handle_closed(self.clock.now());
        Poll::Ready(Turn::Over)
    }
}
