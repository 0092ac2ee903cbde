//! Commands towards the gateway: sent at most as often as is safe, with an outcome that is never invented.
//!
//! Journal rows come in at the start and go out as values. What a call returns is to be stored in one local
//! transaction, together with the changes of [`Observed`], before any [`CommandOutput::Call`] in it is made.

mod abort;
mod approval;
mod journal;
mod outcome;
mod send;
mod session;

use std::collections::BTreeMap;
use std::time::Duration;

use otter_proto::id::{CommandId, ConversationId};
use serde_json::Value;

use crate::openclaw::observed::Observed;
use crate::openclaw::rpc::{RpcCall, RpcError, RpcResult};
use crate::openclaw::time::{Instant, Now, later, shifted};

pub use journal::{CommandOutput, CommandRequest, JournalRow, Verb};

use journal::{Asked, Entry, Stage};
use outcome::Outcome;

/// The commands of one instance.
#[derive(Debug, Default)]
pub struct Commands {
    entries: BTreeMap<CommandId, Entry>,
    last_order: u64,
    ready: bool,
}

impl Commands {
    /// Continues from stored rows.
    #[must_use]
    pub fn restore(rows: impl IntoIterator<Item = JournalRow>, now: Now) -> Self {
        let mut commands = Self::default();
        for row in rows {
            let uncertain = matches!(row.stage, Stage::Attempted { .. });
            let deadline = now.at.plus(row.expires_at.0.saturating_sub(now.wall.0));
            commands.add(row, uncertain, deadline);
        }
        commands
    }

    /// Takes a dispatched command; one that is known already only repeats what became of it. One whose time is over
    /// expires, unless it was begun.
    pub fn handle_command(
        &mut self,
        request: CommandRequest,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let CommandRequest { id, verb, ttl, cancel } = request;
        let left = verb.patience().map_or(ttl, |patience| ttl.min(patience));
        let deadline = later(now.at, left);
        let over = match (cancel, ttl.is_zero()) {
            (true, _) => Some(Outcome::Cancelled),
            (false, true) => Some(Outcome::Expired),
            (false, false) => None,
        };
        if let Some(entry) = self.entries.get_mut(&id) {
            return match (&entry.row.stage, over) {
                (Stage::Done { outcome }, _) => {
                    vec![CommandOutput::Publish(outcome.events(&entry.row, now))]
                }
                (Stage::Received, Some(over)) => self.end(&id, &over, observed, now),
                (Stage::Received, None) => {
                    entry.deadline = entry.deadline.min(deadline);
                    Vec::new()
                }
                (Stage::Attempted { .. }, _) => Vec::new(),
            };
        }
        let left = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        let row =
            JournalRow { id: id.clone(), verb, expires_at: shifted(now.wall, left), stage: Stage::Received };
        let received = outcome::received(&row, now);
        self.add(row.clone(), false, deadline);
        if let Some(over) = over {
            return self.end(&id, &over, observed, now);
        }
        let mut outputs = vec![CommandOutput::Journal(row), CommandOutput::Publish(vec![received])];
        outputs.extend(self.drive(observed, now));
        outputs
    }

    /// The gateway is there and everything it had to tell was read.
    pub fn handle_ready(&mut self, observed: &mut Observed, now: Now) -> Vec<CommandOutput> {
        self.ready = true;
        self.drive(observed, now)
    }

    /// Something was seen of the gateway: what waited for a session may begin.
    pub fn handle_observed(&mut self, observed: &mut Observed, now: Now) -> Vec<CommandOutput> {
        let waits = |entry: &Entry| matches!(entry.row.verb, Verb::Dispatch { .. }) && entry.is_open();
        if self.entries.values().any(waits) { self.drive(observed, now) } else { Vec::new() }
    }

    /// The gateway is gone; what was asked may or may not have happened.
    pub fn handle_lost(&mut self) {
        self.ready = false;
        for entry in self.entries.values_mut() {
            entry.uncertain |= entry.busy.take() == Some(Asked::ToDo);
        }
    }

    /// The hub is gone; what was not begun will be dispatched again.
    pub fn handle_hub_lost(&mut self) -> Vec<CommandOutput> {
        let idle: Vec<CommandId> =
            self.entries.values().filter(|e| e.row.stage == Stage::Received).map(id_of).collect();
        self.entries.retain(|id, _| !idle.contains(id));
        idle.into_iter().map(CommandOutput::Forget).collect()
    }

    /// Takes the gateway's answer to a call.
    pub fn handle_response(
        &mut self,
        id: &CommandId,
        result: RpcResult,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let Some(entry) = self.entries.get_mut(id) else { return Vec::new() };
        let Some(asked) = entry.busy.take() else { return Vec::new() };
        let mut outputs = match (asked, result) {
            (Asked::ToDo, Ok(payload)) => self.done(id, &payload, observed, now),
            (Asked::WhetherKnown, Ok(payload)) => self.looked_up(id, &payload, observed, now),
            (Asked::WhatBecame, Ok(payload)) => self.looked_through(id, &payload, observed, now),
            (asked, Err(error)) if Self::is_over(asked, &error) => self.ask_history(id, None),
            (Asked::WhatBecame, Err(RpcError::Refused { retryable: false, .. })) => {
                self.judged(id, &[], observed, now)
            }
            (_, Err(error)) => self.failed(id, asked, &error, observed, now),
        };
        outputs.extend(self.drive(observed, now));
        outputs
    }

    /// Acts on deadlines and pauses that have passed.
    pub fn handle_timeout(&mut self, observed: &mut Observed, now: Now) -> Vec<CommandOutput> {
        let is_late = |entry: &&Entry| entry.busy.is_none() && entry.is_open() && entry.is_late(now);
        let late: Vec<(CommandId, bool)> =
            self.entries.values().filter(is_late).map(|entry| (id_of(entry), entry.uncertain)).collect();
        let mut outputs = Vec::new();
        for (id, uncertain) in late {
            let is_ping = self.entries.get(&id).is_some_and(|entry| entry.row.verb.patience().is_some());
            let outcome = match (is_ping, uncertain) {
                (true, _) => Outcome::refused("gatewayOffline", OFFLINE),
                (false, true) => Outcome::Unknown,
                (false, false) => Outcome::Expired,
            };
            outputs.extend(self.end(&id, &outcome, observed, now));
        }
        outputs.extend(self.drive(observed, now));
        outputs
    }

    /// When [`Commands::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let open = self.entries.values().filter(|entry| entry.busy.is_none() && entry.is_open());
        open.flat_map(|entry| [Some(entry.deadline), entry.not_before.filter(|_| self.ready)]).flatten().min()
    }

    /// Begins what may begin: what is said in a session one after the other, stops and decisions at once. A task that
    /// waits for its session holds up other tasks there, but nothing that people say meanwhile. What is late begins no
    /// more: [`Commands::handle_timeout`] ends it.
    fn drive(&mut self, observed: &mut Observed, now: Now) -> Vec<CommandOutput> {
        if !self.ready {
            return Vec::new();
        }
        let open = self.entries.values().filter(|entry| entry.is_open());
        let mut order: Vec<(u64, CommandId)> = open.map(|entry| (entry.order, id_of(entry))).collect();
        order.sort();
        let (mut outputs, mut blocked, mut with_task) = (Vec::new(), Vec::new(), Vec::new());
        for (_, id) in order {
            let Some(entry) = self.entries.get(&id) else { continue };
            let is_idle = entry.busy.is_none() && entry.not_before.is_none_or(|at| at <= now.at);
            let may_begin = is_idle && !entry.is_late(now);
            let is_task = matches!(entry.row.verb, Verb::Dispatch { .. });
            let lane = entry.row.verb.lane().cloned();
            let is_held =
                |lane: &ConversationId| blocked.contains(lane) || is_task && with_task.contains(lane);
            if lane.as_ref().is_some_and(is_held) {
                continue;
            }
            if may_begin {
                outputs.extend(self.begin(&id, observed, now));
            }
            let Some(entry) = self.entries.get(&id).filter(|entry| entry.is_open()) else { continue };
            if is_task && !entry.is_begun() {
                with_task.extend(lane);
            } else {
                blocked.extend(lane);
            }
        }
        outputs
    }

    fn begin(&mut self, id: &CommandId, observed: &mut Observed, now: Now) -> Vec<CommandOutput> {
        let Some(verb) = self.entries.get(id).map(|entry| entry.row.verb.clone()) else { return Vec::new() };
        if let Some(said) = verb.said() {
            return self.begin_send(id, said, observed, now);
        }
        match verb {
            Verb::Abort { conversation, run } => self.begin_abort(id, &conversation, &run, observed, now),
            Verb::Decide { approval, decision } => self.begin_decide(id, &approval, &decision, observed, now),
            Verb::Reset { conversation } => self.begin_reset(id, &conversation, observed, now),
            Verb::Ping { agent } => self.begin_ping(id, &agent, observed, now),
            Verb::Send { .. } | Verb::Dispatch { .. } => Vec::new(),
        }
    }

    /// Writes down that the gateway may have it, then asks.
    fn attempt(&mut self, id: &CommandId, call: RpcCall, observed: &Observed) -> Vec<CommandOutput> {
        let Some(entry) = self.entries.get_mut(id) else { return Vec::new() };
        entry.busy = Some(Asked::ToDo);
        entry.row.stage = Stage::Attempted { boot: observed.meta.boot.clone() };
        vec![CommandOutput::Journal(entry.row.clone()), CommandOutput::Call(id.clone(), call)]
    }

    fn done(
        &mut self,
        id: &CommandId,
        payload: &Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        match self.entries.get(id).map(|entry| entry.row.verb.clone()) {
            Some(Verb::Send { conversation, .. } | Verb::Dispatch { conversation, .. }) => {
                self.done_send(id, &conversation, observed, now)
            }
            Some(Verb::Abort { run, .. }) => self.done_abort(id, &run, payload, observed, now),
            Some(Verb::Decide { approval, decision }) => {
                self.done_decide(id, &approval, &decision, payload, observed, now)
            }
            Some(Verb::Reset { conversation }) => self.done_reset(id, &conversation, observed, now),
            Some(Verb::Ping { agent }) => self.done_ping(id, &agent, payload, observed, now),
            None => Vec::new(),
        }
    }

    fn is_begun(&self, id: &CommandId) -> bool {
        self.entries.get(id).is_some_and(Entry::is_begun)
    }

    /// Whether the gateway was restarted since it was asked.
    fn has_restarted(&self, id: &CommandId, observed: &Observed) -> bool {
        let stage = self.entries.get(id).map(|entry| &entry.row.stage);
        matches!(stage, Some(Stage::Attempted { boot }) if *boot != observed.meta.boot)
    }

    fn failed(
        &mut self,
        id: &CommandId,
        asked: Asked,
        error: &RpcError,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let Some(entry) = self.entries.get_mut(id) else { return Vec::new() };
        entry.failures += 1;
        entry.uncertain |= error.is_uncertain() && asked == Asked::ToDo;
        let pause = Duration::from_secs(1 << entry.failures.min(5));
        if entry.row.verb.is_once() && error.is_uncertain() {
            return self.end(id, &Outcome::Unknown, observed, now);
        }
        let is_once = entry.row.verb.is_once();
        let (may_retry, pause) = match error {
            RpcError::Refused { retryable, retry_after, .. } => {
                (*retryable && !is_once, pause.max(retry_after.unwrap_or_default()))
            }
            RpcError::Timeout | RpcError::Disconnected => (true, pause),
        };
        if may_retry {
            entry.not_before = Some(later(now.at, pause));
            return Vec::new();
        }
        let message = error.to_string();
        self.end(id, &Outcome::Failed { code: error.code().to_owned(), message }, observed, now)
    }

    fn end(
        &mut self,
        id: &CommandId,
        outcome: &Outcome,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let Some(entry) = self.entries.get_mut(id) else { return Vec::new() };
        entry.row.stage = Stage::Done { outcome: outcome.clone() };
        let row = entry.row.clone();
        let mut events = outcome.events(&row, now);
        let is_certain = outcome.undelivered().is_some() && !entry.uncertain;
        if !matches!(outcome, Outcome::Completed { .. }) {
            observed.give_up(id.as_str(), is_certain);
        }
        if let Some(reason) = outcome.undelivered() {
            events.extend(outcome::undelivered(&row, observed, &reason, now));
            // The hub takes the task back.
            observed.drop_dispatch(id.as_str());
        }
        let mut outputs = vec![CommandOutput::Journal(row), CommandOutput::Publish(events)];
        outputs.extend(self.forget_oldest().map(CommandOutput::Forget));
        outputs.sort_by_key(|output| matches!(output, CommandOutput::Publish(_)));
        outputs
    }

    /// Old outcomes make room; a command is never dispatched again that late.
    fn forget_oldest(&mut self) -> Option<CommandId> {
        let done = self.entries.values().filter(|entry| !entry.is_open());
        let oldest = done.min_by_key(|entry| entry.order).map(id_of)?;
        (self.entries.len() > MAX_ROWS).then(|| self.entries.remove(&oldest)).flatten().map(|_| oldest)
    }

    fn add(&mut self, row: JournalRow, uncertain: bool, deadline: Instant) {
        self.last_order += 1;
        let (id, order) = (row.id.clone(), self.last_order);
        let entry =
            Entry { row, order, deadline, busy: None, not_before: None, failures: 0, pages: 0, uncertain };
        self.entries.insert(id, entry);
    }
}

fn id_of(entry: &Entry) -> CommandId {
    entry.row.id.clone()
}

const MAX_ROWS: usize = 2_048;
const OFFLINE: &str = "the bridge has no link to its gateway, or the gateway does not answer";
