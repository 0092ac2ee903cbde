//! What waits for the socket: one stream of frames, the ack window, and coalesced answers.

use std::collections::VecDeque;
use std::sync::Arc;

use super::need::{Closing, Message, Transmit};
use crate::frame::{HubFrame, Published};
use crate::limits::MESSAGE_BYTES;

/// While more control bytes than this wait, the hub does not read from the socket.
pub(super) const CONTROL_BYTES: usize = 256 << 10;
/// While more bytes than this wait in all, neither: data that the window lets through is less.
const WAITING_BYTES: usize = 1 << 20;
/// While more bytes than this wait in all, signals wait as the latest per key.
const SIGNAL_BYTES: usize = 256 << 10;

/// Answers to publishes of different producer epochs that may wait before the hub stops reading.
const PUBLISHED_ANSWERS: usize = 16;

#[derive(Debug)]
enum Queued {
    Control(String),
    Ping(String),
    Signal(Arc<str>),
    Data(Arc<str>),
}

impl Queued {
    fn text(&self) -> &str {
        match self {
            Self::Control(text) | Self::Ping(text) => text,
            Self::Signal(text) | Self::Data(text) => text,
        }
    }

    const fn is_control(&self) -> bool {
        matches!(self, Self::Control(_) | Self::Ping(_))
    }
}

/// The outgoing half of a connection.
#[derive(Debug)]
pub(super) struct Outbound {
    window_bytes: u64,
    urgent: VecDeque<Queued>,
    stream: VecDeque<Queued>,
    published: Vec<Published>,
    waiting_bytes: usize,
    control_bytes: usize,
    ping_waits: bool,
    taken: u64,
    unacked: VecDeque<u64>,
    unacked_bytes: u64,
    acked_frames: u64,
    closing: Option<Closing>,
    closed: bool,
}

impl Outbound {
    pub(super) const fn new(window_bytes: u64) -> Self {
        Self {
            window_bytes,
            urgent: VecDeque::new(),
            stream: VecDeque::new(),
            published: Vec::new(),
            waiting_bytes: 0,
            control_bytes: 0,
            ping_waits: false,
            taken: 0,
            unacked: VecDeque::new(),
            unacked_bytes: 0,
            acked_frames: 0,
            closing: None,
            closed: false,
        }
    }

    /// Queues a control frame in stream order.
    pub(super) fn control(&mut self, frame: &HubFrame<'_>) {
        let queued = Queued::Control(encoded(frame));
        self.push(queued);
    }

    /// Queues a frame before everything that waits.
    pub(super) fn urgent(&mut self, frame: &HubFrame<'_>) {
        if self.is_closing() {
            return;
        }
        let text = encoded(frame);
        self.waiting_bytes += text.len();
        self.control_bytes += text.len();
        self.urgent.push_back(Queued::Control(text));
    }

    /// Queues a heartbeat in stream order; whether one waits already is [`Self::ping_waits`].
    pub(super) fn ping(&mut self, frame: &HubFrame<'_>) {
        self.ping_waits = !self.is_closing();
        let queued = Queued::Ping(encoded(frame));
        self.push(queued);
    }

    /// Queues a data frame and counts it against the window.
    pub(super) fn data(&mut self, frame: Arc<str>) {
        if self.is_closing() {
            return;
        }
        let bytes = frame.len() as u64;
        self.unacked.push_back(bytes);
        self.unacked_bytes += bytes;
        self.push(Queued::Data(frame));
    }

    /// Queues a signal in stream order.
    pub(super) fn signal(&mut self, frame: Arc<str>) {
        self.push(Queued::Signal(frame));
    }

    /// Queues the answer to a publish; answers of a lane that still wait become one.
    pub(super) fn published(&mut self, answer: Published) {
        if self.is_closing() {
            return;
        }
        let last = self.published.iter_mut().rfind(|waiting| waiting.lane == answer.lane);
        match last {
            Some(waiting) if waiting.producer_epoch == answer.producer_epoch => {
                waiting.up_to = waiting.up_to.max(answer.up_to);
                waiting.rejected.extend(answer.rejected);
                waiting.error = answer.error;
                waiting.expected = answer.expected;
            }
            Some(_) | None => self.published.push(answer),
        }
    }

    /// Takes the client's count of received data frames. `false` when it counts backwards or frames never sent.
    pub(super) fn ack(&mut self, frames: u64) -> bool {
        let Some(newly) = frames.checked_sub(self.acked_frames) else { return false };
        let Ok(newly) = usize::try_from(newly) else { return false };
        if newly > self.unacked.len() {
            return false;
        }
        self.acked_frames = frames;
        self.unacked_bytes -= self.unacked.drain(..newly).sum::<u64>();
        true
    }

    /// How many bytes of data frames may go before the client has to ack; 0 when it is paused.
    pub(super) fn window(&self) -> u64 {
        if self.is_closing() { 0 } else { self.window_bytes.saturating_sub(self.unacked_bytes) }
    }

    /// Whether a signal may be queued now.
    pub(super) fn takes_signals(&self) -> bool {
        self.window() > 0 && self.waiting_bytes < SIGNAL_BYTES
    }

    /// Bytes that wait for the socket.
    pub(super) const fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// How many messages the socket has taken so far.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    pub(super) const fn ping_waits(&self) -> bool {
        self.ping_waits
    }

    /// Whether so many control bytes wait that the hub stops reading.
    pub(super) const fn is_congested(&self) -> bool {
        self.control_bytes > CONTROL_BYTES
            || self.waiting_bytes > WAITING_BYTES
            || self.published.len() > PUBLISHED_ANSWERS
    }

    pub(super) const fn is_closing(&self) -> bool {
        self.closing.is_some() || self.closed
    }

    /// Queues the last frame and the close; data that waits is dropped so that they arrive soon.
    pub(super) fn close(&mut self, last: Option<&HubFrame<'_>>, closing: Closing) {
        if self.is_closing() {
            return;
        }
        self.stream.retain(Queued::is_control);
        if let Some(frame) = last {
            self.push(Queued::Control(encoded(frame)));
        }
        self.closing = Some(closing);
    }

    /// The socket is gone: nothing is transmitted any more.
    pub(super) fn abandon(&mut self) {
        self.urgent.clear();
        self.stream.clear();
        self.published.clear();
        self.closing = None;
        self.closed = true;
    }

    /// The next thing for the socket: everything that waits packed into messages, then the close.
    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        if let Some(message) = self.pack() {
            self.taken += 1;
            return Some(Transmit::Message(message));
        }
        let closing = self.closing.take()?;
        self.closed = true;
        Some(Transmit::Close { code: closing.code, reason: closing.reason })
    }

    fn push(&mut self, queued: Queued) {
        if self.is_closing() {
            return;
        }
        self.waiting_bytes += queued.text().len();
        if queued.is_control() {
            self.control_bytes += queued.text().len();
        }
        self.stream.push_back(queued);
    }

    fn pack(&mut self) -> Option<Message> {
        for answer in std::mem::take(&mut self.published) {
            let text = encoded(&HubFrame::Published(answer));
            self.waiting_bytes += text.len();
            self.control_bytes += text.len();
            self.urgent.push_back(Queued::Control(text));
        }
        let first = self.pop()?;
        if self.urgent.is_empty() && self.stream.is_empty() {
            return Some(match first {
                Queued::Control(text) | Queued::Ping(text) => Message::Owned(text),
                Queued::Signal(text) | Queued::Data(text) => Message::Shared(text),
            });
        }
        let mut message = String::with_capacity(first.text().len() + self.waiting_bytes.min(MESSAGE_BYTES));
        message.push_str(first.text());
        while let Some(next) = self.front()
            && message.len() + 1 + next.text().len() <= MESSAGE_BYTES
        {
            message.push('\n');
            message.push_str(next.text());
            self.pop();
        }
        Some(Message::Owned(message))
    }

    fn front(&self) -> Option<&Queued> {
        self.urgent.front().or_else(|| self.stream.front())
    }

    fn pop(&mut self) -> Option<Queued> {
        let queued = self.urgent.pop_front().or_else(|| self.stream.pop_front())?;
        self.waiting_bytes = self.waiting_bytes.saturating_sub(queued.text().len());
        if queued.is_control() {
            self.control_bytes = self.control_bytes.saturating_sub(queued.text().len());
        }
        if matches!(queued, Queued::Ping(_)) {
            self.ping_waits = false;
        }
        Some(queued)
    }
}

fn encoded(frame: &HubFrame<'_>) -> String {
    let mut text = String::new();
    frame.encode(&mut text);
    text
}
