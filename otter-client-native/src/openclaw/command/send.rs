//! Messages and tasks: sent under the id of their command, and after a restart of the gateway looked up first. A task
//! waits until its session has nothing else to do.

use otter_proto::id::{CommandId, ConversationId};
use serde_json::Value;

use crate::openclaw::command::journal::{Asked, Said, Stage};
use crate::openclaw::command::outcome::Outcome;
use crate::openclaw::command::{CommandOutput, Commands};
use crate::openclaw::history::History;
use crate::openclaw::ids::SessionKey;
use crate::openclaw::observed::{Delivery, DispatchState, Dispatched, Observed, Sent};
use crate::openclaw::rpc::RpcCall;
use crate::openclaw::time::Now;
use crate::openclaw::translate;

impl Commands {
    pub(super) fn begin_send(
        &mut self,
        id: &CommandId,
        said: Said,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let Some(session) = observed.session_of(&said.conversation) else {
            // Of a session that was excluded since then nobody may ask whether it had the message.
            let unknown = Outcome::refused("unknownConversation", UNKNOWN);
            let outcome = if self.is_begun(id) { Outcome::Unknown } else { unknown };
            return self.end(id, &outcome, observed, now);
        };
        if said.text.len() > MAX_TEXT {
            return self.end(id, &Outcome::refused("tooLarge", TOO_LARGE), observed, now);
        }
        if !self.has_restarted(id, observed) {
            let may_begin = said.task.is_none() || self.is_begun(id) || observed.is_idle(&session);
            return if may_begin { self.attempt_send(id, session, said, observed) } else { Vec::new() };
        }
        // The gateway knows keys of its own boot only: the same key would run a second time.
        let Some(entry) = self.entries.get_mut(id) else { return Vec::new() };
        entry.busy = Some(Asked::WhetherKnown);
        let call =
            RpcCall::ChatHistory { session, limit: LOOKUP_ROWS, max_chars: LOOKUP_CHARS, offset: None };
        vec![CommandOutput::Call(id.clone(), call)]
    }

    /// Remembers what is on its way under the id of the command, then sends it.
    fn attempt_send(
        &mut self,
        id: &CommandId,
        session: SessionKey,
        said: Said,
        observed: &mut Observed,
    ) -> Vec<CommandOutput> {
        let Said { text: message, author, task, .. } = said;
        if !observed.sent.contains_key(id.as_str()) {
            let task =
                task.map(|task| Dispatched { task, run: id.to_string(), state: DispatchState::Handed });
            let session = session.clone();
            let sent = Sent {
                session,
                author,
                delivery: Delivery::Pending,
                boot: None,
                given_up: false,
                into_run: None,
                task,
            };
            observed.note_sent(id.as_str(), sent);
        }
        observed.note_asked(id.as_str());
        self.attempt(id, RpcCall::ChatSend { session, message, key: id.to_string() }, observed)
    }

    pub(super) fn done_send(
        &mut self,
        id: &CommandId,
        conversation: &ConversationId,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let others = observed.session_of(conversation).map(|session| observed.runs_of(&session));
        let waits = others.is_some_and(|runs| runs.iter().any(|run| run != id.as_str()));
        let state = if waits { Delivery::Queued } else { Delivery::Taken };
        self.taken(id, state, observed, now)
    }

    /// The history of a gateway that was restarted says whether it had the message.
    pub(super) fn looked_up(
        &mut self,
        id: &CommandId,
        payload: &Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let Some(entry) = self.entries.get(id) else { return Vec::new() };
        let is_late = entry.is_late(now);
        let Some(said) = entry.row.verb.said() else { return Vec::new() };
        let Some(session) = observed.session_of(&said.conversation) else { return Vec::new() };
        let history = History::read(&session, payload);
        if history.rows.iter().any(|row| row.sent_key() == Some(id.as_str())) {
            return self.taken(id, Delivery::Delivered, observed, now);
        }
        match history.pending.iter().find(|pending| pending.run == id.as_str()) {
            Some(pending) if pending.cancelled => self.taken(id, Delivery::Failed, observed, now),
            Some(_) => self.taken(id, Delivery::Queued, observed, now),
            None if !is_late && (said.task.is_none() || observed.is_idle(&session)) => {
                self.attempt_send(id, session, said, observed)
            }
            // The gateway never had it: a task waits until the agent has nothing else to do, as at first.
            None => self.not_begun(id),
        }
    }

    fn not_begun(&mut self, id: &CommandId) -> Vec<CommandOutput> {
        let Some(entry) = self.entries.get_mut(id) else { return Vec::new() };
        entry.row.stage = Stage::Received;
        entry.uncertain = false;
        vec![CommandOutput::Journal(entry.row.clone())]
    }

    fn taken(
        &mut self,
        id: &CommandId,
        state: Delivery,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let delivery = if state == Delivery::Failed {
            translate::failed_delivery(observed, id.as_str(), "cancelled", now)
        } else {
            translate::delivery(observed, id.as_str(), state, None, now).into_iter().collect()
        };
        let mut outputs = self.end(id, &Outcome::Completed { result: None }, observed, now);
        if let Some(CommandOutput::Publish(events)) = outputs.last_mut() {
            events.extend(delivery);
        }
        outputs
    }
}

const UNKNOWN: &str = "the gateway has no session for this conversation";
const TOO_LARGE: &str = "the message is longer than 1 MiB";
const MAX_TEXT: usize = 1 << 20;
const LOOKUP_ROWS: u64 = 1_000;
const LOOKUP_CHARS: u64 = 200;
