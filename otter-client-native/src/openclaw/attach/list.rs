//! The list of sessions, page by page, while sessions go on and change their places in it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::openclaw::attach::pages::Step;
use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::Observed;
use crate::openclaw::rpc::RpcCall;

/// A read of all session rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct ListRead {
    offset: u64,
    seen: BTreeSet<SessionKey>,
    listed: usize,
    /// The sessions that were known when it was begun, each with the time of its newest row.
    judged: BTreeMap<SessionKey, u64>,
    /// Rows that were listed and not told yet.
    rows: Vec<Value>,
}

impl ListRead {
    /// Takes note of what is known before the first page is asked for.
    pub(super) fn begin(&mut self, observed: &Observed) {
        if self.offset == 0 {
            self.judged =
                observed.sessions.iter().map(|(key, seen)| (key.clone(), seen.snapshot_at)).collect();
        }
    }

    pub(super) fn call(&self) -> RpcCall {
        RpcCall::SessionsList { offset: self.offset, limit: PAGE }
    }

    pub(super) fn take(mut self, page: &Value) -> Step<Self, Self> {
        let rows = page.items("sessions");
        self.listed += rows.len();
        self.seen.extend(rows.iter().filter_map(|row| row.text("key")).map(SessionKey::new));
        self.rows.extend(rows.iter().cloned());
        let next = page.int("nextOffset").filter(|_| page.flag("hasMore") == Some(true) && !rows.is_empty());
        match next.filter(|_| self.listed < MAX_SESSIONS) {
            Some(offset) => {
                self.offset = offset;
                Step::More(self)
            }
            None => Step::Done(self),
        }
    }

    /// The rows of the pages since the last call, but for those that waited while newer ones came.
    pub(super) fn rows(&mut self, observed: &Observed) -> Vec<Value> {
        let mut rows = std::mem::take(&mut self.rows);
        if observed.excludes() {
            rows.retain(|row| {
                row.text("key").is_some_and(|key| !self.was_heard(&SessionKey::new(key), observed))
            });
        }
        rows
    }

    /// The sessions that are gone: a whole list does not name them, and nothing was heard of them since it was begun.
    pub(super) fn gone(&self, observed: &Observed) -> Vec<SessionKey> {
        let is_gone = |key: &&SessionKey| !self.seen.contains(key) && !self.was_heard(key, observed);
        let judged = self.judged.keys().filter(|_| self.listed < MAX_SESSIONS);
        judged.filter(is_gone).cloned().collect()
    }

    fn was_heard(&self, key: &SessionKey, observed: &Observed) -> bool {
        let newest = observed.sessions.get(key).map_or(0, |seen| seen.snapshot_at);
        newest != self.judged.get(key).copied().unwrap_or_default()
    }
}

/// What became of the list of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ListState {
    #[default]
    Expected,
    /// It failed so often that the commands wait for it no longer.
    Overdue,
    /// The gateway does not say which sessions there are.
    Refused,
}

const PAGE: u64 = 100;
const MAX_SESSIONS: usize = 5_000;
