//! The recent `events` frames of one scope, encoded once and shared by all readers.

use std::collections::VecDeque;
use std::sync::Arc;

use otter_proto::connection::server::Piece;
use otter_proto::frame::Events;
use otter_proto::id::{Epoch, Scope};
use otter_proto::limits::MESSAGE_BYTES;

use crate::log::Appended;

/// Events a ring holds at most.
const RING_EVENTS: usize = 1_000;
/// Bytes of frames a ring holds at most.
const RING_BYTES: usize = 2 << 20;
/// What the members of an `events` frame besides the events may take.
const FRAME_OVERHEAD: usize = 1_024;

/// Recent frames, without a hole between them.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    pieces: VecDeque<(Piece, usize)>,
    events: usize,
    bytes: usize,
}

/// What a ring has after a position.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recent {
    /// Everything, or the beginning of it when `more`.
    Pieces {
        /// Frames, oldest first.
        pieces: Vec<Piece>,
        /// More follow.
        more: bool,
    },
    /// The position lies before the ring.
    Behind,
}

impl Ring {
    /// Adds frames that follow the newest one.
    pub(crate) fn push(&mut self, pieces: Vec<(Piece, usize)>) {
        for (piece, events) in pieces {
            self.events += events;
            self.bytes += piece.frame.len();
            self.pieces.push_back((piece, events));
        }
        while (self.events > RING_EVENTS || self.bytes > RING_BYTES)
            && let Some((piece, events)) = self.pieces.pop_front()
        {
            self.events -= events;
            self.bytes -= piece.frame.len();
        }
    }

    /// Drops the frames up to `last`.
    pub(crate) fn forget(&mut self, last: u64) {
        while self.pieces.front().is_some_and(|(piece, _)| piece.last <= last)
            && let Some((piece, events)) = self.pieces.pop_front()
        {
            self.events -= events;
            self.bytes -= piece.frame.len();
        }
    }

    /// Frames after `after`, until `max_bytes` are reached. `head` is the scope's, when it is known.
    pub(crate) fn after(&self, after: u64, max_bytes: u64, head: Option<u64>) -> Recent {
        if head.is_some_and(|head| head <= after) {
            return Recent::Pieces { pieces: Vec::new(), more: false };
        }
        if self.pieces.front().is_none_or(|(oldest, _)| oldest.prev > after) {
            return Recent::Behind;
        }
        let start = self.pieces.partition_point(|(piece, _)| piece.last <= after);
        let (mut pieces, mut bytes) = (Vec::new(), 0_u64);
        for (piece, _) in self.pieces.iter().skip(start) {
            if bytes >= max_bytes {
                return Recent::Pieces { pieces, more: true };
            }
            bytes += piece.frame.len() as u64;
            pieces.push(piece.clone());
        }
        Recent::Pieces { pieces, more: false }
    }
}

/// Encodes the events that one commit added to a scope, each frame with how many events it holds. More than one frame
/// only when they are longer than a frame may be; the hash goes with the last.
pub(crate) fn encode(
    scope: &Scope,
    epoch: &Epoch,
    events: &[&Appended],
    hash: Option<u64>,
) -> Vec<(Piece, usize)> {
    let mut pieces = Vec::new();
    let mut rest = events;
    while let Some(first) = rest.first() {
        let taken = fitting(rest.iter().map(|event| event.text.len()));
        let (now, later) = rest.split_at(taken);
        rest = later;
        let last = now.last().map_or(first.seq, |event| event.seq);
        let hash = hash.filter(|_| later.is_empty()).map(hex);
        let texts = now.iter().map(|event| &*event.text).collect();
        pieces.push((piece(scope, epoch, first.prev, last, texts, hash), now.len()));
    }
    pieces
}

/// One frame of events.
pub(crate) fn piece(
    scope: &Scope,
    epoch: &Epoch,
    prev: u64,
    last: u64,
    events: Vec<&str>,
    hash: Option<String>,
) -> Piece {
    let mut text = String::with_capacity(events.iter().map(|event| event.len() + 1).sum::<usize>() + 256);
    Events { scope: scope.clone(), epoch: epoch.clone(), events, hash }.write(&mut text);
    Piece { prev, last, frame: Arc::from(text) }
}

/// A state hash as it travels.
pub(crate) fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// How many texts fit into one frame, at least one.
pub(crate) fn fitting(lengths: impl Iterator<Item = usize>) -> usize {
    let mut bytes = FRAME_OVERHEAD;
    let fits = lengths.take_while(|length| {
        bytes += length + 1;
        bytes <= MESSAGE_BYTES
    });
    fits.count().max(1)
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn event(prev: u64, seq: u64, bytes: usize) -> Appended {
        Appended { scope: Scope::Org, seq, prev, text: Arc::from("x".repeat(bytes)) }
    }

    fn encoded(events: &[Appended], hash: Option<u64>) -> Vec<(Piece, usize)> {
        encode(&Scope::Org, &Epoch::new("e1").unwrap(), &events.iter().collect::<Vec<_>>(), hash)
    }

    fn ring(count: u64, bytes: usize) -> Ring {
        let mut ring = Ring::default();
        for n in 0..count {
            ring.push(encoded(&[event(n, n + 1, bytes)], None));
        }
        ring
    }

    fn spans(recent: &Recent) -> Option<(Vec<(u64, u64)>, bool)> {
        match recent {
            Recent::Pieces { pieces, more } => {
                Some((pieces.iter().map(|piece| (piece.prev, piece.last)).collect(), *more))
            }
            Recent::Behind => None,
        }
    }

    #[test]
    fn a_commit_is_one_frame_with_its_hash() {
        let pieces = encoded(&[event(3, 5, 1), event(5, 6, 2)], Some(255));
        let text =
            r#"{"type":"events","scope":"org","epoch":"e1","events":[x,xx],"hash":"00000000000000ff"}"#;
        assert_eq!(pieces, [(Piece { prev: 3, last: 6, frame: Arc::from(text) }, 2)]);
    }

    #[test]
    fn a_long_commit_is_several_frames_and_only_the_last_has_the_hash() {
        let events: Vec<_> = (0..10).map(|n| event(n, n + 1, 15 << 10)).collect();
        let pieces = encoded(&events, Some(1));
        let spans: Vec<_> = pieces.iter().map(|(piece, events)| (piece.prev, piece.last, *events)).collect();
        assert_eq!(spans, [(0, 4, 4), (4, 8, 4), (8, 10, 2)]);
        assert!(pieces.iter().all(|(piece, _)| piece.frame.len() <= MESSAGE_BYTES));
        let hashed: Vec<_> = pieces.iter().map(|(piece, _)| piece.frame.contains("hash")).collect();
        assert_eq!(hashed, [false, false, true]);
    }

    #[test]
    fn readers_get_what_follows_their_position() {
        let ring = ring(4, 10);
        assert_eq!(spans(&ring.after(2, 1000, Some(4))), Some((vec![(2, 3), (3, 4)], false)));
        assert_eq!(spans(&ring.after(0, 1, Some(4))), Some((vec![(0, 1)], true)));
        assert_eq!(spans(&ring.after(4, 1000, Some(4))), Some((vec![], false)));
    }

    #[test]
    fn an_empty_ring_serves_only_those_who_are_at_the_head() {
        let ring = Ring::default();
        assert_eq!(spans(&ring.after(7, 1000, Some(7))), Some((vec![], false)));
        assert_eq!(ring.after(6, 1000, Some(7)), Recent::Behind);
        assert_eq!(ring.after(6, 1000, None), Recent::Behind);
    }

    #[test]
    fn a_ring_is_bounded_in_events_and_in_bytes() {
        let many = ring(1_200, 10);
        assert_eq!((many.events, many.after(199, 1, Some(1_200))), (1_000, Recent::Behind));
        assert!(spans(&many.after(200, 1, Some(1_200))).is_some());
        let big = ring(100, 100 << 10);
        assert!(big.bytes <= RING_BYTES);
        assert_eq!(big.after(0, 1, Some(100)), Recent::Behind);
    }

    #[test]
    fn a_position_inside_a_frame_gets_the_whole_frame() {
        let mut ring = Ring::default();
        ring.push(encoded(&[event(1, 2, 1), event(2, 3, 1)], None));
        assert_eq!(spans(&ring.after(2, 1000, Some(3))), Some((vec![(1, 3)], false)));
    }
}
