//! Tasks: those of the gateway that were published, and those of people that were handed to it.

use otter_proto::id::EntityId;
use serde::{Deserialize, Serialize};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::{Delivery, Observed, Sent};
use crate::openclaw::time::UnixMillis;

/// What was published about a task of the gateway, as far as a change of it is news.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskSeen {
    pub(crate) status: String,
    pub(crate) title: String,
    pub(crate) summary: Option<String>,
    pub(crate) conversation: Option<String>,
    pub(crate) run: Option<String>,
    pub(crate) seen_at: UnixMillis,
}

/// A person's task that a message carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dispatched {
    /// The task, as the hub calls it.
    pub(crate) task: EntityId,
    /// The gateway's id of the run that works on it: the message's own, or the one that took it up after a restart.
    pub(crate) run: String,
    pub(crate) state: DispatchState,
}

/// How far a person's task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum DispatchState {
    /// Its run is awaited or goes on.
    Handed,
    /// Its run was lost with a boot of the gateway, which may take the turn up again by itself.
    Lost,
    Ended,
}

impl TaskSeen {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "queued" | "inProgress")
    }
}

impl Observed {
    /// The gateway's ids of tasks that have not ended.
    pub(crate) fn open_tasks(&self) -> Vec<String> {
        self.tasks.iter().filter(|(_, seen)| seen.is_open()).map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn note_task(&mut self, id: &str, seen: TaskSeen) {
        while self.tasks.len() >= MAX_TASKS && !self.tasks.contains_key(id) {
            let oldest = self.tasks.iter().min_by_key(|(_, seen)| (seen.is_open(), seen.seen_at));
            let Some(oldest) = oldest.map(|(id, _)| id.clone()) else { break };
            self.forget_task(&oldest);
        }
        self.tasks.insert(id.to_owned(), seen);
        self.dirty.insert(format!("task/{id}"));
    }

    /// Forgets a task; false when it was not known.
    pub(crate) fn forget_task(&mut self, id: &str) -> bool {
        self.dirty.insert(format!("task/{id}"));
        self.tasks.remove(id).is_some()
    }

    /// Forgets every task, so that the gateway's list is published anew.
    pub(super) fn forget_tasks(&mut self) {
        for id in std::mem::take(&mut self.tasks).into_keys() {
            self.dirty.insert(format!("task/{id}"));
        }
    }

    /// Whether a session has nothing to do and nothing waits for it, so that a message gets a run of its own.
    pub(crate) fn is_idle(&self, session: &SessionKey) -> bool {
        let row = self.sessions.get(session).and_then(|seen| seen.session.as_ref());
        let is_at_work = row.is_some_and(|row| matches!(row.text("status"), Some("running" | "queued")));
        // A turn may fail before its message is in the transcript, which then never has it.
        let is_on_its_way = |(key, sent): (&String, &Sent)| {
            let is_of_this_boot = sent.boot.is_some() && sent.boot == self.meta.boot;
            let is_awaited = sent.delivery < Delivery::Delivered && !self.is_closed(key);
            // The gateway may show later that it took it after all.
            let is_nothing = sent.given_up && sent.delivery == Delivery::Pending;
            sent.session == *session && is_awaited && is_of_this_boot && !is_nothing
        };
        let has_run = self.runs.values().any(|run| run.session == *session);
        !is_at_work && !has_run && !self.sent.iter().any(is_on_its_way)
    }

    /// Messages with a task that a run works on: their commands and tasks.
    pub(crate) fn dispatched_to(&self, run: &str) -> Vec<(String, EntityId)> {
        let works_on = |sent: &Sent, link: &Dispatched| {
            link.state == DispatchState::Handed && (link.run == run || sent.into_run.as_deref() == Some(run))
        };
        let links = self.sent.iter().filter_map(|(id, sent)| Some((id, sent, sent.task.as_ref()?)));
        links
            .filter(|(_, sent, link)| works_on(sent, link))
            .map(|(id, _, link)| (id.clone(), link.task.clone()))
            .collect()
    }

    /// Runs of handed tasks of a session that are neither open nor over here.
    pub(crate) fn awaited_runs(&self, session: &SessionKey) -> Vec<String> {
        let links = self.sent.iter().filter_map(|(id, sent)| Some((id, sent, sent.task.as_ref()?)));
        let is_handed = |(id, sent, link): &(&String, &Sent, &Dispatched)| {
            // A message that was taken into another run never gets one of its own.
            let has_run = sent.into_run.is_none() || link.run != **id;
            sent.session == *session && link.state == DispatchState::Handed && has_run
        };
        let handed = links.filter(is_handed).map(|(_, _, link)| &link.run);
        handed
            .filter(|run| !self.runs.contains_key(*run) && !self.is_closed(run) && !self.is_hidden(run))
            .cloned()
            .collect()
    }

    /// Sessions in which a handed task has not ended.
    pub(crate) fn sessions_with_tasks(&self) -> Vec<SessionKey> {
        let is_open =
            |sent: &&Sent| sent.task.as_ref().is_some_and(|link| link.state != DispatchState::Ended);
        self.sent.values().filter(is_open).map(|sent| sent.session.clone()).collect()
    }

    pub(crate) fn move_dispatch(&mut self, command: &str, state: DispatchState) {
        if let Some(link) = self.sent.get_mut(command).and_then(|sent| sent.task.as_mut()) {
            link.state = state;
            self.touch_sent(command);
        }
    }

    /// Forgets that a message carries a task.
    pub(crate) fn drop_dispatch(&mut self, command: &str) {
        if self.sent.get_mut(command).and_then(|sent| sent.task.take()).is_some() {
            self.touch_sent(command);
        }
    }

    /// Messages whose task went down with the turn of this message, unless `run` has it already: their commands and
    /// tasks. Nobody may have looked at the run that was lost yet.
    pub(crate) fn lost_with(&self, turn: &str, run: &str) -> Vec<(String, EntityId)> {
        let is_lost = |sent: &Sent, link: &Dispatched| match link.state {
            DispatchState::Lost => true,
            DispatchState::Handed => sent.boot != self.meta.boot && link.run != run,
            DispatchState::Ended => false,
        };
        let of_turn = |id: &str, sent: &Sent| id == turn || sent.into_run.as_deref() == Some(turn);
        let links = self.sent.iter().filter_map(|(id, sent)| Some((id, sent, sent.task.as_ref()?)));
        links
            .filter(|(id, sent, link)| of_turn(id, sent) && is_lost(sent, link))
            .map(|(id, _, link)| (id.clone(), link.task.clone()))
            .collect()
    }

    /// Gives what was lost with the turn of this message to the run that took the turn up.
    pub(crate) fn take_up(&mut self, turn: &str, run: &str) -> Vec<(String, EntityId)> {
        let lost = self.lost_with(turn, run);
        for (command, _) in &lost {
            if let Some(link) = self.sent.get_mut(command).and_then(|sent| sent.task.as_mut()) {
                run.clone_into(&mut link.run);
            }
            self.move_dispatch(command, DispatchState::Handed);
        }
        lost
    }

    /// The newest turn of a session that one of our messages began or was taken into.
    pub(crate) fn last_turn(&self, session: &SessionKey) -> Option<String> {
        let is_there = |sent: &Sent| sent.session == *session && sent.delivery == Delivery::Delivered;
        let (id, sent) = self.sent.iter().rev().find(|(_, sent)| is_there(sent))?;
        Some(sent.into_run.as_ref().unwrap_or(id).clone())
    }
}

const MAX_TASKS: usize = 1_024;
