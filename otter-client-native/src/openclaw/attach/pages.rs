//! Reads that take more than one answer: a transcript back to what is known of it, the record of approvals back to
//! those that are looked for.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::openclaw::history::History;
use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::Observed;
use crate::openclaw::rpc::RpcCall;

/// A transcript, from its newest rows back to those that were seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TranscriptRead {
    pub(super) session: SessionKey,
    /// Runs that were open when the newest rows were asked for.
    pub(super) judged: Vec<String>,
    /// The newest page, with the rows of those before it.
    answer: Option<Value>,
    offset: Option<u64>,
    pages: u32,
}

/// What an answer leads to.
pub(super) enum Step<R, D> {
    /// Another page.
    More(R),
    /// All that is wanted, or all that there is.
    Done(D),
}

impl TranscriptRead {
    pub(super) fn new(session: SessionKey) -> Self {
        Self { session, judged: Vec::new(), answer: None, offset: None, pages: 0 }
    }

    /// Whether nothing of it was read yet.
    pub(super) fn is_first(&self) -> bool {
        self.answer.is_none()
    }

    pub(super) fn call(&self, observed: &Observed) -> RpcCall {
        let is_unknown = || observed.sessions.get(&self.session).is_none_or(|seen| seen.position.is_none());
        let limit = match self.offset {
            Some(_) => OLDER_ROWS,
            None if is_unknown() => FIRST_ROWS,
            None => MORE_ROWS,
        };
        let session = self.session.clone();
        RpcCall::ChatHistory { session, limit, max_chars: MAX_CHARS, offset: self.offset }
    }

    /// Takes a page. A row that came meanwhile moves the others; those that were read before are left out.
    pub(super) fn take(mut self, mut page: Value, observed: &Observed) -> Step<Self, (History, Vec<String>)> {
        self.pages += 1;
        self.offset = page.int("nextOffset").filter(|_| page.flag("hasMore") == Some(true));
        let answer = match self.answer.take() {
            None => page,
            Some(mut answer) => {
                let known: BTreeSet<&str> = answer.items("messages").iter().filter_map(id).collect();
                let is_news = |row: &Value| id(row).is_none_or(|id| !known.contains(id));
                let mut rows: Vec<Value> =
                    page.items("messages").iter().filter(|row| is_news(row)).cloned().collect();
                rows.extend(answer.items("messages").iter().cloned());
                answer["messages"] = rows.into();
                answer["hasMore"] = page["hasMore"].take();
                answer
            }
        };
        self.answer = Some(answer);
        let hole = self.hole(observed);
        if hole.is_some() && self.offset.is_some() && self.pages < MAX_PAGES {
            return Step::More(self);
        }
        Step::Done(self.end(observed))
    }

    /// What was read so far is all that can be had. Comes with the runs that it judges.
    pub(super) fn end(self, observed: &Observed) -> (History, Vec<String>) {
        let hole = self.hole(observed);
        let history = History::read(&self.session, self.answer.as_ref().unwrap_or(&Value::Null));
        (History { hole, ..history }, self.judged)
    }

    /// The place after which rows are still missing.
    fn hole(&self, observed: &Observed) -> Option<u64> {
        let answer = self.answer.as_ref().filter(|answer| answer.flag("hasMore") == Some(true))?;
        let position = observed.sessions.get(&self.session)?.position.as_ref()?;
        // Of a session that has another transcript now all of it is news.
        let is_same = answer.text("sessionId") == Some(&position.session_id);
        let known = if is_same { position.raw_seq } else { 0 };
        let place = |row: &Value| row.field("__openclaw").field("transcriptPosition").int("rawSeq");
        let oldest = answer.items("messages").iter().filter_map(place).min()?;
        (oldest > known + 1).then_some(known)
    }
}

/// The record of approvals, newest first.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct RecordRead {
    /// Approvals that are looked for.
    pub(super) missing: Vec<String>,
    /// Whether its newest page is told whoever asked.
    pub(super) all: bool,
    pub(super) items: Vec<Value>,
    cursor: Option<String>,
    pages: u32,
}

impl RecordRead {
    pub(super) fn new(missing: Vec<String>, all: bool) -> Self {
        Self { missing, all, ..Self::default() }
    }

    pub(super) fn call(&self) -> RpcCall {
        RpcCall::ApprovalHistory { limit: APPROVALS, cursor: self.cursor.clone() }
    }

    /// Takes a page, and asks for another one as long as something is looked for that may be there.
    pub(super) fn take(mut self, page: &Value) -> Step<Self, Self> {
        self.pages += 1;
        self.items.extend(page.items("items").iter().cloned());
        self.cursor = page.owned("nextCursor");
        let is_found = |id: &String| self.items.iter().any(|item| item.text("id") == Some(id));
        if self.cursor.is_some() && self.pages < MAX_RECORD_PAGES && !self.missing.iter().all(is_found) {
            return Step::More(self);
        }
        Step::Done(self)
    }
}

fn id(row: &Value) -> Option<&str> {
    row.field("__openclaw").text("id")
}

/// Rows of a session that are read at the very first attach.
const FIRST_ROWS: u64 = 50;
/// Newest rows read at a later attach, and rows of each page before them.
const MORE_ROWS: u64 = 200;
const OLDER_ROWS: u64 = 500;
/// What is older than so many pages stays at the gateway.
const MAX_PAGES: u32 = 10;
/// The most a gateway sends of one row.
const MAX_CHARS: u64 = 500_000;
/// The most approvals that a gateway lists at once, and pages of them that are looked through.
const APPROVALS: u64 = 100;
const MAX_RECORD_PAGES: u32 = 50;
