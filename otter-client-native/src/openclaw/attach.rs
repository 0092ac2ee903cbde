//! Reads that bring a connection up to date: agents, sessions, histories, approvals, tasks, jobs and feed items.
//!
//! Everything is read once per attach; after that only what a frame asks for. Live frames are translated while the
//! reads are under way.

mod histories;
mod list;
mod pages;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::openclaw::attach::list::{ListRead, ListState};
use crate::openclaw::attach::pages::{RecordRead, Step, TranscriptRead};
use crate::openclaw::history::History;
use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::Observed;
use crate::openclaw::rpc::{RpcCall, RpcError, RpcResult};
use crate::openclaw::time::{Instant, Now, later};
use crate::openclaw::translate::{self, Output, Want};

/// Names a read between call and response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadId(u64);

/// The reads of one connection.
#[derive(Debug, Default)]
pub struct Attachment {
    last: u64,
    waiting: VecDeque<Read>,
    delayed: Vec<(Instant, Read)>,
    open: BTreeMap<ReadId, Read>,
    /// Last activity of each session before the attach, to see what changed meanwhile.
    before: BTreeMap<SessionKey, u64>,
    attaching: bool,
    list: ListState,
}

#[derive(Clone, Debug, PartialEq)]
struct Read {
    what: What,
    failures: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    Agents,
    Subscribe,
    Sessions(ListRead),
    History(TranscriptRead),
    Message { session: SessionKey, id: String },
    Approvals { judged: Vec<String> },
    ApprovalHistory(RecordRead),
    Tasks { judged: Vec<String> },
    Jobs,
    Feed,
}

impl Attachment {
    /// Begins anew on a connection that is ready, or on one that lost events. `boot` is the gateway's boot.
    pub fn handle_ready(&mut self, boot: Option<&str>, observed: &mut Observed) {
        self.handle_lost();
        observed.meta.boot = boot.map(str::to_owned).or(observed.meta.boot.take());
        observed.touch_meta();
        observed.catching_up = true;
        self.attaching = true;
        self.list = ListState::Expected;
        let known =
            observed.sessions.iter().filter(|(_, seen)| seen.session.is_some() || seen.position.is_some());
        self.before = known.map(|(key, seen)| (key.clone(), seen.activity_at)).collect();
        let sessions = What::Sessions(ListRead::default());
        self.waiting.extend([What::Agents, What::Subscribe, sessions].map(Read::from));
        if observed.shows_approvals {
            self.waiting.push_back(What::Approvals { judged: Vec::new() }.into());
        }
        let rest = [What::Tasks { judged: Vec::new() }, What::Jobs, What::Feed];
        self.waiting.extend(rest.map(Read::from));
    }

    /// Forgets every read; the connection is gone.
    pub fn handle_lost(&mut self) {
        self.waiting.clear();
        self.delayed.clear();
        self.open.clear();
        self.attaching = false;
    }

    /// Adds a read that a frame asked for; never one of a session that is excluded.
    pub fn handle_want(&mut self, want: Want, observed: &Observed) {
        let what = match want {
            Want::History(session) | Want::Message(session, _) if !observed.uploads(&session) => return,
            Want::Agents => What::Agents,
            Want::Sessions => What::Sessions(ListRead::default()),
            Want::History(session) => What::History(TranscriptRead::new(session)),
            Want::Message(session, id) => What::Message { session, id },
            Want::Approvals => What::Approvals { judged: Vec::new() },
            Want::Tasks => What::Tasks { judged: Vec::new() },
            Want::Jobs => What::Jobs,
            Want::Feed => What::Feed,
        };
        let delayed = self.delayed.iter().map(|(_, read)| read).filter(|_| matches!(what, What::Sessions(_)));
        let is_known = self.waiting.iter().chain(delayed).any(|read| read.what == what);
        if !is_known && self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(what.into());
        }
    }

    /// The next request to make, a few at a time.
    pub fn poll_call(&mut self, observed: &Observed, now: Now) -> Option<(ReadId, RpcCall)> {
        let due = self.delayed.iter().position(|(at, _)| *at <= now.at);
        if let Some(due) = due {
            self.waiting.push_front(self.delayed.swap_remove(due).1);
        }
        if self.open.len() >= MAX_OPEN {
            return None;
        }
        let mut read = self.waiting.pop_front()?;
        match &mut read.what {
            What::Sessions(read) => read.begin(observed),
            What::History(read) if read.is_first() => read.judged = observed.runs_of(&read.session),
            What::Approvals { judged } => *judged = observed.pending_approvals(),
            What::Tasks { judged } => *judged = observed.open_tasks(),
            _ => {}
        }
        let call = call(&read.what, observed);
        self.last += 1;
        let id = ReadId(self.last);
        self.open.insert(id, read);
        Some((id, call))
    }

    /// When [`Attachment::poll_call`] has something again at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.delayed.iter().map(|(at, _)| *at).min()
    }

    /// Whether everything of the attach was read, but for a list that is overdue, so that commands may go to the gateway.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_list = |read: &Read| matches!(read.what, What::Sessions(_));
        let delayed = self.delayed.iter().map(|(_, read)| read);
        let mut reads = self.waiting.iter().chain(delayed).chain(self.open.values());
        !self.attaching || self.list == ListState::Overdue && reads.all(is_list)
    }

    /// Takes the outcome of a read.
    pub fn handle_response(
        &mut self,
        id: ReadId,
        result: RpcResult,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<Output> {
        let Some(read) = self.open.remove(&id) else { return Vec::new() };
        if result == Err(RpcError::Disconnected) {
            // The end of the link follows; what was not read is read at the next attach.
            return Vec::new();
        }
        let outputs = match result {
            Ok(payload) => self.take(read.what, payload, observed, now),
            Err(error) => self.retry(read, &error, observed, now),
        };
        self.finish(observed);
        outputs
    }

    fn take(
        &mut self,
        what: What,
        payload: serde_json::Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<Output> {
        match what {
            What::Agents => translate::agents(observed, &payload, now),
            What::Subscribe => Vec::new(),
            What::Sessions(read) => self.sessions(read, &payload, observed, now),
            What::History(read) => self.transcript(read, payload, observed, now),
            What::Message { session, id } => {
                let told = translate::full_message(observed, &session, &id, payload.field("message"), now);
                // What cannot be read by itself is read with what stands around it.
                told.unwrap_or_else(|| vec![Output::Rpc(Want::History(session))])
            }
            What::Approvals { judged } => self.approvals(&judged, &payload, observed, now),
            What::ApprovalHistory(read) => match read.take(&payload) {
                Step::More(read) => {
                    self.waiting.push_front(What::ApprovalHistory(read).into());
                    Vec::new()
                }
                Step::Done(read) => translate::forgotten(observed, &read.items, &read.missing, read.all, now),
            },
            What::Tasks { judged } => translate::tasks(observed, &payload, &judged, now),
            What::Jobs => translate::jobs(observed, payload.items("entries"), now),
            What::Feed => translate::feed(observed, payload.items("items"), now),
        }
    }

    /// The list was read: what it does not name any more has ended, and the history says how. What an instance that
    /// is new to its hub has published before, the history knows best.
    fn approvals(
        &mut self,
        judged: &[String],
        payload: &serde_json::Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<Output> {
        let rows = payload.as_array().map_or(&[][..], Vec::as_slice);
        let outputs = translate::approvals(observed, rows, now);
        let is_listed = |id: &String| rows.iter().any(|row| row.text("id") == Some(id));
        let missing: Vec<String> = judged.iter().filter(|id| !is_listed(id)).cloned().collect();
        let all = !observed.meta.imported;
        if all || !missing.is_empty() {
            self.waiting.push_back(What::ApprovalHistory(RecordRead::new(missing, all)).into());
        }
        observed.watch_approvals(now);
        outputs
    }

    /// Tells a page of the list. Where sessions are private, a later page may say of what this one lists who began it.
    fn sessions(
        &mut self,
        read: ListRead,
        page: &serde_json::Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<Output> {
        match read.take(page) {
            Step::More(mut read) => {
                let rows = if observed.excludes() { Vec::new() } else { read.rows(observed) };
                self.waiting.push_front(What::Sessions(read).into());
                translate::rows(observed, &rows, now)
            }
            Step::Done(mut read) => {
                let rows = read.rows(observed);
                let outputs = translate::rows(observed, &rows, now);
                self.all_sessions(&read, outputs, observed, now)
            }
        }
    }

    /// All rows were listed: those that are gone have ended, and the histories worth reading are known.
    fn all_sessions(
        &mut self,
        list: &ListRead,
        mut outputs: Vec<Output>,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<Output> {
        for key in list.gone(observed) {
            let events = translate::session_ended(observed, &key, now);
            if !events.is_empty() {
                outputs.push(Output::Publish(events));
            }
        }
        if self.attaching {
            for session in self.worth_reading(observed) {
                self.note_unread(&session, observed);
                self.waiting.push_back(What::History(TranscriptRead::new(session)).into());
            }
        }
        outputs
    }

    fn retry(&mut self, mut read: Read, error: &RpcError, observed: &mut Observed, now: Now) -> Vec<Output> {
        read.failures += 1;
        if let Some(pause) = self.pause(&read, error) {
            if let What::Sessions(list) = &mut read.what {
                // Its places have changed by then.
                *list = ListRead::default();
                if read.failures >= MAX_FAILURES {
                    self.list = ListState::Overdue;
                }
            }
            self.delayed.push((later(now.at, pause), read));
            return Vec::new();
        }
        match (read.what, error) {
            (What::Sessions(_), _) if self.attaching => {
                self.handle_unlisted(observed);
                Vec::new()
            }
            // What ran under an earlier boot and has no transcript any more is lost.
            (What::History(mut read), RpcError::Refused { .. }) if read.is_first() => {
                read.judged.retain(|run| observed.is_of_earlier_boot(run));
                let nothing = History::read(&read.session, &serde_json::Value::Null);
                translate::history(observed, &nothing, &read.judged, now)
            }
            (What::History(read), RpcError::Refused { .. }) => {
                let (history, judged) = read.end(observed);
                translate::history(observed, &history, &judged, now)
            }
            (What::Message { session, .. }, RpcError::Refused { .. }) => {
                vec![Output::Rpc(Want::History(session))]
            }
            (What::ApprovalHistory(read), RpcError::Refused { .. }) => {
                translate::forgotten(observed, &read.items, &read.missing, read.all, now)
            }
            _ => Vec::new(),
        }
    }

    /// How long a read that failed waits, none when it is given up. Without the list nobody knows what was missed, so
    /// that an attach asks for it until it is there or refused for good.
    fn pause(&self, read: &Read, error: &RpcError) -> Option<Duration> {
        let pause = match error {
            RpcError::Timeout => RETRY,
            RpcError::Refused { retryable: true, retry_after, .. } => retry_after.unwrap_or(RETRY),
            RpcError::Refused { .. } | RpcError::Disconnected => return None,
        };
        if self.attaching && matches!(read.what, What::Sessions(_)) {
            let doubled = RETRY * (1 << read.failures.saturating_sub(1).min(MAX_DOUBLINGS));
            return Some(pause.max(doubled));
        }
        (read.failures < MAX_FAILURES).then_some(pause)
    }

    /// The gateway does not tell its sessions: what is known may have rows that nobody saw.
    fn handle_unlisted(&mut self, observed: &mut Observed) {
        self.list = ListState::Refused;
        for key in self.before.keys() {
            observed.session(key).import_pending = true;
        }
    }

    /// Publishes a transcript once all that is wanted of it was read.
    fn transcript(
        &mut self,
        read: TranscriptRead,
        page: serde_json::Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<Output> {
        match read.take(page, observed) {
            Step::More(read) => {
                self.waiting.push_front(What::History(read).into());
                Vec::new()
            }
            Step::Done((history, judged)) => translate::history(observed, &history, &judged, now),
        }
    }

    fn finish(&mut self, observed: &mut Observed) {
        if self.attaching && self.waiting.is_empty() && self.delayed.is_empty() && self.open.is_empty() {
            self.attaching = false;
            observed.catching_up = false;
            if self.list != ListState::Refused {
                observed.note_imported();
            }
        }
    }
}

impl From<What> for Read {
    fn from(what: What) -> Self {
        Self { what, failures: 0 }
    }
}

fn call(what: &What, observed: &Observed) -> RpcCall {
    match what {
        What::Agents => RpcCall::AgentsList,
        What::Subscribe => RpcCall::SessionsSubscribe,
        What::Sessions(read) => read.call(),
        What::History(read) => read.call(observed),
        What::Message { session, id } => RpcCall::ChatMessage { session: session.clone(), id: id.clone() },
        What::Approvals { .. } => RpcCall::ApprovalList,
        What::ApprovalHistory(read) => read.call(),
        What::Tasks { .. } => RpcCall::TasksList { limit: TASKS },
        What::Jobs => RpcCall::CronRuns { limit: JOBS },
        What::Feed => RpcCall::FeedList,
    }
}

/// The most tasks that a gateway lists at once.
const TASKS: u64 = 500;
/// Runs of jobs that a bridge which was away looks back at.
const JOBS: u64 = 50;
/// A gateway answers from one thread; many requests at once would keep it from its agents.
const MAX_OPEN: usize = 3;
const MAX_WAITING: usize = 1_024;
const MAX_FAILURES: u32 = 3;
const RETRY: Duration = Duration::from_secs(2);
/// After so many failures the pause grows no more.
const MAX_DOUBLINGS: u32 = 5;
