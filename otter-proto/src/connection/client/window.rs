//! Flow control: counts the data frames received on one connection and says when an `ack` is due.

use crate::Instant;
use crate::frame::Ack;
use crate::limits::{ACK_BYTES, ACK_MS};

/// The receiving end of the hub's window. Lives and dies with its connection.
#[derive(Debug, Default)]
pub(super) struct Window {
    frames: u64,
    unacked_bytes: u64,
    unacked_since: Option<Instant>,
}

impl Window {
    /// Counts a data frame, whatever becomes of it. An ack that is due goes out with the receipt, because the timers
    /// of a hidden page may not run for a minute.
    pub(super) fn received(&mut self, bytes: usize, now: Instant) -> Option<Ack> {
        self.frames += 1;
        self.unacked_bytes += bytes as u64;
        let since = *self.unacked_since.get_or_insert(now);
        if self.unacked_bytes >= ACK_BYTES || now.since(since) >= ACK_MS { self.ack() } else { None }
    }

    /// When the frames received so far have to be acked at the latest.
    pub(super) fn due(&self) -> Option<Instant> {
        self.unacked_since.map(|since| since.plus(ACK_MS))
    }

    /// Acks what is unacked.
    pub(super) fn ack(&mut self) -> Option<Ack> {
        self.unacked_since.take()?;
        self.unacked_bytes = 0;
        Some(Ack { frames: self.frames })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acks_come_at_64_kib_or_after_a_second() {
        let mut window = Window::default();
        assert_eq!(window.due(), None);
        assert_eq!(window.received(60_000, Instant(0)), None);
        assert_eq!(window.received(5_536, Instant(10)), Some(Ack { frames: 2 }));
        assert_eq!(window.due(), None);
        assert_eq!(window.received(10, Instant(20)), None);
        assert_eq!(window.due(), Some(Instant(1_020)));
        assert_eq!(window.received(10, Instant(1_019)), None);
        assert_eq!(window.received(10, Instant(1_020)), Some(Ack { frames: 5 }));
        assert_eq!(window.ack(), None);
    }
}
