//! What the bridge has seen of a gateway: enough to say each thing once and to notice what was lost.
//!
//! The state is stored row by row: after each call that changed something, [`Observed::take_changes`] names the
//! rows to write in the same local transaction as the events that came out.

mod approval;
mod descent;
mod run;
mod seen;
mod sessions;
mod step;
mod task;
mod told;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use otter_proto::id::{ConversationId, EntityId, InstanceId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::openclaw::ids::{Names, SessionKey};
use crate::openclaw::time::{Instant, Now, UnixMillis, shifted};
use crate::openclaw::translate::keyframe_due;

pub(crate) use approval::{ApprovalEnd, ApprovalOutcome, ApprovalSeen};
pub(crate) use run::{OpenRun, Progress, Usage};
pub(crate) use seen::{Cut, Delivery, Position, Sent, SessionSeen};
pub(crate) use step::{ItemEnd, OpenStep, OutputEnd};
pub(crate) use task::{DispatchState, Dispatched, TaskSeen};
pub(crate) use told::Told;

/// One stored row; `None` deletes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRow {
    /// Key of the row, unique within the gateway.
    pub key: String,
    /// The value to store.
    pub value: Option<Value>,
}

/// What the bridge has seen of one gateway.
#[derive(Clone, Debug)]
pub struct Observed {
    pub(crate) names: Names,
    pub(crate) meta: Meta,
    pub(crate) sessions: BTreeMap<SessionKey, SessionSeen>,
    /// Their keys by conversation.
    keys: BTreeMap<ConversationId, SessionKey>,
    /// The sessions that began a session, by its key.
    parents: BTreeMap<SessionKey, BTreeSet<SessionKey>>,
    pub(crate) runs: BTreeMap<String, OpenRun>,
    pub(crate) sent: BTreeMap<String, Sent>,
    /// Approvals by the gateway's id.
    pub(crate) approvals: BTreeMap<String, ApprovalSeen>,
    /// Tasks of the gateway by its ids.
    pub(crate) tasks: BTreeMap<String, TaskSeen>,
    told: Told,
    /// Whether people may see and decide approvals.
    pub(crate) shows_approvals: bool,
    approvals_due: Option<Instant>,
    /// Session data that waits for newer counters, and until when. After a crash the next attach sees it anew.
    pub(crate) held: BTreeMap<SessionKey, (Instant, Value)>,
    /// How far the hub's clock is ahead of this machine's, in milliseconds.
    pub(crate) clock_offset: i64,
    /// While histories are still to be read, live rows do not prove that those before them were seen.
    pub(crate) catching_up: bool,
    excluded: Vec<String>,
    dirty: BTreeSet<String>,
}

/// What is stored in one row for the gateway as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Meta {
    /// Boot of the gateway on the current link.
    pub(crate) boot: Option<String>,
    /// Whether the first import is done.
    pub(crate) imported: bool,
    pub(crate) main_key: Option<String>,
    /// Published agents by gateway id.
    pub(crate) agents: BTreeMap<String, Value>,
    /// Runs that nobody may see, newest last.
    pub(crate) hidden: VecDeque<String>,
    /// Runs that have ended, newest last.
    pub(crate) closed: VecDeque<String>,
    /// Those of them whose answers the hub may have lost, until the next import.
    pub(crate) forgotten: VecDeque<String>,
    /// Runs of sub-agents that were announced: (run, the run that began it), newest last.
    pub(crate) spawned: VecDeque<(String, String)>,
}

impl Observed {
    /// Starts with nothing seen.
    #[must_use]
    pub fn new(instance: InstanceId) -> Self {
        Self {
            names: Names::new(instance),
            meta: Meta::default(),
            sessions: BTreeMap::new(),
            keys: BTreeMap::new(),
            parents: BTreeMap::new(),
            runs: BTreeMap::new(),
            sent: BTreeMap::new(),
            approvals: BTreeMap::new(),
            tasks: BTreeMap::new(),
            told: Told::default(),
            shows_approvals: true,
            approvals_due: None,
            held: BTreeMap::new(),
            clock_offset: 0,
            catching_up: false,
            excluded: Vec::new(),
            dirty: BTreeSet::new(),
        }
    }

    /// Continues from stored rows; a row that cannot be read counts as never seen.
    #[must_use]
    pub fn restore(instance: InstanceId, rows: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut observed = Self::new(instance);
        for (key, value) in rows {
            observed.restore_row(&key, value);
        }
        observed
    }

    /// Takes the rows to write since the last call.
    pub fn take_changes(&mut self) -> Vec<ObservedRow> {
        std::mem::take(&mut self.dirty)
            .into_iter()
            .map(|key| ObservedRow { value: self.row(&key), key })
            .collect()
    }

    /// Takes note of the hub's clock: how far it is ahead of this machine's.
    pub fn set_clock_offset(&mut self, millis: i64) {
        self.clock_offset = millis;
    }

    /// Forgets what was published, so that the next attach publishes everything observed anew.
    pub fn forget_published(&mut self) {
        self.meta.imported = false;
        self.meta.forgotten = self.meta.closed.clone();
        self.meta.agents.clear();
        self.held.clear();
        self.touch_meta();
        self.forget_approvals();
        self.forget_tasks();
        self.forget_told();
        for (key, seen) in &mut self.sessions {
            seen.session = None;
            seen.conversation = None;
            seen.position = None;
            seen.cut.clear();
            seen.marker = None;
            seen.archived = false;
            self.dirty.insert(format!("session/{}", key.as_str()));
        }
    }

    /// The instance in whose name is published.
    #[must_use]
    pub fn instance(&self) -> &InstanceId {
        self.names.instance()
    }

    /// The gateway's id of a run entity, when it belongs to this instance.
    #[must_use]
    pub fn gateway_run(&self, run: &str) -> Option<String> {
        let open = self.runs.keys().chain(&self.meta.closed).find(|id| self.names.entity(id).as_str() == run);
        let rest = || run.strip_prefix(self.instance().as_str())?.strip_prefix(':').map(str::to_owned);
        open.cloned().or_else(rest)
    }

    /// The gateway's id of an agent entity, when it belongs to this instance.
    #[must_use]
    pub fn gateway_agent(&self, agent: &EntityId) -> Option<String> {
        let known = self.meta.agents.keys().find(|id| self.names.entity(id) == *agent);
        let rest = || agent.as_str().strip_prefix(self.instance().as_str())?.strip_prefix(':');
        known.cloned().or_else(|| rest().map(str::to_owned))
    }

    /// When [`translate::handle_timeout`](crate::openclaw::translate::handle_timeout) is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let runs = self.runs.values().flat_map(|run| [run.check_at, keyframe_due(run), run.step_due()]);
        let held = self.held.values().map(|(at, _)| *at);
        runs.flatten().chain(held).chain(self.approvals_timeout()).min()
    }

    pub(crate) fn conversation(&self, key: &SessionKey) -> ConversationId {
        self.names.conversation(key)
    }

    /// Entity id of a session and of its conversation.
    pub(crate) fn session_entity(&self, key: &SessionKey) -> EntityId {
        self.names.session(key)
    }

    /// A gateway time by the hub's clock.
    pub(crate) fn corrected(&self, time: UnixMillis) -> UnixMillis {
        shifted(time, self.clock_offset)
    }

    pub(crate) fn wall(&self, now: Now) -> UnixMillis {
        self.corrected(now.wall)
    }

    pub(crate) fn is_hidden(&self, run: &str) -> bool {
        self.meta.hidden.iter().any(|hidden| hidden == run)
    }

    pub(crate) fn is_closed(&self, run: &str) -> bool {
        self.meta.closed.iter().any(|closed| closed == run)
    }

    /// Whether the hub knows the answer of a run that has ended.
    pub(crate) fn is_told(&self, run: &str) -> bool {
        self.is_closed(run) && !self.meta.forgotten.iter().any(|forgotten| forgotten == run)
    }

    /// Notes that the first import is done.
    pub(crate) fn note_imported(&mut self) {
        self.meta.imported = true;
        self.meta.forgotten.clear();
        self.touch_meta();
    }

    /// Whether this bridge has followed the run, or started it.
    pub(crate) fn is_known(&self, run: &str) -> bool {
        self.runs.contains_key(run) || self.is_closed(run) || self.sent.contains_key(run)
    }

    /// Whether the gateway was restarted since this open run began.
    pub(crate) fn is_of_earlier_boot(&self, run: &str) -> bool {
        let boots = (self.runs.get(run).and_then(|run| run.boot.as_ref()), self.meta.boot.as_ref());
        matches!(boots, (Some(then), Some(now)) if then != now)
    }

    /// Notes that one run began another.
    pub(crate) fn note_spawned(&mut self, child: &str, parent: &str) {
        if self.parent_of(child).is_none() {
            self.meta.spawned.push_back((child.to_owned(), parent.to_owned()));
            while self.meta.spawned.len() > MAX_REMEMBERED {
                self.meta.spawned.pop_front();
            }
            self.touch_meta();
        }
    }

    pub(crate) fn parent_of(&self, child: &str) -> Option<&str> {
        self.meta.spawned.iter().find(|(known, _)| known == child).map(|(_, parent)| parent.as_str())
    }

    pub(crate) fn hide(&mut self, run: &str) {
        if !self.is_hidden(run) {
            remember(&mut self.meta.hidden, run);
            self.touch_meta();
        }
    }

    /// Forgets an open run for good and returns it.
    pub(crate) fn close(&mut self, run: &str) -> Option<OpenRun> {
        remember(&mut self.meta.closed, run);
        self.touch_meta();
        self.dirty.insert(format!("run/{run}"));
        self.runs.remove(run)
    }

    /// The run that has to end before another one can be followed.
    pub(crate) fn run_too_many(&self) -> Option<String> {
        let oldest = self.runs.iter().min_by_key(|(_, run)| run.started_at);
        oldest.filter(|_| self.runs.len() >= MAX_RUNS).map(|(id, _)| id.clone())
    }

    pub(crate) fn open(&mut self, run: &str, open: OpenRun) {
        self.runs.insert(run.to_owned(), open);
        self.touch_run(run);
    }

    pub(crate) fn runs_of(&self, key: &SessionKey) -> Vec<String> {
        self.runs.iter().filter(|(_, run)| run.session == *key).map(|(id, _)| id.clone()).collect()
    }

    /// Lets the newest data of a session wait, not longer than the first of it.
    pub(crate) fn hold(&mut self, key: &SessionKey, data: Value, until: Instant) {
        let held = self.held.entry(key.clone()).or_insert((until, Value::Null));
        held.1 = data;
    }

    /// Notes that a command is on its way to the gateway under its own id.
    pub(crate) fn note_sent(&mut self, key: &str, sent: Sent) {
        while self.sent.len() >= MAX_SENT {
            let Some((oldest, _)) = self.sent.pop_first() else { break };
            self.dirty.insert(format!("sent/{oldest}"));
        }
        self.sent.insert(key.to_owned(), sent);
        self.touch_sent(key);
    }

    /// Notes that the gateway of the current boot was asked.
    pub(crate) fn note_asked(&mut self, key: &str) {
        let boot = self.meta.boot.clone();
        if let Some(sent) = self.sent.get_mut(key) {
            sent.boot = boot;
            self.touch_sent(key);
        }
    }

    /// Notes that nobody tries to deliver a message any more; it failed if it is certain that the gateway does not have it.
    pub(crate) fn give_up(&mut self, key: &str, is_certain: bool) {
        let Some(sent) = self.sent.get_mut(key).filter(|sent| sent.delivery == Delivery::Pending) else {
            return;
        };
        sent.given_up = true;
        if is_certain {
            sent.delivery = Delivery::Failed;
        }
        self.touch_sent(key);
    }

    pub(crate) fn touch_meta(&mut self) {
        self.dirty.insert("meta".into());
    }

    pub(crate) fn touch_run(&mut self, run: &str) {
        self.dirty.insert(format!("run/{run}"));
    }

    pub(crate) fn touch_sent(&mut self, key: &str) {
        self.dirty.insert(format!("sent/{key}"));
    }

    fn row(&self, key: &str) -> Option<Value> {
        let value = match key.split_once('/') {
            None => serde_json::to_value(&self.meta),
            Some(("session", id)) => serde_json::to_value(self.sessions.get(&SessionKey::new(id))?),
            Some(("parents", id)) => serde_json::to_value(self.parents.get(&SessionKey::new(id))?),
            Some(("run", id)) => serde_json::to_value(self.runs.get(id)?),
            Some(("approval", id)) => serde_json::to_value(self.approvals.get(id)?),
            Some(("task", id)) => serde_json::to_value(self.tasks.get(id)?),
            Some(("told", _)) => serde_json::to_value(&self.told),
            Some((_, id)) => serde_json::to_value(self.sent.get(id)?),
        };
        value.ok()
    }

    fn restore_row(&mut self, key: &str, value: Value) {
        match key.split_once('/') {
            None => self.meta = read(value).unwrap_or_default(),
            Some(("session", id)) => {
                if let Some(row) = read(value) {
                    self.restore_session(SessionKey::new(id), row);
                }
            }
            Some(("parents", id)) => {
                self.parents.extend(read(value).map(|row| (SessionKey::new(id), row)));
            }
            Some(("run", id)) => self.runs.extend(read(value).map(|row| (id.to_owned(), row))),
            Some(("approval", id)) => self.approvals.extend(read(value).map(|row| (id.to_owned(), row))),
            Some(("task", id)) => self.tasks.extend(read(value).map(|row| (id.to_owned(), row))),
            Some(("told", _)) => self.told = read(value).unwrap_or_default(),
            Some((_, id)) => self.sent.extend(read(value).map(|row| (id.to_owned(), row))),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Option<T> {
    serde_json::from_value(value).ok()
}

fn remember(list: &mut VecDeque<String>, run: &str) {
    list.retain(|known| known != run);
    list.push_back(run.to_owned());
    while list.len() > MAX_REMEMBERED {
        list.pop_front();
    }
}

const MAX_RUNS: usize = 512;
const MAX_SENT: usize = 1_024;
const MAX_REMEMBERED: usize = 512;
