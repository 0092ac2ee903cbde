//! Emptying a session, and asking whether an agent is there.

use otter_proto::id::{CommandId, ConversationId, EntityId};
use serde_json::Value;

use crate::openclaw::command::outcome::{self, Outcome};
use crate::openclaw::command::{CommandOutput, Commands};
use crate::openclaw::json::Fields as _;
use crate::openclaw::observed::Observed;
use crate::openclaw::rpc::RpcCall;
use crate::openclaw::time::Now;
use crate::openclaw::translate::Want;

impl Commands {
    /// Empties a session once: whoever comes here a second time does not know what became of the first.
    pub(super) fn begin_reset(
        &mut self,
        id: &CommandId,
        conversation: &ConversationId,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        if self.is_begun(id) {
            return self.end(id, &Outcome::Unknown, observed, now);
        }
        let Some(session) = observed.session_of(conversation) else {
            return self.end(id, &Outcome::refused("unknownConversation", NO_SESSION), observed, now);
        };
        let mut outputs = self.attempt(id, RpcCall::SessionsReset { session }, observed);
        let started = self.entries.get(id).map(|entry| outcome::started(&entry.row, now));
        outputs.insert(0, CommandOutput::Publish(started.into_iter().collect()));
        outputs
    }

    /// The transcript has a mark of it, and the session row follows by itself.
    pub(super) fn done_reset(
        &mut self,
        id: &CommandId,
        conversation: &ConversationId,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let mut outputs = self.end(id, &Outcome::Completed { result: None }, observed, now);
        outputs.extend(observed.session_of(conversation).map(|key| CommandOutput::Rpc(Want::History(key))));
        outputs
    }

    pub(super) fn begin_ping(
        &mut self,
        id: &CommandId,
        agent: &EntityId,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        if observed.gateway_agent(agent).is_none() {
            return self.end(id, &Outcome::refused("notFound", FOREIGN), observed, now);
        }
        self.attempt(id, RpcCall::AgentsList, observed)
    }

    pub(super) fn done_ping(
        &mut self,
        id: &CommandId,
        agent: &EntityId,
        payload: &Value,
        observed: &mut Observed,
        now: Now,
    ) -> Vec<CommandOutput> {
        let name = observed.gateway_agent(agent);
        let is_there = payload.items("agents").iter().any(|row| row.text("id") == name.as_deref());
        let outcome = if is_there {
            Outcome::Completed { result: None }
        } else {
            Outcome::refused("notFound", NO_AGENT)
        };
        self.end(id, &outcome, observed, now)
    }
}

const NO_SESSION: &str = "the gateway has no session for this conversation";
const FOREIGN: &str = "the agent belongs to another instance";
const NO_AGENT: &str = "the gateway has no such agent any more";
