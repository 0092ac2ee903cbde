//! Pages of snapshots that were read a moment ago: when everybody reconnects at once, one read serves all.
//!
//! An old page is as good as a new one: it says at which head it was read, the events after it follow, and the rev
//! rule makes the mix exact. It is kept for a short time only, so that few events follow.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use otter_proto::id::{EntityKey, OrgId, Scope};

use crate::fanout::locked;
use crate::ledger::StoreError;
use crate::store::SnapshotRead;

/// How long a page serves.
const AGE: Duration = Duration::from_secs(1);
/// Bytes of pages kept at most.
const BYTES: usize = 64 << 20;
/// What a row takes besides its key and text.
const ROW_BYTES: usize = 64;

type Key = (OrgId, Scope, Option<EntityKey>);

/// The pages.
#[derive(Debug)]
pub(crate) struct Pages {
    limit: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    pages: BTreeMap<Key, (Instant, usize, Arc<SnapshotRead>)>,
    /// Oldest first; a page that was read again is there twice.
    order: VecDeque<(Instant, Key)>,
    bytes: usize,
}

impl Default for Pages {
    fn default() -> Self {
        Self { limit: BYTES, kept: Mutex::default() }
    }
}

impl Pages {
    /// The page of `key`, read by `read` unless one is kept.
    pub(crate) fn get(
        &self,
        key: Key,
        now: Instant,
        read: impl FnOnce() -> Result<SnapshotRead, StoreError>,
    ) -> Result<Arc<SnapshotRead>, StoreError> {
        {
            let mut kept = locked(&self.kept);
            kept.expire(now);
            if let Some((_, _, page)) = kept.pages.get(&key) {
                return Ok(Arc::clone(page));
            }
        }
        let page = Arc::new(read()?);
        locked(&self.kept).insert(key, now, Arc::clone(&page), self.limit);
        Ok(page)
    }
}

impl Kept {
    fn insert(&mut self, key: Key, now: Instant, page: Arc<SnapshotRead>, limit: usize) {
        let bytes = page.rows.iter().map(|row| row.key.as_str().len() + row.text.len() + ROW_BYTES).sum();
        self.remove(&key);
        self.bytes += bytes;
        self.pages.insert(key.clone(), (now, bytes, page));
        self.order.push_back((now, key));
        while self.bytes > limit
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.remove(&oldest);
        }
    }

    fn expire(&mut self, now: Instant) {
        while let Some((read, key)) =
            self.order.pop_front_if(|(read, _)| now.saturating_duration_since(*read) >= AGE)
        {
            if self.pages.get(&key).is_some_and(|(newest, ..)| *newest == read) {
                self.remove(&key);
            }
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some((_, bytes, _)) = self.pages.remove(key) {
            self.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::store::LiveRow;

    fn page(as_of: u64, bytes: usize) -> SnapshotRead {
        let key = EntityKey::new("message", "m").unwrap();
        let rows = vec![LiveRow { key, rev: as_of, text: Arc::from("x".repeat(bytes)) }];
        SnapshotRead { rows, as_of, last: None }
    }

    fn key(of: &str) -> Key {
        (OrgId::new("org_1").unwrap(), Scope::parse(of).unwrap(), None)
    }

    fn as_of(pages: &Pages, of: &str, now: Instant, fresh: u64, bytes: usize) -> u64 {
        pages.get(key(of), now, || Ok(page(fresh, bytes))).unwrap().as_of
    }

    #[test]
    fn a_page_serves_everybody_for_a_moment() {
        let (pages, start) = (Pages::default(), Instant::now());
        assert_eq!(as_of(&pages, "org", start, 1, 1), 1);
        assert_eq!(as_of(&pages, "org", start + AGE / 2, 2, 1), 1);
        assert_eq!(as_of(&pages, "conversation/c", start, 3, 1), 3, "another scope is another page");
        assert_eq!(as_of(&pages, "org", start + AGE, 4, 1), 4);
        assert_eq!(as_of(&pages, "org", start + AGE + AGE / 2, 5, 1), 4);
    }

    #[test]
    fn pages_are_bounded_in_bytes_and_leave_nothing_behind() {
        let (pages, start) = (Pages { limit: 10_000, ..Pages::default() }, Instant::now());
        for n in 0..20 {
            as_of(&pages, &format!("conversation/{n}"), start, n, 1_000);
        }
        assert!(locked(&pages.kept).bytes <= 10_000);
        assert_eq!(as_of(&pages, "conversation/19", start, 99, 1_000), 19);
        assert_eq!(as_of(&pages, "conversation/0", start, 99, 1_000), 99);
        locked(&pages.kept).expire(start + AGE);
        let kept = locked(&pages.kept);
        assert_eq!((kept.bytes, kept.pages.len(), kept.order.len()), (0, 0, 0));
    }

    #[test]
    fn a_failed_read_is_not_kept() {
        let (pages, start) = (Pages::default(), Instant::now());
        assert!(pages.get(key("org"), start, || Err(StoreError::Busy)).is_err());
        assert_eq!(as_of(&pages, "org", start, 7, 1), 7);
    }
}
