//! One budget for the rings of all scopes of an org.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use otter_proto::connection::server::Piece;

use super::scope::ScopeFeed;

/// The frames that the rings took, oldest first, as long as they fit the budget together. A frame that its ring let go
/// of earlier counts until its turn comes.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    bytes: usize,
    frames: VecDeque<(Weak<ScopeFeed>, u64, usize)>,
}

impl Budget {
    /// Rings of at most `limit` bytes together.
    pub(super) const fn new(limit: usize) -> Self {
        Self { limit, bytes: 0, frames: VecDeque::new() }
    }

    /// Counts frames that a ring is about to take, and takes the oldest ones of all out of theirs.
    pub(super) fn take(&mut self, feed: &Arc<ScopeFeed>, pieces: &[(Piece, usize)]) {
        for (piece, _) in pieces {
            self.bytes += piece.frame.len();
            self.frames.push_back((Arc::downgrade(feed), piece.last, piece.frame.len()));
        }
        while self.bytes > self.limit
            && let Some((feed, last, bytes)) = self.frames.pop_front()
        {
            self.bytes -= bytes;
            if let Some(feed) = feed.upgrade() {
                feed.forget(last);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use otter_proto::id::Scope;
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::ring::Recent;

    fn push(budget: &mut Budget, feed: &Arc<ScopeFeed>, last: u64) {
        let pieces = vec![(Piece { prev: last - 1, last, frame: Arc::from("x".repeat(100)) }, 1)];
        budget.take(feed, &pieces);
        feed.committed(&Scope::Org, pieces);
    }

    fn held(feed: &ScopeFeed, after: u64) -> Option<usize> {
        match feed.after(after, u64::MAX) {
            Recent::Pieces { pieces, .. } => Some(pieces.len()),
            Recent::Behind => None,
        }
    }

    #[test]
    fn the_oldest_frames_of_all_rings_go_first() {
        let (mut budget, one, two) = (Budget::new(300), Arc::default(), Arc::default());
        push(&mut budget, &one, 1);
        push(&mut budget, &two, 1);
        push(&mut budget, &two, 2);
        assert_eq!((held(&one, 0), held(&two, 0)), (Some(1), Some(2)));
        push(&mut budget, &two, 3);
        assert_eq!((held(&one, 0), held(&two, 0)), (None, Some(3)), "the ring of a quiet scope is empty");
        assert_eq!(held(&one, 1), Some(0));
        push(&mut budget, &one, 2);
        assert_eq!((held(&one, 1), held(&two, 0), held(&two, 1)), (Some(1), None, Some(2)));
        drop(two);
        push(&mut budget, &one, 3);
        assert_eq!((held(&one, 1), budget.bytes, budget.frames.len()), (Some(2), 300, 3));
    }
}
