//! Approvals that the gateway asked for, and what became of them.

use std::time::Duration;

use otter_proto::id::EntityId;
use serde::{Deserialize, Serialize};

use crate::openclaw::ids::SessionKey;
use crate::openclaw::observed::Observed;
use crate::openclaw::time::{Instant, Now, UnixMillis, later};

/// An approval that was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApprovalSeen {
    /// The gateway's word for what is to be approved; `exec` is a command.
    pub(crate) kind: String,
    /// The gateway's id of the run that waits.
    pub(crate) run: Option<String>,
    pub(crate) tool_call: Option<String>,
    /// The answer that a command took to the gateway.
    pub(crate) asked: Option<String>,
    /// How it ended; none while it waits.
    pub(crate) end: Option<ApprovalEnd>,
    pub(crate) seen_at: UnixMillis,
}

/// How an approval ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApprovalEnd {
    pub(crate) outcome: ApprovalOutcome,
    /// The answer the gateway took.
    pub(crate) decision: Option<String>,
}

/// What the gateway's record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ApprovalOutcome {
    Allowed,
    Denied,
    Cancelled,
    Expired,
}

impl Observed {
    /// Says whether people may decide approvals; without it none are shown.
    pub fn set_approvals(&mut self, shown: bool) {
        self.shows_approvals = shown;
    }

    /// Whether something of this session, or of none that is named, may leave the machine.
    pub(crate) fn may_leave(&self, session: Option<&SessionKey>) -> bool {
        session.map_or(self.excluded.is_empty(), |session| self.uploads(session))
    }

    /// The gateway's ids of approvals that wait.
    pub(crate) fn pending_approvals(&self) -> Vec<String> {
        let waits = |(_, seen): &(&String, &ApprovalSeen)| seen.end.is_none();
        self.approvals.iter().filter(waits).map(|(id, _)| id.clone()).collect()
    }

    /// The gateway's id of an approval entity, when it belongs to this instance.
    pub(crate) fn gateway_approval(&self, approval: &EntityId) -> Option<String> {
        let known = self.approvals.keys().find(|id| self.names.entity(id) == *approval);
        let rest = || approval.as_str().strip_prefix(self.instance().as_str())?.strip_prefix(':');
        known.cloned().or_else(|| rest().map(str::to_owned))
    }

    /// The approval that a tool call waited for.
    pub(crate) fn approval_of(&self, run: &str, tool_call: &str) -> Option<(&String, &ApprovalSeen)> {
        let matches = |seen: &ApprovalSeen| {
            seen.run.as_deref() == Some(run) && seen.tool_call.as_deref() == Some(tool_call)
        };
        self.approvals.iter().filter(|(_, seen)| matches(seen)).max_by_key(|(_, seen)| seen.seen_at)
    }

    /// Remembers an approval that waits, and to look after it.
    pub(crate) fn note_approval(&mut self, id: &str, seen: ApprovalSeen, now: Now) {
        while self.approvals.len() >= MAX_APPROVALS {
            let oldest = self.approvals.iter().min_by_key(|(_, seen)| (seen.end.is_none(), seen.seen_at));
            let Some(oldest) = oldest.map(|(id, _)| id.clone()) else { break };
            self.approvals.remove(&oldest);
            self.touch_approval(&oldest);
        }
        self.approvals.insert(id.to_owned(), seen);
        self.touch_approval(id);
        self.watch_approvals(now);
    }

    /// Notes which answer is on its way to the gateway.
    pub(crate) fn note_decision(&mut self, id: &str, decision: &str) {
        if let Some(seen) = self.approvals.get_mut(id) {
            seen.asked = Some(decision.to_owned());
            self.touch_approval(id);
        }
    }

    /// Notes the end of an approval; false when it has ended before.
    pub(crate) fn end_approval(&mut self, id: &str, end: ApprovalEnd, now: Now) -> bool {
        let seen = self.approvals.entry(id.to_owned()).or_insert_with(|| ApprovalSeen {
            kind: "exec".into(),
            run: None,
            tool_call: None,
            asked: None,
            end: None,
            seen_at: now.wall,
        });
        let is_news = seen.end.is_none();
        seen.end.get_or_insert(end);
        self.touch_approval(id);
        is_news
    }

    /// Looks at the gateway's list again in a while, as long as something waits.
    pub(crate) fn watch_approvals(&mut self, now: Now) {
        let waits = self.approvals.values().any(|seen| seen.end.is_none());
        self.approvals_due = waits.then(|| later(now.at, SWEEP));
    }

    /// Forgets every approval, so that the gateway's list and history are published anew.
    pub(super) fn forget_approvals(&mut self) {
        for id in std::mem::take(&mut self.approvals).into_keys() {
            self.touch_approval(&id);
        }
        self.approvals_due = None;
    }

    /// Whether the gateway's list is to be read, which also sets when it is next.
    pub(crate) fn take_due_approvals(&mut self, now: Now) -> bool {
        let is_due = self.approvals_due.is_some_and(|at| at <= now.at);
        if is_due {
            self.watch_approvals(now);
        }
        is_due && self.approvals_due.is_some()
    }

    pub(super) fn approvals_timeout(&self) -> Option<Instant> {
        self.approvals_due
    }

    fn touch_approval(&mut self, id: &str) {
        self.dirty.insert(format!("approval/{id}"));
    }
}

/// Pause between two looks at the gateway's list while something waits: it forgets some without a word.
const SWEEP: Duration = Duration::from_secs(30);
const MAX_APPROVALS: usize = 256;
